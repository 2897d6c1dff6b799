import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand, type Ran } from '../../support/command.ts';
import { ADMIN_TOKEN, createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { projectionsCaughtUp } from '../../support/events/account-history.ts';
import { SOON } from '../../support/soon.ts';
import { query, takeAway } from '../../support/sql.ts';
import { chat, costUsdOf } from '../../support/traffic.ts';

let premises: Premises;
let gateway: RunningGateway;
let accountId: string;
let apiKey: string;
beforeAll(async () => {
  premises = await createPremises();
  gateway = await premises.startGateway({ SELF_AUDIT_EVERY_MS: '20' });
  ({ accountId, apiKey } = await gateway.openAccount());
});
afterAll(() => premises.close());

const cli = (name: string, ...args: readonly string[]): Promise<Ran> =>
  runCommand(name, args, { env: { DATABASE_URL: premises.databaseUrl } });

/** Of a metric with its labels, as somebody reads it who collects them. */
const metric = async (name: string): Promise<number> => {
  const response = await fetch(`${gateway.url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
  expect(response.headers.get('content-type')).toContain('text/plain');
  const line = (await response.text()).split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length));
};
const samples = (result: string): Promise<number> => metric(`kissapi_audit_samples_total{result="${result}"}`);

type Alert = {
  readonly alert?: string;
  readonly accountId: string;
  readonly level: number;
  readonly differences: unknown;
};
const alerts = (): readonly Alert[] =>
  gateway.process
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Alert)
    .filter(({ alert }) => alert === 'self_audit');

describe('a gateway', () => {
  it('finds its rows right while it serves, and measures what it does', async () => {
    const traffic = Array.from({ length: 30 }, (_, n) =>
      chat(gateway, apiKey, { stream: true, simulate: { outputTokens: 5 + n, tokenMs: 10 } }),
    );
    for (const { answer } of traffic) expect(costUsdOf(await answer)).toBeDefined();
    const before = await samples('agreed');
    await expect.poll(() => samples('agreed'), SOON).toBeGreaterThan(before + 10);
    expect(await samples('disagreed')).toBe(0);
    expect(alerts()).toEqual([]);

    await projectionsCaughtUp(premises.databaseUrl);
    const head = await metric('kissapi_log_head_position');
    expect(head).toBeGreaterThan(60);
    for (const projection of ['balances', 'requests', 'daily_usage', 'look_ups']) {
      await expect.poll(() => metric(`kissapi_projection_position{projection="${projection}"}`), SOON).toBe(head);
    }
    expect(await metric('kissapi_http_requests_total{status="2xx"}')).toBeGreaterThanOrEqual(30);
    expect(await metric('kissapi_orphaned_holds_released_total')).toBe(0);
    expect(await metric('process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(await metric('process_resident_memory_bytes')).toBeGreaterThan(0);
    expect(await cli('audit')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('All as the log says') as string,
    });
  });

  it('skips while the database is away, which is no disagreement, and goes on when it is back', async () => {
    const [skipped, agreed] = [await samples('skipped'), await samples('agreed')];
    const giveBack = await takeAway(premises.databaseUrl);
    await expect.poll(() => samples('skipped'), SOON).toBeGreaterThan(skipped + 5);
    expect(await metric('kissapi_log_head_position')).toBeNaN();
    await giveBack();
    await expect.poll(() => samples('agreed'), SOON).toBeGreaterThan(agreed + 5);
    await expect.poll(() => metric('kissapi_log_head_position'), SOON).toBeGreaterThan(60);
    expect(await samples('disagreed')).toBe(0);
    expect(alerts()).toEqual([]);
  });

  it('raises an alarm where a row was changed by hand, until the row has been made anew', async () => {
    await query(premises.databaseUrl, 'update projections.balances set charged = charged - 1 where account_id = $1', [
      accountId,
    ]);
    await expect.poll(alerts, SOON).toHaveLength(1);
    const [alert] = alerts();
    expect(alert).toMatchObject({ level: 50, accountId, differences: [{ what: 'balances.charged' }] });
    expect(JSON.stringify(alert)).not.toMatch(/Ada|example\.com|kiss_/);
    expect(await samples('disagreed')).toBeGreaterThan(0);
    expect(await metric('kissapi_audit_disagreeing_accounts')).toBe(1);
    // A disagreement alone does not take a gateway out of service; a slow machine may, for a moment.
    await expect.poll(async () => (await fetch(`${gateway.url}/health`)).status, SOON).toBe(200);
    const found = await cli('audit');
    expect(found.code).toBe(1);
    expect(found.stdout).toContain(`${accountId}  balances.charged: the log says`);
    expect(found.stdout).toContain('all accounts  sum of balances.charged: the log says');

    expect((await cli('rebuild', 'balances')).code).toBe(1);
    await expect.poll(() => metric('kissapi_audit_disagreeing_accounts'), SOON).toBe(0);
    expect(await cli('audit')).toMatchObject({ code: 0 });
    expect(await cli('audit', '--account', accountId)).toMatchObject({ code: 0 });
    expect(alerts()).toHaveLength(1);
    expect(await gateway.process.stop()).toBe(0);
  });
});
