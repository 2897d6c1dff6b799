import { setTimeout as sleep } from 'node:timers/promises';
import { decodeFact } from '../../src/eventstore/journal/codec.ts';
import type { AccountCommand } from '../../src/domain/account/decide.ts';
import { openLog } from '../support/stores/log.ts';
import { createDatabase } from '../../src/projections/database.ts';
import { followLog } from '../../src/projections/follow.ts';
import { liveProjections, projections } from '../../src/projections/rows/live.ts';
import { bringUpToDate } from '../../src/projections/rebuild/rebuild.ts';
import {
  acceptTerms,
  chargeLate,
  extend,
  issueKey,
  register,
  release,
  reserve,
  settle,
  topUp,
} from '../domain/account/examples.ts';
import { createNode } from '../eventstore/nodes.ts';
import { createMigratedDatabase } from '../support/database.ts';

/** A log in PostgreSQL, a node that writes it, and rows that follow, as in a gateway. */
export const openBusyHouse = async () => {
  const { url, drop } = await createMigratedDatabase();
  const store = openLog(url);
  const database = createDatabase(url);
  await bringUpToDate(database, store, projections, () => undefined);
  const node = createNode(store);
  const failures: unknown[] = [];
  const failed = (_: string, error: unknown): void => void failures.push(error);
  const consumer = liveProjections(database, store, (kept) => failures.push(kept));
  const follow = () => followLog({ store, decode: decodeFact, consumer, gatherMs: 20, failed });
  let follower = follow();
  const traffic = createTraffic((account, command) => node.execute(account, command));
  return {
    ...{ url, store, database, node, traffic, failures },
    caughtUp: async (): Promise<void> => follower.reached(await store.head()),
    pause: (): Promise<void> => follower.close(),
    resume: (): void => void (follower = follow()),
    close: async (): Promise<void> => {
      await follower.close();
      await node.committer.close();
      await store.close();
      await database.$pool.end();
      await drop();
    },
  };
};

export type BusyHouse = Awaited<ReturnType<typeof openBusyHouse>>;

/** Requests of all kinds on a few accounts, some under way at any time, and some written off. */
const createTraffic = (execute: (account: string, command: AccountCommand) => Promise<unknown>) => {
  let requests = 0;
  const id = (): string => `gen-${++requests}`;
  const any = (below: number): number => Math.floor(Math.random() * below);

  const open = async (account: string): Promise<void> => {
    for (const command of [register(), acceptTerms(), issueKey(), topUp(1_000_000n)]) await execute(account, command);
  };
  const request = async (account: string): Promise<void> => {
    const requestId = id();
    await execute(account, reserve(100n, requestId));
    if (any(4) === 0) await execute(account, extend(50n, requestId));
    await sleep(any(10));
    if (any(3) > 0) return void (await execute(account, settle(any(200), requestId)));
    await execute(account, release(requestId));
    if (any(2) === 0) await execute(account, chargeLate(any(90), requestId));
  };
  return {
    open,
    request,
    /** Many requests at once, one account after another at random, until it is told to stop. */
    start: (accounts: readonly string[]): { stop(): Promise<void> } => {
      let busy = true;
      const worker = async (): Promise<void> => {
        while (busy) await request(accounts[any(accounts.length)] ?? '');
      };
      const workers = Array.from({ length: 4 }, worker);
      return {
        stop: async () => {
          busy = false;
          await Promise.all(workers);
        },
      };
    },
  };
};
