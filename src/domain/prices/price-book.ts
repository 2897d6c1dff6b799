import type { Rates } from '../money.ts';
import type { PriceEntry, PriceEvent } from './events.ts';
import { canCostMore, ratesOf, sameRates, type PriceLine } from './lines.ts';

/** A price as it was listed. */
export type ListedPrice = PriceEntry & {
  /** Pico-USD per token, derived from the lines once. A hold pins them. */
  readonly rates: Rates;
  readonly version: number;
  readonly effectiveFrom: Date;
};

export type PriceVersion = ListedPrice & {
  /** When the model is taken off sale, if a delisting is announced. */
  readonly endsAt?: Date;
};

/** When a model is taken off sale, and why. */
export type Delisting = {
  readonly effectiveFrom: Date;
  readonly reason: string;
  readonly endedByProvider: boolean;
  /** The newest version that it applies to: a later one may put the model on sale again. */
  readonly newestVersion: number;
};

export type ModelPrices = {
  /** Oldest first, without those that were withdrawn. None takes effect before the one before it. */
  readonly versions: readonly ListedPrice[];
  readonly withdrawn: readonly (ListedPrice & { readonly reason: string })[];
  readonly delistings: readonly Delisting[];
};

/** By model: every version of its price, and its delistings. */
export type PriceBook = ReadonlyMap<string, ModelPrices>;

export const emptyPriceBook = (): PriceBook => new Map();

const nothing: ModelPrices = { versions: [], withdrawn: [], delistings: [] };

/** The number of the newest version, also if it was withdrawn; 0 if the model was never listed. */
export const newestVersionOf = ({ versions, withdrawn }: ModelPrices = nothing): number =>
  Math.max(0, ...[versions, withdrawn].map((some) => some.at(-1)?.version ?? 0));

export const evolvePriceBook = (book: PriceBook, event: PriceEvent): PriceBook => {
  switch (event.type) {
    case 'PriceListed': {
      const { entry, version, effectiveFrom } = event;
      const known = book.get(entry.model) ?? nothing;
      const versions = [...known.versions, { ...entry, rates: ratesOf(entry.lines), version, effectiveFrom }];
      return new Map(book).set(entry.model, { ...known, versions });
    }
    case 'PriceWithdrawn': {
      const { model, version, reason } = event;
      const known = book.get(model) ?? nothing;
      const versions = known.versions.filter((one) => one.version !== version);
      const gone = known.versions.filter((one) => one.version === version).map((one) => ({ ...one, reason }));
      const withdrawn = [...known.withdrawn, ...gone].sort((a, b) => a.version - b.version);
      return new Map(book).set(model, { ...known, versions, withdrawn });
    }
    case 'ModelDelisted': {
      const { model, effectiveFrom, reason, endedByProvider } = event;
      const known = book.get(model) ?? nothing;
      const newestVersion = newestVersionOf(known);
      const delistings = [...known.delistings, { effectiveFrom, reason, endedByProvider, newestVersion }];
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

/** An announced change of what customers pay for a model. */
export type PriceChange = { readonly price: ListedPrice; readonly isIncrease: boolean };

/** The changes of a model's price after a time, in the order of their effect. At an increase, any usage can cost more. */
export const changesAfter = (book: PriceBook, model: string, at: Date): readonly PriceChange[] => {
  const { versions } = book.get(model) ?? nothing;
  return versions.flatMap((price) => {
    const { effectiveFrom, version } = price;
    if (effectiveFrom <= at || priceAt(book, model, effectiveFrom)?.version !== version) return [];
    const before = priceAt(book, model, new Date(effectiveFrom.getTime() - 1));
    if (before && sameRates(before.rates, price.rates)) return [];
    return [{ price, isIncrease: before !== undefined && canCostMore(before.rates, price.rates) }];
  });
};

/** Whether nothing about a model would change. The same price may be written as other lines. */
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
  sameCost(a.cost, b.cost) &&
  sameRates(ratesOf(a.lines), ratesOf(b.lines));

const sameCost = (a: readonly PriceLine[] | null, b: readonly PriceLine[] | null): boolean =>
  a === null || b === null ? a === b : sameRates(ratesOf(a), ratesOf(b));
