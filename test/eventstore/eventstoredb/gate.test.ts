import { binaryEvent } from '@eventstore/db-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireSessions } from '../../../src/eventstore/eventstoredb/connection/sessions.ts';
import { LogWentBack } from '../../../src/eventstore/chained-log.ts';
import { StoreUnavailable } from '../../../src/eventstore/event-store.ts';
import { SOON } from '../../support/soon.ts';
import { queries, query } from '../../support/sql.ts';
import { anEvent, aStream, idsOf, readWholeStream, slice } from '../logs.ts';
import { chainedLog, insist, openTwoStores, type OpenedStore, type TwoStores } from './two-stores.ts';

let stores: TwoStores;
let store: OpenedStore;
beforeEach(async () => {
  stores = await openTwoStores();
  store = stores.open();
  await insist(store, slice(aStream(), -1, anEvent()));
  await store.head();
});
afterEach(() => stores.close());

describe('a connection to EventStoreDB', () => {
  it('that is silent fails an append within seconds; a repetition after the silence writes it once', async () => {
    const batch = slice(aStream(), -1, anEvent());
    stores.standIn.silence();
    const asked = performance.now();
    await expect(store.append([batch])).rejects.toBeInstanceOf(StoreUnavailable);
    expect(performance.now() - asked).toBeLessThan(10_000);
    stores.standIn.resume();
    expect(await insist(store, batch)).toMatchObject([{ kind: 'appended' }]);
    expect(await readWholeStream(store, batch.stream)).toHaveLength(1);
  });

  const faults: readonly (readonly [string, () => Promise<void> | void])[] = [
    ['cut', () => stores.standIn.cut()],
    ['ended politely', () => stores.standIn.endPolitely()],
    ['refused for a while', async () => (await stores.standIn.stop(), stores.standIn.start())],
    ['shut down and started again', async () => (await stores.standIn.stop('shut_down'), stores.standIn.start())],
    ['left without subscriptions', () => stores.standIn.dropSubscriptions()],
  ];
  it.each(faults)('that is %s is opened again, and the copy misses nothing', async (_, fault) => {
    const before = (await stores.headPlace()).epoch;
    const batches = Array.from({ length: 5 }, () => slice(aStream(), -1, anEvent()));
    for (const batch of batches) {
      await fault();
      await insist(store, batch);
    }
    const ids = idsOf(await chainedLog(store)).slice(1);
    expect(ids).toEqual(batches.flatMap(({ events }) => idsOf(events)));
    expect((await stores.headPlace()).epoch).toBeGreaterThan(before);
  });
});

describe('EventStoreDB that went back in time', () => {
  it('gets what it lacks from the copy before anything new', async () => {
    const [one, other] = [aStream(), aStream()];
    await store.append([slice(one, -1, anEvent())]);
    await store.head();
    const { place } = await stores.headPlace();
    await store.append([slice(one, 0, anEvent())]);
    await store.append([slice(other, -1, anEvent(), anEvent())]);
    const before = await chainedLog(store);
    stores.standIn.goBackTo(place);

    const next = slice(one, 1, anEvent());
    expect(await insist(store, next)).toMatchObject([{ kind: 'appended' }]);
    const after = await chainedLog(store);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(idsOf(after.slice(before.length))).toEqual(idsOf(next.events));
    expect(store.reports).toMatchObject({ noticed: [{ kind: 'restored', from: 2, to: 5 }], wentBack: 0 });
    // What was appended again has its place, its time and its token.
    const restored = await store.streams.readStream(other, 0, 10);
    expect(restored.map(({ id, time, token }) => ({ id, time, token }))).toEqual(
      before.slice(3).map(({ id, time, token }) => ({ id, time, token })),
    );
  });

  it('gets it once from several processes that notice it at once', async () => {
    const nodes = [stores.open({ apart: true }), stores.open({ apart: true })];
    const { place } = await stores.headPlace();
    for (let n = 0; n < 10; n++) await store.append([slice(aStream(), -1, anEvent(), anEvent())]);
    for (const node of nodes) await node.head();
    const before = await chainedLog(store);
    stores.standIn.goBackTo(place);

    const batches = nodes.map(() => slice(aStream(), -1, anEvent()));
    await Promise.all(nodes.map((node, n) => insist(node, batches[n] ?? slice(aStream(), -1))));
    const after = await chainedLog(store);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(idsOf(after.slice(before.length)).toSorted()).toEqual(
      batches.flatMap(({ events }) => idsOf(events)).toSorted(),
    );
    const restored = [store, ...nodes].flatMap(({ reports }) => reports.noticed);
    expect(restored).toEqual([{ kind: 'restored', from: 1, to: 21 }]);
  });

  it('beyond the copy accepts nothing from a process that has seen more of it', async () => {
    const { place } = await stores.headPlace();
    await stopCopying();
    await store.append([slice(aStream(), -1, anEvent())]);
    expect(store.copyLag).toMatchObject({ events: 1 });
    stores.standIn.goBackTo(place);
    await expect.poll(() => store.reports.wentBack, SOON).toBe(1);
    await copyAgain();

    const batch = slice(aStream(), -1, anEvent());
    await expect(store.append([batch])).rejects.toBeInstanceOf(LogWentBack);
    await expect(store.checkHistory()).rejects.toBeInstanceOf(LogWentBack);
    store.forgetHistory();
    expect(await insist(store, batch)).toMatchObject([{ kind: 'appended' }]);
    expect(await chainedLog(store)).toHaveLength(2);
  });
});

describe('EventStoreDB that went back in time twice', () => {
  it('is noticed both times, although the events that it got again are at other places', async () => {
    await store.append([slice(aStream(), -1, anEvent())]);
    await store.head();
    const { place } = await stores.headPlace();
    // What the log gets again is before its old place, because events of others are between.
    const sessions = acquireSessions(stores.standIn.url);
    const { client } = await sessions.open();
    await client.appendToStream('of-others', binaryEvent({ type: 'Large', data: Buffer.alloc(500_000) }));
    await sessions.release();
    await store.append([slice(aStream(), -1, anEvent())]);
    await store.head();
    stores.standIn.goBackTo(place);
    await insist(store, slice(aStream(), -1, anEvent()));
    await store.head();
    const again = await stores.headPlace();
    await stopCopying();
    await insist(store, slice(aStream(), -1, anEvent()));
    stores.standIn.goBackTo(again.place);
    await expect.poll(() => store.reports.wentBack, SOON).toBe(1);
    await copyAgain();
  });
});

describe('PostgreSQL that went back in time alone', () => {
  it('is copied again, with the same positions, times and hashes', async () => {
    const { place, epoch, position } = await stores.headPlace();
    for (let n = 0; n < 5; n++) await store.append([slice(aStream(), -1, anEvent(), anEvent())]);
    const before = await chainedLog(store);
    await putCopyBack({ place, epoch, position });
    await expect.poll(() => store.head(), SOON).toBe(before.length);
    expect(await chainedLog(store)).toEqual(before);
    await insist(store, slice(aStream(), -1, anEvent()));
    expect(await chainedLog(store)).toHaveLength(before.length + 1);
    expect(store.reports).toMatchObject({ noticed: [], wentBack: 0 });
  });
});

const stopCopying = (): Promise<unknown> =>
  queries(stores.database.url, [
    {
      text: `create function refuse_copy() returns trigger language plpgsql as $$ begin raise 'no room for a test'; end $$`,
    },
    { text: 'create trigger refuse_copy before insert on events for each statement execute function refuse_copy()' },
  ]);
const copyAgain = (): Promise<unknown> => query(stores.database.url, 'drop trigger refuse_copy on events');

/** As after a restore: no session is left, and the head is what it was. */
const putCopyBack = async (head: { place: bigint; epoch: number; position: number }): Promise<void> => {
  const { url } = stores.database;
  await queries(url, [
    { text: 'alter table events disable trigger user' },
    {
      text: `with gone as (delete from events where position > ${head.position})
             update log_head h set position = e.position, time = e.time, hash = e.hash, store_position = ${head.place},
               store_epoch = ${head.epoch} from events e where e.position = ${head.position}`,
    },
    { text: 'alter table events enable trigger user' },
  ]);
  await query(
    url,
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
};
