import { describe, expect, it } from 'vitest';
import { priceDecider } from '../../src/domain/prices/decide.ts';
import type { PriceEntry, PriceEvent } from '../../src/domain/prices/events.ts';
import { delistingAt, priceAt, pricesAt } from '../../src/domain/prices/price-book.ts';
import { specify } from '../given.ts';

const january = new Date('2026-01-01T00:00:00Z');
const february = new Date('2026-02-01T00:00:00Z');
const march = new Date('2026-03-01T00:00:00Z');
const justBefore = (date: Date): Date => new Date(date.getTime() - 1);

const entry: PriceEntry = {
  model: 'simulated-small',
  kind: 'chat',
  ownedBy: 'kissapi',
  upstream: 'simulated',
  upstreamModel: 'simulated-small',
  contextTokens: 128_000,
  maxOutputTokens: 4096,
  rates: { input: 150_000n, cachedInput: 75_000n, cacheWrite: 150_000n, output: 600_000n, reasoning: 600_000n },
  source: 'https://example.com/pricing',
  asOf: '2025-12-31',
};
const dearer: PriceEntry = { ...entry, rates: { ...entry.rates, output: 700_000n } };
const other: PriceEntry = { ...entry, model: 'simulated-large' };

const given = specify(priceDecider);
const list = (one: PriceEntry, effectiveFrom: Date) => ({ type: 'ListPrice', entry: one, effectiveFrom }) as const;
const listed = (one: PriceEntry, version: number, effectiveFrom: Date): PriceEvent => ({
  type: 'PriceListed',
  version,
  effectiveFrom,
  entry: one,
});
const bookOf = (...events: PriceEvent[]) => events.reduce(priceDecider.evolve, priceDecider.initial());

describe('ListPrice', () => {
  it('lists the first price of a model', () =>
    given()
      .when(list(entry, january))
      .then(listed(entry, 1, january)));
  it('lists it once', () =>
    given(listed(entry, 1, january))
      .when(list(entry, february))
      .then());
  it('lists a change as the next version', () =>
    given(listed(entry, 1, january))
      .when(list(dearer, february))
      .then(listed(dearer, 2, february)));
  it('lists a price that was there before as a version of its own', () =>
    given(listed(entry, 1, january), listed(dearer, 2, february))
      .when(list(entry, march))
      .then(listed(entry, 3, march)));
  it('counts the versions of each model by themselves', () =>
    given(listed(entry, 1, january), listed(dearer, 2, february))
      .when(list(other, january))
      .then(listed(other, 1, january)));

  it('never goes before a price that was announced', () =>
    given(listed(entry, 1, february))
      .when(list(dearer, justBefore(february)))
      .thenRefused('takes_effect_before_a_listed_price'));
  it('may correct an announced price at the same moment', () =>
    given(listed(entry, 1, february))
      .when(list(dearer, february))
      .then(listed(dearer, 2, february)));

  it.each(['input', 'cachedInput', 'cacheWrite', 'output', 'reasoning'] as const)('refuses to pay for %s', (one) =>
    given()
      .when(list({ ...entry, rates: { ...entry.rates, [one]: -1n } }, january))
      .thenRefused('invalid_price'),
  );
  it('refuses an output longer than the context', () =>
    given()
      .when(list({ ...entry, maxOutputTokens: entry.contextTokens + 1 }, january))
      .thenRefused('invalid_price'));
  it('refuses what is invalid before what comes too early', () =>
    given(listed(entry, 1, february))
      .when(list({ ...entry, maxOutputTokens: entry.contextTokens + 1 }, january))
      .thenRefused('invalid_price'));

  it.each([
    { kind: 'completion' },
    { ownedBy: 'somebody' },
    { upstream: 'another' },
    { upstreamModel: 'simulated-small-2' },
    { contextTokens: 64_000 },
    { maxOutputTokens: 2048 },
    { source: 'https://example.com/other' },
    { asOf: '2026-01-15' },
    { rates: { ...entry.rates, reasoning: 1n } },
  ] satisfies Partial<PriceEntry>[])('takes a change of %o for a new version', (change) =>
    given(listed(entry, 1, january))
      .when(list({ ...entry, ...change }, february))
      .then(listed({ ...entry, ...change }, 2, february)),
  );
});

describe('the price in force', () => {
  const book = bookOf(
    listed(entry, 1, january),
    listed(dearer, 2, march),
    listed(other, 1, february),
    listed({ ...other, asOf: 'corrected' }, 2, february),
  );
  const versionAt = (model: string, at: Date) => priceAt(book, model, at)?.version;

  it('begins in the moment that was announced', () => {
    expect(versionAt(entry.model, justBefore(january))).toBeUndefined();
    expect(versionAt(entry.model, january)).toBe(1);
    expect(versionAt(entry.model, justBefore(march))).toBe(1);
    expect(versionAt(entry.model, march)).toBe(2);
  });
  it('is the last listed of those of one moment', () => expect(versionAt(other.model, february)).toBe(2));
  it('is that of a known model', () => expect(versionAt('unheard-of', march)).toBeUndefined());
  it('is one for each model that can be had', () => {
    expect(pricesAt(book, january).map(({ model, version }) => [model, version])).toEqual([[entry.model, 1]]);
    expect(pricesAt(book, march).map(({ model, version }) => [model, version])).toEqual([
      [entry.model, 2],
      [other.model, 2],
    ]);
  });
  it('says all of the entry', () =>
    expect(priceAt(book, entry.model, january)).toEqual({ ...entry, version: 1, effectiveFrom: january }));
});

const delist = (model: string, effectiveFrom: Date) =>
  ({ type: 'DelistModel', model, effectiveFrom, reason: 'its end' }) as const;
const delisted = (model: string, effectiveFrom: Date): PriceEvent => ({
  ...{ type: 'ModelDelisted', model, effectiveFrom, reason: 'its end' },
});
const relist = (model: string, at: Date) => ({ type: 'RelistModel', model, at }) as const;
const { model } = entry;

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

describe('RelistModel', () => {
  it('lists the price in force anew', () =>
    given(listed(entry, 1, january), delisted(model, february))
      .when(relist(model, march))
      .then(listed(entry, 2, march)));
  it('lists announced prices after it', () =>
    given(listed(entry, 1, january), listed(dearer, 2, march), delisted(model, january))
      .when(relist(model, february))
      .then(listed(entry, 3, february), listed(dearer, 4, march)));
  it('takes an announced end back', () =>
    given(listed(entry, 1, january), delisted(model, march))
      .when(relist(model, february))
      .then(listed(entry, 2, march)));
  it('changes nothing of a model that is on sale', () =>
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

  it('has no price from that moment on, whatever was announced before', () => {
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
  it('stays off sale where a later price takes effect before its end', () => {
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
