type Waiting<Question, Answer> = {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
};

export type GatherOptions = {
  /** How many questions one call may contain. */
  readonly atOnce: number;
  /** How many calls may be under way; questions that arrive meanwhile form the next calls. */
  readonly underWay: number;
};

/** Turns a call with many questions into a function with one: callers at the same time share a round trip. No call is delayed to collect more. */
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
    // All questions of this turn of the event loop join the first call.
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
