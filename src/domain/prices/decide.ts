import { accept, refuse, type Decider, type Decision } from '../decider.ts';
import { MIN_AHEAD_MS, NOTICE_MS, tooSoon, type TooSoon } from '../notice.ts';
import type { DelistModel, ListPrice, PriceCommand, PriceRefusal, RelistModel, WithdrawPrice } from './commands.ts';
import type { PriceEntry, PriceEvent } from './events.ts';
import { canCostMore, lineFault } from './lines.ts';
import {
  changesAfter,
  delistingAt,
  emptyPriceBook,
  endOf,
  evolvePriceBook,
  newestVersionOf,
  priceAt,
  sameEntry,
  type ListedPrice,
  type PriceBook,
} from './price-book.ts';

export type { DelistModel, ListPrice, PriceCommand, PriceRefusal, RelistModel, WithdrawPrice } from './commands.ts';

type PriceDecision = Decision<PriceEvent, PriceRefusal>;

export const decidePrices = (command: PriceCommand, book: PriceBook): PriceDecision => {
  switch (command.type) {
    case 'ListPrice':
      return listPrice(command, book);
    case 'WithdrawPrice':
      return withdraw(command, book);
    case 'DelistModel':
      return delist(command, book);
    case 'RelistModel':
      return relist(command, book);
  }
};

/** How far ahead a model's price may be replaced, in ms. Increases and ends of sale need notice. */
export const aheadOf = (before: Priced | undefined, after: Priced | undefined): number => {
  if (!before) return MIN_AHEAD_MS;
  return !after || canCostMore(before.rates, after.rates) ? NOTICE_MS : MIN_AHEAD_MS;
};
type Priced = Pick<ListedPrice, 'rates'>;

const listPrice = ({ entry, effectiveFrom, at }: ListPrice, book: PriceBook): PriceDecision => {
  const fault = entryFault(entry);
  if (fault) return refuse({ code: fault });
  const { model } = entry;
  const newest = book.get(model)?.versions.at(-1);
  const listed: PriceEvent = {
    ...{ type: 'PriceListed', version: newestVersionOf(book.get(model)) + 1, effectiveFrom, entry },
  };
  // A model that was never listed has no customers, and no node sells it at another price.
  if (!book.has(model)) return accept(listed);
  if (newest && sameEntry(newest, entry)) return accept();
  // A price before one that is already listed would change what was announced.
  if (newest && effectiveFrom < newest.effectiveFrom) return refuse({ code: 'takes_effect_before_a_listed_price' });
  if (delistingAt(book, model, effectiveFrom)) return accept();
  const after = priceAt(evolvePriceBook(book, listed), model, effectiveFrom);
  const early = tooSoon(at, effectiveFrom, aheadOf(priceAt(book, model, effectiveFrom), after));
  return early ? refuse({ code: early }) : accept(listed);
};

const entryFault = ({ lines, cost, maxOutputTokens, contextTokens }: PriceEntry) =>
  lineFault(lines) ?? (cost && lineFault(cost)) ?? (maxOutputTokens > contextTokens ? 'invalid_price' : undefined);

/** Without the withdrawn price, no price may be higher than announced, unless 14 days are left. */
const withdraw = ({ model, version, reason, at }: WithdrawPrice, book: PriceBook): PriceDecision => {
  const prices = book.get(model);
  if (!prices) return refuse({ code: 'model_not_listed' });
  if (prices.withdrawn.some((one) => one.version === version)) return accept();
  const listed = prices.versions.find((one) => one.version === version);
  if (!listed) return refuse({ code: 'price_version_not_found' });
  const { effectiveFrom } = listed;
  const withdrawn: PriceEvent = { type: 'PriceWithdrawn', model, version, reason };
  const without = evolvePriceBook(book, withdrawn);
  const after = priceAt(without, model, effectiveFrom);
  const early =
    tooSoon(at, effectiveFrom, aheadOf(priceAt(book, model, effectiveFrom), after)) ??
    tooSoonIncrease(book, without, model, at);
  return early ? refuse({ code: early }) : accept(withdrawn);
};

/** A later price that costs more only because the one before it is withdrawn needs notice from now on. */
const tooSoonIncrease = (book: PriceBook, without: PriceBook, model: string, at: Date): TooSoon | undefined => {
  const known = new Set(increasesAfter(book, model, at).map(({ version }) => version));
  const first = increasesAfter(without, model, at).find(({ version }) => !known.has(version));
  return first && tooSoon(at, first.effectiveFrom, NOTICE_MS);
};

const increasesAfter = (book: PriceBook, model: string, at: Date): readonly ListedPrice[] =>
  changesAfter(book, model, at).flatMap(({ price, isIncrease }) => (isIncrease ? [price] : []));

const delist = (command: DelistModel, book: PriceBook): PriceDecision => {
  const { model, effectiveFrom, reason, endedByProvider, at } = command;
  if (!book.has(model)) return refuse({ code: 'model_not_listed' });
  if (delistingAt(book, model, effectiveFrom)) return accept();
  const early = tooSoon(at, effectiveFrom, endedByProvider ? MIN_AHEAD_MS : NOTICE_MS);
  if (early) return refuse({ code: early });
  return accept({ type: 'ModelDelisted', model, effectiveFrom, reason, endedByProvider });
};

/** Lists the price in force again from that time on, and after it the announced prices. */
const relist = ({ model, at }: RelistModel, book: PriceBook): PriceDecision => {
  const { versions = [] } = book.get(model) ?? {};
  const newest = versions.at(-1);
  if (!newest) return refuse({ code: 'model_not_listed' });
  const soonest = new Date(at.getTime() + MIN_AHEAD_MS);
  const from = delistingAt(book, model, soonest) ? soonest : endOf(book, model, soonest);
  if (!from) return accept();
  const inForce = versions.findLast(({ effectiveFrom }) => effectiveFrom <= from) ?? newest;
  const announced = versions.filter(({ version, effectiveFrom }) => version > inForce.version && effectiveFrom > from);
  const first = newestVersionOf(book.get(model)) + 1;
  const listed = [{ ...inForce, effectiveFrom: from }, ...announced];
  return accept(
    ...listed.map(({ version: _, effectiveFrom, rates: __, ...entry }, n) => ({
      ...{ type: 'PriceListed' as const, version: first + n, effectiveFrom, entry },
    })),
  );
};

export const PRICES_STREAM = 'prices';

export const priceDecider: Decider<PriceBook, PriceCommand, PriceEvent, PriceRefusal> = {
  initial: emptyPriceBook,
  evolve: evolvePriceBook,
  decide: decidePrices,
};
