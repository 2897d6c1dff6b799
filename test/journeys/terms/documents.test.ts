import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { moveLogClockForward } from '../../../src/eventstore/postgres/log-clock.ts';
import { call, registration } from '../../support/customers/person.ts';
import { runCommand } from '../../support/command.ts';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { copySoftware, type Software } from '../../support/nodes/software.ts';
import { SOON } from '../../support/soon.ts';

const STARTER = '2026-11-30';
const NEXT = '2026-12-20';
const NEXT_TEXT = '# Terms of Service\n\nOurs.\n';
const NOTICE_MS = 14 * 24 * 60 * 60_000;

let premises: Premises;
let nodes: readonly RunningGateway[];
let newer: Software | undefined;

beforeAll(async () => {
  // As a new operator starts: without tables.
  premises = await createPremises({ empty: true });
  nodes = [await premises.startGateway(), await premises.startGateway()];
});
afterAll(async () => {
  await premises.close();
  await newer?.remove();
});

const onAll = <Result>(look: (node: RunningGateway) => Promise<Result>): Promise<Result[]> =>
  Promise.all(nodes.map(look));
const versionAt = (path: string) => async (node: RunningGateway) =>
  (await fetch(`${node.url}${path}`)).headers.get('x-kissapi-terms-version');
const first = (): RunningGateway => {
  const [node] = nodes;
  if (!node) throw new Error('no node');
  return node;
};
/** PUBLIC_URL is unset. */
const publicUrl = (): string => first().url.replace('127.0.0.1', 'localhost');
const terms = (...args: readonly string[]) =>
  runCommand('terms', args, { cwd: premises.dataDir, env: { DATABASE_URL: premises.databaseUrl } });
const status = async (node: RunningGateway, version: string): Promise<string | undefined> => {
  const { data } = await node.manage<{ data: { version: string; status: string }[] }>('GET', '/terms?document=terms');
  return data.find((one) => one.version === version)?.status;
};

describe('the documents of a gateway', () => {
  it('are its starter texts, in force on every node from the first start', async () => {
    for (const [path, file] of [
      ['/terms', 'terms'],
      ['/acceptable-use', 'acceptable-use'],
      ['/privacy', 'privacy'],
    ] as const) {
      await expect.poll(() => onAll(versionAt(path)), SOON).toEqual([STARTER, STARTER]);
      const text = await (await fetch(`${first().url}${path}`)).text();
      expect(text).toBe(await readFile(`legal/${file}-${STARTER}.md`, 'utf8'));
      expect(text).toContain('starter text');
    }
  });

  it('do not change if a later start has newer files', async () => {
    newer = await copySoftware();
    await writeFile(join(newer.folder, 'legal', 'terms-2999-01-01.md'), 'Never asked for.\n');
    await writeFile(join(newer.folder, 'legal', `terms-${STARTER}.md`), 'Changed.\n');
    const node = await premises.startGateway({}, newer.folder);
    expect(await versionAt('/terms')(node)).toBe(STARTER);
    expect(await (await fetch(`${node.url}/terms`)).text()).not.toContain('Changed.');
    expect(node.process.output()).toContain(`legal/terms-${STARTER}.md differs from the published text`);
    await node.process.stop();
  });

  it('are announced by command, are public on every node at once, and cannot be accepted before their effect', async () => {
    await writeFile(join(premises.dataDir, 'ours.md'), NEXT_TEXT);
    const published = await terms(
      ...['publish', 'ours.md', '--version', NEXT, '--summary', 'They are ours.', '--significant', '--yes'],
    );
    expect(published).toMatchObject({ code: 0, stderr: '' });
    await expect.poll(() => onAll((node) => status(node, NEXT)), SOON).toEqual(['upcoming', 'upcoming']);
    for (const node of nodes) {
      expect(await versionAt('/terms')(node)).toBe(STARTER);
      expect(await (await fetch(`${node.url}/terms/${NEXT}`)).text()).toBe(NEXT_TEXT);
      const page = await (await fetch(`${node.url}/terms`, { headers: { accept: 'text/html' } })).text();
      expect(page).toContain('They are ours.');
      const early = node.manage('POST', '/accounts', {
        ...{ name: 'Ada', email: 'ada@example.com', adult: true, accept_terms: NEXT },
      });
      await expect(early).rejects.toThrow('terms_not_in_force');
    }
  });

  it('are shown to a person who registers before their effect', async () => {
    const body = { ...registration('ada@example.com'), accept_terms: STARTER };
    const { status: code, json } = await call(first().url, 'POST', '/registrations', { body });
    expect(code).toBe(202);
    expect(json['coming_terms']).toEqual({
      ...{ version: NEXT, summary: 'They are ours.', effective_at: expect.stringMatching(/Z$/) as unknown },
      url: `${publicUrl()}/terms/${NEXT}`,
    });
  });

  it('can be withdrawn before their effect, on every node', async () => {
    const { effective_at: effect } = await first().manage<{ effective_at: string }>('POST', '/terms', {
      ...{ document: 'terms', version: '2026-12-21', text: 'A mistake.\n', summary: 'A mistake' },
      effective_at: new Date(Date.now() + 2 * NOTICE_MS).toISOString(),
    });
    expect(effect).toBeDefined();
    await expect.poll(() => onAll((node) => status(node, '2026-12-21')), SOON).toEqual(['upcoming', 'upcoming']);
    await first().manage('POST', '/terms/terms/2026-12-21/withdraw', { reason: 'A mistake' });
    await expect.poll(() => onAll((node) => status(node, '2026-12-21')), SOON).toEqual(['withdrawn', 'withdrawn']);
  });

  it('come into force on every node when the clock of the log reaches their effect', async () => {
    await moveLogClockForward(premises.databaseUrl, NOTICE_MS);
    expect(await onAll((node) => status(node, NEXT))).toEqual(['upcoming', 'upcoming']);
    await moveLogClockForward(premises.databaseUrl, 5 * 60_000);
    await expect.poll(() => onAll(versionAt('/terms')), SOON).toEqual([NEXT, NEXT]);
    const late = first().manage('POST', '/accounts', {
      ...{ name: 'Ada', email: 'ada@example.com', adult: true, accept_terms: STARTER },
    });
    await expect(late).rejects.toThrow(`version ${NEXT}`);
    expect((await terms('show')).stdout).toBe(NEXT_TEXT);
    await moveLogClockForward(premises.databaseUrl, 2 * NOTICE_MS);
    await expect.poll(() => onAll((node) => status(node, STARTER)), SOON).toEqual(['past', 'past']);
    expect(await onAll(versionAt('/terms'))).toEqual([NEXT, NEXT]);
  });

  it('are named, with the place of their text, by a refusal of an account that accepted none', async () => {
    const account = await first().manage<{ account_id: string }>('POST', '/accounts', {
      ...{ name: 'Ada', email: 'ada@example.com', adult: true },
    });
    const issue = first().manage('POST', `/accounts/${account.account_id}/keys`, { name: 'test' });
    await expect(issue).rejects.toThrow(`Read them at ${publicUrl()}/terms,`);
  });
});
