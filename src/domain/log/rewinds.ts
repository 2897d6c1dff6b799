import { accept, type Decider } from '../decider.ts';

/** The log went back in time, and an operator has acknowledged what was lost. */
export type LogRewound = {
  readonly type: 'LogRewound';
  readonly rewindId: string;
  /** The newest position that is known to be in both histories. */
  readonly commonPosition: number;
  /** The newest position of the lost history that a gateway had seen, and its hash. */
  readonly seenPosition: number;
  readonly seenHash: string;
  /** How many lost events the running gateways remembered. */
  readonly lostEvents: number;
  readonly note: string;
};

export type LogEvent = LogRewound;

/** Idempotent: the first acknowledgement of a rewind stands. */
export type AcknowledgeRewind = Omit<LogRewound, 'type'> & { readonly type: 'AcknowledgeRewind' };

export const LOG_STREAM = 'log';

/** The ids of acknowledged rewinds. */
type Rewinds = ReadonlySet<string>;

export const logDecider: Decider<Rewinds, AcknowledgeRewind, LogEvent, never> = {
  initial: () => new Set(),
  evolve: (rewinds, { rewindId }) => new Set([...rewinds, rewindId]),
  decide: ({ type: _, ...rewind }, rewinds) =>
    rewinds.has(rewind.rewindId) ? accept() : accept({ type: 'LogRewound', ...rewind }),
};
