import type { Log } from '../log/log.ts';
import type { Faults } from '../faults.ts';

/** A call that stays open: a batched append or a subscription. */
export type OpenCall = {
  /** Ends it with status OK, as a server does that shuts down in peace. */
  end(): void;
  fail(error: Error): void;
};

/** What all calls of a stand-in share. */
export type ServerState = {
  readonly log: Log;
  readonly faults: Faults;
  readonly now: () => number;
  readonly maxAppendSize: number;
  /** Messages that may wait for the consumer of a live subscription. */
  readonly liveBuffer: number;
  readonly batches: Set<OpenCall>;
  readonly subscriptions: Set<OpenCall>;
};
