import { createHash } from 'node:crypto';
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';
import { copySoftware, type Software } from '../../support/nodes/software.ts';
import { query } from '../../support/sql.ts';

const FIRST = '2026-11-24';
const NEXT = '2999-01-01';
const NEXT_TEXT = '# Terms of Service\n\nVersion 2999-01-01\n';
const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');

let premises: Premises;
let older: RunningGateway;
let firstText: string;
const copies: Software[] = [];
/** A release whose folder of terms has these files beside the first version, or this text in its place. */
const release = async (files: Readonly<Record<string, string>>): Promise<string> => {
  const software = await copySoftware();
  copies.push(software);
  for (const [name, text] of Object.entries(files)) await writeFile(join(software.folder, 'legal', name), text);
  return software.folder;
};
const get = async (gateway: RunningGateway, path: string) => {
  const response = await fetch(`${gateway.url}${path}`);
  return { status: response.status, headers: response.headers, text: await response.text() };
};
const versionInForce = async (gateway: RunningGateway): Promise<unknown> =>
  (await get(gateway, '/terms')).headers.get('x-kissapi-terms-version');
const register = (gateway: RunningGateway, version: string) =>
  gateway.manage('POST', '/accounts', { name: 'Ada', email: 'ada@example.com', adult: true, accept_terms: version });
const failedStart = async (software: string): Promise<string> => {
  const failure = await premises.startGateway({}, software).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Error);
  return (failure as Error).message;
};

beforeAll(async () => {
  premises = await createPremises();
  older = await premises.startGateway();
  firstText = await readFile('legal/terms-2026-11-24.md', 'utf8');
});
afterAll(async () => {
  await premises.close();
  await Promise.all(copies.map((one) => one.remove()));
});

describe('the terms in force', () => {
  it('are public: the text, its version, its hash and since when', async () => {
    const { status, headers, text } = await get(older, '/terms');
    expect([status, text]).toEqual([200, firstText]);
    expect(headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(headers.get('x-kissapi-terms-version')).toBe(FIRST);
    expect(headers.get('x-kissapi-terms-sha256')).toBe(sha256(firstText));
    const since = new Date(headers.get('x-kissapi-terms-in-force-since') ?? '');
    expect(Math.abs(since.getTime() - Date.now())).toBeLessThan(120_000);
    const list = JSON.parse((await get(older, '/api/terms')).text) as unknown;
    expect(list).toEqual({
      data: [
        {
          ...{ version: FIRST, sha256: sha256(firstText), in_force: true, url: `/terms/${FIRST}` },
          ...{ since: since.toISOString(), until: null },
        },
      ],
    });
  });

  it.each(['/terms/2025-01-01', '/terms/..%2f..%2fpackage.json', '/terms/%00', `/terms/${'9'.repeat(9000)}`])(
    '404: %s is no version',
    async (path) => {
      const { status, text } = await get(older, path);
      expect(status).toBe(404);
      expect(text).toContain('GET /api/terms');
    },
  );

  it('are named by a refusal of other terms', async () => {
    await expect(register(older, '1999-01-01')).rejects.toThrow(/terms_not_in_force.*|version 2026-11-24.*GET \/terms/);
    await expect(register(older, '1999-01-01')).rejects.toThrow('GET /terms');
  });
});

describe('a text that was changed under its version', () => {
  it.each([
    ['another text', '# Terms of Service\n\nEverything is ours.\n'],
    ['an empty file', ''],
  ])('%s: the start is refused with one plain line', async (_, text) => {
    const said = await failedStart(await release({ [`terms-${FIRST}.md`]: text }));
    const [line = ''] = said.split('\n').filter((one) => one.includes('legal/'));
    expect(line).toContain(`legal/terms-${FIRST}.md has another text than the one published as version ${FIRST}`);
    expect(line).toContain('save a new text as a new version');
    expect(said).not.toMatch(/^\s+at /m);
    expect(said).toContain('ended with 1');
  });

  it('is found in an older version too, and to the last byte', async () => {
    const software = await release({ [`terms-${NEXT}.md`]: NEXT_TEXT });
    await appendFile(join(software, 'legal', `terms-${FIRST}.md`), '\n');
    expect(await failedStart(software)).toContain(`legal/terms-${FIRST}.md has another text`);
    expect(await versionInForce(older)).toBe(FIRST);
  });
});

describe('nodes with different files', () => {
  it('an older version that was never published does not come into force', async () => {
    const software = await release({ 'terms-2020-01-01.md': 'Older.\n' });
    await rm(join(software, 'legal', `terms-${FIRST}.md`));
    const node = await premises.startGateway({}, software);
    expect([await versionInForce(node), await versionInForce(older)]).toEqual([FIRST, FIRST]);
    expect((await get(node, '/terms')).text).toBe(firstText);
    await node.process.stop();
  });

  it('a newer file is published at the start, and in force on every node, whatever file a node was started with', async () => {
    const newer = await premises.startGateway({}, await release({ [`terms-${NEXT}.md`]: NEXT_TEXT }));
    expect(await versionInForce(newer)).toBe(NEXT);
    await expect.poll(() => versionInForce(older), SOON).toBe(NEXT);
    const later = await premises.startGateway();
    for (const node of [older, newer, later]) {
      expect((await get(node, '/terms')).text).toBe(NEXT_TEXT);
      expect((await get(node, `/terms/${FIRST}`)).text).toBe(firstText);
      await expect(register(node, FIRST)).rejects.toThrow(`version ${NEXT}`);
      expect(await register(node, NEXT)).toMatchObject({ terms_version: NEXT });
    }
    const list = JSON.parse((await get(older, '/api/terms')).text) as { data: Record<string, unknown>[] };
    expect(list.data.map(({ version, in_force: inForce }) => [version, inForce])).toEqual([
      [NEXT, true],
      [FIRST, false],
    ]);
    expect((await get(older, `/terms/${FIRST}`)).headers.get('x-kissapi-terms-in-force-until')).toBe(
      list.data[0]?.['since'],
    );
  });

  it('a stored text that was altered is not shown', async () => {
    const url = premises.databaseUrl;
    await query(url, 'alter table terms_texts drop constraint terms_texts_check');
    await query(url, `update terms_texts set text = 'Altered.' where sha256 = '${sha256(firstText)}'`);
    const node = await premises.startGateway({}, await release({ [`terms-${NEXT}.md`]: NEXT_TEXT }));
    const { status, text } = await get(node, `/terms/${FIRST}`);
    expect(status).toBe(500);
    expect(text).not.toContain('Altered');
    expect(node.process.output()).toContain('was altered');
  });
});
