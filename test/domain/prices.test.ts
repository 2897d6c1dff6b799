import { describe, expect, it } from 'vitest';
import { priceDecider } from '../../src/domain/prices/decide.ts';
import type { PriceEntry, PriceEvent } from '../../src/domain/prices/events.ts';
import { priceAt, pricesAt } from '../../src/domain/prices/price-book.ts';
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
