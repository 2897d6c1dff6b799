import type { Decider } from '../domain/decider.ts';
import type { EventCodec } from './event-codec.ts';
import { EMPTY_STREAM, streamPages, type KnownEnd, type StreamEvent, type StreamReads } from './event-store.ts';
import { SNAPSHOT_EVERY, type Moment, type Snapshots } from './snapshots.ts';

/** A stream folded up to one of its events; `revision` is -1 if the stream is empty. */
export type Folded<State> = {
  /** Owned by the caller. */
  readonly state: State;
  readonly revision: number;
  /** Of the last event, for an expectation. */
  readonly token: string;
  /** A snapshot is due from this revision on. */
  readonly snapshotDue: number;
};

export type FoldOptions<State, Event, Journal> = {
  readonly store: Pick<StreamReads, 'readStream'>;
  readonly decider: Pick<Decider<State, never, Event, unknown>, 'initial' | 'evolve'>;
  readonly codec: Pick<EventCodec<Journal>, 'decodeEvent'>;
  /** Without them every stream is folded from its beginning. */
  readonly snapshots?: Snapshots<State> | undefined;
};

export type Fold<State> = {
  /** The stream at its current end, or as it was at a moment. */
  (stream: string, until?: Moment): Promise<Folded<State>>;
  /**
   * Adds the events that were appended since; consumes the given state. If the stream no longer has the event that the
   * state was folded up to, because the log went back in time, the stream is folded anew.
   */
  readonly onward: (stream: string, from: Folded<State>) => Promise<Folded<State>>;
};

type Pages = AsyncIterable<readonly StreamEvent[]>;

/** Folds streams from the nearest snapshot on, and takes new snapshots of long streams. */
export const createFold = <State, Event extends Journal, Journal>({
  store,
  decider,
  codec,
  snapshots,
}: FoldOptions<State, Event, Journal>): Fold<State> => {
  const evolve = (at: Folded<State>, page: readonly StreamEvent[]): Folded<State> => {
    // `decider.evolve` may change the state in place, so all events are decoded before the first is folded.
    const events = page.map((stored) => codec.decodeEvent(stored) as Event);
    const state = events.reduce(decider.evolve, at.state);
    const token = page.at(-1)?.token ?? at.token;
    return { ...at, state, revision: at.revision + events.length, token };
  };

  const foldPages = async (stream: string, from: Folded<State>, pages: Pages): Promise<Folded<State>> => {
    let at = from;
    for await (const page of pages) {
      at = evolve(at, page);
      if (!snapshots || at.revision < at.snapshotDue) continue;
      at = { ...at, snapshotDue: snapshots.take(stream, at.state, at) };
    }
    return at;
  };

  const empty = (): Folded<State> => ({
    ...{ state: decider.initial(), ...EMPTY_STREAM },
    snapshotDue: SNAPSHOT_EVERY,
  });

  /** The pages after an event; undefined if the stream has no event there, or another one. */
  const pagesAfter = async (stream: string, { revision, token }: KnownEnd, firstPage?: number) => {
    const pages = streamPages(store, stream, revision, firstPage);
    const { value: first } = await pages.next();
    const [last, ...rest] = (first ?? []) as readonly StreamEvent[];
    return last?.token === token ? after(rest, pages) : undefined;
  };

  /** The nearest snapshot and the events after it. */
  const start = async (stream: string, until?: Moment): Promise<{ at: Folded<State>; pages: Pages }> => {
    const snapshot = await snapshots?.find(stream, until);
    if (snapshot) {
      const { state, revision, token, nextDue: snapshotDue } = snapshot;
      const pages = await pagesAfter(stream, { revision, token }, SNAPSHOT_EVERY + 1);
      if (pages) return { at: { state, revision, token, snapshotDue }, pages };
    }
    return { at: empty(), pages: streamPages(store, stream) };
  };

  const fold = async (stream: string, until?: Moment): Promise<Folded<State>> => {
    const { at, pages } = await start(stream, until);
    return foldPages(stream, at, until ? upTo(pages, until) : pages);
  };

  const onward = async (stream: string, from: Folded<State>): Promise<Folded<State>> => {
    const pages = from.revision < 0 ? undefined : await pagesAfter(stream, from);
    return pages ? foldPages(stream, from, pages) : fold(stream);
  };
  return Object.assign(fold, { onward });
};

async function* after(first: readonly StreamEvent[], rest: Pages): AsyncGenerator<readonly StreamEvent[]> {
  yield first;
  yield* rest;
}

async function* upTo(pages: Pages, until: Moment): AsyncGenerator<readonly StreamEvent[]> {
  for await (const page of pages) {
    const inTime = page.filter(({ time, revision }) => ('at' in until ? time <= until.at : revision <= until.revision));
    yield inTime;
    if (inTime.length < page.length) return;
  }
}
