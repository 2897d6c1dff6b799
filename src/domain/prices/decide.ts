import { accept, refuse, type Decider, type Decision } from '../decider.ts';
import { tokenClasses } from '../money.ts';
import type { PriceEntry, PriceEvent } from './events.ts';
import { delistingAt, emptyPriceBook, endOf, evolvePriceBook, sameEntry, type PriceBook } from './price-book.ts';

/** From the catalogue. It does not put a delisted model on sale again: `RelistModel` does. */
export type ListPrice = { readonly type: 'ListPrice'; readonly entry: PriceEntry; readonly effectiveFrom: Date };
/** Takes a model off sale from a time on. */
export type DelistModel = {
  readonly type: 'DelistModel';
  readonly model: string;
  readonly effectiveFrom: Date;
  readonly reason: string;
};
/** Puts a model on sale again at the prices that were listed last, or cancels an announced delisting. */
export type RelistModel = { readonly type: 'RelistModel'; readonly model: string; readonly at: Date };

export type PriceCommand = ListPrice | DelistModel | RelistModel;
export type PriceRefusal = {
  readonly code: 'invalid_price' | 'takes_effect_before_a_listed_price' | 'model_not_listed';
};

export const decidePrices = (command: PriceCommand, book: PriceBook): Decision<PriceEvent, PriceRefusal> => {
  switch (command.type) {
    case 'ListPrice':
      return listPrice(command, book);
    case 'DelistModel': {
      const { model, effectiveFrom, reason } = command;
      if (!book.has(model)) return refuse({ code: 'model_not_listed' });
      if (delistingAt(book, model, effectiveFrom)) return accept();
      return accept({ type: 'ModelDelisted', model, effectiveFrom, reason });
    }
    case 'RelistModel':
      return relist(command, book);
  }
};

const listPrice = ({ entry, effectiveFrom }: ListPrice, book: PriceBook): Decision<PriceEvent, PriceRefusal> => {
  if (tokenClasses.some((tokenClass) => entry.rates[tokenClass] < 0n)) return refuse({ code: 'invalid_price' });
  if (entry.maxOutputTokens > entry.contextTokens) return refuse({ code: 'invalid_price' });
  const newest = book.get(entry.model)?.versions.at(-1);
  if (newest && sameEntry(newest, entry)) return accept();
  // A price before one that is already listed would change what was announced.
  if (newest && effectiveFrom < newest.effectiveFrom) return refuse({ code: 'takes_effect_before_a_listed_price' });
  if (delistingAt(book, entry.model, effectiveFrom)) return accept();
  return accept({ type: 'PriceListed', version: (newest?.version ?? 0) + 1, effectiveFrom, entry });
};

/** Lists the price in force again from that time on, and after it the announced prices. */
const relist = ({ model, at }: RelistModel, book: PriceBook): Decision<PriceEvent, PriceRefusal> => {
  const { versions = [] } = book.get(model) ?? {};
  const newest = versions.at(-1);
  if (!newest) return refuse({ code: 'model_not_listed' });
  const from = delistingAt(book, model, at) ? at : endOf(book, model, at);
  if (!from) return accept();
  const inForce = versions.findLast(({ effectiveFrom }) => effectiveFrom <= from) ?? newest;
  const announced = versions.filter(({ version, effectiveFrom }) => version > inForce.version && effectiveFrom > from);
  const listed = [{ ...inForce, effectiveFrom: from }, ...announced];
  return accept(
    ...listed.map(({ version: _, effectiveFrom, ...entry }, n) => ({
      ...{ type: 'PriceListed' as const, version: newest.version + 1 + n, effectiveFrom, entry },
    })),
  );
};

export const PRICES_STREAM = 'prices';

export const priceDecider: Decider<PriceBook, PriceCommand, PriceEvent, PriceRefusal> = {
  initial: emptyPriceBook,
  evolve: evolvePriceBook,
  decide: decidePrices,
};
