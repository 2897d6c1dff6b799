import { startEventStoreDbStandIn, type EventStoreDbStandIn } from '@kissapi/eventstoredb-stand-in';
import { expect } from 'vitest';
import { createEventStoreDbLog, type StoreEvent } from '../../../src/eventstore/eventstoredb/eventstoredb.ts';
import type { ChainedEvent } from '../../../src/eventstore/chained-log.ts';
import type { Slice, SliceResult } from '../../../src/eventstore/event-store.ts';
import type { Log } from '../../../src/eventstore/create-log.ts';
import { GENESIS } from '../../../src/eventstore/integrity/chain.ts';
import { createMigratedDatabase } from '../../support/database.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';
import { expectedHash } from '../integrity/expected-hash.ts';
import { readLogAfter } from '../logs.ts';

/** What a store reported to its operator. */
export type Reports = { readonly noticed: StoreEvent[]; readonly failed: unknown[]; wentBack: number };

export type OpenedStore = Log & { readonly reports: Reports };

export type TwoStores = Awaited<ReturnType<typeof openTwoStores>>;

/** The stand-in for EventStoreDB and a database, and any number of logs on both. Must be closed. */
export const openTwoStores = async () => {
  const standIn: EventStoreDbStandIn = await startEventStoreDbStandIn();
  const database = await createMigratedDatabase();
  await query(database.url, 'update log_head set log_id = gen_random_uuid()');
  const stores: OpenedStore[] = [];
  let sessions = 0;
  const headPlace = async () => {
    const [row] = await query<{ streams: string; place: string; epoch: string; position: string }>(
      database.url,
      'select store_streams as streams, store_position as place, store_epoch as epoch, position from log_head',
    );
    if (!row) throw new Error('the log has no head');
    return { streams: row.streams, place: BigInt(row.place), epoch: Number(row.epoch), position: Number(row.position) };
  };
  return {
    standIn,
    database,
    headPlace,
    /** With `apart`, the store has a connection of its own, like that of another process. */
    open: ({ apart = false } = {}): OpenedStore => {
      const reports: Reports = { noticed: [], failed: [], wentBack: 0 };
      const log = createEventStoreDbLog(database.url, {
        eventStoreUrl: apart ? `${standIn.url}&connectionName=node-${++sessions}` : standIn.url,
        noticed: (event) => reports.noticed.push(event),
        failed: (error) => reports.failed.push(error),
        wentBack: () => reports.wentBack++,
      });
      const store = Object.defineProperties({ reports }, Object.getOwnPropertyDescriptors(log)) as OpenedStore;
      let closed: Promise<void> | undefined;
      store.close = () => (closed ??= log.close());
      stores.push(store);
      return store;
    },
    close: async (): Promise<void> => {
      await standIn.start();
      standIn.resume();
      await Promise.all(stores.map((store) => store.close()));
      await standIn.close();
      await database.drop();
    },
  };
};

/** Repeats a batch, as a committer does, until the store answers. */
export const insist = async (store: Log, ...slices: readonly Slice[]): Promise<readonly SliceResult[]> => {
  let results: readonly SliceResult[] = [];
  await expect
    .poll(async () => {
      results = await store.append(slices);
      return results.length;
    }, SOON)
    .toBe(slices.length);
  return results;
};

/** The whole log, of which each event is at the next position and chained to the one before it. */
export const chainedLog = async (store: Log): Promise<readonly ChainedEvent[]> => {
  await store.head();
  const events = await readLogAfter(store, 0);
  let previous = GENESIS;
  for (const [n, event] of events.entries()) {
    expect(event.position).toBe(n + 1);
    expect(event.hash).toBe(expectedHash(previous, event));
    previous = event.hash;
  }
  return events;
};
