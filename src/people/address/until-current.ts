/** A repetition means that another request changed the person meanwhile. More than this are a defect. */
const MAX_TRIES = 5;

/** Repeats work that rests on what it has read, as long as that has changed meanwhile: then the work resolves to undefined. */
export const untilCurrent = async <Result>(work: () => Promise<Result | undefined>): Promise<Result> => {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const result = await work();
    if (result !== undefined) return result;
  }
  throw new Error(`what the work rested on changed ${MAX_TRIES} times meanwhile`);
};
