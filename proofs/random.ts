import { hash } from 'node:crypto';

/** Chances that come again with the same seed. */
export type Random = {
  /** A whole number from `from` up to and including `to`. */
  between(from: number, to: number): number;
  /** Undefined where there is nothing to choose from. */
  pick<Item>(items: readonly Item[]): Item | undefined;
  /** Of what is never nothing. */
  oneOf<Item>(items: readonly Item[]): Item;
};

/** The n-th number is read off a hash of the seed and n, which is even enough and the same on every machine. */
export const createRandom = (seed: string): Random => {
  let n = 0;
  const below = (limit: number): number =>
    Number.parseInt(hash('sha256', `${seed}/${n++}`, 'hex').slice(0, 12), 16) % limit;
  const pick = <Item>(items: readonly Item[]): Item | undefined =>
    items.length === 0 ? undefined : items[below(items.length)];
  return {
    between: (from, to) => from + below(to - from + 1),
    pick,
    oneOf: (items) => {
      const one = pick(items);
      if (one === undefined) throw new Error('there is nothing to choose from');
      return one;
    },
  };
};
