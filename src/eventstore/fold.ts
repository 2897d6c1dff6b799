import type { Decider } from '../domain/decider.ts';
import { decodeEvent, type DomainEvent } from './journal/codec.ts';
import { EMPTY_STREAM, streamPages, type EventStore, type KnownEnd, type StoredEvent } from './event-store.ts';
import { SNAPSHOT_EVERY, type Moment, type Snapshots } from './postgres/snapshots.ts';

/** A stream folded up to one of its events; `revision` is -1 where nothing has happened. */
export type Folded<State> = {
  /** The caller's own. */
  readonly state: State;
  readonly revision: number;
  /** Of the last event, as an expectation has it. */
  readonly token: string;
  /** From this revision on a snapshot is due. */
  readonly snapshotDue: number;
};

export type FoldOptions<State, Event> = {
  readonly store: Pick<EventStore, 'readStream'>;
  readonly decider: Pick<Decider<State, never, Event, unknown>, 'initial' | 'evolve'>;
  /** Without them every stream is folded from its beginning. */
  readonly snapshots?: Snapshots<State> | undefined;
};

export type Fold<State> = {
  /** The stream as the log has it now, or as it was at a moment. */
  (stream: string, until?: Moment): Promise<Folded<State>>;
  /**
   * Takes in what was appended since; consumes the state that it is given. If the stream no longer has the event that the
   * state was folded up to, because the log went back in time, it is folded anew.
   */
  readonly onward: (stream: string, from: Folded<State>) => Promise<Folded<State>>;
};

/** Folds streams from the nearest snapshot on, and leaves snapshots behind where a stream is long. */
export const createFold = <State, Event extends DomainEvent>({
  store,
  decider,
  snapshots,
}: FoldOptions<State, Event>): Fold<State> => {
  const evolve = (at: Folded<State>, page: readonly StoredEvent[]): Folded<State> => {
    const events = page.map((stored) => decodeEvent(stored) as Event); // All of them, before the first one is folded.
    const state = events.reduce(decider.evolve, at.state);
    const token = page.at(-1)?.hash ?? at.token;
    return { ...at, state, revision: at.revision + events.length, token };
  };

  const takeIn = async (stream: string, from: Folded<State>, pages: AsyncIterable<readonly StoredEvent[]>) => {
    let at = from;
    for await (const page of pages) {
      at = evolve(at, page);
      if (!snapshots || at.revision < at.snapshotDue) continue;
      at = { ...at, snapshotDue: snapshots.take(stream, at.state, at) };
    }
    return at;
  };

  const nothing = (): Folded<State> => ({
    ...{ state: decider.initial(), ...EMPTY_STREAM },
    snapshotDue: SNAPSHOT_EVERY,
  });

  /** The pages after an event; undefined if the stream has another event there, or none. */
  const pagesAfter = async (stream: string, { revision, token }: KnownEnd, firstPage?: number) => {
    const pages = streamPages(store, stream, revision, firstPage);
    const { value: first } = await pages.next();
    const [last, ...rest] = (first ?? []) as readonly StoredEvent[];
    return last?.hash === token ? after(rest, pages) : undefined;
  };

  /** The nearest snapshot, and the events after it. */
  const start = async (stream: string, until?: Moment) => {
    const snapshot = await snapshots?.find(stream, until);
    if (snapshot) {
      const { state, revision, hash: token, nextDue: snapshotDue } = snapshot;
      const pages = await pagesAfter(stream, { revision, token }, SNAPSHOT_EVERY + 1);
      if (pages) return { at: { state, revision, token, snapshotDue }, pages };
    }
    return { at: nothing(), pages: streamPages(store, stream) };
  };

  const fold = async (stream: string, until?: Moment): Promise<Folded<State>> => {
    const { at, pages } = await start(stream, until);
    return takeIn(stream, at, until ? upTo(pages, until) : pages);
  };

  const onward = async (stream: string, from: Folded<State>): Promise<Folded<State>> => {
    const pages = from.revision < 0 ? undefined : await pagesAfter(stream, from);
    return pages ? takeIn(stream, from, pages) : fold(stream);
  };
  return Object.assign(fold, { onward });
};

async function* after(
  first: readonly StoredEvent[],
  rest: AsyncIterable<readonly StoredEvent[]>,
): AsyncGenerator<readonly StoredEvent[]> {
  yield first;
  yield* rest;
}

async function* upTo(
  pages: AsyncIterable<readonly StoredEvent[]>,
  until: Moment,
): AsyncGenerator<readonly StoredEvent[]> {
  for await (const page of pages) {
    const inTime = page.filter(({ time, revision }) => ('at' in until ? time <= until.at : revision <= until.revision));
    yield inTime;
    if (inTime.length < page.length) return;
  }
}
