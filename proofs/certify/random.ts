/** Chooses as its seed says, and so the same at each run; only what the machine does in between differs. */
export type Random = {
  /** A whole number from 0 up to, and without, `below`. */
  below(below: number): number;
  between(from: number, to: number): number;
  oneOf<T>(all: readonly T[]): T;
};

/** A multiplicative congruential generator (Lehmer, with Park and Miller's constants), for a seed from 1 to 2^31 - 2. */
export const createRandom = (seed: number): Random => {
  let state = seed % 2_147_483_647 || 1;
  const next = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const below = (end: number): number => Math.floor(next() * end);
  return {
    below,
    between: (from, to) => from + below(to - from),
    oneOf: (all) => {
      const one = all[below(all.length)];
      if (one === undefined) throw new Error('there is nothing to choose from');
      return one;
    },
  };
};
