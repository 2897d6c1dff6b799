import { describe, expect, it } from 'vitest';
import type { TermsFile } from '../../src/config/terms-files.ts';
import { TERMS_STREAM, termsDecider } from '../../src/domain/terms/terms.ts';
import { createCommands } from '../../src/eventstore/commands.ts';
import { createCommitter } from '../../src/eventstore/committer.ts';
import { journal } from '../../src/eventstore/journal/codec.ts';
import { sha256Of } from '../../src/eventstore/journal/terms-texts.ts';
import { createInMemoryLog, createInMemoryStore } from '../../src/eventstore/memory/in-memory.ts';
import { publishTerms } from '../../src/gateway/publishing/publish-terms.ts';

const file = (version: string, text = `text of ${version}`): TermsFile => ({
  ...{ file: `legal/terms-${version}.md`, version, text: Buffer.from(text), sha256: sha256Of(Buffer.from(text)) },
});
const [FIRST, SECOND, THIRD] = ['2026-01-01', '2026-02-01', '2026-03-01'] as const;

/** A log that nodes share, each with files of its own. */
const nodes = () => {
  const log = createInMemoryLog();
  const stored: string[] = [];
  const texts = { store: (text: Buffer) => Promise.resolve(void stored.push(text.toString())) };
  const commands = () => {
    const store = createInMemoryStore(log);
    return createCommands({ store, committer: createCommitter({ store }), codec: journal, decider: termsDecider });
  };
  const start = (...files: readonly TermsFile[]): Promise<void> => publishTerms({ terms: commands(), texts, files });
  const published = async () => (await commands().read(TERMS_STREAM)).state.map(({ version }) => version);
  return { start, published, stored };
};

describe('the terms at the start', () => {
  it('are published once, with their text', async () => {
    const { start, published, stored } = nodes();
    await start(file(FIRST));
    await start(file(FIRST));
    expect(await published()).toEqual([FIRST]);
    expect(stored[0]).toBe(`text of ${FIRST}`);
  });

  it.each([
    ['of the newest version', [file(FIRST), file(SECOND, 'changed')]],
    ['of an older version', [file(FIRST, 'changed'), file(SECOND)]],
    ['of an older version, before a newer one', [file(FIRST, 'changed'), file(SECOND), file(THIRD)]],
    ['that is now empty', [file(FIRST), file(SECOND, '')]],
  ])('are refused if they change a published text %s', async (_, files) => {
    const { start, published, stored } = nodes();
    await start(file(FIRST));
    await start(file(FIRST), file(SECOND));
    const before = stored.length;
    await expect(start(...files)).rejects.toMatchObject({
      code: 'terms_version_changed',
      message: expect.stringMatching(/^legal\/terms-\S+ has another text than the one published as version/) as unknown,
    });
    expect(await published()).toEqual([FIRST, SECOND]);
    expect(stored).toHaveLength(before);
  });

  it('are refused if another node has published another text of this version at the same moment', async () => {
    const { start, published } = nodes();
    const ends = await Promise.allSettled([start(file(FIRST)), start(file(FIRST, 'changed'))]);
    expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(ends.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'terms_version_changed' },
    });
    expect(await published()).toEqual([FIRST]);
  });

  it('of a node with older files change nothing that is in force', async () => {
    const { start, published } = nodes();
    await start(file(SECOND));
    await start(file(FIRST));
    expect(await published()).toEqual([SECOND]);
  });

  it('may be missing on a node if the log has some, and not otherwise', async () => {
    const { start, published } = nodes();
    await expect(start()).rejects.toMatchObject({ code: 'terms_missing' });
    await start(file(FIRST));
    await start();
    expect(await published()).toEqual([FIRST]);
  });
});
