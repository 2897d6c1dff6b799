import type { NoticeAbout } from '../../domain/account/conduct/events.ts';
import { sameRates } from '../../domain/prices/lines.ts';
import {
  changesAfter,
  delistingAt,
  endOf,
  type ListedPrice,
  type PriceBook,
  type PriceChange,
} from '../../domain/prices/price-book.ts';
import type { PriceEvent } from '../../domain/prices/events.ts';
import { PRICES_STREAM } from '../../domain/prices/decide.ts';
import type { TermsEvent } from '../../domain/terms/events.ts';
import type { Fact } from '../../eventstore/journal/codec.ts';
import type { NoticeOptions } from './notice-options.ts';

/** What a fact announces or withdraws, and the accounts concerned: all, or those that used a model. */
export type Announcement = {
  readonly kind: 'announced' | 'withdrawn';
  readonly about: NoticeAbout;
  readonly audience: { readonly kind: 'everyone' } | { readonly kind: 'users'; readonly model: string };
};

type Books = Pick<NoticeOptions, 'foldPrices'>;

const OF_TERMS: readonly string[] = ['TermsPublished', 'TermsWithdrawn'] satisfies readonly TermsEvent['type'][];
const OF_PRICES: readonly string[] = [
  ...(['PriceListed', 'PriceWithdrawn', 'ModelDelisted'] satisfies readonly PriceEvent['type'][]),
];
export const TYPES_THAT_ANNOUNCE = [...OF_TERMS, ...OF_PRICES];

/** What customers must be notified of because of a fact. It depends on nothing but the log up to the fact. */
export const announcementsOf = async (books: Books, fact: Fact): Promise<readonly Announcement[]> => {
  const { event } = fact;
  if (event.type === 'TermsPublished') {
    const { document, version, significant, effectiveAt } = event;
    // The first version of a document changes nothing.
    if (!significant || effectiveAt === null) return [];
    return [{ kind: 'announced', about: { kind: 'terms', document, version }, audience: { kind: 'everyone' } }];
  }
  if (event.type === 'TermsWithdrawn') {
    const { document, version } = event;
    return [{ kind: 'withdrawn', about: { kind: 'terms', document, version }, audience: { kind: 'everyone' } }];
  }
  return isOfPrices(event) ? ofPrices(books, fact, event) : [];
};

const isOfPrices = (event: Fact['event']): event is PriceEvent => OF_PRICES.includes(event.type);

/** Compares the announcements of a model before and after the event. */
const ofPrices = async (
  { foldPrices }: Books,
  { revision, time }: Fact,
  event: PriceEvent,
): Promise<readonly Announcement[]> => {
  const [before, after] = await Promise.all(
    [revision - 1, revision].map(async (until) => (await foldPrices(PRICES_STREAM, { revision: until })).state),
  );
  if (!before || !after) return [];
  const model = event.type === 'PriceListed' ? event.entry.model : event.model;
  const concerns = (kind: Announcement['kind'], about: NoticeAbout): Announcement => ({
    ...{ kind, about },
    audience: { kind: 'users', model },
  });
  const [increasesBefore, increasesAfter] = [before, after].map((book) => increasesIn(book, model, time));
  const withdrawn = event.type === 'PriceWithdrawn' ? without(increasesBefore, increasesAfter) : [];
  const announced = without(increasesAfter, increasesBefore).filter((price) => !wasListedBefore(after, price));
  return [
    ...withdrawn.map(({ version }) => concerns('withdrawn', { kind: 'price', model, version })),
    ...announced.map(({ version }) => concerns('announced', { kind: 'price', model, version })),
    ...endsOfSale(before, after, model, time).map(({ kind, end }) =>
      concerns(kind, { kind: 'delisting', model, effectiveFrom: end.getTime() }),
    ),
  ];
};

const increasesIn = (book: PriceBook, model: string, at: Date): readonly ListedPrice[] =>
  changesAfter(book, model, at).flatMap(({ price, isIncrease }: PriceChange) => (isIncrease ? [price] : []));

const isSamePrice = (a: ListedPrice, b: ListedPrice): boolean =>
  a.effectiveFrom.getTime() === b.effectiveFrom.getTime() && sameRates(a.rates, b.rates);

const without = (some: readonly ListedPrice[] = [], others: readonly ListedPrice[] = []): readonly ListedPrice[] =>
  some.filter((one) => !others.some((other) => isSamePrice(one, other)));

/** A model that is put on sale again lists its announced prices anew. They were announced before, so they need no notice. */
const wasListedBefore = (book: PriceBook, price: ListedPrice): boolean =>
  (book.get(price.model)?.versions ?? []).some((one) => one.version < price.version && isSamePrice(one, price));

const endsOfSale = (before: PriceBook, after: PriceBook, model: string, at: Date) => {
  const [endBefore, endAfter] = [endOf(before, model, at), endOf(after, model, at)];
  if (endBefore?.getTime() === endAfter?.getTime()) return [];
  const isCancelled = endBefore !== undefined && !delistingAt(after, model, endBefore);
  return [
    ...(isCancelled ? [{ kind: 'withdrawn', end: endBefore } as const] : []),
    ...(endAfter ? [{ kind: 'announced', end: endAfter } as const] : []),
  ];
};
