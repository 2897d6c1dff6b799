import { BACKWARDS, END, START } from '@eventstore/db-client';
import type { AppendExpectedRevision, Position, ReadRevision } from '@eventstore/db-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { collect, connectTo, errorOf, event, events, newStream, outcomeOf, revisionsOf, servers } from './servers.ts';
import type { Client } from './servers.ts';

describe.each(servers)('reads of the $name', ({ start }) => {
  let client: Client;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ client, close } = await connectTo(await start()));
  });
  afterAll(() => close());

  describe('of a stream with five events', () => {
    let stream = '';
    beforeAll(async () => {
      stream = newStream();
      await client.appendToStream(stream, events(5));
    });

    it.each<[ReadRevision, number, number[]]>([
      [START, 100, [0, 1, 2, 3, 4]],
      [START, 2, [0, 1]],
      [3n, 100, [3, 4]],
      [5n, 100, []],
      [99n, 100, []],
    ])('forwards from %s, at most %i', async (fromRevision, maxCount, expected) => {
      expect(await revisionsOf(client.readStream(stream, { fromRevision, maxCount }))).toEqual(expected);
    });

    it.each<[ReadRevision, number, number[]]>([
      [END, 100, [4, 3, 2, 1, 0]],
      [END, 1, [4]],
      [1n, 100, [1, 0]],
      [99n, 2, [4, 3]],
      [START, 100, [0]],
    ])('backwards from %s, at most %i', async (fromRevision, maxCount, expected) => {
      const options = { fromRevision, maxCount, direction: BACKWARDS } as const;
      expect(await revisionsOf(client.readStream(stream, options))).toEqual(expected);
    });

    it('refuses a read forwards from the end, and a read of nothing', async () => {
      const error = { type: 'unknown', message: '2 UNKNOWN: Unexpected ReadStreamResult: Error' };
      expect(await errorOf(collect(client.readStream(stream, { fromRevision: END })))).toEqual(error);
      expect(await errorOf(collect(client.readStream(stream, { maxCount: 0 })))).toEqual(error);
    });
  });

  it('reports a stream that does not exist', async () => {
    const stream = newStream();
    const error = { type: 'stream-not-found', message: `${stream} not found` };
    expect(await errorOf(collect(client.readStream(stream)))).toEqual(error);
    const backwards = client.readStream(stream, { fromRevision: END, direction: BACKWARDS });
    expect(await errorOf(collect(backwards))).toEqual(error);
  });

  describe('of all streams', () => {
    let stream = '';
    const positions: Position[] = [];
    beforeAll(async () => {
      stream = newStream();
      for (let at = 0; at < 5; at += 1) {
        const { position } = await client.appendToStream(stream, event());
        if (position) positions.push(position);
      }
    });
    const from = (at: number, commit = 0n, prepare = commit): Position => {
      const position = positions[at] ?? { commit: 0n, prepare: 0n };
      return { commit: position.commit + commit, prepare: position.prepare + prepare };
    };
    const own = async (reading: ReturnType<Client['readAll']>): Promise<number[]> =>
      (await collect(reading)).flatMap((one) => (one.event?.streamId === stream ? [Number(one.event.revision)] : []));

    it('begins forwards with the event at the position', async () => {
      expect(await own(client.readAll({ fromPosition: from(2) }))).toEqual([2, 3, 4]);
      expect(await own(client.readAll({ fromPosition: from(1), maxCount: 2 }))).toEqual([1, 2]);
    });

    it('begins backwards with the event before the position', async () => {
      expect(await own(client.readAll({ fromPosition: from(2), direction: BACKWARDS, maxCount: 2 }))).toEqual([1, 0]);
      expect(await own(client.readAll({ fromPosition: END, direction: BACKWARDS, maxCount: 1_000 }))).toEqual([
        4, 3, 2, 1, 0,
      ]);
    });

    it('has nothing before its start and after its end', async () => {
      expect(await collect(client.readAll({ fromPosition: START, direction: BACKWARDS }))).toEqual([]);
      expect(await collect(client.readAll({ fromPosition: END }))).toEqual([]);
      expect(await collect(client.readAll({ fromPosition: from(4, 1_000_000_000n) }))).toEqual([]);
    });

    it('has events of the server itself, in streams that begin with a dollar sign', async () => {
      const [first] = await collect(client.readAll({ maxCount: 1 }));
      expect(first?.event?.streamId).toMatch(/^\$/);
    });

    it('refuses a position inside an event, and backwards also one after the end', async () => {
      const error = { type: 'unknown', message: '2 UNKNOWN: Unexpected ReadAllResult: Error' };
      expect(await errorOf(collect(client.readAll({ fromPosition: from(2, 1n) })))).toEqual(error);
      const backwards = (fromPosition: Position) =>
        errorOf(collect(client.readAll({ fromPosition, direction: BACKWARDS, maxCount: 1 })));
      expect(await backwards(from(2, 1n))).toEqual(error);
      expect(await backwards(from(4, 1_000_000_000n))).toEqual(error);
    });

    it('refuses a prepare position after the commit position, and accepts one before it', async () => {
      const error = { type: 'unknown', message: '2 UNKNOWN: Exception was thrown by handler.' };
      expect(await errorOf(collect(client.readAll({ fromPosition: from(2, 0n, 1n) })))).toEqual(error);
      expect(await own(client.readAll({ fromPosition: from(2, 0n, -1n) }))).toEqual([2, 3, 4]);
    });
  });

  describe('with metadata', () => {
    const readable = async (stream: string) => revisionsOf(client.readStream(stream));
    const append = (stream: string, expectedRevision: AppendExpectedRevision) =>
      outcomeOf(client.appendToStream(stream, event(), { expectedRevision }));

    it('returns the metadata that was set', async () => {
      const stream = newStream();
      expect(await client.getStreamMetadata(stream)).toEqual({ streamName: stream });
      await client.setStreamMetadata(stream, { maxCount: 3 });
      expect(await client.getStreamMetadata(stream)).toMatchObject({ metadata: { maxCount: 3 } });
    });

    it('hides events by number and by revision', async () => {
      const stream = newStream();
      await client.appendToStream(stream, events(5));
      await client.setStreamMetadata(stream, { maxCount: 3 });
      expect(await readable(stream)).toEqual([2, 3, 4]);
      await client.setStreamMetadata(stream, { truncateBefore: 4 });
      expect(await readable(stream)).toEqual([4]);
      expect(await revisionsOf(client.readStream(stream, { direction: BACKWARDS, fromRevision: 2n }))).toEqual([]);
      await client.setStreamMetadata(stream, { truncateBefore: 40 });
      expect(await readable(stream)).toEqual([]);
    });

    it('has no events in a deleted stream, and goes on counting when it is used again', async () => {
      const stream = newStream();
      await client.appendToStream(stream, events(5));
      const wrong = errorOf(client.deleteStream(stream, { expectedRevision: 2n }));
      expect(await wrong).toMatchObject({ type: 'wrong-expected-version', actual: 4n });
      await client.deleteStream(stream, { expectedRevision: 4n });
      expect(await errorOf(readable(stream))).toMatchObject({ type: 'stream-not-found' });
      expect(await append(stream, 'stream_exists')).toEqual({ type: 'stream-deleted' });
      expect(await append(stream, 1n)).toEqual({ type: 'wrong-expected-version', actual: 4n });
      expect(await append(stream, 'no_stream')).toEqual({ revision: 5n });
      // The server answers before the metadata that makes the stream readable again has its effect.
      await vi.waitFor(async () => expect(await readable(stream)).toEqual([5]));
      expect(await client.getStreamMetadata(stream)).toMatchObject({ metadata: { truncateBefore: 5 } });
    });

    it('refuses to delete a stream that does not exist', async () => {
      const none = errorOf(client.deleteStream(newStream()));
      expect(await none).toMatchObject({ type: 'wrong-expected-version', actual: -1n });
    });

    it('ends a stream for good with a tombstone', async () => {
      const stream = newStream();
      await client.appendToStream(stream, event());
      await client.tombstoneStream(stream);
      const latest = await collect(client.readAll({ fromPosition: END, direction: BACKWARDS, maxCount: 1_000 }));
      const last = latest.find(({ event: one }) => one?.streamId === stream)?.event;
      expect(last).toMatchObject({ type: '$streamDeleted', revision: 2n ** 63n - 1n });
      expect(await errorOf(readable(stream))).toMatchObject({ type: 'stream-deleted' });
      expect(await errorOf(client.tombstoneStream(stream))).toMatchObject({ type: 'stream-deleted' });
      expect(await append(stream, 'any')).toEqual({ type: 'stream-deleted' });
      expect(await errorOf(client.getStreamMetadata(stream))).toMatchObject({ type: 'stream-deleted' });
    });
  });
});
