import type { KnownEnd } from './event-store.ts';

/** Up to and including a revision, or up to and including everything that was stored at a time. */
export type Moment = { readonly revision: number } | { readonly at: Date };

export type Snapshot<State> = {
  /** Owned by the caller. */
  readonly state: State;
  readonly revision: number;
  /** Of the event at that revision: another token there means another history. */
  readonly token: string;
  /** The next snapshot is due from this revision on. */
  readonly nextDue: number;
};

/** Stored states of streams, so that a long stream need not be folded from its beginning. */
export type Snapshots<State> = {
  /** The newest one, or the newest up to a moment; undefined if there is none that can be read. */
  find(stream: string, until?: Moment): Promise<Snapshot<State> | undefined>;
  /**
   * Serialises the state now and stores it in the background. If that fails, there is no snapshot, and nothing is lost.
   * Returns the revision from which on the next one is due.
   */
  take(stream: string, state: State, upTo: KnownEnd): number;
  /** Waits for snapshots that are being written, then closes the connections. */
  close(): Promise<void>;
};

/** The events of an account lie far apart in a long log, so that each one may cost a read from disk. */
export const SNAPSHOT_EVERY = 50;
