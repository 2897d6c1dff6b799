import { startEventStoreDbStandIn, type EventStoreDbStandIn } from '@kissapi/eventstoredb-stand-in';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyDatabase } from '../../../src/eventstore/integrity/verify/verify-database.ts';
import { checkProjections, checkSettledBooks } from '../../support/events/account-history.ts';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { expectNothingLost, expectServedOrRetry } from './after-outage.ts';
import { SOON } from '../../support/soon.ts';
import { takeAway } from '../../support/sql.ts';
import { chat, costUsdOf, errorOf } from '../../support/traffic.ts';

let standIn: EventStoreDbStandIn;
let premises: Premises;
let nodes: readonly [RunningGateway, RunningGateway];
beforeAll(async () => {
  standIn = await startEventStoreDbStandIn();
  premises = await createPremises();
  const env = { EVENT_STORE_URL: standIn.url };
  nodes = [await premises.startGateway(env), await premises.startGateway(env)];
});
afterAll(async () => {
  await premises.close();
  await standIn.close();
});

type Trouble = {
  readonly name: string;
  readonly lastsMs: number;
  /** Streams that end meanwhile are charged meanwhile. */
  readonly settles: boolean;
  /** Makes trouble, and returns the function that ends it. */
  readonly make: () => Promise<() => Promise<void> | void>;
};

const stopServer = async (): Promise<() => Promise<void>> => {
  await standIn.stop();
  return standIn.start;
};

const troubles: readonly Trouble[] = [
  { name: 'EventStoreDB is killed', lastsMs: 4000, settles: false, make: stopServer },
  {
    ...{ name: 'EventStoreDB answers nothing', lastsMs: 4000, settles: false },
    make: () => {
      standIn.silence();
      return Promise.resolve(standIn.resume);
    },
  },
  {
    ...{ name: 'the disk of EventStoreDB is full', lastsMs: 3000, settles: false },
    make: () => {
      // The server ends with the next append.
      standIn.refuseAppends('full');
      return Promise.resolve(() => {
        standIn.refuseAppends();
        return standIn.start();
      });
    },
  },
  {
    ...{ name: 'EventStoreDB is slow', lastsMs: 3000, settles: true },
    make: () => {
      standIn.delayMs = 300;
      return Promise.resolve(() => {
        standIn.delayMs = 0;
      });
    },
  },
  {
    ...{ name: 'the connections to EventStoreDB are cut', lastsMs: 1000, settles: true },
    make: () => {
      standIn.cut();
      return Promise.resolve(() => standIn.cut());
    },
  },
  { name: 'PostgreSQL is away', lastsMs: 4000, settles: true, make: () => takeAway(premises.databaseUrl) },
  {
    ...{ name: 'both are away', lastsMs: 4000, settles: false },
    make: async () => {
      const [giveBack, start] = [await takeAway(premises.databaseUrl), await stopServer()];
      return async () => {
        await start();
        await giveBack();
      };
    },
  },
];

describe('two gateways whose log is in EventStoreDB', () => {
  it.each(troubles)('lose nothing and charge once if $name', async ({ make, lastsMs, settles }) => {
    const [node, other] = nodes;
    // After the trouble before this one, the database is compared with the log first.
    const isReady = async () =>
      (await Promise.all(nodes.map((one) => fetch(`${one.url}/health/ready`)))).every(({ ok }) => ok);
    await expect.poll(isReady, SOON).toBe(true);
    const { accountId, apiKey } = await node.openAccount();
    const running = nodes.flatMap((one) =>
      [1000, 2000, 5000].map((ms) =>
        chat(one, apiKey, { stream: true, maxTokens: 100, simulate: { outputTokens: 100, tokenMs: ms / 100 } }),
      ),
    );
    await expect.poll(() => Math.min(...running.map((stream) => stream.words())), SOON).toBeGreaterThan(1);

    const end = await make();
    const meanwhile = chat(node, apiKey);
    await sleep(lastsMs);
    if (settles && lastsMs > 2000) expect(running.filter((one) => one.acknowledged()).length).toBeGreaterThan(0);
    if (!settles) expect(running.filter((one) => one.acknowledged())).toEqual([]);
    await end();

    for (const { answer } of running) expect(costUsdOf(await answer)).toBeDefined();
    await expectServedOrRetry(meanwhile);
    await expectNothingLost(premises, [other, node], { accountId, apiKey });
  });

  it('refuse new requests while PostgreSQL is away for longer, and complete those under way', async () => {
    const [node] = nodes;
    const { accountId, apiKey } = await node.openAccount();
    const stream = chat(node, apiKey, { stream: true, maxTokens: 100, simulate: { outputTokens: 100, tokenMs: 70 } });
    await expect.poll(() => stream.words(), SOON).toBeGreaterThan(1);
    const giveBack = await takeAway(premises.databaseUrl);
    await expect
      .poll(async () => errorOf(await chat(node, apiKey).answer)?.code, { ...SOON, interval: 500 })
      .toBe('store_unavailable');
    expect(costUsdOf(await stream.answer)).toBeDefined();
    await giveBack();
    await expect.poll(async () => (await chat(node, apiKey).answer).status, SOON).toBe(200);
    const checked = await checkSettledBooks(node, accountId);
    await checkProjections(premises.databaseUrl, accountId, checked);
  });

  it('have copied all of it, each event once and in order', async () => {
    const { flaw } = await verifyDatabase(premises.databaseUrl, { publicKeys: [], kept: [], threads: 1 });
    expect(flaw).toBeUndefined();
  });
});
