import { inRounds } from '../../reactions/rounds.ts';

/** Whether this node's copy of the log, which has prices, terms and keys, is recent. */
export type LogCopy = {
  /** One comparison, for the path of a completion. */
  isRecent(): boolean;
  /** Compares the copy with the log now. Rejects with StoreUnavailable if the log cannot be read. */
  confirm(): Promise<boolean>;
  close(): Promise<void>;
};

export type LogCopyOptions = {
  /** Whether the look-ups have everything that the log had at the call. Rejects if the log cannot be read. */
  readonly hasAll: () => Promise<boolean>;
  /** Changes are announced at least a minute ahead, so a copy of up to half that age is recent enough. */
  readonly limitMs?: number;
  readonly everyMs?: number;
};

const LIMIT_MS = 30_000;
const EVERY_MS = 5000;

/**
 * Measures the age of the copy in elapsed time of this machine: the clock of the log can be moved. An idle log has no
 * events that could confirm the copy, so the node compares it with the head of the log every few seconds.
 */
export const watchLogCopy = ({ hasAll, limitMs = LIMIT_MS, everyMs = EVERY_MS }: LogCopyOptions): LogCopy => {
  let confirmedAt = -Infinity;
  let running: Promise<boolean> | undefined;
  const isRecent = (): boolean => performance.now() - confirmedAt <= limitMs;
  const compare = async (): Promise<boolean> => {
    // The comparison may miss events that are appended after this moment.
    const askedAt = performance.now();
    if (await hasAll()) confirmedAt = Math.max(confirmedAt, askedAt);
    return isRecent();
  };
  /** Requests that wait share one comparison. */
  const confirm = (): Promise<boolean> => (running ??= compare().finally(() => (running = undefined)));
  const rounds = inRounds(async (rest) => {
    while (!rest.ended) {
      // The readiness checks report the cause.
      await confirm().catch(() => false);
      await rest.pause(everyMs);
    }
  });
  return { isRecent, confirm, close: rounds.close };
};
