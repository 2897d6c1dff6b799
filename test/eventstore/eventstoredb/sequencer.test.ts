import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { secondId } from '../../../src/eventstore/eventstoredb/copy/copy-events.ts';
import { sealEvent } from '../../../src/eventstore/eventstoredb/connection/envelope.ts';
import { StoreUnavailable } from '../../../src/eventstore/event-store.ts';
import { SOON } from '../../support/soon.ts';
import { terminateSessions } from '../../support/sql.ts';
import { anEvent, aStream, idsOf, numbers, slice } from '../logs.ts';
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

/** A client past the gateways: an administrator, or another program. */
const stranger = async () => {
  const client = EventStoreDBClient.connectionString(stores.standIn.url as 'esdb://');
  onTestFinished(() => Promise.race([client.dispose(), new Promise<void>((resolve) => setTimeout(resolve, 1000))]));
  return { client, named: (stream: string) => `${prefix}${stream}`, prefix: (await stores.headPlace()).streams };
};
let prefix = '';
beforeEach(async () => {
  prefix = (await stores.headPlace()).streams;
});

describe('the copy of the log', () => {
  it('has each event once and in order, while several stores copy and lose their sessions in PostgreSQL', async () => {
    const all = [store, stores.open(), stores.open()];
    const batches = numbers(0, 60).map(() => slice(aStream(), -1, anEvent(), anEvent()));
    const { url } = stores.database;
    const losing = (async () => {
      for (let n = 0; n < 6; n++) {
        await terminateSessions(url, 'kissapi-sequencer', 'kissapi-copy');
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
    })();
    for (const [n, batch] of batches.entries()) await insist(all[n % 3] ?? store, batch);
    await losing;
    await expect.poll(() => store.head().catch(() => 0), SOON).toBe(1 + 120);
    const ids = idsOf(await chainedLog(store));
    expect(ids.slice(1).toSorted()).toEqual(batches.flatMap(({ events }) => idsOf(events)).toSorted());
    expect(all.flatMap(({ reports }) => reports.noticed)).toEqual([]);
  });

  it('continues where the store ended that copied before', async () => {
    await store.close();
    const next = stores.open();
    await insist(next, slice(aStream(), -1, anEvent()));
    expect(await chainedLog(next)).toHaveLength(2);
  });

  it('has an id once, also if a stream has it three times', async () => {
    const [stream, event] = [aStream(), anEvent()];
    for (const revision of [-1, 0, 1]) await insist(store, slice(stream, revision, event));
    const second = secondId(event.id, stream);
    expect(idsOf(await chainedLog(store)).slice(1)).toEqual([event.id, second, secondId(second, stream)]);
  });

  it('keeps the time of an event, and never goes back in time', async () => {
    const times = (await chainedLog(store)).map(({ time }) => time.getTime());
    await insist(store, slice(aStream(), -1, anEvent()));
    const after = (await chainedLog(store)).map(({ time }) => time.getTime());
    expect(after.slice(0, 1)).toEqual(times);
    expect(after[1]).toBeGreaterThanOrEqual(after[0] ?? 0);
  });
});

describe('a stream in EventStoreDB that is not what was copied', () => {
  it.each([
    [
      'an event follows another one than the copy has',
      (stream: string) => {
        const place = { stream, named: prefix + stream, revision: 1 };
        return sealEvent(anEvent(), place, { previous: 'ab'.repeat(32) }).event;
      },
      /other_history at test-/,
    ],
    [
      'an event has a place that the copy has given to another one',
      (stream: string) => {
        const at = { position: 1, time: 0, token: 'cd'.repeat(32) };
        return sealEvent(anEvent(), { stream, named: prefix + stream, revision: 1 }, { previous: '', at }).event;
      },
      /other_history|out_of_order/,
    ],
    [
      'an event was not written by a gateway',
      () => jsonEvent({ type: 'Foreign', data: { a: 1 } }),
      /was not written by a gateway/,
    ],
  ])('is not copied, and is an alarm: %s', async (_, forged, what) => {
    const stream = aStream();
    await insist(store, slice(stream, -1, anEvent()));
    const before = await chainedLog(store);
    const { client, named } = await stranger();
    await client.appendToStream(named(stream), forged(stream), { expectedRevision: 0n });
    await expect.poll(() => store.reports.noticed, SOON).toHaveLength(1);
    expect(store.reports.noticed).toEqual([{ kind: 'other_history', what: expect.stringMatching(what) as string }]);
    expect(store.standing?.alarm).toBe('other_history');
    expect(await store.readAll(0, 10)).toEqual(before);
  });
});

describe('metadata of a stream of the log', () => {
  it('are an alarm that ends once they limit nothing', async () => {
    const { client, named } = await stranger();
    const stream = named(aStream());
    await client.setStreamMetadata(stream, { maxCount: 1 });
    await expect.poll(() => store.standing?.alarm, SOON).toBe('metadata_set');
    expect(store.reports.noticed).toEqual([{ kind: 'metadata_set', stream, metadata: { $maxCount: 1 } }]);
    await client.setStreamMetadata(stream, {});
    await expect.poll(() => store.standing?.alarm, SOON).toBeUndefined();
    // The log goes on.
    await insist(store, slice(aStream(), -1, anEvent()));
    expect(await chainedLog(store)).toHaveLength(2);
  });

  it('of streams of other programs are no alarm', async () => {
    const { client } = await stranger();
    await client.setStreamMetadata('another-program', { maxCount: 1 });
    await insist(store, slice(aStream(), -1, anEvent()));
    expect(await chainedLog(store)).toHaveLength(2);
    expect(store.reports.noticed).toEqual([]);
  });
});

describe('a look at EventStoreDB for readiness', () => {
  it('succeeds while the server answers and accepts appends, which are not in the log', async () => {
    await store.standing?.answers({ append: true });
    expect(await store.head()).toBe(1);
  });

  it('fails if the server is silent, within two seconds, and if it refuses an append that is asked for', async () => {
    stores.standIn.refuseAppends('read-only');
    await store.standing?.answers({ append: false });
    await expect(store.standing?.answers({ append: true })).rejects.toBeInstanceOf(StoreUnavailable);
    stores.standIn.silence();
    const asked = performance.now();
    await expect(store.standing?.answers({ append: false })).rejects.toBeInstanceOf(StoreUnavailable);
    expect(performance.now() - asked).toBeLessThan(2000);
  });
});
