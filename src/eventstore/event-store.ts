/** An event as a store takes it: `data` and `metadata` are JSON texts, which every store keeps byte for byte. */
export type NewEvent = {
  /** A UUID; unique in the whole log. */
  readonly id: string;
  readonly type: string;
  /** Of the shape of `data`, per type. */
  readonly version: number;
  readonly data: string;
  readonly metadata: string;
};

export type StoredEvent = NewEvent & {
  readonly stream: string;
  /** Place in its stream, from 0. */
  readonly revision: number;
  /** Place in the log, from 1, without gaps. */
  readonly position: number;
  /** Taken by the store; never goes back from one position to the next. */
  readonly time: Date;
  /** SHA-256 in hexadecimal over the event and the hash before it in the log: see chain.ts. */
  readonly hash: string;
};

/** What a stored event says, without who caused it, and its hash: less to read, and all that a view needs. */
export type StoredFact = Omit<StoredEvent, 'metadata' | 'hash'>;

/** What was found in a part of the log, which goes on from the page before up to and including a position. */
export type FactPage = { readonly events: readonly StoredFact[]; readonly upTo: number };

/**
 * Events for one stream, which is expected to end at `expectedRevision` (-1: to be empty). Without events it writes
 * nothing and asks whether the stream is there.
 */
export type Slice = {
  readonly stream: string;
  readonly expectedRevision: number;
  readonly events: readonly NewEvent[];
};

export type SliceResult =
  /** `firstPosition` has no meaning where the slice had no events. */
  | { readonly appended: true; readonly firstPosition: number; readonly time: Date }
  /** The stream was elsewhere, or another writer has the turn; or one of the event ids is in the log already. */
  | { readonly appended: false; readonly duplicate: boolean };

/**
 * The log: an ordered, append-only sequence of events, each in one stream.
 *
 * Guarantees, which the contract suite puts to the test in every adapter:
 * - `append` is durable when it resolves, and each slice is written whole or not at all. A slice whose stream is not where
 *   it was expected fails alone; the rest of the batch goes through. A batch names a stream once at most.
 * - positions are dense and become visible in order: who has read up to a position will never find an event before it.
 * - an event id occurs once in the log.
 * - each event carries a hash that chains it to the one before it, so that no change of the log goes unnoticed.
 */
export interface EventStore {
  /** Rejects with StoreUnavailable when the outcome is unknown: the slices may or may not have been written. */
  append(slices: readonly Slice[]): Promise<readonly SliceResult[]>;
  /** Up to `limit` events of a stream from a revision on, in order; empty beyond its end. */
  readStream(stream: string, fromRevision: number, limit: number): Promise<readonly StoredEvent[]>;
  /**
   * Up to `limit` events of the log after a position, in order; of some types only, where these are given. Reading few
   * among many is cheap only for types that the store has an index of.
   */
  readAll(afterPosition: number, limit: number, types?: readonly string[]): Promise<readonly StoredEvent[]>;
  /** As readAll, of what happened and where alone: for who takes in the whole log. */
  readFacts(afterPosition: number, limit: number): Promise<readonly StoredFact[]>;
  findEvent(id: string): Promise<StoredEvent | undefined>;
  /** The last position of the log; 0 while it is empty. */
  head(): Promise<number>;
  /**
   * Catches up, then keeps up: yields what happened after a position, once and in order, until aborted; of some types
   * only, as for `readAll`, where these are given. A page may then be empty, and says how far there is nothing.
   */
  follow(afterPosition: number, signal: AbortSignal, types?: readonly string[]): AsyncIterable<FactPage>;
  close(): Promise<void>;
}

/** How many events one read fetches, where the caller has no reason to choose. */
export const PAGE = 1000;

/** Every event of a stream from a revision on, page by page; the first page may be asked to be smaller. */
export async function* streamPages(
  store: Pick<EventStore, 'readStream'>,
  stream: string,
  fromRevision = 0,
  firstPage = PAGE,
): AsyncGenerator<readonly StoredEvent[]> {
  for (let from = fromRevision, limit = firstPage; ; limit = PAGE) {
    const page = await store.readStream(stream, from, limit);
    if (page.length > 0) yield page;
    if (page.length < limit) return;
    from += page.length;
  }
}

/** Fault: the store could not be reached, or the connection broke while it worked. */
export class StoreUnavailable extends Error {
  override readonly name: string = 'StoreUnavailable';
  readonly code = 'store_unavailable';
}

/** Fault: the store says that it has no room. Nothing was written, and asking again helps nobody until somebody makes room. */
export class StoreFull extends StoreUnavailable {
  override readonly name = 'StoreFull';
}
