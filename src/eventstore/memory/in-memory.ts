import { chainHash, contentHash, GENESIS } from '../integrity/chain.ts';
import { LogWentBack, type ChainedEvent, type ChainedLog, type LogPlace } from '../chained-log.ts';
import type { Slice, SliceResult } from '../event-store.ts';
import { followPages } from '../follow-pages.ts';
import { createHistorySeen, NOTHING_SEEN } from '../history-seen.ts';

/** A log in memory, which several stores can share as processes share a database. For unit tests. */
export type InMemoryLog = {
  readonly events: readonly ChainedEvent[];
  append(slices: readonly Slice[]): readonly SliceResult[];
  stream(name: string): readonly ChainedEvent[];
  find(id: string): ChainedEvent | undefined;
  /** Calls `wake` after each append, until the returned function is called. */
  subscribe(wake: () => void): () => void;
  /** Forgets everything after a position, like a database that is restored from a copy. */
  goBackTo(position: number): void;
};

/** Appends take the time of events from `now`: the clock that a test decides by, as the row of the head is in PostgreSQL. */
export const createInMemoryLog = (now: () => Date = () => new Date()): InMemoryLog => {
  let log: ChainedEvent[] = [];
  let streams = new Map<string, ChainedEvent[]>();
  let ids = new Map<string, ChainedEvent>();
  const listeners = new Set<() => void>();

  const keep = (stored: ChainedEvent): void => {
    const past = streams.get(stored.stream);
    if (past) past.push(stored);
    else streams.set(stored.stream, [stored]);
    log.push(stored);
    ids.set(stored.id, stored);
  };

  const appendSlice = ({ stream, expected, events }: Slice, time: Date): SliceResult => {
    const past = streams.get(stream) ?? [];
    const fresh = new Set(events.map(({ id }) => id).filter((id) => !ids.has(id)));
    const isExpected =
      past.length - 1 === expected.revision &&
      (past.at(-1)?.hash ?? '') === (expected.token ?? past.at(-1)?.hash ?? '');
    if (!isExpected) return { kind: 'clash' };
    if (fresh.size < events.length) return { kind: 'duplicate' };
    const written = events.map((event) => {
      const revision = streams.get(stream)?.length ?? 0;
      const position = log.length + 1;
      const hash = chainHash(log.at(-1)?.hash ?? GENESIS, contentHash(event, stream, revision), position, time);
      keep({ ...event, stream, revision, position, time, token: hash, hash });
      return { position, token: hash };
    });
    return { kind: 'appended', written, time };
  };

  return {
    get events() {
      return log;
    },
    append: (slices) => {
      const last = log.at(-1)?.time ?? new Date(0);
      const at = now();
      const time = at > last ? at : last;
      const results = slices.map((slice) => appendSlice(slice, time));
      for (const wake of listeners) wake();
      return results;
    },
    stream: (name) => streams.get(name) ?? [],
    find: (id) => ids.get(id),
    subscribe: (wake) => {
      listeners.add(wake);
      return () => listeners.delete(wake);
    },
    goBackTo: (position) => {
      const kept = log.slice(0, position);
      [log, streams, ids] = [[], new Map(), new Map()];
      kept.forEach(keep);
    },
  };
};

/** A log in memory as one process sees it. For unit tests: nothing outlives the process. */
export const createInMemoryStore = (log: InMemoryLog = createInMemoryLog()): ChainedLog => {
  const history = createHistorySeen();

  const checkHistory = (): LogPlace => {
    const { places } = history;
    const gone = places.findLast(({ position, hash }) => log.events[position - 1]?.hash !== hash);
    if (gone) throw new LogWentBack(gone);
    const { position, hash } = log.events.at(-1) ?? NOTHING_SEEN;
    history.compared(places, { position, hash });
    return { position, hash };
  };
  const seen = (events: readonly ChainedEvent[]): Promise<readonly ChainedEvent[]> => {
    const last = events.at(-1);
    if (last) history.saw(last);
    return Promise.resolve(events);
  };
  const asynchronously = async <T>(work: () => T): Promise<T> => work();

  const store: ChainedLog = {
    append: (slices) =>
      asynchronously(() => {
        checkHistory();
        const results = log.append(slices);
        checkHistory();
        return results;
      }),
    readStream: (stream, fromRevision, limit) => seen(log.stream(stream).slice(fromRevision, fromRevision + limit)),
    readAll: (afterPosition, limit, types) => {
      if (!types) return seen(log.events.slice(afterPosition, afterPosition + limit));
      const wanted = log.events.slice(afterPosition).filter(({ type }) => types.includes(type));
      return seen(wanted.slice(0, limit));
    },
    readFacts: (afterPosition, limit) => store.readAll(afterPosition, limit),
    findEvent: async (stream, id) => {
      const found = log.find(id);
      return found?.stream === stream ? (await seen([found]))[0] : undefined;
    },
    findByCorrelation: (id, limit, except) => {
      const isOf = ({ type, metadata }: ChainedEvent): boolean =>
        !except.includes(type) &&
        (JSON.parse(metadata) as { readonly correlationId?: string } | null)?.correlationId === id;
      return seen(log.events.filter(isOf).slice(0, limit));
    },
    get streams() {
      return store;
    },
    head: () => Promise.resolve(log.events.length),
    checkHistory: () => asynchronously(checkHistory),
    get newest() {
      return history.newest;
    },
    forgetHistory: history.forget,
    follow: (...asked) => followPages(store, log.subscribe, ...asked),
    close: () => Promise.resolve(),
  };
  return store;
};
