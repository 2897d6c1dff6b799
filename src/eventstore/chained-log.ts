import {
  StoreUnavailable,
  type EventStore,
  type StoredEvent,
  type StoredFact,
  type StreamReads,
} from './event-store.ts';

/** An event of the chained log. Its position is dense: it counts all events, from 1. */
export type ChainedEvent = StoredEvent & {
  /** SHA-256 in hexadecimal over the event and the hash of the event before it in the log: see integrity/chain.ts. */
  readonly hash: string;
};

/** A place in the log and the hash of the event at that place; position 0 is the beginning. */
export type LogPlace = { readonly position: number; readonly hash: string };

/**
 * The log as one sequence, which can be verified.
 *
 * Guarantees beyond those of EventStore, which chained-log.contract.ts tests for every adapter:
 * - Positions are dense, from 1. Times never decrease from one position to the next.
 * - An event id occurs once in the whole log.
 * - The hash of each event chains it to the event before it, so that every later change of the log is detected.
 * - A log that went back in time accepts nothing from a process that has seen more of it: the process remembers the
 *   newest place that it read or wrote, and an append is refused as a whole unless the log still has that place.
 */
export interface ChainedLog extends EventStore {
  /**
   * Up to `limit` events after a position, in order; with `types`, of these types only. Reading a few events among many
   * is cheap only for types that the store has an index of.
   */
  readAll(afterPosition: number, limit: number, types?: readonly string[]): Promise<readonly ChainedEvent[]>;
  /** Like readAll without metadata and hash; for consumers that read the whole log. */
  readFacts(afterPosition: number, limit: number): Promise<readonly StoredFact[]>;
  /**
   * Up to `limit` events whose metadata has this `correlationId`, in order. Events of the types `except` are left out,
   * because the store has no index of them.
   */
  findByCorrelation(id: string, limit: number, except: readonly string[]): Promise<readonly StoredEvent[]>;
  /**
   * Reads for decisions. They contain every durable event at once. If the store assigns positions after the append,
   * `readStream`, `findEvent` and `head` of the log wait until what was durable at the call has its position. The reads of
   * all events do not wait: a caller that needs what it has just appended calls `head` first.
   */
  readonly streams: StreamReads;
  /** The last position of the log; 0 while it is empty. */
  head(): Promise<number>;
  /**
   * Compares the log with the newest place that this process has seen, and remembers its head as the newest place.
   * Rejects with LogWentBack if the log no longer has that place; `append` does so as well, and then writes nothing.
   */
  checkHistory(): Promise<LogPlace>;
  /** The newest place that this process has seen. */
  readonly newest: LogPlace;
  /** Forgets what was seen, so that appends are accepted again. The caller first drops all that it made from the log. */
  forgetHistory(): void;
}

/**
 * Fault: the tables that the log is copied to went back in time, and the log did not. They are being made complete again,
 * with the same events at the same positions.
 */
export class CopyWentBack extends StoreUnavailable {
  override readonly name = 'CopyWentBack';
  /** The head of the tables. */
  readonly position: number;

  constructor(position: number, cause: unknown) {
    super('the copy of the log in PostgreSQL went back in time, and is made complete again', { cause });
    this.position = position;
  }
}

/**
 * Fault: the log went back in time, as after a restore or a failover to a standby that was behind. It no longer has the
 * newest place that this process has seen, so no decision may rest on what this process remembers.
 */
export class LogWentBack extends StoreUnavailable {
  override readonly name = 'LogWentBack';
  /** The newest place that was seen, which the log no longer has. */
  readonly seen: LogPlace;

  constructor(seen: LogPlace) {
    super(`the log has gone back in time: position ${seen.position} is not what it was`);
    this.seen = seen;
  }
}
