import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StoreFull, StoreUnavailable } from '../../../src/eventstore/event-store.ts';
import { anEvent, aStream, idsOf, readWholeStream, slice } from '../logs.ts';
import { insist, openTwoStores, type OpenedStore, type TwoStores } from './two-stores.ts';

let stores: TwoStores;
let store: OpenedStore;
beforeEach(async () => {
  stores = await openTwoStores();
  store = stores.open();
  await insist(store, slice(aStream(), -1, anEvent()));
});
afterEach(() => stores.close());

describe('an append to EventStoreDB', () => {
  it.each([
    ['gets no answer', () => stores.standIn.loseAnswers(1)],
    ['is reported as timed out', () => stores.standIn.reportTimeouts(1)],
  ])('that was performed and %s has an unknown outcome, and its repetition writes nothing', async (_, fault) => {
    const batch = slice(aStream(), -1, anEvent(), anEvent());
    fault();
    await expect(store.append([batch])).rejects.toBeInstanceOf(StoreUnavailable);
    expect(await insist(store, batch)).toMatchObject([{ kind: 'appended', written: [{}, {}] }]);
    expect(idsOf(await readWholeStream(store, batch.stream))).toEqual(idsOf(batch.events));
  });

  it('of other events after an append without an answer clashes with it', async () => {
    const stream = aStream();
    const first = slice(stream, -1, anEvent());
    stores.standIn.loseAnswers(1);
    await expect(store.append([first])).rejects.toBeInstanceOf(StoreUnavailable);
    expect(await insist(store, slice(stream, -1, anEvent()))).toEqual([{ kind: 'clash' }]);
    expect(idsOf(await readWholeStream(store, stream))).toEqual(idsOf(first.events));
  });

  it('of the same event with other data is not taken for a repetition', async () => {
    const stream = aStream();
    const event = anEvent();
    await insist(store, slice(stream, -1, event));
    expect(await store.append([slice(stream, -1, { ...event, data: '{"other":true}' })])).toEqual([{ kind: 'clash' }]);
  });

  it('of the same event by another process clashes, so that only one of them was the first', async () => {
    const other = stores.open();
    const stream = aStream();
    const batch = slice(stream, -1, anEvent());
    await insist(store, batch);
    expect(await insist(other, batch)).toEqual([{ kind: 'clash' }]);
    expect(await insist(store, batch)).toMatchObject([{ kind: 'appended' }]);
    expect(await readWholeStream(store, stream)).toHaveLength(1);
  });

  it('of an event that another process has appended since it was looked up is a duplicate', async () => {
    const other = stores.open();
    const stream = aStream();
    const event = anEvent();
    await insist(store, slice(stream, -1, anEvent()));
    expect(await store.streams.findEvent(stream, event.id)).toBeUndefined();
    await insist(other, slice(stream, 0, event));
    expect(await insist(store, slice(stream, 1, event))).toEqual([{ kind: 'duplicate' }]);
    expect(await insist(store, slice(stream, 1, anEvent()))).toMatchObject([{ kind: 'appended' }]);
  });

  it('that is repeated after the stream went on is recognised at its place', async () => {
    const stream = aStream();
    const batch = slice(stream, -1, anEvent());
    await insist(store, batch);
    await insist(store, slice(stream, 0, anEvent()));
    expect(await store.append([batch])).toMatchObject([{ kind: 'appended' }]);
    expect(await readWholeStream(store, stream)).toHaveLength(2);
  });

  it('that is larger than the server accepts fails, and the connection goes on', async () => {
    const large = anEvent({ data: JSON.stringify('x'.repeat(2 * 1024 * 1024)) });
    const stream = aStream();
    await expect(store.append([slice(stream, -1, large)])).rejects.toBeInstanceOf(StoreUnavailable);
    expect(await store.append([slice(stream, -1, anEvent())])).toMatchObject([{ kind: 'appended' }]);
  });

  it.each(['full', 'read-only', 'not-leader', 'not-ready', 'too-busy', 'timeout', 'access-denied'] as const)(
    'that is refused (%s) fails, and succeeds once it is not',
    async (refusal) => {
      const batch = slice(aStream(), -1, anEvent());
      stores.standIn.refuseAppends(refusal);
      const fault: unknown = await store.append([batch]).catch((error: unknown) => error);
      expect(fault).toBeInstanceOf(StoreUnavailable);
      expect(fault).not.toBeInstanceOf(StoreFull);
      stores.standIn.refuseAppends();
      if (refusal === 'full') {
        // A server whose disk is full ends after its answer.
        await sleep(500);
        await stores.standIn.start();
      }
      expect(await insist(store, batch)).toMatchObject([{ kind: 'appended' }]);
      expect(await readWholeStream(store, batch.stream)).toHaveLength(1);
    },
  );
});
