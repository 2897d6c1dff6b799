type Waiting<Question, Answer> = {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
};

export type GatherOptions = {
  /** How many questions one call may carry. */
  readonly atOnce: number;
  /** How many calls may be on their way; questions that arrive meanwhile form the next ones. */
  readonly underWay: number;
};

/** Turns a call that answers many questions into one that answers one: many askers share a round trip, and nobody waits for more. */
export const gather = <Question, Answer>(
  ask: (questions: readonly Question[]) => Promise<readonly Answer[]>,
  { atOnce, underWay }: GatherOptions,
): ((question: Question) => Promise<Answer>) => {
  let waiting: Waiting<Question, Answer>[] = [];
  let calls = 0;

  const call = async (asked: readonly Waiting<Question, Answer>[]): Promise<void> => {
    try {
      const answers = await ask(asked.map(({ question }) => question));
      asked.forEach(({ resolve }, n) => resolve(answers[n] as Answer));
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  };

  const next = async (): Promise<void> => {
    calls++;
    // Let everything that this turn of the event loop asks join the first call.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const asked = waiting.slice(0, atOnce);
      waiting = waiting.slice(atOnce);
      await call(asked);
    }
    calls--;
  };

  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      if (calls < underWay) void next();
    });
};
