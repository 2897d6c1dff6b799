import { NOTICE_MS, MIN_AHEAD_MS } from '../notice.ts';
import { tokenClasses, type Rates } from '../money.ts';
import { aheadOf } from './decide.ts';
import type { PriceEntry } from './events.ts';
import { linesOf, ratesOf, sameRates, type PriceLine } from './lines.ts';
import { delistingAt, priceAt, sameEntry, type ListedPrice, type PriceBook } from './price-book.ts';

/** A model as the catalogue describes it: without the price for customers. */
export type CatalogueModel = Omit<PriceEntry, 'lines' | 'cost'> & { readonly cost: readonly PriceLine[] };

/** Parts per million: 1 % is 10,000. */
export type Margin = bigint;
const PER_CENT = 10_000n;
const WHOLE = 1_000_000n;

/** Parses per cent with up to four decimals, such as `12.5`; undefined for other texts, including negative ones. */
export const parseMargin = (percent: string): Margin | undefined => {
  const match = /^(\d{1,6})(?:\.(\d{1,4}))?$/.exec(percent);
  return match ? BigInt(match[1] ?? '0') * PER_CENT + BigInt((match[2] ?? '').padEnd(4, '0')) : undefined;
};

/** The lowest margin of a price over its cost among the classes, in per cent with one decimal; undefined without a cost. */
export const leastMarginPercent = (price: Rates, cost: Rates): number | undefined => {
  const margins = tokenClasses
    .filter((tokenClass) => cost[tokenClass] > 0n)
    .map((tokenClass) => Number(((price[tokenClass] - cost[tokenClass]) * 1000n) / cost[tokenClass]) / 10);
  return margins.length > 0 ? Math.min(...margins) : undefined;
};

/** Cost × (1 + margin), rounded up to a whole number of pico-USD per token, the finest that a line can express. */
export const withMargin = (cost: Rates, margin: Margin): Rates =>
  Object.fromEntries(
    tokenClasses.map((tokenClass) => [tokenClass, (cost[tokenClass] * (WHOLE + margin) + WHOLE - 1n) / WHOLE]),
  ) as Rates;

/** The model at its cost plus the margin. */
export const proposedEntry = (model: CatalogueModel, margin: Margin): PriceEntry => ({
  ...model,
  lines: linesOf(withMargin(ratesOf(model.cost), margin)),
});

/** A price computed from the cost in the catalogue and the margin that differs from the listed price. */
export type Proposal = {
  readonly entry: PriceEntry;
  /** The newest listed price: in force, or announced. */
  readonly newest: ListedPrice;
  readonly inForce: ListedPrice | undefined;
  /** Whether it can cost more than the newest listed price. */
  readonly needsNotice: boolean;
  /** The earliest time at which it can take effect, if it is announced now. */
  readonly earliest: Date;
};

/** The proposals for models that are listed and on sale. New models need none: a start lists them. */
export const proposalsOf = (
  book: PriceBook,
  catalogue: readonly CatalogueModel[],
  margin: Margin,
  at: Date,
): readonly Proposal[] =>
  catalogue.flatMap((model) => {
    const entry = proposedEntry(model, margin);
    const newest = book.get(model.model)?.versions.at(-1);
    if (!newest || sameRates(newest.rates, ratesOf(entry.lines))) return [];
    const earliest = earliestOf(newest, entry, at);
    if (delistingAt(book, model.model, earliest)) return [];
    const needsNotice = noticeOf(newest, entry) === NOTICE_MS;
    return [{ entry, newest, inForce: priceAt(book, model.model, at), needsNotice, earliest }];
  });

const noticeOf = (newest: ListedPrice, { lines }: PriceEntry): number => aheadOf(newest, { rates: ratesOf(lines) });

/** The earliest time at which an entry can replace the newest listed price, if it is announced at a time. */
export const earliestOf = (newest: ListedPrice, entry: PriceEntry, at: Date): Date =>
  new Date(Math.max(at.getTime() + noticeOf(newest, entry), newest.effectiveFrom.getTime()));

/**
 * The entry that a start lists for a model that is listed already. It has all changes of the catalogue if the price for
 * customers stays the same, and otherwise only the new cost. Undefined if nothing changes.
 */
export const factsToList = (
  book: PriceBook,
  model: CatalogueModel,
  margin: Margin,
  at: Date,
): { readonly entry: PriceEntry; readonly effectiveFrom: Date } | undefined => {
  const newest = book.get(model.model)?.versions.at(-1);
  if (!newest) return undefined;
  const { version: _, effectiveFrom, rates, ...listed } = newest;
  const proposed = proposedEntry(model, margin);
  const stays = sameRates(rates, ratesOf(proposed.lines));
  const { cost, source, asOf } = model;
  const entry = stays ? { ...proposed, lines: listed.lines } : { ...listed, cost, source, asOf };
  if (sameEntry(listed, entry)) return undefined;
  return { entry, effectiveFrom: new Date(Math.max(at.getTime() + MIN_AHEAD_MS, effectiveFrom.getTime())) };
};

/**
 * The entry of a listed model at another price: at these lines, or at the price that the catalogue proposes. Undefined
 * without lines if the catalogue lacks the model.
 */
export const entryToAnnounce = (asked: {
  readonly newest: ListedPrice;
  readonly models: readonly CatalogueModel[];
  readonly margin: Margin;
  readonly lines: readonly PriceLine[] | undefined;
}): PriceEntry | undefined => {
  const { version: _, effectiveFrom: __, rates: ___, ...listed } = asked.newest;
  if (asked.lines) return { ...listed, lines: asked.lines };
  const known = asked.models.find(({ model }) => model === listed.model);
  return known && proposedEntry(known, asked.margin);
};
