import { tokenClasses } from '../money.ts';
import type { PriceEntry, PriceEvent } from './events.ts';

export type PriceVersion = PriceEntry & {
  readonly version: number;
  readonly effectiveFrom: Date;
  /** When the model is taken off sale, if a delisting is announced. */
  readonly endsAt?: Date;
};

/** When a model is taken off sale, and why. */
export type Delisting = {
  readonly effectiveFrom: Date;
  readonly reason: string;
  /** The newest version that it applies to: a later one may put the model on sale again. */
  readonly newestVersion: number;
};

export type ModelPrices = {
  /** Oldest first. */
  readonly versions: readonly (PriceEntry & { readonly version: number; readonly effectiveFrom: Date })[];
  readonly delistings: readonly Delisting[];
};

/** By model: every version of its price, and its delistings. */
export type PriceBook = ReadonlyMap<string, ModelPrices>;

export const emptyPriceBook = (): PriceBook => new Map();

const nothing: ModelPrices = { versions: [], delistings: [] };

export const evolvePriceBook = (book: PriceBook, event: PriceEvent): PriceBook => {
  switch (event.type) {
    case 'PriceListed': {
      const { entry, version, effectiveFrom } = event;
      const known = book.get(entry.model) ?? nothing;
      const versions = [...known.versions, { ...entry, version, effectiveFrom }];
      return new Map(book).set(entry.model, { ...known, versions });
    }
    case 'ModelDelisted': {
      const { model, effectiveFrom, reason } = event;
      const known = book.get(model) ?? nothing;
      const newestVersion = known.versions.at(-1)?.version ?? 0;
      const delistings = [...known.delistings, { effectiveFrom, reason, newestVersion }];
      return new Map(book).set(model, { ...known, delistings });
    }
  }
};

/** The delisting that applies to a model at a time; undefined if the model is on sale, or was never listed. */
export const delistingAt = (book: PriceBook, model: string, at: Date): Delisting | undefined => {
  const { versions, delistings } = book.get(model) ?? nothing;
  if (delistings.length === 0) return undefined;
  return delistings.find(
    ({ effectiveFrom: end, newestVersion }) =>
      end <= at &&
      !versions.some(
        ({ version, effectiveFrom }) => version > newestVersion && effectiveFrom >= end && effectiveFrom <= at,
      ),
  );
};

/** The next time at which a model that is on sale is taken off sale. */
export const endOf = (book: PriceBook, model: string, after: Date): Date | undefined => {
  const { delistings = [] } = book.get(model) ?? {};
  const ends = delistings.map(({ effectiveFrom }) => effectiveFrom).filter((end) => end > after);
  return ends.toSorted((a, b) => a.getTime() - b.getTime()).find((end) => delistingAt(book, model, end) !== undefined);
};

/** The price in force for a model that is on sale at a time: the newest version that has taken effect. */
export const priceAt = (book: PriceBook, model: string, at: Date): PriceVersion | undefined => {
  const prices = book.get(model);
  const price = prices?.versions.findLast(({ effectiveFrom }) => effectiveFrom <= at);
  if (!price || prices?.delistings.length === 0) return price;
  if (delistingAt(book, model, at)) return undefined;
  const endsAt = endOf(book, model, at);
  return endsAt ? { ...price, endsAt } : price;
};

export const pricesAt = (book: PriceBook, at: Date): readonly PriceVersion[] =>
  [...book.keys()].flatMap((model) => priceAt(book, model, at) ?? []);

export const sameEntry = (a: PriceEntry, b: PriceEntry): boolean =>
  a.model === b.model &&
  a.kind === b.kind &&
  a.ownedBy === b.ownedBy &&
  a.upstream === b.upstream &&
  a.upstreamModel === b.upstreamModel &&
  a.contextTokens === b.contextTokens &&
  a.maxOutputTokens === b.maxOutputTokens &&
  a.source === b.source &&
  a.asOf === b.asOf &&
  tokenClasses.every((tokenClass) => a.rates[tokenClass] === b.rates[tokenClass]);
