import type { Decider } from '../domain/decider.ts';
import type { StreamEnd } from './committer.ts';
import { EMPTY_STREAM } from './event-store.ts';
import type { Fold, Folded } from './fold.ts';
import { SNAPSHOT_EVERY, type Snapshots } from './snapshots.ts';

/** A stream in memory. All fields but the first change in place. */
export type CachedStream<State> = {
  readonly stream: string;
  /** What the log holds. */
  confirmed: Folded<State>;
  /** The stream once all that was handed to the committer is durable. The next command is decided on it without waiting. */
  expected: { readonly state: State; readonly end: StreamEnd };
  /** Another writer was first, or the store failed: `expected` is void until the stream has been read again. */
  stale: boolean;
  /** Another writer was first. */
  clashed: boolean;
  loading: Promise<void> | undefined;
  /** A number of the last read of `expected` from the log; no two reads of this process have one number. */
  loads: number;
  /** Settles with the last append that was handed over. */
  lastCommit: Promise<unknown>;
  /** How many commands use this entry. */
  underWay: number;
  /** The log went back in time, and this entry has not been compared with it since. */
  recheck: boolean;
};

export type StreamCacheOptions<State, Event> = {
  readonly fold: Fold<State>;
  readonly decider: Pick<Decider<State, never, Event, unknown>, 'initial' | 'evolve'>;
  readonly snapshots: Snapshots<State> | undefined;
  /** How many streams stay in memory. */
  readonly size: number;
};

export type StreamCache<State, Event> = {
  /** The entry of a stream, for one command, which must `release` it. There is one entry per stream while it is in use. */
  open(stream: string): CachedStream<State>;
  release(entry: CachedStream<State>): void;
  /** Undefined if the stream is not in memory. */
  known(stream: string): CachedStream<State> | undefined;
  /** Resolves once `expected` is what the log holds. Callers at the same time share one read. */
  refresh(entry: CachedStream<State>): Promise<void>;
  /** Events that were handed over are durable. */
  confirm(entry: CachedStream<State>, events: readonly Event[], end: StreamEnd): void;
  /** The log went back in time: each stream is compared with it before it is used again. */
  recheckAll(): void;
  /** How often the log has gone back in time in the life of this process. */
  readonly epoch: number;
};

/** How long to leave a stream to the writer that has the turn on it. */
const TURN_MS = 3;

const newEntry = <State>(stream: string, state: State): CachedStream<State> => ({
  stream,
  confirmed: { state, ...EMPTY_STREAM, snapshotDue: SNAPSHOT_EVERY },
  expected: { state, end: { ...EMPTY_STREAM } },
  stale: true,
  clashed: false,
  loading: undefined,
  loads: 0,
  lastCommit: Promise.resolve(),
  underWay: 0,
  recheck: false,
});

/** The most recently used streams, folded. */
export const createStreamCache = <State, Event>(
  options: StreamCacheOptions<State, Event>,
): StreamCache<State, Event> => {
  const { fold, decider, snapshots, size } = options;
  const streams = new Map<string, CachedStream<State>>();
  let epoch = 0;
  let allLoads = 0;

  const forgetOldest = (): void => {
    for (const [stream, { underWay }] of streams) {
      if (underWay > 0) continue;
      streams.delete(stream);
      return;
    }
  };

  const load = async (entry: CachedStream<State>): Promise<void> => {
    // `confirmed` must contain the appends under way before the rest of the stream is read.
    await entry.lastCommit.catch(() => undefined);
    const { token } = entry.confirmed;
    const began = epoch;
    let at = await fold.onward(entry.stream, copy(entry.confirmed));
    // After a clash without new events, another writer has the turn, and an append would clash again.
    if (entry.clashed && at.token === token) {
      await new Promise((resolve) => setTimeout(resolve, TURN_MS));
      at = await fold.onward(entry.stream, at);
    }
    // Pages that were read before and after the log went back in time do not fit together.
    if (began !== epoch) return;
    entry.confirmed = at;
    entry.expected = { state: structuredClone(at.state), end: { revision: at.revision, token: at.token } };
    entry.lastCommit = Promise.resolve();
    entry.loads = ++allLoads;
    entry.clashed = entry.stale = entry.recheck = false;
  };

  return {
    open: (stream) => {
      const entry = streams.get(stream) ?? newEntry(stream, decider.initial());
      // Deleted and set again, so that the map is in order of use.
      streams.delete(stream);
      entry.underWay++;
      streams.set(stream, entry);
      if (streams.size > size) forgetOldest();
      return entry;
    },
    release: (entry) => void entry.underWay--,
    known: (stream) => streams.get(stream),
    refresh: async (entry) => {
      while (entry.stale) await (entry.loading ??= load(entry).finally(() => (entry.loading = undefined)));
    },
    confirm: (entry, events, { revision, token = '' }) => {
      const state = events.reduce(decider.evolve, entry.confirmed.state);
      const due = entry.confirmed.snapshotDue;
      const snapshotDue = snapshots && revision >= due ? snapshots.take(entry.stream, state, { revision, token }) : due;
      entry.confirmed = { state, revision, token, snapshotDue };
    },
    recheckAll: () => {
      epoch++;
      for (const entry of streams.values()) entry.stale = entry.recheck = true;
    },
    get epoch() {
      return epoch;
    },
  };
};

export const copy = <At extends { readonly state: unknown }>(at: At): At => ({
  ...at,
  state: structuredClone(at.state),
});
