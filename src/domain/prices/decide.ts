import { accept, refuse, type Decider, type Decision } from '../decider.ts';
import { tokenClasses } from '../money.ts';
import type { PriceEntry, PriceEvent } from './events.ts';
import { emptyPriceBook, evolvePriceBook, sameEntry, type PriceBook } from './price-book.ts';

export type ListPrice = { readonly type: 'ListPrice'; readonly entry: PriceEntry; readonly effectiveFrom: Date };
export type PriceRefusal = { readonly code: 'invalid_price' | 'takes_effect_before_a_listed_price' };

export const decidePrices = (command: ListPrice, book: PriceBook): Decision<PriceEvent, PriceRefusal> => {
  const { entry, effectiveFrom } = command;
  if (tokenClasses.some((tokenClass) => entry.rates[tokenClass] < 0n)) return refuse({ code: 'invalid_price' });
  if (entry.maxOutputTokens > entry.contextTokens) return refuse({ code: 'invalid_price' });
  const newest = book.get(entry.model)?.at(-1);
  if (newest && sameEntry(newest, entry)) return accept();
  // A price inserted before one that is already listed would change what was announced.
  if (newest && effectiveFrom < newest.effectiveFrom) return refuse({ code: 'takes_effect_before_a_listed_price' });
  return accept({ type: 'PriceListed', version: (newest?.version ?? 0) + 1, effectiveFrom, entry });
};

export const PRICES_STREAM = 'prices';

export const priceDecider: Decider<PriceBook, ListPrice, PriceEvent, PriceRefusal> = {
  initial: emptyPriceBook,
  evolve: evolvePriceBook,
  decide: decidePrices,
};
