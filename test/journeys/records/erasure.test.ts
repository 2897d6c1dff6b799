import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountStream } from '../../../src/domain/account/account.ts';
import { GENESIS } from '../../../src/eventstore/integrity/chain.ts';
import { expectedHash } from '../../eventstore/integrity/expected-hash.ts';
import type { ChainedLog } from '../../../src/eventstore/chained-log.ts';
import { openLog } from '../../support/stores/log.ts';
import type { AccountView } from '../../../src/http/management/accounts/views/account-view.ts';
import { readLogAfter } from '../../eventstore/logs.ts';
import { checkProjections, checkSettledBooks } from '../../support/events/account-history.ts';
import { runCommand } from '../../support/command.ts';
import { createPremises, DATA_KEY, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { query } from '../../support/sql.ts';
import { chat } from '../../support/traffic.ts';

let premises: Premises;
let node: RunningGateway;
let nodes: readonly RunningGateway[];
let store: ChainedLog;
beforeAll(async () => {
  premises = await createPremises();
  node = await premises.startGateway();
  nodes = [node, await premises.startGateway()];
  store = openLog(premises.databaseUrl);
});
afterAll(async () => {
  await store.close();
  await premises.close();
});

const ada = { name: 'Ada Lovelace', email: 'ada@example.com', adult: true };
const replay = async (accountId: string): Promise<string> => {
  const env = { DATABASE_URL: premises.databaseUrl, KISSAPI_DATA_KEY: DATA_KEY };
  return (await runCommand('replay', [accountId], { env })).stdout;
};

/** Tells the last hash of a log whose every event has the hash that it must have. */
const verifyChain = async (): Promise<string> => {
  let previous = GENESIS;
  for (const event of await readLogAfter(store, 0)) {
    expect(event.hash).toBe(expectedHash(previous, event));
    previous = event.hash;
  }
  return previous;
};

describe.each([
  ['destroyed', 'update data_keys set wrapped = null where account_id = $1'],
  ['gone with its row', 'delete from data_keys where account_id = $1'],
])('an account whose data key is %s', (_how, destroy) => {
  let accountId: string;
  let before: AccountView;
  const key = { 'idempotency-key': `register ${_how}` };
  const register = (node: RunningGateway, body: unknown = ada): Promise<AccountView> =>
    node.manage<AccountView>('POST', '/accounts', body, key);

  it('was told as it is by every node, and spent some credits', async () => {
    const [registered, same] = await Promise.all(nodes.map((one) => register(one)));
    expect(registered).toMatchObject({ name: ada.name, email: ada.email });
    expect(same).toEqual(registered);
    accountId = registered?.account_id ?? '';
    expect(
      await query(premises.databaseUrl, 'select 1 from data_keys where account_id = $1', [accountId]),
    ).toHaveLength(1);

    await node.manage('POST', `/accounts/${accountId}/terms`, { version: '2026-11-30' });
    await node.manage('POST', `/accounts/${accountId}/grants`, { usd: '0.50', reason: 'test' });
    const { secret } = await node.manage<{ secret: string }>('POST', `/accounts/${accountId}/keys`, { name: 'test' });
    for (const stream of [false, true]) expect((await chat(node, secret, { stream }).answer).status).toBe(200);
    before = await node.manage<AccountView>('GET', `/accounts/${accountId}`);
    expect(before).toMatchObject({ name: ada.name, email: ada.email });
    expect(before.charged_usd).not.toBe('0.00');
    const [first] = await store.readStream(accountStream(accountId), 0, 1);
    expect(first).toMatchObject({ type: 'AccountRegistered', version: 2 });
    expect(first?.data).not.toMatch(/Ada|Lovelace|example/);
    expect(await replay(accountId)).toContain('Registered for Ada Lovelace <ada@example.com>, a person.');
  });

  it('is nobody any more, at once and everywhere, and its money and the log are as they were', async () => {
    const head = await verifyChain();
    await query(premises.databaseUrl, destroy, [accountId]);
    for (const one of nodes) {
      expect(await one.manage('GET', `/accounts/${accountId}`)).toEqual({ ...before, name: null, email: null });
      expect(await one.manage('GET', `/accounts/${accountId}/events`)).toMatchObject({
        data: [
          { type: 'AccountRegistered', data: { name: null, email: null, holder: 'person' } },
          ...Array(7).fill({}),
        ],
      });
      await checkProjections(premises.databaseUrl, accountId, await checkSettledBooks(one, accountId));
    }
    const story = await replay(accountId);
    expect(story).toContain('Registered for [erased], a person.');
    expect(story).toContain(`balance    ${before.balance_usd} USD`);
    expect(story).not.toMatch(/Ada|Lovelace|example/);
    expect(await verifyChain()).toBe(head);
  });

  it('can be registered no second time, nor under its old key', async () => {
    for (const one of nodes) await expect(register(one)).rejects.toThrow(/409.*idempotency_key_reused/);
    await expect(register(node, { ...ada, name: 'Grace' })).rejects.toThrow('erased since');
    const rows = await query(
      premises.databaseUrl,
      'select 1 from data_keys where account_id = $1 and wrapped is not null',
      [accountId],
    );
    expect(rows).toEqual([]);
  });
});

describe('a gateway with another master key', () => {
  it('does not start, and says what to do', async () => {
    const started = premises.startGateway({ KISSAPI_DATA_KEY: 'f'.repeat(64) });
    await expect(started).rejects.toThrow(/KISSAPI_DATA_KEY is not the master key "1"[^]*KISSAPI_DATA_KEY_ID/);
  });

  it('starts where the key is given a name of its own', async () => {
    const next = await premises.startGateway({ KISSAPI_DATA_KEY: 'f'.repeat(64), KISSAPI_DATA_KEY_ID: '2' });
    expect(await next.manage('POST', '/accounts', ada)).toMatchObject({ name: ada.name });
  });
});
