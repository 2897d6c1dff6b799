import type { Decider } from '../domain/decider.ts';
import { decodeEvent, type DomainEvent } from './codec.ts';
import { PAGE, streamPages, type EventStore, type StoredEvent } from './event-store.ts';
import { SNAPSHOT_EVERY, type Moment, type Snapshots } from './snapshots.ts';

/** A stream folded up to one of its events; `revision` is -1 where nothing has happened. */
export type Folded<State> = {
  /** The caller's own. */
  readonly state: State;
  readonly revision: number;
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
  /** Takes in what was appended since; consumes the state that it is given. */
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
    return { ...at, state, revision: at.revision + events.length };
  };

  const onward = async (stream: string, from: Folded<State>, pages?: AsyncIterable<readonly StoredEvent[]>) => {
    let at = from;
    for await (const page of pages ?? streamPages(store, stream, from.revision + 1)) {
      at = evolve(at, page);
      if (!snapshots || at.revision < at.snapshotDue) continue;
      at = { ...at, snapshotDue: snapshots.take(stream, at.state, at.revision) };
    }
    return at;
  };

  const nothing = (): Folded<State> => ({ state: decider.initial(), revision: -1, snapshotDue: SNAPSHOT_EVERY });

  /** The nearest snapshot, and the events after it. */
  const start = async (stream: string, until?: Moment) => {
    const snapshot = await snapshots?.find(stream, until);
    const from = snapshot?.revision ?? 0;
    const pages = streamPages(store, stream, from, snapshot ? SNAPSHOT_EVERY + 1 : PAGE);
    if (!snapshot) return { at: nothing(), pages };
    // The event that it was taken at is read again: a snapshot of another history is no use.
    const { value: first } = await pages.next();
    const [taken, ...rest] = (first ?? []) as readonly StoredEvent[];
    if (taken?.hash !== snapshot.hash) return { at: nothing(), pages: streamPages(store, stream) };
    const { state, revision, nextDue: snapshotDue } = snapshot;
    return { at: { state, revision, snapshotDue }, pages: after(rest, pages) };
  };

  const fold = async (stream: string, until?: Moment): Promise<Folded<State>> => {
    const { at, pages } = await start(stream, until);
    return onward(stream, at, until ? upTo(pages, until) : pages);
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
