import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicKeyPem } from '../../../src/eventstore/integrity/checkpoint.ts';
import { parseSigningKey } from '../../../src/config/signing-key.ts';
import { runCommand, type Ran } from '../../support/command.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startGatewayOn, type RunningGateway } from '../../support/nodes/running-gateway.ts';
import { DAY_MS, forward } from '../../support/clock.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';
import { ENVIRONMENT, USED_ONCE, type AccountBefore, type Json, type ReleaseBefore } from './environment.ts';

const fixture = new URL('release-before.', import.meta.url);
const { accounts } = JSON.parse(readFileSync(`${fixture.pathname}json`, 'utf8')) as ReleaseBefore;

let database: TestDatabase;
let dataDir: string;
let gateway: RunningGateway;

beforeAll(async () => {
  database = await createTestDatabase();
  // The dump empties the search path of its session, which is therefore not used again.
  await query(database.url, `${await readFile(`${fixture.pathname}sql`, 'utf8')}; set search_path to public`);
  dataDir = await mkdtemp(join(tmpdir(), 'kissapi-upgrade-'));
  gateway = await startGatewayOn({ databaseUrl: database.url, dataDir }, ENVIRONMENT);
});
afterAll(async () => {
  await gateway?.process.stop('SIGKILL');
  await database.drop();
  await rm(dataDir, { recursive: true, force: true });
});

const manage = async (path: string): Promise<Json> => {
  const headers = { authorization: `Bearer ${ENVIRONMENT.KISSAPI_ADMIN_TOKEN}` };
  return (await (await fetch(`${gateway.url}/api${path}`, { headers })).json()) as Json;
};
const readAccount = ({ account }: AccountBefore): Promise<Json> => manage(`/accounts/${account.account_id}`);
const complete = (secret: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(USED_ONCE.body),
  });
const run = (script: string, ...args: readonly string[]): Promise<Ran> =>
  runCommand(script, args, { cwd: dataDir, env: { ...ENVIRONMENT, DATABASE_URL: database.url } });
const jsonLines = (text: string): readonly Json[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Json);

/** Sentences may change between releases. */
const withoutSentence = ({ sentence: _, ...line }: Json): Json => line;
const lastRevision = ({ replay }: AccountBefore): number => Number(replay.at(-2)?.['revision']);

describe('a database of the release before', () => {
  it('has a snapshot, checkpoints, sealed personal data, open holds and a revoked key', async () => {
    const [found] = await query(
      database.url,
      `select (select count(*) from snapshots) > 0 as snapshots, (select count(*) from log_checkpoints) > 0 as checkpoints,
         (select count(*) from data_keys where wrapped is not null) > 2 as data_keys`,
    );
    expect(found).toEqual({ snapshots: true, checkpoints: true, data_keys: true });
    expect(accounts.map(({ account }) => account.open_holds.length)).toEqual([0, 0, 2]);
    expect(accounts.flatMap(({ keys }) => keys.map(({ state }) => state))).toContain('revoked');
  });

  it('keeps its terms in force, with their text, and gets the policies that it lacks', async () => {
    const read = async (path: string) => {
      const response = await fetch(`${gateway.url}${path}`);
      return [response.headers.get('x-kissapi-terms-version'), await response.text()] as const;
    };
    expect(await read('/terms')).toEqual(['2026-11-24', await readFile('legal/terms-2026-11-24.md', 'utf8')]);
    // The gateway of the release before counts as running until its heartbeat is old.
    for (const path of ['/acceptable-use', '/privacy']) {
      await expect.poll(async () => (await read(path))[0], SOON).toBe('2026-11-30');
    }
    expect((await manage('/terms?document=terms'))['data']).toMatchObject([{ version: '2026-11-24', in_force: true }]);
  });

  it('keeps names, keys and balances, and releases the holds of the run that died', async () => {
    for (const before of accounts) {
      await expect.poll(() => readAccount(before), SOON).toMatchObject({ open_holds: [], held_usd: '0.00' });
      const { account_id, name, email, status, balance_usd, topped_up_usd, charged_usd, lots, keys, limits } =
        before.account;
      expect(await readAccount(before)).toMatchObject({
        ...{ account_id, name, email, status, balance_usd, topped_up_usd, charged_usd, lots, keys, limits },
        available_usd: balance_usd,
      });
    }
  });

  it('replays each account as that release did', async () => {
    for (const before of accounts) {
      const { account_id: accountId } = before.account;
      const { code, stdout } = await run('replay', accountId, '--json', '--revision', String(lastRevision(before)));
      expect(code).toBe(0);
      expect(jsonLines(stdout).map(withoutSentence)).toMatchObject(before.replay.map(withoutSentence));
    }
  });

  it('shows the same receipts', async () => {
    for (const { keys, receipts } of accounts) {
      for (const receipt of receipts) {
        const before = receipt['data'] as Json & { readonly id: string };
        const headers = { authorization: `Bearer ${keys[0]?.secret}` };
        const response = await fetch(`${gateway.url}/v1/generation?id=${before.id}`, { headers });
        const { data } = (await response.json()) as { readonly data: Json };
        // A number since, as at OpenRouter.
        const total = Number(before['total_cost']);
        expect(data).toMatchObject({ ...before, total_cost: total });
      }
    }
  });

  it('charges nothing for an Idempotency-Key that was used before', async () => {
    const [ada] = accounts;
    if (!ada) throw new Error('the fixture has accounts');
    const before = await readAccount(ada);
    const repeated = await complete(ada.keys[0]?.secret ?? '', { 'idempotency-key': USED_ONCE.key });
    expect(repeated.status).toBe(409);
    expect(await readAccount(ada)).toEqual(before);
  });

  it('accepts every key that was valid, with its limits', async () => {
    for (const { account, keys } of accounts) {
      for (const { secret, state } of keys) {
        const expected = state === 'revoked' ? 401 : account['status'] === 'suspended' ? 403 : 200;
        expect((await complete(secret)).status, `${state} key of a ${String(account['status'])} account`).toBe(
          expected,
        );
      }
    }
  });

  it('still limits a key to its models', async () => {
    const limited = accounts[0]?.keys[1];
    const response = await fetch(`${gateway.url}/v1/embeddings`, {
      method: 'POST',
      headers: { authorization: `Bearer ${limited?.secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'simulated-embedding', input: 'Hello' }),
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { code: 'model_not_allowed' } });
  });

  it('has its prices as lines, with what providers bill, at the same rates', async () => {
    const listed = await query<{ data: Json & { entry: { model: string; rates: Json } } }>(
      database.url,
      `select data from events where type = 'PriceListed' and version = 1`,
    );
    expect(listed.length).toBeGreaterThan(0);
    const { data } = (await manage('/prices')) as { readonly data: readonly Json[] };
    for (const { entry } of listed.map(({ data }) => data)) {
      const price = data.find(({ model }) => model === entry.model) ?? {};
      // Rates are pico-USD per token: the same number is nano-USD per million tokens, times 1,000.
      const input = `${(Number(entry.rates['input']) / 1_000_000).toFixed(6)}`.replace(/0{1,4}$/, '');
      expect(price['lines'], entry.model).toContainEqual({
        ...{ unit: 'token', per: 1_000_000, match: { class: 'input' }, usd: input },
      });
    }
    // A price is public without its cost, which the start of this release has listed.
    const { stdout } = await run('prices', 'proposals');
    expect(stdout).toBe(
      'There are no proposals: every listed price is the cost in the catalogue plus PRICE_MARGIN_PERCENT.\n',
    );
    const [{ costs } = { costs: 0 }] = await query<{ costs: number }>(
      database.url,
      `select count(*)::int as costs from events where type = 'PriceListed' and version = 2`,
    );
    expect(costs).toBe(listed.length);
  });

  it('takes an announced increase, which is charged from its effect on', async () => {
    const key = accounts[0]?.keys[0]?.secret ?? '';
    const costOf = async (): Promise<number> => {
      const { usage } = (await (await complete(key)).json()) as { usage: { cost: number } };
      return usage.cost;
    };
    const before = await costOf();
    const { code, stdout } = await run('prices', 'set', 'simulated-chat', '--input', '10', '--output', '40');
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('It can cost more') as unknown });
    expect(await costOf()).toBe(before);
    await forward(database.url, 14 * DAY_MS, [gateway]);
    expect(await costOf()).toBeGreaterThan(9 * before);
  });

  it('is verified and audited', async () => {
    const key = join(dataDir, 'key.pem');
    await writeFile(key, publicKeyPem(parseSigningKey(ENVIRONMENT.KISSAPI_SIGNING_KEY)));
    const verified = await run('verify', '--public-key', key);
    expect(verified, verified.stdout).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('every signature is good') as unknown,
    });
    const audited = await run('audit');
    expect(audited, audited.stdout + audited.stderr).toMatchObject({ code: 0 });
  });
});
