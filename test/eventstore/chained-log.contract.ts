import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LogWentBack, type ChainedEvent, type ChainedLog } from '../../src/eventstore/chained-log.ts';
import { EMPTY_STREAM } from '../../src/eventstore/event-store.ts';
import { GENESIS } from '../../src/eventstore/integrity/chain.ts';
import { expectedHash, expectedToken } from './integrity/expected-hash.ts';
import { anEvent, aStream, idsOf, numbers, readLogAfter, readWholeStream, slice, someEvents } from './logs.ts';

export type LogUnderTest = {
  /** Opens one more store on the same log, as another process would. Only the contract may append to the log. */
  readonly create: () => Promise<ChainedLog>;
  /** Restores the log to a position, without the knowledge of any store. Undefined if other tests do so. */
  readonly goBackTo?: (position: number) => Promise<void>;
  readonly assignsLater?: AssignsLater;
};

/**
 * A store that commits each slice separately, and assigns positions and hashes afterwards, to a copy. It promises less:
 * - The result of an append has neither positions nor times, and the slices of a batch have no order in the log. A read
 *   that does not wait for the copy may lack events that were just appended; `head` waits.
 * - An event id is not looked up at an append. An event of another stream that has a known id is appended, and the log has
 *   it under the id that `secondId` returns. A slice that has one id twice is still a duplicate.
 * - The token of an event is not its hash: it chains the event to the one before it in its stream.
 */
export type AssignsLater = { readonly secondId: (id: string, stream: string) => string };

/** Shared by the tests: each starts where the one before left the log. */
type Log = {
  assignsLater: AssignsLater | undefined;
  store: ChainedLog;
  others: readonly ChainedLog[];
  /** The head when the running test started. */
  start: number;
};

/** What a chained log guarantees beyond event-store.contract.ts. */
export const chainedLogContract = (name: string, { create, goBackTo, assignsLater }: LogUnderTest): void => {
  describe(`the contract of a chained log: ${name}`, () => {
    const log = { assignsLater } as Log;

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
    afterEach(() => expectChain(log));

    describe('positions', () => positions(log));
    describe('an event id', () => eventIds(log));
    describe('reading the log', () => reading(log));
    if (goBackTo) describe('a log that went back in time', () => goingBack(log, goBackTo));
  });
};

/** The events that the running test has appended. */
const appended = async ({ store, start }: Log): Promise<readonly ChainedEvent[]> => {
  await store.head();
  return readLogAfter(store, start);
};

/** Checks after every test that positions are dense, times do not decrease, and hashes form a chain. */
const expectChain = async (log: Log): Promise<void> => {
  const { store, start } = log;
  const events = await appended(log);
  expect(events.map(({ position }) => position)).toEqual(numbers(start + 1, events.length));
  const times = events.map(({ time }) => time.getTime());
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  const [before] = start === 0 ? [] : await store.readAll(start - 1, 1);
  let previous = before?.hash ?? GENESIS;
  for (const event of events) {
    expect(event.hash, `the chain at ${event.position}`).toBe(expectedHash(previous, event));
    if (!log.assignsLater) expect(event.token).toBe(event.hash);
    previous = event.hash;
  }
  if (log.assignsLater) expectStreamChains(events);
};

/** Ids of the tests are random (version 4), and an id that the copy gives is not (version 8). */
const RENAMED = /^.{14}8/;

/** The streams of a test begin in it. */
const expectStreamChains = (events: readonly ChainedEvent[]): void => {
  const tokens = new Map<string, string>();
  for (const event of events) {
    const expected = expectedToken(tokens.get(event.stream) ?? '', event);
    // The token is made with the id that the writer gave to the event.
    if (!RENAMED.test(event.id)) expect(event.token).toBe(expected);
    tokens.set(event.stream, event.token);
  }
};

const positions = (log: Log): void => {
  it('are dense across the slices of a batch, without those that clash', async () => {
    const results = await log.store.append([
      slice(aStream(), -1, anEvent(), anEvent()),
      slice(aStream(), 7, anEvent()),
      slice(aStream(), -1),
      slice(aStream(), -1, anEvent()),
    ]);
    const at = (n: number) => ({ position: log.assignsLater ? undefined : log.start + n });
    expect(results).toMatchObject([
      { written: [at(1), at(2)] },
      { kind: 'clash' },
      { written: [] },
      { written: [at(3)] },
    ]);
    expect(await log.store.head()).toBe(log.start + 3);
  });

  it('count from 1', async () => {
    await log.store.append([slice(aStream(), -1, anEvent())]);
    await log.store.head();
    const [first] = await log.store.readAll(0, 1);
    expect(first?.position).toBe(1);
  });

  it('become visible in order: no reader misses an event before a position that it has read', async () => {
    const writing = { still: true };
    const read = async (reader: ChainedLog): Promise<readonly ChainedEvent[]> => {
      const seen: ChainedEvent[] = [];
      for (let more = true; more;) {
        more = writing.still;
        const page = await reader.readAll(seen.at(-1)?.position ?? log.start, 7);
        seen.push(...page);
        more ||= page.length > 0;
      }
      return seen;
    };
    const stores = [log.store, ...log.others];
    const reads = stores.map(read);
    await Promise.all(
      stores.map(async (writer) => {
        for (const n of numbers(0, 20)) await writer.append([slice(aStream(), -1, ...someEvents(1 + (n % 5)))]);
      }),
    );
    const ids = idsOf(await appended(log));
    writing.still = false;
    expect(ids).toHaveLength(4 * 4 * (1 + 2 + 3 + 4 + 5));
    for (const seen of await Promise.all(reads)) expect(idsOf(seen)).toEqual(ids);
  });
};

const eventIds = (log: Log): void => {
  it('that is in the log already fails its slice whole, and no other, if the store knows it at once', async () => {
    const known = anEvent();
    const [home, broken] = [aStream(), aStream()];
    await log.store.append([slice(home, -1, known)]);
    const results = await log.store.append([
      slice(aStream(), -1, anEvent()),
      slice(broken, -1, anEvent(), known, anEvent()),
      slice(aStream(), -1, anEvent()),
    ]);
    expect(await log.store.findEvent(home, known.id)).toMatchObject({ revision: 0 });
    if (log.assignsLater) {
      expect(results.map(({ kind }) => kind)).toEqual(['appended', 'appended', 'appended']);
      const renamed = log.assignsLater.secondId(known.id, broken);
      expect(idsOf(await appended(log)).filter((id) => [known.id, renamed].includes(id))).toEqual([known.id, renamed]);
      expect(await log.store.findEvent(broken, known.id)).toMatchObject({ id: renamed, revision: 1 });
      return;
    }
    expect(results).toMatchObject([
      { written: [{ position: log.start + 2 }] },
      { kind: 'duplicate' },
      { written: [{ position: log.start + 3 }] },
    ]);
    expect(await readWholeStream(log.store, broken)).toEqual([]);
    expect(await log.store.findEvent(broken, known.id)).toBeUndefined();
  });

  it('that two slices of a batch share is in the log once', async () => {
    const shared = anEvent();
    const streams = [aStream(), aStream()];
    const results = await log.store.append(streams.map((stream) => slice(stream, -1, shared)));
    const ids = idsOf(await appended(log));
    const { assignsLater } = log;
    expect(results.filter(({ kind }) => kind === 'appended')).toHaveLength(assignsLater ? 2 : 1);
    if (!assignsLater) return expect(ids).toEqual([shared.id]);
    expect(ids[0]).toBe(shared.id);
    expect(streams.map((stream) => assignsLater.secondId(shared.id, stream))).toContain(ids[1]);
    for (const stream of streams) expect(await log.store.findEvent(stream, shared.id)).toMatchObject({ revision: 0 });
  });

  it('that one slice has twice fails the slice', async () => {
    const twice = anEvent();
    expect(await log.store.append([slice(aStream(), -1, twice, twice)])).toEqual([{ kind: 'duplicate' }]);
    expect(await log.store.head()).toBe(log.start);
  });
};

const reading = (log: Log): void => {
  it('starts after a position and returns at most as many events as requested', async () => {
    const events = someEvents(7);
    await log.store.append(events.map((event) => slice(aStream(), -1, event)));
    const inLog = idsOf(await appended(log));
    const ids = log.assignsLater ? inLog : idsOf(events);
    expect(inLog.toSorted()).toEqual(idsOf(events).toSorted());
    expect(idsOf(await log.store.readAll(log.start, 3))).toEqual(ids.slice(0, 3));
    expect(idsOf(await log.store.readAll(log.start + 3, 3))).toEqual(ids.slice(3, 6));
    expect(idsOf(await log.store.readAll(log.start + 6, 3))).toEqual(ids.slice(6));
    expect(await log.store.readAll(log.start + 7, 3)).toEqual([]);
    expect(await log.store.readAll(log.start + 99, 3)).toEqual([]);
  });

  it('returns the same events as facts, without metadata and hash', async () => {
    await log.store.append([slice(aStream(), -1, ...someEvents(3))]);
    await log.store.head();
    const events = await log.store.readAll(log.start, 10);
    const facts = await log.store.readFacts(log.start, 10);
    expect(facts).toHaveLength(3);
    facts.forEach((fact, n) => expect(events[n]).toMatchObject(fact));
    expect((await log.store.readFacts(log.start + 1, 1)).map(({ position }) => position)).toEqual([log.start + 2]);
  });

  it('returns events of some types only', async () => {
    const events = ['KeyIssued', 'Other', 'KeyRevoked', 'Other', 'KeyIssued'].map((type) => anEvent({ type }));
    await log.store.append([slice(aStream(), -1, ...events)]);
    await log.store.head();
    const kept = (indexes: readonly number[]) => indexes.map((n) => events[n]?.id);
    expect(idsOf(await log.store.readAll(log.start, 10, ['KeyIssued', 'KeyRevoked']))).toEqual(kept([0, 2, 4]));
    expect(idsOf(await log.store.readAll(log.start, 2, ['KeyIssued', 'KeyRevoked']))).toEqual(kept([0, 2]));
    expect(idsOf(await log.store.readAll(log.start + 1, 10, ['KeyIssued']))).toEqual(kept([4]));
    expect(await log.store.readAll(log.start, 10, ['Nothing'])).toEqual([]);
  });
};

const goingBack = (log: Log, goBackTo: NonNullable<LogUnderTest['goBackTo']>): void => {
  /** Appends two events to a stream, of which the log then loses the second; the store `behind` has read only the first. */
  const loseTheLast = async () => {
    const stream = aStream();
    const [first, second] = [anEvent(), anEvent()];
    const [behind] = log.others as [ChainedLog];
    await log.store.append([slice(stream, -1, first)]);
    behind.forgetHistory();
    const [known] = await behind.readStream(stream, 0, 1);
    await log.store.append([slice(stream, 0, second)]);
    await goBackTo(log.start + 1);
    return { stream, behind, known: { revision: 0, token: known?.token }, lost: log.store.newest };
  };
  afterEach(() => {
    for (const store of [log.store, ...log.others]) store.forgetHistory();
  });

  it('accepts nothing from a store that has seen more of it', async () => {
    const { lost } = await loseTheLast();
    const refusal = log.store.append([slice(aStream(), -1, anEvent())]);
    await expect(refusal).rejects.toMatchObject({ name: 'LogWentBack', seen: lost });
    await expect(log.store.checkHistory()).rejects.toBeInstanceOf(LogWentBack);
    expect(await readLogAfter(log.store, log.start)).toHaveLength(1);
  });

  it('accepts nothing from that store after it has grown to the same length, and longer', async () => {
    const { stream, behind, known } = await loseTheLast();
    for (const size of [1, 2]) {
      await behind.append([{ stream: aStream(), expected: EMPTY_STREAM, events: someEvents(size) }]);
      await expect(log.store.append([{ stream, expected: known, events: [] }])).rejects.toBeInstanceOf(LogWentBack);
      await expect(log.store.checkHistory()).rejects.toBeInstanceOf(LogWentBack);
    }
  });

  it('is detected by a store that has read newer events since', async () => {
    const { behind, lost } = await loseTheLast();
    const grown = aStream();
    await behind.append([{ stream: grown, expected: EMPTY_STREAM, events: someEvents(3) }]);
    expect(await log.store.readStream(grown, 0, 10)).toHaveLength(3);
    await expect(log.store.checkHistory()).rejects.toMatchObject({ name: 'LogWentBack', seen: lost });
  });

  it('accepts appends of a store that has seen no more than is left', async () => {
    const { stream, behind, known } = await loseTheLast();
    expect(await behind.append([{ stream, expected: known, events: [anEvent()] }])).toMatchObject([
      { kind: 'appended' },
    ]);
    expect((await behind.checkHistory()).position).toBe(log.start + 2);
  });

  it('accepts appends of a store that has forgotten what it had seen', async () => {
    const { stream, known } = await loseTheLast();
    log.store.forgetHistory();
    const results = await log.store.append([{ stream, expected: known, events: [anEvent()] }]);
    expect(results).toMatchObject([{ kind: 'appended' }]);
  });

  it('refuses an append on a lost stream of the same length', async () => {
    const { stream, behind, known, lost } = await loseTheLast();
    await behind.append([{ stream, expected: known, events: [anEvent()] }]);
    log.store.forgetHistory();
    const onTheLost = { revision: 1, token: lost.hash };
    const results = await log.store.append([{ stream, expected: onTheLost, events: [anEvent()] }]);
    expect(results).toEqual([{ kind: 'clash' }]);
    expect(await readWholeStream(behind, stream)).toHaveLength(2);
  });
};
