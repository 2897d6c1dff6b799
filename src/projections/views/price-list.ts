import {
  delistingAt,
  emptyPriceBook,
  evolvePriceBook,
  priceAt,
  pricesAt,
  type Delisting,
  type PriceBook,
  type PriceVersion,
} from '../../domain/prices/price-book.ts';
import type { PriceEvent } from '../../domain/prices/events.ts';
import type { Fact } from '../../eventstore/journal/codec.ts';
import type { Consumer } from '../follow.ts';

export type PriceList = Consumer & {
  /** The price in force for a model at a time; undefined if the model is not on sale. */
  find(model: string, at: Date): PriceVersion | undefined;
  all(at: Date): readonly PriceVersion[];
  /** The delisting that applies to a model at a time. */
  delisting(model: string, at: Date): Delisting | undefined;
  book(): PriceBook;
};

const PRICE_EVENTS: ReadonlySet<string> = new Set<PriceEvent['type']>([
  'PriceListed',
  'PriceWithdrawn',
  'ModelDelisted',
]);
const isPriceEvent = (event: Fact['event']): event is PriceEvent => PRICE_EVENTS.has(event.type);

/** The price book, in memory, from the log. */
export const createPriceList = (): PriceList => {
  let book = emptyPriceBook();
  let position = 0;
  return {
    name: 'price_list',
    types: PRICE_EVENTS,
    position: () => position,
    apply: (batch, upTo) => {
      for (const { event, position: at } of batch) {
        if (at <= position) continue;
        if (isPriceEvent(event)) book = evolvePriceBook(book, event);
      }
      position = Math.max(position, upTo);
      return position;
    },
    find: (model, at) => priceAt(book, model, at),
    all: (at) => pricesAt(book, at),
    delisting: (model, at) => delistingAt(book, model, at),
    book: () => book,
  };
};
