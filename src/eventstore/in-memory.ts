import { chainHash, contentHash, GENESIS } from './chain.ts';
import type { EventStore, Slice, SliceResult, StoredEvent } from './event-store.ts';
import { followPages } from './follow-pages.ts';

/** For unit tests alone: forgets everything when the process ends. */
export const createInMemoryStore = (now: () => Date = () => new Date()): EventStore => {
  const log: StoredEvent[] = [];
  const streams = new Map<string, StoredEvent[]>();
  const ids = new Map<string, StoredEvent>();
  const listeners = new Set<() => void>();

  const appendSlice = ({ stream, expectedRevision, events }: Slice, time: Date): SliceResult => {
    const past = streams.get(stream) ?? [];
    const fresh = new Set(events.map(({ id }) => id).filter((id) => !ids.has(id)));
    if (past.length - 1 !== expectedRevision) return { appended: false, duplicate: false };
    if (fresh.size < events.length) return { appended: false, duplicate: true };
    const firstPosition = log.length + 1;
    for (const event of events) {
      const revision = past.length;
      const position = log.length + 1;
      const previous = log.at(-1)?.hash ?? GENESIS;
      const hash = chainHash(previous, contentHash(event, stream, revision), position, time);
      const stored = { ...event, stream, revision, position, time, hash };
      past.push(stored);
      log.push(stored);
      ids.set(event.id, stored);
    }
    streams.set(stream, past);
    return { appended: true, firstPosition, time };
  };

  const store: EventStore = {
    append: (slices) => {
      const last = log.at(-1)?.time ?? new Date(0);
      const at = now();
      const time = at > last ? at : last;
      const results = slices.map((slice) => appendSlice(slice, time));
      for (const wake of listeners) wake();
      return Promise.resolve(results);
    },
    readStream: (stream, fromRevision, limit) =>
      Promise.resolve((streams.get(stream) ?? []).slice(fromRevision, fromRevision + limit)),
    readAll: (afterPosition, limit, types) => {
      if (!types) return Promise.resolve(log.slice(afterPosition, afterPosition + limit));
      const wanted = log.slice(afterPosition).filter(({ type }) => types.includes(type));
      return Promise.resolve(wanted.slice(0, limit));
    },
    readFacts: (afterPosition, limit) => store.readAll(afterPosition, limit),
    findEvent: (id) => Promise.resolve(ids.get(id)),
    head: () => Promise.resolve(log.length),
    follow: (...asked) => {
      const subscribe = (wake: () => void): (() => void) => {
        listeners.add(wake);
        return () => listeners.delete(wake);
      };
      return followPages(store, subscribe, ...asked);
    },
    close: () => Promise.resolve(),
  };
  return store;
};
