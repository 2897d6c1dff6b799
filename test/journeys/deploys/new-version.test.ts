import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLog } from '../../support/stores/log.ts';
import { createDatabase } from '../../../src/projections/database.ts';
import { balances } from '../../../src/projections/rows/balances.ts';
import { LIVE } from '../../../src/projections/projection.ts';
import { rebuild } from '../../../src/projections/rebuild/rebuild.ts';
import { checkProjections, checkSettledBooks, projectionsCaughtUp } from '../../support/events/account-history.ts';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { nextBalances } from '../../support/nodes/next-balances.ts';
import { startProcess, type Started } from '../../support/process.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';
import { chat, generationOf, type Answer } from '../../support/traffic.ts';

let premises: Premises;
let gateway: RunningGateway;
const newer: Started[] = [];
const startNewer = async (): Promise<Started> => {
  const node = await startProcess('test/support/nodes/next-node.ts', [premises.databaseUrl], {}, /^up to date$/m);
  newer.push(node);
  return node;
};
beforeAll(async () => {
  premises = await createPremises();
  gateway = await premises.startGateway();
});
afterAll(async () => {
  await Promise.all(newer.map((node) => node.stop('SIGKILL')));
  await premises.close();
});

const [OLD, NEW] = [balances.version, nextBalances.version];
const KEPT = `balances is kept at version ${NEW} by newer nodes`;
const versionOfBalances = async (): Promise<unknown> =>
  (await query(premises.databaseUrl, `select version from ${LIVE}.checkpoints where name = 'balances'`))[0]?.[
    'version'
  ];

const receiptOf = async (answer: Answer, apiKey: string): Promise<number> => {
  const headers = { authorization: `Bearer ${apiKey}` };
  return (await fetch(`${gateway.url}/v1/generation?id=${generationOf(answer)}`, { headers })).status;
};

/** Completions without end, each followed by a look at its receipt, which is read from the rows. */
const traffic = (apiKey: string): { stop(): Promise<number> } => {
  const state = { busy: true, served: 0 };
  const workers = Array.from({ length: 4 }, async () => {
    while (state.busy) {
      const answer = await chat(gateway, apiKey, { maxTokens: 10 }).answer;
      expect(answer.status).toBe(200);
      expect(await receiptOf(answer, apiKey)).toBe(200);
      state.served++;
      // Without pauses, traffic would take the processor from the node that rebuilds.
      await sleep(30);
    }
  });
  return {
    stop: async () => {
      state.busy = false;
      await Promise.all(workers);
      return state.served;
    },
  };
};

describe('a rolling deploy', () => {
  it('puts a new version of the rows in place while the older gateway serves', async () => {
    const { accountId, apiKey } = await gateway.openAccount();
    const { stop } = traffic(apiKey);
    const node = await startNewer();
    expect(node.output()).toContain(`balances took over: ${OLD} to ${NEW}, same true`);
    await expect.poll(() => gateway.process.output(), SOON).toContain(KEPT);
    // An older node that starts now leaves the rows as they are, too.
    const beside = await premises.startGateway();
    await expect.poll(() => beside.process.output(), SOON).toContain(KEPT);
    expect(await stop()).toBeGreaterThan(5);
    await checkProjections(premises.databaseUrl, accountId, await checkSettledBooks(gateway, accountId));
    expect(await versionOfBalances()).toBe(NEW);
    expect(await beside.process.stop()).toBe(0);
  });

  it('loses nothing where the newer node is killed, and the older one serves meanwhile', async () => {
    const { accountId, apiKey } = await gateway.openAccount();
    await Promise.all(newer.splice(0).map((node) => node.stop('SIGKILL')));
    for (let n = 0; n < 5; n++) {
      const answer = await chat(gateway, apiKey, { maxTokens: 10 }).answer;
      // Nobody keeps the balances now; receipts are of other rows.
      expect([answer.status, await receiptOf(answer, apiKey)]).toEqual([200, 200]);
    }
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
    expect(await versionOfBalances()).toBe(NEW);

    const again = await startNewer();
    await checkProjections(premises.databaseUrl, accountId, await checkSettledBooks(gateway, accountId));
    expect(again.output()).not.toContain('took over');
    for (const process of [gateway.process, again]) expect(process.output()).not.toContain('failed');
    expect(gateway.process.output().split(KEPT)).toHaveLength(2);

    await projectionsCaughtUp(premises.databaseUrl);
    const store = openLog(premises.databaseUrl);
    const database = createDatabase(premises.databaseUrl);
    const rebuilt = await rebuild({ database, store, projection: nextBalances, progress: () => undefined });
    expect(rebuilt).toMatchObject({ same: true, position: await store.head() });
    await store.close();
    await database.$pool.end();
  });
});
