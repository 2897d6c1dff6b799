import { accept, type Decider } from '../decider.ts';

/** The log went back in time, and an operator has acknowledged what is gone. */
export type LogRewound = {
  readonly type: 'LogRewound';
  readonly rewindId: string;
  /** The newest position that is known to be in both histories. */
  readonly commonPosition: number;
  /** The newest place that was seen of the lost history. */
  readonly seenPosition: number;
  readonly seenHash: string;
  /** How many lost events the running gateways remembered. */
  readonly lostEvents: number;
  readonly note: string;
};

export type LogEvent = LogRewound;

/** Idempotent: a rewind that was acknowledged stays as it was acknowledged first. */
export type AcknowledgeRewind = Omit<LogRewound, 'type'> & { readonly type: 'AcknowledgeRewind' };

export const LOG_STREAM = 'log';

/** The rewinds that were acknowledged, by id. */
type Rewinds = ReadonlySet<string>;

export const logDecider: Decider<Rewinds, AcknowledgeRewind, LogEvent, never> = {
  initial: () => new Set(),
  evolve: (rewinds, { rewindId }) => new Set([...rewinds, rewindId]),
  decide: ({ type: _, ...rewind }, rewinds) =>
    rewinds.has(rewind.rewindId) ? accept() : accept({ type: 'LogRewound', ...rewind }),
};
