import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AccountView } from '../../src/http/management/accounts/views/account-view.ts';
import { readLogClock } from '../../src/eventstore/postgres/log-clock.ts';
import { DAY_MS, forward, HOUR_MS, movedMsOf } from '../support/clock.ts';
import { runCommand } from '../support/command.ts';
import { ADMIN_TOKEN, createPremises, type Premises, type RunningGateway } from '../support/gateway.ts';
import { SOON } from '../support/soon.ts';
import { chat, errorOf } from '../support/traffic.ts';

const AUGUST = '2026-08-01';
const PRODUCTION = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://kissapi.example',
  KISSAPI_ADMIN_TOKEN: ADMIN_TOKEN,
  KISSAPI_SIGNING_KEY: generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
};

type Event = { readonly type: string; readonly time: string };

let premises: Premises;
let nodes: readonly [RunningGateway, RunningGateway];
beforeAll(async () => {
  premises = await createPremises();
  const first = await premises.startGateway({}, undefined, ['--clock', AUGUST]);
  nodes = [first, await premises.startGateway()];
});
afterAll(() => premises.close());

const status = async (node: RunningGateway, apiKey: string, tokens = 10): Promise<unknown> => {
  const answer = await chat(node, apiKey, { maxTokens: tokens, simulate: { outputTokens: tokens } }).answer;
  return answer.status === 200 ? 200 : [answer.status, errorOf(answer).code];
};
const eventsOf = async (accountId: string): Promise<readonly Event[]> =>
  (await nodes[0].manage<{ data: readonly Event[] }>('GET', `/accounts/${accountId}/events?limit=100`)).data;
const lastTime = async (accountId: string): Promise<number> =>
  Math.max(...(await eventsOf(accountId)).map(({ time }) => Date.parse(time)));
const clockCommand = (...args: readonly string[]) =>
  runCommand('clock', args, { env: { DATABASE_URL: premises.databaseUrl } });
const start = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> =>
  premises.startGateway(env, undefined, args).then(
    () => 'it started',
    (error: unknown) => String(error),
  );

describe('a log that begins in the past', () => {
  it('has its first events then, and states on every node that time is simulated', async () => {
    expect(nodes[0].process.output()).toContain('Time is simulated: clock set ');
    expect(nodes[0].process.output()).toContain('behind real time, at 2026-08-01T00:');
    for (const node of nodes) {
      expect(await movedMsOf(node)).toBeLessThan(0);
      expect(node.process.output()).toContain('simulated time: clock set ');
    }
    const { accountId, apiKey } = await nodes[1].openAccount();
    expect(await status(nodes[0], apiKey)).toBe(200);
    expect(await status(nodes[1], apiKey)).toBe(200);
    for (const { time } of await eventsOf(accountId)) expect(time).toMatch(/^2026-08-01T00:/);
  });

  it('does not begin again', async () => {
    expect(await start(['--clock', '2026-07-01'])).toMatch(/has events already.*its clock is at 2026-08-01T/);
  });
});

describe('the clock, moved forward under running gateways', () => {
  it('is used by appends at once, and by both nodes within a heartbeat', async () => {
    const { accountId } = await nodes[0].openAccount();
    const before = await lastTime(accountId);
    const { code, stdout } = await clockCommand('--forward', '36h');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^2026-08-02T12:\S+Z \(clock set .* behind real time\)\n$/);
    // Not after a wait: the next event has the time of the moved clock.
    await nodes[1].manage('POST', `/accounts/${accountId}/grants`, { usd: '1.00', reason: 'test' });
    expect(await lastTime(accountId)).toBeGreaterThanOrEqual(before + 36 * HOUR_MS - 1000);
    const { movedMs } = await readLogClock(premises.databaseUrl);
    for (const node of nodes) await expect.poll(() => movedMsOf(node), SOON).toBe(movedMs);
    expect((await clockCommand()).stdout).toMatch(/^2026-08-02T12:/);
  });

  it('ends credits whose end it passes, once for both nodes, and no others', async () => {
    const { accountId } = await nodes[0].openAccount();
    const { now } = await readLogClock(premises.databaseUrl);
    const grant = (usd: string, days?: number): Promise<unknown> =>
      nodes[0].manage('POST', `/accounts/${accountId}/grants`, {
        ...{ usd, reason: 'test' },
        ...(days === undefined ? {} : { ends_at: new Date(now.getTime() + days * DAY_MS).toISOString() }),
      });
    await grant('0.50', 1);
    await grant('0.25', 1);
    await grant('0.10', 30);
    await forward(premises.databaseUrl, DAY_MS, nodes);
    const account = () => nodes[1].manage<AccountView>('GET', `/accounts/${accountId}`);
    await expect.poll(async () => (await account()).expired_usd, SOON).toBe('0.75');
    expect((await account()).lots.map(({ ends_at, remaining_usd }) => [ends_at !== null, remaining_usd])).toEqual([
      [true, '0.10'],
      [false, '5.00'],
    ]);
    const ends = (await eventsOf(accountId)).filter(({ type }) => type === 'LotExpired');
    expect(ends).toHaveLength(2);
    expect(ends).toMatchObject([{ data: { reason: 'ended' } }, { data: { reason: 'ended' } }]);
  });

  it('ends a key whose end it passes, and no other', async () => {
    const [ending, lasting] = [await nodes[0].openAccount(), await nodes[0].openAccount()];
    const { now } = await forward(premises.databaseUrl, HOUR_MS, nodes);
    const limit = { expires_at: new Date(now.getTime() + 10 * DAY_MS).toISOString() };
    await nodes[0].manage('PUT', `/accounts/${ending.accountId}/keys/${ending.keyId}/limits`, limit);
    await forward(premises.databaseUrl, 9 * DAY_MS, nodes);
    for (const node of nodes) expect(await status(node, ending.apiKey)).toBe(200);
    await forward(premises.databaseUrl, 2 * DAY_MS, nodes);
    for (const node of nodes) {
      expect(await status(node, ending.apiKey)).toEqual([401, 'key_expired']);
      expect(await status(node, lasting.apiKey)).toBe(200);
    }
  });

  it('opens a limit per day again on the next day', async () => {
    const { accountId, apiKey, keyId } = await nodes[0].openAccount();
    const usedToday = async (): Promise<number> => {
      const { data } = await nodes[0].client(apiKey).get<{ data: { usage_daily: number } }>('/key');
      return data.usage_daily;
    };
    const long = 1000;
    expect(await status(nodes[0], apiKey, long)).toBe(200);
    const cost = await usedToday();
    // Enough for one request in a day.
    const spending_usd = { day: (1.5 * cost).toFixed(9) };
    await nodes[0].manage('PUT', `/accounts/${accountId}/keys/${keyId}/limits`, { spending_usd });
    for (const node of nodes) expect(await status(node, apiKey, long)).toEqual([402, 'key_limit_exceeded']);
    await forward(premises.databaseUrl, DAY_MS, nodes);
    expect(await usedToday()).toBe(0);
    expect(await status(nodes[1], apiKey, long)).toBe(200);
    expect(await usedToday()).toBe(cost);
    expect(await status(nodes[0], apiKey, long)).toEqual([402, 'key_limit_exceeded']);
  });

  it('lets an announced end of sale take effect', async () => {
    const { apiKey } = await nodes[0].openAccount();
    const { now } = await forward(premises.databaseUrl, HOUR_MS, nodes);
    const effective_at = new Date(now.getTime() + 15 * DAY_MS).toISOString();
    const delisted = await runCommand('delist', ['simulated-chat', '--at', effective_at, '--reason', 'test'], {
      env: { DATABASE_URL: premises.databaseUrl },
    });
    expect(delisted).toMatchObject({ code: 0, stdout: expect.stringContaining(effective_at) as string });
    for (const node of nodes) expect(await status(node, apiKey)).toBe(200);
    await forward(premises.databaseUrl, 15 * DAY_MS, nodes);
    for (const node of nodes) expect(await status(node, apiKey)).toEqual([404, 'model_delisted']);
  });

  it('never moves back', async () => {
    const { code, stderr } = await clockCommand('--forward=-14d');
    expect(code).toBe(2);
    expect(stderr).toContain('such as 14d, 36h, 90m or 30s');
  });
});

describe('production', () => {
  it('does not start on a database whose clock was moved, and names the cause and the remedy', async () => {
    const output = await start([], PRODUCTION);
    expect(output).toMatch(/ended with 1:[^]*The clock of this database is simulated \(clock /);
    expect(output).toContain('Let DATABASE_URL name a database whose clock was never moved');
    expect(output).not.toMatch(/^\s+at .*log-clock/m);
  });

  it('does not start with --clock', async () => {
    expect(await start(['--clock', AUGUST], PRODUCTION)).toMatch(/ended with 1:[^]*production runs in real time/);
  });

  it('refuses the command, and shows the clock', async () => {
    const env = { DATABASE_URL: premises.databaseUrl, NODE_ENV: 'production' };
    expect((await runCommand('clock', [], { env })).code).toBe(0);
    const { code, stderr } = await runCommand('clock', ['--forward', '1d'], { env });
    expect([code, stderr]).toEqual([2, expect.stringContaining('production runs in real time')]);
  });
});
