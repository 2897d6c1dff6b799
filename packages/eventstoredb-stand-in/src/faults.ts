/**
 * Why the server refuses appends: a full disk ends it, `timeout` gives up before anything is written, and the others
 * are answers of a node without a leader (`read-only`), or that does not lead, starts, or is overloaded.
 */
export type AppendRefusal = AnsweredRefusal | 'full';
export type AnsweredRefusal = 'read-only' | 'not-leader' | 'not-ready' | 'too-busy' | 'timeout' | 'access-denied';

/** Faults of appends that a test asked for. */
export type Faults = {
  refusal: AppendRefusal | undefined;
  /** How many of the next appends are performed and get no answer. */
  answersToLose: number;
  /** How many of the next appends are performed and get the answer that they timed out. */
  timeoutsToReport: number;
  /** The address that `not-leader` names: of the stand-in itself. */
  leader: { host: string; port: number };
  /** Ends the server once what it answered has arrived. */
  endServer: () => void;
};

export const noFaults = (): Faults => ({
  refusal: undefined,
  answersToLose: 0,
  timeoutsToReport: 0,
  leader: { host: '127.0.0.1', port: 0 },
  endServer: () => {},
});

/** What the next append is refused with. A server whose disk is full reports a timeout and ends. */
export const refusalOf = (faults: Faults): AnsweredRefusal | undefined => {
  if (faults.refusal !== 'full') return faults.refusal;
  faults.endServer();
  return 'timeout';
};

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
