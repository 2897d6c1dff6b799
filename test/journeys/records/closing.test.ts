import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AccountView } from '../../../src/http/management/accounts/views/account-view.ts';
import type { EventView } from '../../../src/http/management/accounts/views/event-view.ts';
import { checkProjections, checkSettledBooks, isCharge } from '../../support/events/account-history.ts';
import { runCommand } from '../../support/command.ts';
import { ADMIN_TOKEN, createPremises, DATA_KEY, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { KEY_PEPPER } from '../../support/nodes/running-gateway.ts';
import { startProcess } from '../../support/process.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';
import { chat, errorChunkOf, errorOf, generationOf, type Answer } from '../../support/traffic.ts';

let premises: Premises;
let nodes: readonly [RunningGateway, RunningGateway];
let accountId: string;
let apiKey: string;
beforeAll(async () => {
  premises = await createPremises();
  nodes = [await premises.startGateway(), await premises.startGateway()];
  ({ accountId, apiKey } = await nodes[0].openAccount('5.00'));
});
afterAll(() => premises.close());

const account = (node = nodes[0]): Promise<AccountView> => node.manage('GET', `/accounts/${accountId}`);
const command = async (name: string, ...args: readonly string[]): Promise<string> => {
  const env = { DATABASE_URL: premises.databaseUrl, KISSAPI_DATA_KEY: DATA_KEY };
  const { code, stdout, stderr } = await runCommand(name, args, { env });
  expect(code, stdout + stderr).toBe(0);
  return stdout;
};

describe('an account that is closed on one node while a stream runs on another', () => {
  let ended: Answer;

  it('gets no further request on any node within a second', async () => {
    const stream = chat(nodes[1], apiKey, {
      ...{ maxTokens: 8000, stream: true },
      simulate: { outputTokens: 8000, tokenMs: 1 },
    });
    await expect.poll(() => stream.words(), SOON).toBeGreaterThan(1);
    await nodes[0].manage('POST', `/accounts/${accountId}/close`, { reason: 'moved away' });
    const closedAt = performance.now();
    expect((await chat(nodes[0], apiKey).answer).status).toBe(401);
    const refused = await expect
      .poll(async () => (await chat(nodes[1], apiKey).answer).status, { interval: 20, timeout: 1000 })
      .toBe(401)
      .then(() => performance.now() - closedAt);
    expect(refused).toBeLessThan(1000);
    const again = await chat(nodes[1], apiKey).answer;
    expect(errorOf(again)).toMatchObject({ code: 'invalid_api_key' });
    expect(errorOf(again).message).toContain('revoked');
    ended = await stream.answer;
  });

  it('ends the stream where its hold ends, with the reason', () => {
    expect(ended.status).toBe(200);
    expect(errorChunkOf(ended)).toMatchObject({ code: 'account_closed', type: 'permission_error' });
    expect(errorChunkOf(ended)?.message).toContain('Contact support');
  });

  it('is charged for the stream, and then its promotional credits end', async () => {
    await expect.poll(async () => (await account(nodes[1])).open_holds, SOON).toEqual([]);
    for (const node of nodes) {
      const view = await account(node);
      expect(view).toMatchObject({ status: 'closed', closing_reason: 'moved away', balance_usd: '0.00', lots: [] });
      const checked = await checkSettledBooks(node, accountId);
      expect(checked.books.expired).toBe(checked.books.toppedUp - checked.books.charged);
      expect(checked.books.charged).toBeGreaterThan(0n);
      await checkProjections(premises.databaseUrl, accountId, checked);
      // What the hold kept ended after the stream, and not before.
      const types = checked.events.map(({ type }) => type);
      expect(types.slice(types.findIndex((type) => type === 'AccountClosed'))).toEqual([
        ...['AccountClosed', 'KeyRevoked', 'LotExpired', 'HoldSettled', 'LotExpired'],
      ]);
      expect(checked.events.find(isCharge)?.delivery.ended).toBe('access_ended');
    }
  });

  it('can be explained, replayed and audited', async () => {
    expect(await command('explain', generationOf(ended))).toContain('The recomputation agrees with the log.');
    const story = await command('replay', accountId);
    expect(story).toContain('Closed: moved away.');
    expect(story).toMatch(/Revoked the key key_\w+: account closed\./);
    expect(story).toMatch(/Ended \d\.\d+ USD of promotional credits \(lot_\w+\): the account is closed\./);
    expect(story).toContain('standing   closed: moved away');
    expect(story).toMatch(/balance {4}0\.00 USD = 5\.00 added - [\d.]+ charged - [\d.]+ expired/);
    await command('audit');
  });
});

describe('the erasure of its personal data', () => {
  const named = async (node: RunningGateway): Promise<unknown> => {
    const { data } = await node.manage<{ data: EventView[] }>('GET', `/accounts/${accountId}/events?limit=1`);
    return data[0]?.data['name'];
  };

  it('hides the name at once, and destroys the key within seconds', async () => {
    expect(await named(nodes[1])).toBe('Ada');
    await nodes[0].manage('POST', `/accounts/${accountId}/erase`, { reason: 'asked' });
    for (const node of nodes) {
      expect(await account(node)).toMatchObject({ personal_data_erased: true, name: null, email: null });
      const first = await node.manage<AccountView>('GET', `/accounts/${accountId}?revision=0`);
      expect(first).toMatchObject({ personal_data_erased: false, name: null, email: null });
    }
    for (const node of nodes) expect(await named(node)).toBeNull();
    const keys = () => query(premises.databaseUrl, 'select wrapped from data_keys where account_id = $1', [accountId]);
    await expect.poll(keys, SOON).toEqual([{ wrapped: null }]);
  });

  it('leaves the books as they are', async () => {
    for (const node of nodes) {
      await checkProjections(premises.databaseUrl, accountId, await checkSettledBooks(node, accountId));
    }
    const story = await command('replay', accountId);
    expect(story).toContain('Registered for [erased], a person.');
    expect(story).toContain('Erased the name and the address of the holder: asked.');
    expect(story).not.toMatch(/Ada|example\.com/);
    await command('verify');
  });
});

it('a gateway starts although its demo account is closed', async () => {
  await nodes[0].manage('POST', '/accounts/acc_demo/close', { reason: 'tried out' });
  const again = await startProcess(
    'src/main.ts',
    [],
    {
      ...{ NODE_ENV: 'development', PORT: '0', KISSAPI_DATA: premises.dataDir, DATABASE_URL: premises.databaseUrl },
      ...{ KISSAPI_ADMIN_TOKEN: ADMIN_TOKEN, KISSAPI_KEY_PEPPER: KEY_PEPPER, KISSAPI_DATA_KEY: DATA_KEY },
    },
    /Documentation of the management API: \S+/,
  );
  expect(again.output()).not.toContain('OPENAI_API_KEY=');
  expect(await again.stop()).toBe(0);
});
