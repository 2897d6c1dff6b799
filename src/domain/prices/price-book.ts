import { tokenClasses } from '../money.ts';
import type { PriceEntry, PriceEvent } from './events.ts';

export type PriceVersion = PriceEntry & { readonly version: number; readonly effectiveFrom: Date };

/** Every version of every model's price, oldest first. */
export type PriceBook = ReadonlyMap<string, readonly PriceVersion[]>;

export const emptyPriceBook = (): PriceBook => new Map();

export const evolvePriceBook = (book: PriceBook, { entry, version, effectiveFrom }: PriceEvent): PriceBook =>
  new Map(book).set(entry.model, [...(book.get(entry.model) ?? []), { ...entry, version, effectiveFrom }]);

/** The price in force for a model at a moment: the newest version that has taken effect. */
export const priceAt = (book: PriceBook, model: string, at: Date): PriceVersion | undefined =>
  book.get(model)?.findLast((price) => price.effectiveFrom <= at);

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
