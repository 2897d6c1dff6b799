import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AccountView } from '../../../src/http/management/accounts/views/account-view.ts';
import { runCommand } from '../../support/command.ts';
import { checkSettledBooks } from '../../support/events/account-history.ts';
import { copyDatabase } from '../../support/postgres/database-copy.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { ADMIN_TOKEN, type RunningGateway } from '../../support/gateway.ts';
import { startGatewayOn } from '../../support/nodes/running-gateway.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';
import { usesEventStoreDb } from '../../support/stores/store-env.ts';
import { chat, errorOf, type Answer } from '../../support/traffic.ts';

let database: TestDatabase;
let home: string;
let one: RunningGateway;
let two: RunningGateway;

/** Each node has a data folder of its own, as on machines of their own. */
const startNode = (name: string): Promise<RunningGateway> =>
  startGatewayOn({ databaseUrl: database.url, dataDir: join(home, name) });

const NOTICED = '"alert":"log_rewound"';
const noticed = (node: RunningGateway): number => node.process.output().split(NOTICED).length - 1;

const run = async (...args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> => {
  const env = { DATABASE_URL: database.url };
  const { code, stdout, stderr } = await runCommand('acknowledge-rewind', args, { env });
  return { code, output: stdout + stderr };
};

const rewindIsOpen = async (node: RunningGateway): Promise<boolean> => {
  const response = await fetch(`${node.url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
  return /^kissapi_log_rewind_open 1$/m.test(await response.text());
};

const ask = (node: RunningGateway, apiKey: string, maxTokens: number): Promise<Answer> =>
  chat(node, apiKey, { maxTokens, simulate: { outputTokens: 5 } }).answer;

beforeAll(async () => {
  database = await createTestDatabase();
  home = await mkdtemp(join(tmpdir(), 'kissapi-rewound-'));
  one = await startNode('one');
  two = await startNode('two');
});
afterAll(async () => {
  await Promise.all([one, two].map(({ process }) => process.stop('SIGKILL')));
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

// A copy that is put back is made complete again, and nothing is lost: see eventstoredb/gate.test.ts.
const inPostgres = usesEventStoreDb() ? describe.skip : describe;

inPostgres('a database that commits the log and is put back to an earlier state under two running gateways', () => {
  let account: Awaited<ReturnType<RunningGateway['openAccount']>>;
  let leaked: { readonly key_id: string; readonly key: string };
  const grant = (usd: string) =>
    one.manage('POST', `/accounts/${account.accountId}/grants`, { usd, reason: `grant of ${usd}` });

  it('is noticed by both, and no completion is taken on what the log has lost', async () => {
    account = await one.openAccount('0.01');
    leaked = await one.manage('POST', `/accounts/${account.accountId}/keys`, { name: 'leaked' });
    // A key that was just issued on one gateway is known to the other a moment later.
    await expect.poll(async () => (await ask(two, account.apiKey, 10)).status, SOON).toBe(200);
    const copy = await copyDatabase(database.url);
    await grant('25.00');
    await grant('26.00');
    await one.manage('DELETE', `/accounts/${account.accountId}/keys/${leaked.key_id}`);
    expect((await ask(one, account.apiKey, 16_000)).status).toBe(200);

    await copy.putBack();
    for (const node of [one, two]) {
      await expect.poll(() => noticed(node), SOON).toBe(1);
      // Until its connections are new, a gateway may answer that it does not reach its database.
      const refusal = async () => {
        const answer = await ask(node, account.apiKey, 10);
        expect(answer.status).toBe(503);
        return errorOf(answer).code;
      };
      await expect.poll(refusal, SOON).toBe('service_paused');
      await expect.poll(async () => (await fetch(`${node.url}/health`)).status, SOON).toBe(503);
      await expect.poll(() => rewindIsOpen(node), SOON).toBe(true);
    }
  });

  it('is listed for the operator, who can manage accounts meanwhile', async () => {
    const listed = await run();
    expect(listed.code).toBe(1);
    for (const lost of ['25.00 USD', '26.00 USD', 'grant of 25.00', 'Revoked', '1 charge'])
      expect(listed.output).toContain(lost);
    const { balance_usd } = await two.manage<AccountView>('GET', `/accounts/${account.accountId}`);
    expect(Number(balance_usd)).toBeLessThan(0.01);
    await two.manage('DELETE', `/accounts/${account.accountId}/keys/${leaked.key_id}`);
  });

  it('is not acknowledged while a gateway of an older release is running that could not read that', async () => {
    await query(database.url, `insert into runs (id, seen_at) values ('older', now() + interval '1 hour')`);
    const refused = await run('--yes');
    expect([refused.code, refused.output]).toEqual([
      2,
      expect.stringContaining('LogRewound version 1 cannot be written while a gateway is running that cannot read it'),
    ]);
    await query(database.url, `delete from runs where id = 'older'`);
  });

  it('goes on once that is acknowledged, with the balance that the log has', async () => {
    const acknowledged = await run('--yes', '--note', 'a copy was put back');
    expect(acknowledged).toMatchObject({ code: 0, output: expect.stringContaining('Acknowledged.') as unknown });
    for (const node of [one, two]) {
      await expect.poll(() => rewindIsOpen(node), SOON).toBe(false);
      expect(errorOf(await ask(node, account.apiKey, 16_000)).code).toBe('credit_balance_exhausted');
      expect((await ask(node, account.apiKey, 10)).status).toBe(200);
      expect((await ask(node, leaked.key, 10)).status).toBe(401);
    }
    const { events } = await checkSettledBooks(one, account.accountId);
    expect(events.filter(({ type }) => type === 'CreditsToppedUp')).toHaveLength(1);
    expect(await query(database.url, `select data->>'note' as note from events where type = 'LogRewound'`)).toEqual([
      { note: 'a copy was put back' },
    ]);
    expect(await run()).toMatchObject({ code: 0 });
  });

  it('is noticed by a gateway that was not running then, when it is started', async () => {
    const copy = await copyDatabase(database.url);
    await grant('27.00');
    // The newest head that was seen is written down once a second.
    const { position } = (await query<{ position: string }>(database.url, 'select position from log_head'))[0] ?? {};
    for (const name of ['one', 'two'])
      await expect.poll(() => seenHeads(join(home, name)), SOON).toContain(Number(position));
    await Promise.all([one, two].map(({ process }) => process.stop('SIGKILL')));
    await copy.putBack();
    [one, two] = await Promise.all([startNode('one'), startNode('two')]);
    for (const node of [one, two]) expect(noticed(node)).toBe(1);
    expect(errorOf(await ask(two, account.apiKey, 10)).code).toBe('service_paused');
    expect((await run('--yes')).code).toBe(0);
    await expect.poll(async () => (await ask(two, account.apiKey, 10)).status, SOON).toBe(200);
  }, 120_000);
});

const seenHeads = async (dataDir: string): Promise<readonly number[]> => {
  const text = await readFile(join(dataDir, 'seen-heads.json'), 'utf8').catch(() => '{}');
  return Object.values(JSON.parse(text) as Record<string, { position: number }>).map(({ position }) => position);
};
