import { chainHash, contentHash, GENESIS } from '../integrity/chain.ts';
import {
  LogWentBack,
  type EventStore,
  type LogPlace,
  type Slice,
  type SliceResult,
  type StoredEvent,
} from '../event-store.ts';
import { followPages } from '../follow-pages.ts';
import { createHistorySeen, NOTHING_SEEN } from '../history-seen.ts';

/** A log in memory, which several stores can share as processes share a database. For unit tests alone. */
export type InMemoryLog = {
  readonly events: readonly StoredEvent[];
  append(slices: readonly Slice[]): readonly SliceResult[];
  stream(name: string): readonly StoredEvent[];
  find(id: string): StoredEvent | undefined;
  /** Calls `wake` after each append, until the function that it returned is called. */
  subscribe(wake: () => void): () => void;
  /** Forgets everything after a position, as a database does that is restored from a copy. */
  goBackTo(position: number): void;
};

export const createInMemoryLog = (now: () => Date = () => new Date()): InMemoryLog => {
  let log: StoredEvent[] = [];
  let streams = new Map<string, StoredEvent[]>();
  let ids = new Map<string, StoredEvent>();
  const listeners = new Set<() => void>();

  const keep = (stored: StoredEvent): void => {
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
    if (!isExpected) return { appended: false, duplicate: false };
    if (fresh.size < events.length) return { appended: false, duplicate: true };
    const firstPosition = log.length + 1;
    const tokens = events.map((event) => {
      const revision = streams.get(stream)?.length ?? 0;
      const position = log.length + 1;
      const hash = chainHash(log.at(-1)?.hash ?? GENESIS, contentHash(event, stream, revision), position, time);
      keep({ ...event, stream, revision, position, time, hash });
      return hash;
    });
    return { appended: true, firstPosition, time, tokens };
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

/** The log in memory as one process sees it. For unit tests alone: everything is gone when the process ends. */
export const createInMemoryStore = (log: InMemoryLog = createInMemoryLog()): EventStore => {
  const history = createHistorySeen();

  const checkHistory = (): LogPlace => {
    const { places } = history;
    const gone = places.findLast(({ position, hash }) => log.events[position - 1]?.hash !== hash);
    if (gone) throw new LogWentBack(gone);
    const { position, hash } = log.events.at(-1) ?? NOTHING_SEEN;
    history.compared(places, { position, hash });
    return { position, hash };
  };
  const seen = (events: readonly StoredEvent[]): Promise<readonly StoredEvent[]> => {
    const last = events.at(-1);
    if (last) history.saw(last);
    return Promise.resolve(events);
  };
  const soon = async <T>(work: () => T): Promise<T> => work();

  const store: EventStore = {
    append: (slices) =>
      soon(() => {
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
    findEvent: async (id) => {
      const found = log.find(id);
      return found && (await seen([found]))[0];
    },
    head: () => Promise.resolve(log.events.length),
    checkHistory: () => soon(checkHistory),
    get newest() {
      return history.newest;
    },
    forgetHistory: history.forget,
    follow: (...asked) => followPages(store, log.subscribe, ...asked),
    close: () => Promise.resolve(),
  };
  return store;
};
