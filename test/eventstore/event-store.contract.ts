import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  EMPTY_STREAM,
  LogWentBack,
  PAGE,
  streamPages,
  type EventStore,
  type StoredEvent,
} from '../../src/eventstore/event-store.ts';
import { expectedHash, GENESIS } from '../../src/eventstore/integrity/chain.ts';
import {
  anEvent,
  aStream,
  collect,
  firstToCome,
  follower,
  idsOf,
  numbers,
  readLogAfter,
  readWholeStream,
  slice,
  someEvents,
} from './logs.ts';

export type StoreUnderTest = {
  /**
   * Opens one more store on the log of this suite, as one more process would; where a log lives in one process, the store
   * of that log. The log need not be empty, but nobody else may append to it.
   */
  readonly create: () => Promise<EventStore>;
  /** Puts the log back to what it was at a position, behind the backs of all stores. */
  readonly goBackTo: (position: number) => Promise<void>;
};

// JSON whose meaning survives a parser, but whose bytes do not.
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

/** What the tests share: each begins where the one before left the log. */
type Log = {
  store: EventStore;
  others: readonly EventStore[];
  /** Everything after it was appended by the test that is running. */
  start: number;
};

export const eventStoreContract = (name: string, { create, goBackTo }: StoreUnderTest): void => {
  describe(`the contract of every event store, kept by ${name}`, () => {
    const log = {} as Log;

    beforeAll(async () => {
      log.store = await create();
      log.others = [await create(), await create(), await create()];
    });
    afterAll(async () => {
      for (const store of [log.store, ...log.others]) await store.close();
    });
    beforeEach(async () => {
      log.start = await log.store.head();
    });
    afterEach(async () => {
      const events = await readLogAfter(log.store, log.start);
      expect(
        events.map(({ position }) => position),
        'positions are dense',
      ).toEqual(numbers(log.start + 1, events.length));
      const times = events.map(({ time }) => time.getTime());
      expect(times, 'time never goes back').toEqual(times.toSorted((a, b) => a - b));
      const [before] = log.start === 0 ? [] : await log.store.readAll(log.start - 1, 1);
      let previous = before?.hash ?? GENESIS;
      for (const event of events) {
        expect(event.hash, `the chain at ${event.position}`).toBe(expectedHash(previous, event));
        previous = event.hash;
      }
    });

    describe('append', () => appending(log));
    describe('a slice whose stream is elsewhere', () => clashes(log));
    describe('a slice without events', () => emptySlices(log));
    describe('an event id', () => eventIds(log));
    describe('the bytes of data and metadata', () => bytes(log));
    describe('reading', () => reading(log));
    describe('concurrent appends', () => concurrentAppends(log));
    describe('follow', () => following(log));
    describe('a log that went back in time', () => goingBack(log, goBackTo));
  });
};

const appending = (log: Log): void => {
  it('writes events to a stream that is empty', async () => {
    const stream = aStream();
    const events = [anEvent(), anEvent({ type: 'SomethingElse', version: 7 })];
    const [result] = await log.store.append([slice(stream, -1, ...events)]);
    const stored = await readWholeStream(log.store, stream);
    const time = stored[0]?.time;
    const tokens = stored.map(({ hash }) => hash);
    expect(result).toEqual({ appended: true, firstPosition: log.start + 1, time, tokens });
    expect(stored).toEqual(
      events.map((event, n) => ({
        ...event,
        stream,
        revision: n,
        position: log.start + 1 + n,
        time,
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      })),
    );
    expect(time).toBeInstanceOf(Date);
    expect(await log.store.head()).toBe(log.start + 2);
  });

  it('goes on where the stream ends', async () => {
    const stream = aStream();
    const events = someEvents(5);
    await log.store.append([slice(stream, -1, ...events.slice(0, 2))]);
    await log.store.append([slice(aStream(), -1, anEvent())]);
    const [result] = await log.store.append([slice(stream, 1, ...events.slice(2))]);
    expect(result).toMatchObject({ appended: true, firstPosition: log.start + 4 });
    const stored = await readWholeStream(log.store, stream);
    expect(idsOf(stored)).toEqual(idsOf(events));
    expect(stored.map(({ revision }) => revision)).toEqual(numbers(0, 5));
    expect(stored.map(({ position }) => position)).toEqual([1, 2, 4, 5, 6].map((n) => log.start + n));
  });

  it('writes many slices in their order', async () => {
    const slices = numbers(0, 20).map((n) => slice(aStream(), -1, ...someEvents((n % 3) + 1)));
    const results = await log.store.append(slices);
    const events = await readLogAfter(log.store, log.start);
    expect(idsOf(events)).toEqual(slices.flatMap((one) => idsOf(one.events)));
    slices.forEach(({ events: [first] }, n) => {
      const position = events.find(({ id }) => id === first?.id)?.position;
      expect(results[n]).toMatchObject({ appended: true, firstPosition: position });
    });
  });

  it('writes thousands of events at once', async () => {
    const stream = aStream();
    const events = someEvents(5000);
    await log.store.append([slice(stream, -1, ...events)]);
    expect(idsOf(await readWholeStream(log.store, stream))).toEqual(idsOf(events));
  });

  it('takes no slices for an answer', async () => {
    expect(await log.store.append([])).toEqual([]);
    expect(await log.store.head()).toBe(log.start);
  });

  it('keeps apart streams whose names are alike', async () => {
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

const elsewhere = { appended: false, duplicate: false };
const duplicate = { appended: false, duplicate: true };

const clashes = (log: Log): void => {
  it('fails alone, and the rest of the batch goes through', async () => {
    const [longer, clashing, fresh] = [aStream(), aStream(), aStream()];
    const events = someEvents(6);
    await log.store.append([slice(longer, -1, ...events.slice(0, 2)), slice(clashing, -1, ...events.slice(2, 3))]);
    const results = await log.store.append([
      slice(longer, 1, ...events.slice(3, 5)),
      slice(clashing, -1, anEvent(), anEvent()),
      slice(fresh, -1, ...events.slice(5)),
    ]);
    expect(results).toMatchObject([
      { appended: true, firstPosition: log.start + 4 },
      { appended: false },
      { appended: true, firstPosition: log.start + 6 },
    ]);
    expect(idsOf(await readLogAfter(log.store, log.start))).toEqual(idsOf(events));
    expect(idsOf(await readWholeStream(log.store, clashing))).toEqual([events[2]?.id]);
  });

  it.each([
    ['first', [0]],
    ['last', [4]],
    ['all but one', [0, 1, 3, 4]],
    ['every other', [1, 3]],
    ['all', [0, 1, 2, 3, 4]],
  ])('leaves those that fit in their place: %s', async (_, clashing) => {
    const streams = numbers(0, 5).map(aStream);
    const events = someEvents(10);
    const results = await log.store.append(
      streams.map((stream, n) => slice(stream, clashing.includes(n) ? 7 : -1, ...events.slice(2 * n, 2 * n + 2))),
    );
    const fitting = numbers(0, 5).filter((n) => !clashing.includes(n));
    expect(results).toMatchObject(
      numbers(0, 5).map((n) =>
        clashing.includes(n) ? elsewhere : { appended: true, firstPosition: log.start + 1 + 2 * fitting.indexOf(n) },
      ),
    );
    for (const [n, stream] of streams.entries()) {
      const written = clashing.includes(n) ? [] : events.slice(2 * n, 2 * n + 2);
      expect(idsOf(await readWholeStream(log.store, stream))).toEqual(idsOf(written));
    }
    expect(await log.store.head()).toBe(log.start + 2 * fitting.length);
  });

  it.each([
    { at: 1, expected: -1 },
    { at: 1, expected: 0 },
    { at: 1, expected: 2 },
    { at: -1, expected: 0 },
    { at: -1, expected: 5 },
  ])('is not written when it is at $at and expected at $expected', async ({ at, expected }) => {
    const stream = aStream();
    if (at >= 0) await log.store.append([slice(stream, -1, ...someEvents(at + 1))]);
    expect(await log.store.append([slice(stream, expected, anEvent())])).toEqual([elsewhere]);
    expect(await readWholeStream(log.store, stream)).toHaveLength(at + 1);
    expect(await log.store.head()).toBe(log.start + at + 1);
  });
};

const goingBack = (log: Log, goBackTo: StoreUnderTest['goBackTo']): void => {
  /** Two events on a stream, of which the log then loses the last; another store has read up to the first. */
  const loseTheLast = async () => {
    const stream = aStream();
    const [first, second] = [anEvent(), anEvent()];
    const [behind] = log.others as [EventStore];
    await log.store.append([slice(stream, -1, first)]);
    behind.forgetHistory();
    const [known] = await behind.readStream(stream, 0, 1);
    await log.store.append([slice(stream, 0, second)]);
    await goBackTo(log.start + 1);
    return { stream, behind, known: { revision: 0, token: known?.hash }, lost: log.store.newest };
  };
  afterEach(() => {
    for (const store of [log.store, ...log.others]) store.forgetHistory();
  });

  it('takes nothing from a store that has seen more of it', async () => {
    const { lost } = await loseTheLast();
    const refusal = log.store.append([slice(aStream(), -1, anEvent())]);
    await expect(refusal).rejects.toMatchObject({ name: 'LogWentBack', seen: lost });
    await expect(log.store.checkHistory()).rejects.toBeInstanceOf(LogWentBack);
    expect(await readLogAfter(log.store, log.start)).toHaveLength(1);
  });

  it('takes nothing from it once the log has grown as long again, and longer', async () => {
    const { stream, behind, known } = await loseTheLast();
    for (const size of [1, 2]) {
      await behind.append([{ stream: aStream(), expected: EMPTY_STREAM, events: someEvents(size) }]);
      await expect(log.store.append([{ stream, expected: known, events: [] }])).rejects.toBeInstanceOf(LogWentBack);
      await expect(log.store.checkHistory()).rejects.toBeInstanceOf(LogWentBack);
    }
  });

  it('is noticed by a store that has read newer events since', async () => {
    const { behind, lost } = await loseTheLast();
    const grown = aStream();
    await behind.append([{ stream: grown, expected: EMPTY_STREAM, events: someEvents(3) }]);
    expect(await log.store.readStream(grown, 0, 10)).toHaveLength(3);
    await expect(log.store.checkHistory()).rejects.toMatchObject({ name: 'LogWentBack', seen: lost });
  });

  it('goes on with a store that has seen no more than is left', async () => {
    const { stream, behind, known } = await loseTheLast();
    expect(await behind.append([{ stream, expected: known, events: [anEvent()] }])).toMatchObject([{ appended: true }]);
    expect((await behind.checkHistory()).position).toBe(log.start + 2);
  });

  it('goes on with every store that has forgotten what it had seen', async () => {
    const { stream, known } = await loseTheLast();
    log.store.forgetHistory();
    expect(await log.store.append([{ stream, expected: known, events: [anEvent()] }])).toMatchObject([
      { appended: true },
    ]);
  });

  it('has another stream than one of the same length that it lost', async () => {
    const { stream, behind, known, lost } = await loseTheLast();
    await behind.append([{ stream, expected: known, events: [anEvent()] }]);
    log.store.forgetHistory();
    const onTheLost = { revision: 1, token: lost.hash };
    expect(await log.store.append([{ stream, expected: onTheLost, events: [anEvent()] }])).toEqual([
      { appended: false, duplicate: false },
    ]);
    expect(await readWholeStream(behind, stream)).toHaveLength(2);
  });
};

const emptySlices = (log: Log): void => {
  it('writes nothing and tells whether the stream is there', async () => {
    const [known, unknown] = [aStream(), aStream()];
    await log.store.append([slice(known, -1, anEvent())]);
    const results = await log.store.append([
      slice(known, 0),
      slice(unknown, -1),
      slice(aStream(), 0),
      slice(aStream(), -1, anEvent()),
    ]);
    expect(results.map(({ appended }) => appended)).toEqual([true, true, false, true]);
    expect(results[3]).toMatchObject({ firstPosition: log.start + 2 });
    expect(await log.store.append([slice(known, -1)])).toEqual([elsewhere]);
    expect(await log.store.head()).toBe(log.start + 2);
  });
};

const eventIds = (log: Log): void => {
  it('is taken once: the same append again changes nothing', async () => {
    const batch = [slice(aStream(), -1, anEvent(), anEvent())];
    await log.store.append(batch);
    expect(await log.store.append(batch)).toEqual([elsewhere]);
    expect(await log.store.head()).toBe(log.start + 2);
  });

  it('that is in the log already fails its slice whole, and no other', async () => {
    const known = anEvent();
    const [before, broken, after] = [aStream(), aStream(), aStream()];
    await log.store.append([slice(aStream(), -1, known)]);
    const results = await log.store.append([
      slice(before, -1, anEvent()),
      slice(broken, -1, anEvent(), known, anEvent()),
      slice(after, -1, anEvent()),
    ]);
    expect(results).toMatchObject([
      { appended: true, firstPosition: log.start + 2 },
      duplicate,
      { appended: true, firstPosition: log.start + 3 },
    ]);
    expect(await readWholeStream(log.store, broken)).toEqual([]);
    expect(await log.store.head()).toBe(log.start + 3);
    const { revision, stream } = (await log.store.findEvent(known.id)) ?? {};
    expect({ revision, stream }).not.toMatchObject({ stream: broken });
  });

  it('that two slices of a batch share is taken once', async () => {
    const shared = anEvent();
    const streams = [aStream(), aStream()];
    const results = await log.store.append(streams.map((stream) => slice(stream, -1, shared)));
    expect(results.filter(({ appended }) => appended)).toHaveLength(1);
    expect(idsOf(await readLogAfter(log.store, log.start))).toEqual([shared.id]);
  });

  it('that one slice has twice fails it', async () => {
    const twice = anEvent();
    expect(await log.store.append([slice(aStream(), -1, twice, twice)])).toEqual([duplicate]);
    expect(await log.store.head()).toBe(log.start);
  });
};

const bytes = (log: Log): void => {
  it.each(oddJson.map((json) => ({ json, shown: json.slice(0, 60) })))('are kept: $shown', async ({ json }) => {
    const stream = aStream();
    const event = anEvent({ data: json, metadata: json });
    const [result] = await log.store.append([slice(stream, -1, event)]);
    expect(result).toMatchObject({ appended: true });
    const { time, hash } = (await log.store.findEvent(event.id)) ?? {};
    const stored = { ...event, stream, revision: 0, position: log.start + 1, time, hash };
    expect(await log.store.readStream(stream, 0, 1)).toEqual([stored]);
    expect(await log.store.readAll(log.start, 1)).toEqual([stored]);
    expect(await log.store.findEvent(event.id)).toEqual(stored);
  });

  it('are kept, whatever they are', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.json({ stringUnit: 'binary' }), fc.json({ stringUnit: 'binary' })), {
          minLength: 1,
          maxLength: 5,
        }),
        async (pairs) => {
          const stream = aStream();
          await log.store.append([slice(stream, -1, ...pairs.map(([data, metadata]) => anEvent({ data, metadata })))]);
          const stored = await readWholeStream(log.store, stream);
          expect(stored.map(({ data, metadata }) => [data, metadata])).toEqual(pairs);
        },
      ),
      { numRuns: 40 },
    ));
};

const reading = (log: Log): void => {
  it('a stream begins at a revision and ends after as many as were asked for', async () => {
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

  it('the log begins after a position and ends after as many as were asked for', async () => {
    const events = someEvents(7);
    await log.store.append(events.map((event) => slice(aStream(), -1, event)));
    const ids = idsOf(events);
    expect(idsOf(await log.store.readAll(log.start, 3))).toEqual(ids.slice(0, 3));
    expect(idsOf(await log.store.readAll(log.start + 3, 3))).toEqual(ids.slice(3, 6));
    expect(idsOf(await log.store.readAll(log.start + 6, 3))).toEqual(ids.slice(6));
    expect(await log.store.readAll(log.start + 7, 3)).toEqual([]);
    expect(await log.store.readAll(log.start + 99, 3)).toEqual([]);
  });

  it('the log from its beginning counts from 1', async () => {
    const [first] = await log.store.readAll(0, 1);
    expect(first?.position).toBe(1);
  });

  it.each([0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE])('a stream of %s events goes page by page', async (count) => {
    const stream = aStream();
    const events = someEvents(count);
    if (count > 0) await log.store.append([slice(stream, -1, ...events)]);
    const pages = await collect(streamPages(log.store, stream));
    expect(idsOf(pages.flat())).toEqual(idsOf(events));
    expect(pages.every(({ length }) => length > 0 && length <= PAGE)).toBe(true);
    const tail = (await collect(streamPages(log.store, stream, count - 1))).flat();
    expect(idsOf(tail)).toEqual(count > 0 ? [events.at(-1)?.id] : []);
  });

  it('finds an event by its id', async () => {
    const events = someEvents(3);
    const stream = aStream();
    await log.store.append([slice(stream, -1, ...events)]);
    expect(await log.store.findEvent(events[1]?.id ?? '')).toMatchObject({
      stream,
      revision: 1,
      position: log.start + 2,
    });
    expect(await log.store.findEvent(randomUUID())).toBeUndefined();
  });

  it('reads what they say alone, in the same order', async () => {
    await log.store.append([slice(aStream(), -1, ...someEvents(3))]);
    const events = await log.store.readAll(log.start, 10);
    const facts = await log.store.readFacts(log.start, 10);
    expect(facts).toHaveLength(3);
    facts.forEach((fact, n) => expect(events[n]).toMatchObject(fact));
    expect((await log.store.readFacts(log.start + 1, 1)).map(({ position }) => position)).toEqual([log.start + 2]);
  });

  it('reads those of some types alone', async () => {
    const events = ['KeyIssued', 'Other', 'KeyRevoked', 'Other', 'KeyIssued'].map((type) => anEvent({ type }));
    await log.store.append([slice(aStream(), -1, ...events)]);
    const kept = (indexes: readonly number[]) => indexes.map((n) => events[n]?.id);
    expect(idsOf(await log.store.readAll(log.start, 10, ['KeyIssued', 'KeyRevoked']))).toEqual(kept([0, 2, 4]));
    expect(idsOf(await log.store.readAll(log.start, 2, ['KeyIssued', 'KeyRevoked']))).toEqual(kept([0, 2]));
    expect(idsOf(await log.store.readAll(log.start + 1, 10, ['KeyIssued']))).toEqual(kept([4]));
    expect(await log.store.readAll(log.start, 10, ['Nothing'])).toEqual([]);
  });

  it('sees what any other store on the log has appended, as soon as that is acknowledged', async () => {
    for (const [n, other] of log.others.entries()) {
      const event = anEvent();
      const stream = aStream();
      await other.append([slice(stream, -1, event)]);
      expect(await log.store.head()).toBe(log.start + n + 1);
      expect(idsOf(await log.store.readStream(stream, 0, 1))).toEqual([event.id]);
      expect(await log.store.findEvent(event.id)).toMatchObject({ position: log.start + n + 1 });
    }
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
          if (result?.appended) won[revision] = event.id;
          // Where nobody else was first either, another writer has the turn, and this one asks again.
          if ((await writer.readStream(stream, revision, 1)).length > 0) revision++;
        }
      }),
    );
    const stored = await readWholeStream(log.store, stream);
    expect(stored).toHaveLength(rounds);
    expect(idsOf(stored)).toEqual(won);
  });

  it('through one store go through as well', async () => {
    const streams = numbers(0, 50).map(aStream);
    const results = await Promise.all(streams.map((stream) => log.store.append([slice(stream, -1, anEvent())])));
    expect(results.flat().every(({ appended }) => appended)).toBe(true);
    expect(await log.store.head()).toBe(log.start + 50);
  });

  it('become visible in order: no reader who is at a position ever misses one before it', async () => {
    const writing = { still: true };
    const read = async (reader: EventStore): Promise<readonly StoredEvent[]> => {
      const seen: StoredEvent[] = [];
      for (let more = true; more;) {
        more = writing.still;
        const page = await reader.readAll(seen.at(-1)?.position ?? log.start, 7);
        seen.push(...page);
        more ||= page.length > 0;
      }
      return seen;
    };
    const reading = writers().map(read);
    await Promise.all(
      writers().map(async (writer) => {
        for (const n of numbers(0, 40)) await writer.append([slice(aStream(), -1, ...someEvents(1 + (n % 5)))]);
      }),
    );
    writing.still = false;
    const ids = idsOf(await readLogAfter(log.store, log.start));
    expect(ids).toHaveLength(4 * 8 * (1 + 2 + 3 + 4 + 5));
    for (const seen of await Promise.all(reading)) expect(idsOf(seen)).toEqual(ids);
  });
};

const following = (log: Log): void => {
  it('catches up and then keeps up, from any position', async () => {
    const events = someEvents(6);
    const append = (n: number, by: EventStore) => by.append([slice(aStream(), -1, events[n] ?? anEvent())]);
    for (const n of numbers(0, 3)) await append(n, log.store);
    const early = follower(log.store, log.start);
    const late = follower(log.store, log.start + 2);
    const ahead = follower(log.store, log.start + 4);
    await early.until(3);
    for (const n of numbers(3, 3)) {
      await append(n, log.store);
      await early.until(n + 1);
    }
    await late.until(4);
    await ahead.until(2);
    expect(idsOf(early.seen)).toEqual(idsOf(events));
    expect(idsOf(late.seen)).toEqual(idsOf(events.slice(2)));
    expect(idsOf(ahead.seen)).toEqual(idsOf(events.slice(4)));
    await Promise.all([early.stop(), late.stop(), ahead.stop()]);
  });

  it('is woken by an append through any store on the log', async () => {
    const one = follower(log.store, log.start);
    for (const [n, writer] of [...log.others, log.store].entries()) {
      await writer.append([slice(aStream(), -1, anEvent())]);
      await one.until(n + 1);
    }
    await one.stop();
  });

  it('yields events as the log has them', async () => {
    const stream = aStream();
    const event = anEvent({ data: '{ "odd" : "\\u0000" }' });
    const one = follower(log.store, log.start);
    await log.store.append([slice(stream, -1, event)]);
    await one.until(1);
    expect(one.seen).toEqual(await log.store.readFacts(log.start, 1));
    await one.stop();
  });

  it('ends when aborted while it sleeps', async () => {
    const one = follower(log.store, log.start);
    await log.store.append([slice(aStream(), -1, anEvent())]);
    await one.until(1);
    await new Promise((resolve) => setImmediate(resolve));
    await one.stop();
    expect(one.seen).toHaveLength(1);
  });

  it('ends when aborted while it catches up', async () => {
    await log.store.append([slice(aStream(), -1, ...someEvents(3 * PAGE))]);
    const stop = new AbortController();
    let pages = 0;
    for await (const page of log.store.follow(log.start, stop.signal)) {
      expect(page.events.length).toBeLessThanOrEqual(PAGE);
      pages++;
      stop.abort();
    }
    expect(pages).toBe(1);
  });

  it('yields some types alone, and says how far there are no more', async () => {
    const stop = new AbortController();
    const typed = (type: string) => ({ ...anEvent(), type });
    const [first, second, third] = [typed('KeyIssued'), typed('KeyRevoked'), typed('KeyIssued')];
    await log.store.append([slice(aStream(), -1, anEvent(), first, second, anEvent())]);
    const pages: { readonly ids: readonly string[]; readonly upTo: number }[] = [];
    for await (const { events, upTo } of log.store.follow(log.start, stop.signal, ['KeyIssued'])) {
      pages.push({ ids: idsOf(events), upTo: upTo - log.start });
      if (pages.length === 1) await log.store.append([slice(aStream(), -1, anEvent())]);
      if (pages.length === 2) await log.store.append([slice(aStream(), -1, anEvent(), third)]);
      if (pages.length === 3) stop.abort();
    }
    expect(pages).toEqual([
      { ids: [first.id], upTo: 4 },
      { ids: [], upTo: 5 },
      { ids: [third.id], upTo: 7 },
    ]);
  });

  it('yields nothing when it was aborted before', async () => {
    await log.store.append([slice(aStream(), -1, anEvent())]);
    expect(await collect(log.store.follow(log.start, AbortSignal.abort()))).toEqual([]);
  });

  it('lets go when its reader leaves', async () => {
    await log.store.append([slice(aStream(), -1, anEvent())]);
    expect(await firstToCome(log.store, log.start, 1)).toHaveLength(1);
  });

  it('neither skips nor repeats an event, however many are appended and whoever follows', async () => {
    const batches = 60;
    const perBatch = 20;
    const count = 4 * batches * perBatch;
    const everyStore = [log.store, ...log.others];
    const followers = numbers(0, 24).map((n) => {
      const skip = (n % 6) * 500;
      return { skip, ...follower(everyStore[n % 4] ?? log.store, log.start + skip) };
    });
    await Promise.all(
      everyStore.map(async (writer) => {
        for (let n = 0; n < batches; n++) await writer.append([slice(aStream(), -1, ...someEvents(perBatch))]);
      }),
    );
    const late = follower(log.store, log.start);
    for (const { until, skip } of [...followers, { ...late, skip: 0 }]) await until(count - skip);
    const ids = idsOf(await readLogAfter(log.store, log.start));
    expect(ids).toHaveLength(count);
    for (const { seen, skip } of followers) expect(idsOf(seen)).toEqual(ids.slice(skip));
    expect(idsOf(late.seen)).toEqual(ids);
    await Promise.all([...followers, late].map(({ stop }) => stop()));
  });

  it('misses nothing that comes while its reader is busy', async () => {
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
