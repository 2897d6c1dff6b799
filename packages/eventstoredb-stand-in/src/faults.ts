/**
 * Why the server refuses appends. `full` answers an unknown error, `timeout` gives up before anything is written, and
 * the others are answers of a node that is no leader, has no leader, starts, or is overloaded.
 */
export type AppendRefusal =
  'full' | 'read-only' | 'not-leader' | 'not-ready' | 'too-busy' | 'timeout' | 'access-denied';

/** Faults of appends that a test asked for. */
export type Faults = {
  refusal: AppendRefusal | undefined;
  /** How many of the next appends are performed and get no answer. */
  answersToLose: number;
  /** How many of the next appends are performed and get the answer that they timed out. */
  timeoutsToReport: number;
  /** The address that `not-leader` names: of the stand-in itself. */
  leader: { host: string; port: number };
};

export const noFaults = (): Faults => ({
  refusal: undefined,
  answersToLose: 0,
  timeoutsToReport: 0,
  leader: { host: '127.0.0.1', port: 0 },
});

/** What happens to the answer of an append that was performed. */
export const fateOfAnswer = (faults: Faults): 'answered' | 'lost' | 'timeout' => {
  if (faults.answersToLose > 0) {
    faults.answersToLose -= 1;
    return 'lost';
  }
  if (faults.timeoutsToReport > 0) {
    faults.timeoutsToReport -= 1;
    return 'timeout';
  }
  return 'answered';
};
