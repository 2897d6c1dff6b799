import { hash } from 'node:crypto';

/** Random values that are repeatable with the same seed. */
export type Random = {
  /** A whole number from `from` up to and including `to`. */
  between(from: number, to: number): number;
  /** Undefined for an empty list. */
  pick<Item>(items: readonly Item[]): Item | undefined;
  /** For lists that are never empty. */
  oneOf<Item>(items: readonly Item[]): Item;
};

/** The n-th number is derived from a hash of the seed and n. It is even enough, and the same on every machine. */
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
