import { randomUUID } from 'node:crypto';
import { binaryEvent, jsonEvent } from '@eventstore/db-client';
import type { AppendExpectedRevision } from '@eventstore/db-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, connectTo, errorOf, event, events, newStream, ONE_CALL_EACH, outcomeOf, servers } from './servers.ts';
import type { Client } from './servers.ts';

const calls = [
  { how: 'batched', options: {} },
  { how: 'one call each', options: ONE_CALL_EACH },
] as const;

describe.each(servers)('appends to the $name', ({ start }) => {
  let client: Client;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ client, close } = await connectTo(await start()));
  });
  afterAll(() => close());

  describe.each(calls)('$how', ({ options }) => {
    /** A stream with two events, and a function that appends to it. */
    const streamOfTwo = async () => {
      const stream = newStream();
      const [a, b] = [randomUUID(), randomUUID()] as const;
      await client.appendToStream(stream, [event(a), event(b)], { ...options, expectedRevision: 'no_stream' });
      const append = (expectedRevision: AppendExpectedRevision, ...ids: string[]) =>
        outcomeOf(
          client.appendToStream(
            stream,
            ids.map((id) => event(id)),
            { ...options, expectedRevision },
          ),
        );
      return { stream, a, b, append };
    };
    const lengthOf = async (stream: string) => (await collect(client.readStream(stream))).length;

    it('answers with the revision and the position of the last event', async () => {
      const stream = newStream();
      const first = await client.appendToStream(stream, events(2), { ...options, expectedRevision: 'no_stream' });
      const second = await client.appendToStream(stream, events(3), { ...options, expectedRevision: 1n });
      expect([first.nextExpectedRevision, second.nextExpectedRevision]).toEqual([1n, 4n]);
      const stored = await collect(client.readStream(stream));
      expect(stored.map((one) => one.event?.revision)).toEqual([0n, 1n, 2n, 3n, 4n]);
      expect([first.position, second.position]).toEqual([stored[1]?.event?.position, stored[4]?.event?.position]);
      const positions = stored.map((one) => one.commitPosition);
      expect(positions).toEqual(positions.toSorted((x, y) => Number((x ?? 0n) - (y ?? 0n))));
      expect(new Set(positions).size).toBe(5);
    });

    it('refuses a wrong revision and reports the current one', async () => {
      const { append, stream } = await streamOfTwo();
      const wrong = { type: 'wrong-expected-version', actual: 1n };
      expect(await append('no_stream', randomUUID())).toEqual(wrong);
      expect(await append(0n, randomUUID())).toEqual(wrong);
      expect(await append(5n, randomUUID())).toEqual(wrong);
      const none = { type: 'wrong-expected-version', actual: 'no_stream' };
      const toNone = (expectedRevision: AppendExpectedRevision) =>
        outcomeOf(client.appendToStream(newStream(), event(), { ...options, expectedRevision }));
      expect(await toNone(3n)).toEqual(none);
      expect(await toNone('stream_exists')).toEqual(none);
      expect(await lengthOf(stream)).toBe(2);
    });

    it('takes an append before the end as done if its ids stand at the next revisions', async () => {
      const { append, a, b, stream } = await streamOfTwo();
      expect(await append('no_stream', a, b)).toEqual({ revision: 1n });
      expect(await append('no_stream', a)).toEqual({ revision: 0n });
      expect(await append(0n, b)).toEqual({ revision: 1n });
      expect(await lengthOf(stream)).toBe(2);
    });

    it('refuses an append before the end whose ids stand elsewhere, or go on beyond the end', async () => {
      const { append, a, b, stream } = await streamOfTwo();
      const wrong = { type: 'wrong-expected-version', actual: 1n };
      expect(await append('no_stream', b, a)).toEqual(wrong);
      expect(await append('no_stream', a, b, randomUUID())).toEqual(wrong);
      expect(await append('no_stream', a, randomUUID())).toEqual(wrong);
      expect(await append(0n, a)).toEqual(wrong);
      expect(await lengthOf(stream)).toBe(2);
    });

    it('does not compare the content of events with known ids', async () => {
      const { a, stream } = await streamOfTwo();
      const other = event(a, 'Other', 'other');
      const again = client.appendToStream(stream, other, { ...options, expectedRevision: 'no_stream' });
      expect(await outcomeOf(again)).toEqual({ revision: 0n });
      const [first] = await collect(client.readStream(stream));
      expect(first?.event?.type).toBe('Tested');
    });

    it('does not look at ids if the expected revision is the current one', async () => {
      const { append, a, stream } = await streamOfTwo();
      expect(await append(1n, a)).toEqual({ revision: 2n });
      const stored = await collect(client.readStream(stream));
      expect(stored.map((one) => one.event?.id)).toEqual([a, stored[1]?.event?.id, a]);
    });

    it.each(['any', 'stream_exists'] as const)('looks for the ids in the whole stream with %s', async (expected) => {
      const { append, a, b, stream } = await streamOfTwo();
      expect(await append(expected, a)).toEqual({ revision: 0n });
      expect(await append(expected, b, a)).toEqual({ revision: 0n });
      expect(await append(expected, a, randomUUID())).toEqual({ type: 'wrong-expected-version', actual: 1n });
      expect(await append(expected, randomUUID(), a)).toEqual({ revision: 3n });
      expect(await lengthOf(stream)).toBe(4);
      const elsewhere = newStream();
      await client.appendToStream(elsewhere, event(a), options);
      expect(await lengthOf(elsewhere)).toBe(1);
    });

    it('refuses more than a mebibyte of data, and counts neither types nor metadata', async () => {
      const stream = newStream();
      const append = (...sizes: number[]) => {
        const proposed = sizes.map((size) => event(randomUUID(), 'Tested', 'x'.repeat(size)));
        return outcomeOf(client.appendToStream(stream, proposed, options));
      };
      const refused = expect.objectContaining({ type: 'maximum-append-size-exceeded', maxAppendSize: 1_048_576 });
      expect(await append(1_048_577)).toEqual(refused);
      expect(await append(600_000, 600_000)).toEqual(refused);
      expect(await append(1_048_576)).toEqual({ revision: 0n });
      const large = binaryEvent({ type: 'Tested', data: Buffer.from('x'), metadata: Buffer.alloc(1_100_000, 'm') });
      expect(await outcomeOf(client.appendToStream(stream, large, options))).toEqual({ revision: 1n });
    });

    it('keeps id, type, content and time of an event', async () => {
      const stream = newStream();
      const before = Date.now();
      const binary = binaryEvent({
        type: 'Binary',
        data: Buffer.from([0, 255, 10, 200]),
        metadata: Buffer.from([1, 254]),
      });
      const json = jsonEvent({ type: 'Json', data: { a: [1] }, metadata: { b: 'ü' } });
      await client.appendToStream(stream, [binary, json], options);
      const [first, second] = (await collect(client.readStream(stream))).map((one) => one.event);
      expect(first).toMatchObject({ id: binary.id, streamId: stream, revision: 0n, type: 'Binary', isJson: false });
      expect(first?.data).toEqual(new Uint8Array([0, 255, 10, 200]));
      expect(first?.metadata).toEqual(new Uint8Array([1, 254]));
      expect(second).toMatchObject({ id: json.id, type: 'Json', isJson: true, data: { a: [1] }, metadata: { b: 'ü' } });
      for (const stored of [first, second]) {
        expect(stored?.created.getTime()).toBeGreaterThanOrEqual(before - 5);
        expect(stored?.created.getTime()).toBeLessThanOrEqual(Date.now() + 5);
      }
    });

    it('accepts an append without events and writes none', async () => {
      const { append, stream } = await streamOfTwo();
      expect(await append(1n)).toEqual({ revision: 1n });
      expect(await append(0n)).toEqual({ type: 'wrong-expected-version', actual: 1n });
      expect(await lengthOf(stream)).toBe(2);
    });
  });

  it('answers each of many appends on one call with its own result', async () => {
    const streams = Array.from({ length: 50 }, newStream);
    const results = await Promise.all(
      streams.map((stream, at) =>
        outcomeOf(client.appendToStream(stream, events(at + 1), { expectedRevision: 'any' })),
      ),
    );
    expect(results).toEqual(streams.map((_, at) => ({ revision: BigInt(at) })));
  });

  it('accepts an append that arrives in several messages', async () => {
    const stream = newStream();
    const proposed = Array.from({ length: 20 }, () => event(randomUUID(), 'Tested', 'x'.repeat(1_000)));
    const append = client.appendToStream(stream, proposed, { batchAppendSize: 2_500 });
    expect(await outcomeOf(append)).toEqual({ revision: 19n });
    expect((await collect(client.readStream(stream))).map((one) => one.event?.id)).toEqual(
      proposed.map(({ id }) => id),
    );
  });

  it('writes nothing of an append whose deadline has passed', async () => {
    const stream = newStream();
    const late = client.appendToStream(stream, event(), { deadline: -1_000 });
    expect(await outcomeOf(late)).toEqual({ type: 'deadline-exceeded' });
    expect(await errorOf(collect(client.readStream(stream)))).toMatchObject({ type: 'stream-not-found' });
  });
});
