/** An event to append. `data` and `metadata` are JSON texts, which every store keeps byte for byte. */
export type NewEvent = {
  /** A UUID that derives from the command: see ids.ts. */
  readonly id: string;
  readonly type: string;
  /** The version of the shape of `data`, per type. */
  readonly version: number;
  readonly data: string;
  readonly metadata: string;
};

/** A place in the order of all events. Opaque: positions can be compared, but the difference of two has no meaning. */
export type Position = number;

/** An event in its stream: what a decision rests on. */
export type StreamEvent = NewEvent & {
  readonly stream: string;
  /** The place in the stream, from 0. */
  readonly revision: number;
  /** Set by the store. */
  readonly time: Date;
  /** Identifies the event and all events before it in its stream: see Expectation. */
  readonly token: string;
};

export type StoredEvent = StreamEvent & { readonly position: Position };

/** A stored event without metadata and token: enough for consumers that read all events. */
export type StoredFact = Omit<StoredEvent, 'metadata' | 'token'>;

/** The events after the page before, up to and including the position `upTo`. */
export type FactPage = { readonly events: readonly StoredFact[]; readonly upTo: Position };

/**
 * Where a stream ends: the revision of its last event (-1 if the stream is empty) and the token of that event. Without a
 * token, any history of that length is accepted: for writers whose events do not depend on the content of the stream.
 */
export type Expectation = { readonly revision: number; readonly token?: string | undefined };

/** The end of a stream, as it was read or appended. */
export type KnownEnd = { readonly revision: number; readonly token: string };

/** The expectation that a stream is empty. */
export const EMPTY_STREAM = { revision: -1, token: '' } as const satisfies KnownEnd;

/** Events for one stream. A slice without events writes nothing and checks whether the stream ends as expected. */
export type Slice = {
  readonly stream: string;
  readonly expected: Expectation;
  readonly events: readonly NewEvent[];
};

export type SliceResult =
  /** `written` has one entry for each event of the slice. The time is undefined if the store assigns it after the append. */
  | { readonly kind: 'appended'; readonly written: readonly Written[]; readonly time: Date | undefined }
  /** The stream does not end as expected, or another writer has the turn on it. */
  | { readonly kind: 'clash' }
  /** An event id of the slice is already stored. Only some stores can detect it. */
  | { readonly kind: 'duplicate' };

/** The position is undefined if the store assigns it after the append. */
export type Written = { readonly position: Position | undefined; readonly token: string };

/** Reads of single streams. Decisions need no positions, so a store can answer them from where it appends. */
export interface StreamReads {
  /** Set if an append succeeds although an event in its stream has the same id: the writer must look the id up before. */
  readonly acceptsKnownIds?: true;
  /** Up to `limit` events of a stream from a revision on, in order; empty beyond the end of the stream. */
  readStream(stream: string, fromRevision: number, limit: number): Promise<readonly StreamEvent[]>;
  /** The event of a stream that has this id. Ids derive from commands, so this is also the index of executed commands. */
  findEvent(stream: string, id: string): Promise<(StreamEvent & Partial<StoredEvent>) | undefined>;
}

/**
 * What every store provides: streams of events, each appended to under an expectation, and one order over all of them.
 *
 * Guarantees, which event-store.contract.ts tests for every adapter:
 * - `append` is durable when it resolves, and each slice is written whole or not at all. A slice whose stream does not end
 *   as expected fails alone; the other slices of the batch are written. A batch names each stream at most once.
 * - An append that is repeated writes nothing: its streams no longer end as expected, or the store recognises the events.
 * - Positions become visible in order: after a read up to a position, no event appears before it.
 */
export interface EventStore extends StreamReads {
  /** Rejects with StoreUnavailable if the outcome is unknown: each slice may or may not have been written. */
  append(slices: readonly Slice[]): Promise<readonly SliceResult[]>;
  readStream(stream: string, fromRevision: number, limit: number): Promise<readonly StoredEvent[]>;
  findEvent(stream: string, id: string): Promise<StoredEvent | undefined>;
  /**
   * Yields the events after a position, once and in order, and continues with new events until aborted. With `types`, it
   * yields events of these types only; a page may then be empty, and `upTo` is how far the search is complete.
   */
  follow(afterPosition: Position, signal: AbortSignal, types?: readonly string[]): AsyncIterable<FactPage>;
  close(): Promise<void>;
}

/** How many events one read fetches, if the caller has no reason to choose. */
export const PAGE = 1000;

/** Every event of a stream from a revision on, page by page. The first page can have a size of its own. */
export async function* streamPages<Event extends StreamEvent>(
  store: { readonly readStream: (stream: string, fromRevision: number, limit: number) => Promise<readonly Event[]> },
  stream: string,
  fromRevision = 0,
  firstPage = PAGE,
): AsyncGenerator<readonly Event[]> {
  for (let from = fromRevision, limit = firstPage; ; limit = PAGE) {
    const page = await store.readStream(stream, from, limit);
    if (page.length > 0) yield page;
    if (page.length < limit) return;
    from += page.length;
  }
}

/** Fault: the store cannot be reached, or the connection broke during a request. */
export class StoreUnavailable extends Error {
  override readonly name: string = 'StoreUnavailable';
  readonly code = 'store_unavailable';
}

/** Fault: the store has no room left. Nothing was written. A retry succeeds only after an operator has made room. */
export class StoreFull extends StoreUnavailable {
  override readonly name = 'StoreFull';
}
