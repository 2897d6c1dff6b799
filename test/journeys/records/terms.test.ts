import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { query } from '../../support/sql.ts';

const FIRST = '2026-11-30';
const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');

let premises: Premises;
let gateway: RunningGateway;
let firstText: string;
const get = async (gateway: RunningGateway, path: string) => {
  const response = await fetch(`${gateway.url}${path}`);
  return { status: response.status, headers: response.headers, text: await response.text() };
};
const register = (gateway: RunningGateway, version: string) =>
  gateway.manage('POST', '/accounts', { name: 'Ada', email: 'ada@example.com', adult: true, accept_terms: version });
beforeAll(async () => {
  premises = await createPremises();
  gateway = await premises.startGateway();
  firstText = await readFile('legal/terms-2026-11-30.md', 'utf8');
});
afterAll(() => premises.close());

describe('the terms in force', () => {
  it('are public: the text, its version, its hash and since when', async () => {
    const { status, headers, text } = await get(gateway, '/terms');
    expect([status, text]).toEqual([200, firstText]);
    expect(headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(headers.get('x-kissapi-terms-version')).toBe(FIRST);
    expect(headers.get('x-kissapi-terms-sha256')).toBe(sha256(firstText));
    const since = new Date(headers.get('x-kissapi-terms-in-force-since') ?? '');
    expect(Math.abs(since.getTime() - Date.now())).toBeLessThan(120_000);
    const list = JSON.parse((await get(gateway, '/api/terms?document=terms')).text) as unknown;
    expect(list).toEqual({
      data: [
        {
          ...{ document: 'terms', version: FIRST, sha256: sha256(firstText), summary: '', significant: false },
          ...{ status: 'in_force', in_force: true, url: `/terms/${FIRST}`, published_at: since.toISOString() },
          ...{ since: since.toISOString(), until: null },
        },
      ],
    });
  });

  it.each(['/terms/2025-01-01', '/terms/..%2f..%2fpackage.json', '/terms/%00', `/terms/${'9'.repeat(9000)}`])(
    '404: %s is no version',
    async (path) => {
      const { status, text } = await get(gateway, path);
      expect(status).toBe(404);
      expect(text).toContain('GET /api/terms');
    },
  );

  it('are named by a refusal of other terms', async () => {
    await expect(register(gateway, '1999-01-01')).rejects.toThrow(
      /terms_not_in_force.*|version 2026-11-30.*GET \/terms/,
    );
    await expect(register(gateway, '1999-01-01')).rejects.toThrow('GET /terms');
  });
});

describe('the texts', () => {
  it('that were altered in the database are not shown', async () => {
    const url = premises.databaseUrl;
    await query(url, 'alter table terms_texts drop constraint terms_texts_check');
    await query(url, `update terms_texts set text = 'Altered.' where sha256 = '${sha256(firstText)}'`);
    const node = await premises.startGateway();
    const { status, text } = await get(node, `/terms/${FIRST}`);
    expect(status).toBe(500);
    expect(text).not.toContain('Altered');
    expect(node.process.output()).toContain('was altered');
  });
});
