import { describe, expect, it } from 'vitest';
import type { TermsFile } from '../../src/config/terms-files.ts';
import type { TermsDocument } from '../../src/domain/terms/events.ts';
import { TERMS_STREAM, termsDecider } from '../../src/domain/terms/terms.ts';
import { createCommands } from '../../src/eventstore/commands.ts';
import { createCommitter } from '../../src/eventstore/committer.ts';
import type { ReadableVersions } from '../../src/eventstore/event-versions.ts';
import { journal, READABLE_VERSIONS } from '../../src/eventstore/journal/codec.ts';
import { sha256Of } from '../../src/eventstore/journal/terms-texts.ts';
import { UNSTATED_VERSIONS } from '../../src/eventstore/journal/unstated-versions.ts';
import { createInMemoryLog, createInMemoryStore } from '../../src/eventstore/memory/in-memory.ts';
import {
  publishFurtherStarters,
  publishStarters,
  storePublishedTexts,
} from '../../src/gateway/publishing/publish-terms.ts';

const file = (version: string, text = `text of ${version}`, document: TermsDocument = 'terms'): TermsFile => ({
  ...{ file: `legal/${document}-${version}.md`, document, version, text: Buffer.from(text) },
  sha256: sha256Of(Buffer.from(text)),
});
const [FIRST, SECOND] = ['2026-01-01', '2026-02-01'] as const;
const policy = file(FIRST, 'a policy', 'acceptable_use');

/** A log that nodes share, each with files of its own. */
const nodes = (readable: () => ReadableVersions = () => READABLE_VERSIONS) => {
  const log = createInMemoryLog();
  const stored: string[] = [];
  const warned: unknown[] = [];
  const texts = { store: (text: Buffer) => Promise.resolve(void stored.push(text.toString())) };
  const commands = () => {
    const store = createInMemoryStore(log);
    const committer = createCommitter({ store });
    return createCommands({ store, committer, codec: journal, decider: termsDecider, readable });
  };
  const now = () => new Date('2026-03-01T00:00:00Z');
  const optionsOf = (files: readonly TermsFile[]) => ({ terms: commands(), texts, files, now });
  const warn = { warn: (...args: unknown[]) => void warned.push(args) };
  return {
    start: (...files: readonly TermsFile[]) => publishStarters(optionsOf(files), ['terms']),
    further: (...files: readonly TermsFile[]) =>
      publishFurtherStarters({ ...optionsOf(files), lookedUp: () => Promise.resolve(), log: warn }),
    storeTexts: (...files: readonly TermsFile[]) => storePublishedTexts(optionsOf(files), warn),
    published: async () =>
      (await commands().read(TERMS_STREAM)).state.map(({ document, version }) => `${document} ${version}`),
    ...{ stored, warned, commands },
  };
};

describe('the starter text', () => {
  it('is the newest file, and is published once', async () => {
    const { start, published, stored } = nodes();
    await start(file(FIRST), file(SECOND));
    await start(file(FIRST), file(SECOND));
    expect(await published()).toEqual([`terms ${SECOND}`]);
    expect(stored).toEqual([`text of ${SECOND}`]);
  });

  it('is not published if the log has a version, whatever files there are', async () => {
    const { start, published } = nodes();
    await start(file(FIRST));
    await start(file(FIRST, 'changed'), file(SECOND));
    await start();
    expect(await published()).toEqual([`terms ${FIRST}`]);
  });

  it('is published once if two nodes start at the same moment', async () => {
    const { start, published } = nodes();
    await Promise.all([start(file(FIRST)), start(file(SECOND)), start(file(FIRST, 'changed'))]);
    expect(await published()).toHaveLength(1);
  });

  it('of the terms must exist if the log has no terms', async () => {
    const { start } = nodes();
    await expect(start(policy)).rejects.toMatchObject({ code: 'terms_missing' });
  });

  it('of the other documents is published once every running gateway can read it', async () => {
    let readable = UNSTATED_VERSIONS;
    const { start, further, published, warned } = nodes(() => readable);
    await start(file(FIRST));
    (await further(policy)).close();
    expect(await published()).toEqual([`terms ${FIRST}`]);
    expect(warned).toHaveLength(1);
    readable = READABLE_VERSIONS;
    for (let n = 0; n < 2; n++) (await further(policy)).close();
    expect(await published()).toEqual([`terms ${FIRST}`, `acceptable_use ${FIRST}`]);
  });
});

describe('the files in legal/', () => {
  it('that were published are stored, because databases of older releases have no texts', async () => {
    const { start, storeTexts, stored, warned } = nodes();
    await start(file(FIRST));
    stored.length = 0;
    await storeTexts(file(FIRST), file(SECOND));
    expect([stored, warned]).toEqual([[`text of ${FIRST}`], []]);
  });

  it('that differ from what was published are reported, and not stored', async () => {
    const { start, storeTexts, stored, warned } = nodes();
    await start(file(FIRST));
    stored.length = 0;
    await storeTexts(file(FIRST, 'changed'));
    expect(stored).toEqual([]);
    expect(warned).toEqual([[expect.anything(), expect.stringContaining('npm run terms -- publish')]]);
  });
});
