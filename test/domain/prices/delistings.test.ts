import { describe, expect, it } from 'vitest';
import { MIN_AHEAD_MS, NOTICE_MS } from '../../../src/domain/notice.ts';
import type { PriceEvent } from '../../../src/domain/prices/events.ts';
import { delistingAt, priceAt, pricesAt } from '../../../src/domain/prices/price-book.ts';
import {
  january,
  february,
  march,
  justBefore,
  entry,
  dearer,
  given,
  list,
  listed,
  model,
  delist,
  delisted,
  relist,
  bookOf,
} from './examples.ts';

describe('DelistModel', () => {
  it('takes a model off sale', () =>
    given(listed(entry, 1, january))
      .when(delist(model, february))
      .then(delisted(model, february)));
  it('takes it off sale once', () =>
    given(listed(entry, 1, january), delisted(model, february))
      .when(delist(model, march))
      .then());
  it('may bring an announced end forward', () =>
    given(listed(entry, 1, january), delisted(model, march))
      .when(delist(model, february))
      .then(delisted(model, february)));
  it('takes a model off sale that was put on sale again', () =>
    given(listed(entry, 1, january), delisted(model, january), listed(entry, 2, february))
      .when(delist(model, march))
      .then(delisted(model, march)));
  it('refuses a model that was never listed', () =>
    given(listed(entry, 1, january))
      .when(delist('other', february))
      .thenRefused('model_not_listed'));
});

describe('the notice of a delisting', () => {
  const [book] = [listed(entry, 1, january)];
  it('is 14 days', () =>
    given(book)
      .when(delist(model, february, NOTICE_MS - 1))
      .thenRefused('notice_too_short'));
  it('is a minute if the provider ends the model', () => {
    given(book)
      .when(delist(model, february, MIN_AHEAD_MS, true))
      .then(delisted(model, february, true));
    given(book)
      .when(delist(model, february, MIN_AHEAD_MS - 1, true))
      .thenRefused('takes_effect_too_soon');
  });
});

describe('RelistModel', () => {
  it('lists the price in force anew', () =>
    given(listed(entry, 1, january), delisted(model, february))
      .when(relist(model, march))
      .then(listed(entry, 2, march)));
  it('lists announced prices after it', () =>
    given(listed(entry, 1, january), listed(dearer, 2, march), delisted(model, january))
      .when(relist(model, february))
      .then(listed(entry, 3, february), listed(dearer, 4, march)));
  it('cancels an announced end', () =>
    given(listed(entry, 1, january), delisted(model, march))
      .when(relist(model, february))
      .then(listed(entry, 2, march)));
  it('changes nothing if the model is on sale', () =>
    given(listed(entry, 1, january))
      .when(relist(model, february))
      .then());
  it('refuses a model that was never listed', () =>
    given().when(relist('other', february)).thenRefused('model_not_listed'));
});

describe('a model that is off sale', () => {
  it('is not put on sale again by the catalogue', () =>
    given(listed(entry, 1, january), delisted(model, february))
      .when(list(dearer, march))
      .then());
  it('may change its price before its announced end', () =>
    given(listed(entry, 1, january), delisted(model, march))
      .when(list(dearer, february))
      .then(listed(dearer, 2, february)));

  const on = (at: Date, ...events: PriceEvent[]) => priceAt(bookOf(...events), model, at)?.version;

  it('has no price from its end on, even if one was announced before', () => {
    const events = [listed(entry, 1, january), listed(dearer, 2, march), delisted(model, february)];
    expect(on(justBefore(february), ...events)).toBe(1);
    expect(on(february, ...events)).toBeUndefined();
    expect(on(march, ...events)).toBeUndefined();
    expect(pricesAt(bookOf(...events), march)).toEqual([]);
    expect(delistingAt(bookOf(...events), model, march)).toMatchObject({ effectiveFrom: february, reason: 'its end' });
    expect(delistingAt(bookOf(...events), model, january)).toBeUndefined();
  });
  it('is on sale again from a price that was listed later and takes effect then', () => {
    const events = [listed(entry, 1, january), delisted(model, february), listed(entry, 2, march)];
    expect(on(justBefore(march), ...events)).toBeUndefined();
    expect(on(march, ...events)).toBe(2);
  });
  it('stays off sale if a later price takes effect before its end', () => {
    const events = [listed(entry, 1, january), delisted(model, march), listed(dearer, 2, february)];
    expect(on(february, ...events)).toBe(2);
    expect(on(march, ...events)).toBeUndefined();
  });
  it('announces its end while it is on sale', () => {
    const book = bookOf(listed(entry, 1, january), delisted(model, march));
    expect(priceAt(book, model, january)?.endsAt).toEqual(march);
    const back = bookOf(listed(entry, 1, january), delisted(model, march), listed(entry, 2, march));
    expect(priceAt(back, model, january)?.endsAt).toBeUndefined();
    expect(priceAt(back, model, march)).not.toHaveProperty('endsAt');
  });
});
