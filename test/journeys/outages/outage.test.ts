import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AccountView } from '../../../src/http/management/accounts/views/account-view.ts';
import { checkProjections, checkSettledBooks } from '../../support/events/account-history.ts';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { expectNothingLost, expectServedOrRetry } from './after-outage.ts';
import { SOON } from '../../support/soon.ts';
import { takeAway } from '../../support/sql.ts';
import { usesEventStoreDb } from '../../support/stores/store-env.ts';
import { chat, costUsdOf, generationOf } from '../../support/traffic.ts';

/** Longer than a run may be silent before it is taken for dead. */
const AWAY_MS = 4000;

describe('a database that is away for a while', () => {
  let premises: Premises;
  let nodes: readonly [RunningGateway, RunningGateway];
  beforeAll(async () => {
    premises = await createPremises();
    nodes = await Promise.all([premises.startGateway(), premises.startGateway()]);
  });
  afterAll(() => premises.close());

  it('costs nobody anything', async () => {
    const [node, other] = nodes;
    const { accountId, apiKey } = await node.openAccount();
    await expect
      .poll(async () => (await chat(other, apiKey, { simulate: { status: 400 } }).answer).status, SOON)
      .toBe(400);
    // Some end while it is away, some after it is back.
    const running = nodes.flatMap((one) =>
      [1000, 2000, 5000, 6000].map((ms) =>
        chat(one, apiKey, { stream: true, maxTokens: 100, simulate: { outputTokens: 100, tokenMs: ms / 100 } }),
      ),
    );
    await expect.poll(() => Math.min(...running.map((stream) => stream.words())), SOON).toBeGreaterThan(2);

    const giveBack = await takeAway(premises.databaseUrl);
    const meanwhile = chat(node, apiKey);
    await sleep(AWAY_MS);
    // EventStoreDB commits charges also without PostgreSQL.
    if (!usesEventStoreDb()) expect(running.filter((stream) => stream.acknowledged())).toEqual([]);
    await giveBack();

    for (const { answer } of running) expect(costUsdOf(await answer)).toBeDefined();
    await expectServedOrRetry(meanwhile);
    await expectNothingLost(premises, nodes, { accountId, apiKey });
  });
});

describe('rows that cannot be written for a while', () => {
  let premises: Premises;
  let gateway: RunningGateway;
  beforeAll(async () => {
    premises = await createPremises();
    gateway = await premises.startGateway();
  });
  afterAll(() => premises.close());

  it('keep nobody from being served, and receipts come when they can', async () => {
    const { accountId, apiKey } = await gateway.openAccount();
    const receiptOf = (generation: string): Promise<Response> =>
      fetch(`${gateway.url}/v1/generation?id=${generation}`, { headers: { authorization: `Bearer ${apiKey}` } });
    const lock = new pg.Client({ connectionString: premises.databaseUrl });
    await lock.connect();
    await lock.query('begin; lock table projections.requests in access exclusive mode');

    const answer = await chat(gateway, apiKey).answer;
    expect(answer.status).toBe(200);
    const early = await receiptOf(generationOf(answer));
    expect(early.status).toBe(503);
    expect(early.headers.get('x-should-retry')).toBe('true');

    await lock.query('commit');
    await lock.end();
    const receipt = await receiptOf(generationOf(answer));
    expect(await receipt.json()).toMatchObject({ data: { status: 'settled', total_cost_usd: costUsdOf(answer) } });
    await checkProjections(premises.databaseUrl, accountId, await checkSettledBooks(gateway, accountId));
  });
});

describe('a gateway that is told to stop while the database is away', () => {
  let premises: Premises;
  beforeAll(async () => {
    premises = await createPremises();
  });
  afterAll(() => premises.close());

  it('invites nobody to send again what may have been charged', async () => {
    const gateway = await premises.startGateway();
    const { accountId, apiKey } = await gateway.openAccount();
    const { answer } = chat(gateway, apiKey, { simulate: { firstByteMs: 1500 } });
    const view = async (): Promise<AccountView> => gateway.manage('GET', `/accounts/${accountId}`);
    await expect.poll(async () => (await view()).open_holds.length, SOON).toBe(1);
    const giveBack = await takeAway(premises.databaseUrl);
    const stopped = gateway.process.stop();
    const { status, headers } = await answer;
    await giveBack();
    const answered = usesEventStoreDb() ? [200, null] : [500, 'false'];
    expect([status, headers.get('x-should-retry')]).toEqual(answered);
    await stopped;
  });
});
