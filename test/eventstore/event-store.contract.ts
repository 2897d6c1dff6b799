import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EMPTY_STREAM, PAGE, streamPages, type EventStore, type Position } from '../../src/eventstore/event-store.ts';
import {
  anEvent,
  aStream,
  collect,
  firstToCome,
  follower,
  idsOf,
  numbers,
  readWholeStream,
  slice,
  someEvents,
} from './logs.ts';

export type StoreUnderTest = {
  /**
   * Opens one more store on the same log, as another process would. The log need not be empty, but only the contract may
   * append to it.
   */
  readonly create: () => Promise<EventStore>;
  /** The result of an append has no positions and times: the store assigns them afterwards, slice by slice. */
  readonly assignsLater?: boolean;
};

/** JSON texts that a parser would not return byte for byte. */
const oddJson = [
  '{}',
  '{"b":1,"a":2,"10":3,"9":4}',
  '{ "spaced" :\t[ 1 ,\n2 ] }',
  '{"repeated":1,"repeated":2}',
  '{"big":12345678901234567890123456789,"exact":1.10,"exponent":1E+2,"minusZero":-0,"huge":1e400}',
  '{"credits":"9007199254740993000000000"}',
  '{"escapes":"\\u0041\\/\\b\\f\\n\\r\\t\\"\\\\ \\u00e9 \\ud83d\\ude00"}',
  '{"nul":"\\u0000","half a pair":"\\ud800"}',
  '{"raw":"é 漢字 😀 \u2028 \u007f"}',
  '{"nested":"{\\"data\\":\\"[1,2]\\",\\"n\\":0}"}',
  `{"quotes":"it's $1 and $$ and %s and \\\\' or 1=1; --"}`,
  '{"\\u0000":{"":[[],{},[null,true,false]]}}',
  '"text"',
  '"\\u00e9"',
  '17.0',
  'null',
  '[]',
  `{"long":"${'0123456789'.repeat(10_000)}"}`,
];

/** Shared by the tests: each starts where the one before left the log. */
type Log = {
  assignsLater: boolean;
  store: EventStore;
  others: readonly EventStore[];
  /** All events after it were appended by the running test. */
  start: Position;
};

const clash = { kind: 'clash' };

/** Assumes neither that positions are dense nor that hashes exist: see chained-log.contract.ts. */
export const eventStoreContract = (name: string, { create, assignsLater = false }: StoreUnderTest): void => {
  describe(`the contract of every event store: ${name}`, () => {
    const log = { assignsLater } as Log;

    beforeAll(async () => {
      log.store = await create();
      log.others = [await create(), await create(), await create()];
    });
    afterAll(async () => {
      for (const store of [log.store, ...log.others]) await store.close();
    });
    beforeEach(async () => {
      const [stream, event] = [aStream(), anEvent()];
      await log.store.append([slice(stream, -1, event)]);
      log.start = (await log.store.findEvent(stream, event.id))?.position ?? 0;
    });

    describe('append', () => appending(log));
    describe('a slice whose stream does not end as expected', () => clashes(log));
    describe('a slice without events', () => emptySlices(log));
    describe('the bytes of data and metadata', () => bytes(log));
    describe('reading a stream', () => reading(log));
    describe('finding an event in a stream by its id', () => finding(log));
    describe('concurrent appends', () => concurrentAppends(log));
    describe('follow', () => following(log));
  });
};

const appending = (log: Log): void => {
  it('returns token, position and time of each event as they are stored, if the store knows them at once', async () => {
    const stream = aStream();
    const events = [anEvent(), anEvent({ type: 'SomethingElse', version: 7 })];
    const [result] = await log.store.append([slice(stream, -1, ...events)]);
    const stored = await readWholeStream(log.store, stream);
    expect(stored).toMatchObject(events.map((event, revision) => ({ ...event, stream, revision })));
    const time = stored[0]?.time;
    expect(time).toBeInstanceOf(Date);
    expect(result).toEqual({
      ...{ kind: 'appended', time: log.assignsLater ? undefined : time },
      written: stored.map(({ position, token }) => ({ position: log.assignsLater ? undefined : position, token })),
    });
  });

  it('continues a stream at its end, whether it is expected by its revision or by its token as well', async () => {
    const stream = aStream();
    const events = someEvents(5);
    await log.store.append([slice(stream, -1, ...events.slice(0, 2))]);
    await log.store.append([slice(stream, 1, ...events.slice(2, 4))]);
    const { revision, token } = (await readWholeStream(log.store, stream)).at(-1) ?? EMPTY_STREAM;
    await log.store.append([{ stream, expected: { revision, token }, events: events.slice(4) }]);
    const stored = await readWholeStream(log.store, stream);
    expect(idsOf(stored)).toEqual(idsOf(events));
    expect(stored.map((event) => event.revision)).toEqual(numbers(0, 5));
    const positions = stored.map(({ position }) => position);
    expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
  });

  it('writes many slices, in their order if the store knows positions at once', async () => {
    const slices = numbers(0, 20).map((n) => slice(aStream(), -1, ...someEvents((n % 3) + 1)));
    const results = await log.store.append(slices);
    const ids = slices.flatMap((one) => idsOf(one.events));
    const events = await firstToCome(log.store, log.start, ids.length);
    if (log.assignsLater) return expect(new Set(idsOf(events))).toEqual(new Set(ids));
    expect(idsOf(events)).toEqual(ids);
    const positions = results.flatMap((result) => (result.kind === 'appended' ? result.written : []));
    expect(positions.map(({ position }) => position)).toEqual(events.map(({ position }) => position));
  });

  it('writes thousands of events at once', async () => {
    const stream = aStream();
    const events = someEvents(2500);
    await log.store.append([slice(stream, -1, ...events)]);
    expect(idsOf(await readWholeStream(log.store, stream))).toEqual(idsOf(events));
  });

  it('accepts a batch without slices', async () => {
    expect(await log.store.append([])).toEqual([]);
  });

  it('does not mix up streams with similar names', async () => {
    const base = aStream();
    const names = ['', '-', '%', '_', 'A', 'a', 'é', 'e\u0301', "'", '"', '\\', '$1', ' ', '😀'];
    const streams = names.map((odd) => `${base}${odd}`);
    await log.store.append(streams.map((stream) => slice(stream, -1, anEvent({ data: JSON.stringify({ stream }) }))));
    for (const stream of streams) {
      expect(await log.store.readStream(stream, 0, 10)).toEqual([
        expect.objectContaining({ stream, revision: 0, data: JSON.stringify({ stream }) }),
      ]);
    }
  });
};

const clashes = (log: Log): void => {
  it.each([
    ['first', [0]],
    ['last', [4]],
    ['all but one', [0, 1, 3, 4]],
    ['every other', [1, 3]],
    ['all', [0, 1, 2, 3, 4]],
  ])('fails alone, and the others are written in their order: %s', async (_, clashing) => {
    const streams = numbers(0, 5).map(aStream);
    const events = someEvents(10);
    const ofStream = (n: number) => events.slice(2 * n, 2 * n + 2);
    const results = await log.store.append(
      streams.map((stream, n) => slice(stream, clashing.includes(n) ? 7 : -1, ...ofStream(n))),
    );
    expect(results.map(({ kind }) => kind)).toEqual(
      numbers(0, 5).map((n) => (clashing.includes(n) ? 'clash' : 'appended')),
    );
    const written = numbers(0, 5).flatMap((n) => (clashing.includes(n) ? [] : ofStream(n)));
    const inOrder = (ids: readonly string[]) => (log.assignsLater ? ids.toSorted() : ids);
    const inLog = idsOf(await firstToCome(log.store, log.start, written.length));
    expect(inOrder(inLog)).toEqual(inOrder(idsOf(written)));
    for (const [n, stream] of streams.entries()) {
      expect(await readWholeStream(log.store, stream)).toHaveLength(clashing.includes(n) ? 0 : 2);
    }
  });

  it.each([
    { at: 1, expected: -1 },
    { at: 1, expected: 0 },
    { at: 1, expected: 2 },
    { at: -1, expected: 0 },
    { at: -1, expected: 5 },
  ])('is not written: end $at, expected $expected', async ({ at, expected }) => {
    const stream = aStream();
    if (at >= 0) await log.store.append([slice(stream, -1, ...someEvents(at + 1))]);
    expect(await log.store.append([slice(stream, expected, anEvent())])).toEqual([clash]);
    expect(await readWholeStream(log.store, stream)).toHaveLength(at + 1);
  });

  it('is not written if the stream has the expected revision with another token', async () => {
    const [stream, other] = [aStream(), aStream()];
    await log.store.append([slice(stream, -1, anEvent()), slice(other, -1, anEvent())]);
    const [last] = await readWholeStream(log.store, other);
    const expected = { revision: 0, token: last?.token };
    expect(await log.store.append([{ stream, expected, events: [anEvent()] }])).toEqual([clash]);
  });

  it('is not written twice', async () => {
    const batch = [slice(aStream(), -1, anEvent(), anEvent())];
    await log.store.append(batch);
    expect(await log.store.append(batch)).toMatchObject([log.assignsLater ? { kind: 'appended' } : clash]);
    expect(await readWholeStream(log.store, batch[0]?.stream ?? '')).toHaveLength(2);
  });
};

const emptySlices = (log: Log): void => {
  it('writes nothing, and its result shows whether the stream ends as expected', async () => {
    const [known, unknown] = [aStream(), aStream()];
    await log.store.append([slice(known, -1, anEvent())]);
    const results = await log.store.append([
      slice(known, 0),
      slice(unknown, -1),
      slice(aStream(), 0),
      slice(aStream(), -1, anEvent()),
    ]);
    expect(results.map(({ kind }) => kind)).toEqual(['appended', 'appended', 'clash', 'appended']);
    expect(results[0]).toMatchObject({ written: [] });
    expect(await log.store.append([slice(known, -1)])).toEqual([clash]);
    expect(await readWholeStream(log.store, known)).toHaveLength(1);
    expect(await readWholeStream(log.store, unknown)).toEqual([]);
  });
};

const bytes = (log: Log): void => {
  it('are kept in every read', async () => {
    const stream = aStream();
    const events = oddJson.map((json) => anEvent({ data: json, metadata: json }));
    await log.store.append([slice(stream, -1, ...events)]);
    const stored = await readWholeStream(log.store, stream);
    expect(stored).toMatchObject(events);
    for (const one of stored) expect(await log.store.findEvent(stream, one.id)).toEqual(one);
    const followed = await firstToCome(log.store, log.start, events.length);
    expect(stored).toMatchObject(followed);
  });

  it('are kept for random JSON', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.json({ stringUnit: 'binary' }), fc.json({ stringUnit: 'binary' })), {
          minLength: 1,
          maxLength: 10,
        }),
        async (pairs) => {
          const stream = aStream();
          await log.store.append([slice(stream, -1, ...pairs.map(([data, metadata]) => anEvent({ data, metadata })))]);
          const stored = await readWholeStream(log.store, stream);
          expect(stored.map(({ data, metadata }) => [data, metadata])).toEqual(pairs);
        },
      ),
      { numRuns: 20 },
    ));
};

const reading = (log: Log): void => {
  it('starts at a revision and returns at most as many events as requested', async () => {
    const stream = aStream();
    const events = someEvents(7);
    await log.store.append([slice(stream, -1, ...events), slice(aStream(), -1, anEvent())]);
    const ids = idsOf(events);
    expect(idsOf(await log.store.readStream(stream, 0, 3))).toEqual(ids.slice(0, 3));
    expect(idsOf(await log.store.readStream(stream, 3, 3))).toEqual(ids.slice(3, 6));
    expect(idsOf(await log.store.readStream(stream, 6, 3))).toEqual(ids.slice(6));
    expect(await log.store.readStream(stream, 7, 3)).toEqual([]);
    expect(await log.store.readStream(stream, 99, 3)).toEqual([]);
    expect(await log.store.readStream(aStream(), 0, 3)).toEqual([]);
  });

  it.each([0, 1, PAGE, PAGE + 1])('returns a stream of %s events page by page', async (count) => {
    const stream = aStream();
    const events = someEvents(count);
    if (count > 0) await log.store.append([slice(stream, -1, ...events)]);
    const pages = await collect(streamPages(log.store, stream));
    expect(idsOf(pages.flat())).toEqual(idsOf(events));
    expect(pages.every(({ length }) => length > 0 && length <= PAGE)).toBe(true);
    const tail = (await collect(streamPages(log.store, stream, count - 1))).flat();
    expect(idsOf(tail)).toEqual(count > 0 ? [events.at(-1)?.id] : []);
  });

  it('returns what any other store on the log has appended, as soon as that is acknowledged', async () => {
    for (const other of log.others) {
      const event = anEvent();
      const stream = aStream();
      await other.append([slice(stream, -1, event)]);
      expect(idsOf(await log.store.readStream(stream, 0, 1))).toEqual([event.id]);
      expect(await log.store.findEvent(stream, event.id)).toMatchObject({ revision: 0 });
    }
  });
};

const finding = (log: Log): void => {
  it('returns the event of that stream only', async () => {
    const events = someEvents(3);
    const stream = aStream();
    await log.store.append([slice(stream, -1, ...events)]);
    const [, second] = await readWholeStream(log.store, stream);
    expect(await log.store.findEvent(stream, second?.id ?? '')).toEqual(second);
    expect(await log.store.findEvent(aStream(), second?.id ?? '')).toBeUndefined();
    expect(await log.store.findEvent(stream, randomUUID())).toBeUndefined();
  });
};

const concurrentAppends = (log: Log): void => {
  const writers = (): EventStore[] => [log.store, ...log.others];

  it('to one stream succeed once for each revision', async () => {
    const stream = aStream();
    const rounds = 25;
    const won: string[] = [];
    await Promise.all(
      writers().map(async (writer) => {
        for (let revision = 0; revision < rounds;) {
          const event = anEvent();
          const [result] = await writer.append([slice(stream, revision - 1, event)]);
          if (result?.kind === 'appended') won[revision] = event.id;
          // If no writer appended, another one has the turn, and this one tries again.
          if ((await writer.readStream(stream, revision, 1)).length > 0) revision++;
        }
      }),
    );
    const stored = await readWholeStream(log.store, stream);
    expect(stored).toHaveLength(rounds);
    expect(idsOf(stored)).toEqual(won);
  });

  it('through one store succeed', async () => {
    const streams = numbers(0, 50).map(aStream);
    const results = await Promise.all(streams.map((stream) => log.store.append([slice(stream, -1, anEvent())])));
    expect(results.flat().every(({ kind }) => kind === 'appended')).toBe(true);
  });
};

const following = (log: Log): void => {
  it('yields past and new events from any position', async () => {
    const events = someEvents(6);
    const positions: Position[] = [];
    const append = async (n: number): Promise<void> => {
      const [stream, event] = [aStream(), events[n] ?? anEvent()];
      await log.store.append([slice(stream, -1, event)]);
      positions.push((await log.store.findEvent(stream, event.id))?.position ?? 0);
    };
    for (const n of numbers(0, 3)) await append(n);
    const early = follower(log.store, log.start);
    const late = follower(log.store, positions[1] ?? 0);
    await early.until(3);
    for (const n of numbers(3, 3)) {
      await append(n);
      await early.until(n + 1);
    }
    await late.until(4);
    expect(idsOf(early.seen)).toEqual(idsOf(events));
    expect(idsOf(late.seen)).toEqual(idsOf(events.slice(2)));
    expect(early.seen.map(({ position }) => position)).toEqual(positions);
    await Promise.all([early.stop(), late.stop()]);
  });

  it('yields what any store on the log appends', async () => {
    const one = follower(log.store, log.start);
    for (const [n, writer] of [...log.others, log.store].entries()) {
      await writer.append([slice(aStream(), -1, anEvent())]);
      await one.until(n + 1);
    }
    await one.stop();
  });

  it('ends if it is aborted while it waits', async () => {
    const one = follower(log.store, log.start);
    await log.store.append([slice(aStream(), -1, anEvent())]);
    await one.until(1);
    await new Promise((resolve) => setImmediate(resolve));
    await one.stop();
    expect(one.seen).toHaveLength(1);
  });

  it('ends if it is aborted while more pages are there', async () => {
    await log.store.append([slice(aStream(), -1, ...someEvents(PAGE + 1))]);
    const stop = new AbortController();
    let pages = 0;
    for await (const page of log.store.follow(log.start, stop.signal)) {
      expect(page.events.length).toBeLessThanOrEqual(PAGE);
      pages++;
      stop.abort();
    }
    expect(pages).toBe(1);
  });

  it('yields events of some types only, and how far the search is complete', async () => {
    const stop = new AbortController();
    const [first, second, third] = ['KeyIssued', 'KeyRevoked', 'KeyIssued'].map((type) => anEvent({ type }));
    const written: Position[] = [];
    const append = async (...events: (typeof first)[]): Promise<void> => {
      const stream = aStream();
      await log.store.append([slice(stream, -1, ...events.map((event) => event ?? anEvent()))]);
      written.push((await readWholeStream(log.store, stream)).at(-1)?.position ?? 0);
    };
    await append(undefined, first, second, undefined);
    const pages: { readonly ids: readonly string[]; readonly upTo: Position }[] = [];
    for await (const { events, upTo } of log.store.follow(log.start, stop.signal, ['KeyIssued'])) {
      pages.push({ ids: idsOf(events), upTo });
      if (pages.length === 1) await append(undefined);
      if (pages.length === 2) await append(undefined, third);
      if (pages.length === 3) stop.abort();
    }
    expect(pages).toEqual([
      { ids: [first?.id], upTo: written[0] },
      { ids: [], upTo: written[1] },
      { ids: [third?.id], upTo: written[2] },
    ]);
  });

  it('yields nothing if it was aborted before', async () => {
    await log.store.append([slice(aStream(), -1, anEvent())]);
    expect(await collect(log.store.follow(log.start, AbortSignal.abort()))).toEqual([]);
  });

  it('ends when its consumer stops', async () => {
    await log.store.append([slice(aStream(), -1, anEvent())]);
    expect(await firstToCome(log.store, log.start, 1)).toHaveLength(1);
  });

  it('neither skips nor repeats an event while several stores append', async () => {
    const batches = 40;
    const perBatch = 10;
    const count = 4 * batches * perBatch;
    const everyStore = [log.store, ...log.others];
    const followers = numbers(0, 8).map((n) => follower(everyStore[n % 4] ?? log.store, log.start));
    await Promise.all(
      everyStore.map(async (writer) => {
        for (let n = 0; n < batches; n++) await writer.append([slice(aStream(), -1, ...someEvents(perBatch))]);
      }),
    );
    const late = follower(log.store, log.start);
    for (const { until } of [...followers, late]) await until(count);
    const ids = idsOf(late.seen);
    expect(new Set(ids).size).toBe(count);
    for (const { seen } of followers) expect(idsOf(seen)).toEqual(ids);
    await Promise.all([...followers, late].map(({ stop }) => stop()));
  });

  it('misses nothing that is appended while its consumer is busy', async () => {
    const events = someEvents(5);
    await log.store.append([slice(aStream(), -1, ...events.slice(0, 1))]);
    const seen: string[] = [];
    for await (const page of log.store.follow(log.start, new AbortController().signal)) {
      seen.push(...idsOf(page.events));
      const next = events[seen.length];
      if (!next) break;
      await log.store.append([slice(aStream(), -1, next)]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(seen).toEqual(idsOf(events));
  });
};
