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
 * Where a stream ends: the revision of its last event (-1 if it is empty) and a token that no other history of the stream
 * has. Opaque: taken from what was read or appended before. Without a token any history of that length will do, which is
 * enough for a writer that decides nothing on what the stream holds.
 */
export type Expectation = { readonly revision: number; readonly token?: string | undefined };

/** Where a stream ends, as it was read or appended. */
export type KnownEnd = { readonly revision: number; readonly token: string };

/** The expectation that a stream is empty. */
export const EMPTY_STREAM = { revision: -1, token: '' } as const satisfies KnownEnd;

/** Events for one stream. Without events it writes nothing and asks whether the stream ends as expected. */
export type Slice = {
  readonly stream: string;
  readonly expected: Expectation;
  readonly events: readonly NewEvent[];
};

/** A place in the log and the hash of the event there; position 0 is the beginning. */
export type LogPlace = { readonly position: number; readonly hash: string };

export type SliceResult =
  /** `firstPosition` has no meaning if the slice had no events; `tokens` has one for each event: see Expectation. */
  | { readonly appended: true; readonly firstPosition: number; readonly time: Date; readonly tokens: readonly string[] }
  /** The stream was elsewhere, or another writer has the turn; or one of the event ids is in the log already. */
  | { readonly appended: false; readonly duplicate: boolean };

/**
 * The log: an ordered, append-only sequence of events, each in one stream.
 *
 * Guarantees, which the contract suite puts to the test in every adapter:
 * - `append` is durable when it resolves, and each slice is written whole or not at all. A slice whose stream does not end
 *   as expected fails alone; the rest of the batch goes through. A batch names a stream once at most.
 * - positions are dense and become visible in order: who has read up to a position will never find an event before it.
 * - an event id occurs once in the log.
 * - each event carries a hash that chains it to the one before it, so that no change of the log goes unnoticed.
 * - a log that went back in time takes nothing from a process that has seen more of it: the process remembers the newest
 *   place that it read or wrote, and an append is refused as a whole unless the log still has that place.
 */
export interface EventStore {
  /**
   * Rejects with StoreUnavailable when the outcome is unknown: the slices may or may not have been written; with LogWentBack
   * when the log no longer has the newest place that this process has seen: then nothing was written.
   */
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
   * Compares the log with the newest place that this process has seen, and takes its head as the newest. Rejects with
   * LogWentBack as `append` does.
   */
  checkHistory(): Promise<LogPlace>;
  /** The newest place that this process has seen. */
  readonly newest: LogPlace;
  /** Rests on nothing that was seen before: appends are taken again. Everything made of what was read must be dropped first. */
  forgetHistory(): void;
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

/**
 * Fault: the log has gone back in time, as after a restore or a failover to a standby that was behind. It does not have
 * the newest place any more that this process has seen, so nothing may be decided on what this process remembers.
 */
export class LogWentBack extends StoreUnavailable {
  override readonly name = 'LogWentBack';
  /** The newest place that was seen, which is gone. */
  readonly seen: LogPlace;

  constructor(seen: LogPlace) {
    super(`the log has gone back in time: position ${seen.position} is not what it was`);
    this.seen = seen;
  }
}
