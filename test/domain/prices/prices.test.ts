import { describe, expect, it } from 'vitest';
import { MIN_AHEAD_MS, NOTICE_MS } from '../../../src/domain/notice.ts';
import type { PriceEntry } from '../../../src/domain/prices/events.ts';
import { linesOf, type PriceLine } from '../../../src/domain/prices/lines.ts';
import { changesAfter, priceAt, pricesAt } from '../../../src/domain/prices/price-book.ts';
import {
  january,
  february,
  march,
  ahead,
  justBefore,
  rates,
  entry,
  at,
  dearer,
  cheaper,
  other,
  given,
  list,
  listed,
  model,
  delisted,
  withdraw,
  withdrawn,
  bookOf,
} from './examples.ts';

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
  it('lists an earlier price again as a new version', () =>
    given(listed(entry, 1, january), listed(dearer, 2, february))
      .when(list(entry, march))
      .then(listed(entry, 3, march)));
  it('numbers the versions of each model separately', () =>
    given(listed(entry, 1, january), listed(dearer, 2, february))
      .when(list(other, january))
      .then(listed(other, 1, january)));

  it('refuses an effect before that of an announced price', () =>
    given(listed(entry, 1, february))
      .when(list(dearer, justBefore(february)))
      .thenRefused('takes_effect_before_a_listed_price'));
  it('may correct an announced price at the same moment', () =>
    given(listed(entry, 1, february))
      .when(list(dearer, february))
      .then(listed(dearer, 2, february)));

  it.each(['input', 'cachedInput', 'cacheWrite', 'output', 'reasoning'] as const)(
    'refuses a negative price of %s',
    (one) =>
      given()
        .when(list(at({ [one]: -1n }), january))
        .thenRefused('invalid_price'),
  );
  it('refuses an output longer than the context', () =>
    given()
      .when(list({ ...entry, maxOutputTokens: entry.contextTokens + 1 }, january))
      .thenRefused('invalid_price'));
  it('reports an invalid price rather than a time that is too early', () =>
    given(listed(entry, 1, february))
      .when(list({ ...entry, maxOutputTokens: entry.contextTokens + 1 }, january))
      .thenRefused('invalid_price'));

  const lines = (...changed: Partial<PriceLine>[]): PriceEntry => ({
    ...entry,
    lines: entry.lines.map((line, n) => ({ ...line, ...changed[n] })),
  });
  it('refuses lines that match the same tokens', () =>
    given()
      .when(list(lines({ match: { class: 'output' } }), january))
      .thenRefused('price_lines_overlap'));
  it('refuses a class of tokens without a line', () =>
    given()
      .when(list({ ...entry, lines: entry.lines.slice(1) }, january))
      .thenRefused('price_lines_incomplete'));
  it.each([
    ['no whole number of pico-USD per token', { price: 1n, per: 3000 }],
    ['for no tokens', { per: 0 }],
    ['for a part of a token', { per: 0.5 }],
  ])('refuses a line that is %s', (_, change) =>
    given()
      .when(list(lines(change), january))
      .thenRefused('invalid_price'),
  );
  it('refuses a cost with wrong lines', () =>
    given()
      .when(list({ ...entry, cost: entry.lines.slice(1) }, january))
      .thenRefused('price_lines_incomplete'));
  it('changes nothing if other lines express the same price', () =>
    given(listed(entry, 1, january))
      .when(list(lines({ per: 1000, price: 150_000n }), february))
      .then());

  it.each([
    { kind: 'completion' },
    { ownedBy: 'somebody' },
    { upstream: 'another' },
    { upstreamModel: 'simulated-small-2' },
    { contextTokens: 64_000 },
    { maxOutputTokens: 2048 },
    { source: 'https://example.com/other' },
    { asOf: '2026-01-15' },
    { lines: linesOf({ ...rates, reasoning: 1n }) },
    { cost: linesOf({ ...rates, reasoning: 1n }) },
    { cost: null },
  ] satisfies Partial<PriceEntry>[])('takes a change of %o for a new version', (change) =>
    given(listed(entry, 1, january))
      .when(list({ ...entry, ...change }, february))
      .then(listed({ ...entry, ...change }, 2, february)),
  );
});

describe('the notice of a price', () => {
  const [book] = [listed(entry, 1, january)];
  it('is not needed for a new model', () =>
    given()
      .when(list(entry, january, 0))
      .then(book));
  it('is 14 days if any usage can cost more', () => {
    const mixed = at({ input: 1n, output: 600_001n });
    given(book)
      .when(list(mixed, february))
      .then(listed(mixed, 2, february));
    given(book)
      .when(list(mixed, february, NOTICE_MS - 1))
      .thenRefused('notice_too_short');
  });
  it('is a minute if no usage can cost more', () => {
    for (const change of [cheaper, { ...entry, maxOutputTokens: 1 }, { ...entry, cost: null }]) {
      given(book)
        .when(list(change, february, MIN_AHEAD_MS))
        .then(listed(change, 2, february));
      given(book)
        .when(list(change, february, MIN_AHEAD_MS - 1))
        .thenRefused('takes_effect_too_soon');
    }
  });
  it('compares with the price that was announced for that time', () => {
    const announced = listed(dearer, 2, february);
    given(book, announced)
      .when(list(at({ output: 650_000n }), february, MIN_AHEAD_MS))
      .then(listed(at({ output: 650_000n }), 3, february));
    given(book, listed(cheaper, 2, february))
      .when(list(entry, february, MIN_AHEAD_MS))
      .thenRefused('notice_too_short');
  });
});

describe('WithdrawPrice', () => {
  const first = listed(entry, 1, january);
  it('withdraws an increase until a minute before its effect', () => {
    const announced = [first, listed(dearer, 2, february)];
    given(...announced)
      .when(withdraw(2, ahead(february, MIN_AHEAD_MS)))
      .then(withdrawn(2));
    given(...announced)
      .when(withdraw(2, ahead(february, MIN_AHEAD_MS - 1)))
      .thenRefused('takes_effect_too_soon');
    given(...announced)
      .when(withdraw(2, march))
      .thenRefused('takes_effect_too_soon');
  });
  it('withdraws an announced decrease only with notice', () => {
    const announced = [first, listed(cheaper, 2, february)];
    given(...announced)
      .when(withdraw(2, ahead(february, NOTICE_MS)))
      .then(withdrawn(2));
    given(...announced)
      .when(withdraw(2, ahead(february, NOTICE_MS - 1)))
      .thenRefused('notice_too_short');
  });
  it('needs notice if a later announced price becomes an increase without it', () => {
    const afterwards = new Date(february.getTime() + 3_600_000);
    const announced = [first, listed(at({ output: 800_000n }), 2, february), listed(dearer, 3, afterwards)];
    given(...announced)
      .when(withdraw(2, ahead(afterwards, NOTICE_MS)))
      .then(withdrawn(2));
    given(...announced)
      .when(withdraw(2, ahead(afterwards, NOTICE_MS - 1)))
      .thenRefused('notice_too_short');
  });
  it('withdraws a price once', () =>
    given(first, listed(dearer, 2, february), withdrawn(2))
      .when(withdraw(2, january))
      .then());
  it('refuses versions and models that are not listed', () => {
    given(first).when(withdraw(2, january)).thenRefused('price_version_not_found');
    given().when(withdraw(1, january)).thenRefused('model_not_listed');
  });
  it('leaves the price before it in force, and its number used', () => {
    const events = [first, listed(dearer, 2, february), withdrawn(2)];
    expect(priceAt(bookOf(...events), model, march)?.version).toBe(1);
    expect(bookOf(...events).get(model)?.withdrawn).toMatchObject([{ version: 2, reason: 'a typo' }]);
    given(...events)
      .when(list(dearer, march))
      .then(listed(dearer, 3, march));
  });
  it('of all prices does not make the model a new one', () => {
    const events = [listed(entry, 1, march), withdrawn(1)];
    given(...events)
      .when(list(entry, february, MIN_AHEAD_MS))
      .then(listed(entry, 2, february));
    given(...events)
      .when(list(entry, february, 0))
      .thenRefused('takes_effect_too_soon');
  });
  it('allows another price with an earlier effect', () =>
    given(first, listed(dearer, 2, march), withdrawn(2))
      .when(list(dearer, february))
      .then(listed(dearer, 3, february)));
});

describe('the announced changes of a model', () => {
  it('are in the order of their effect, and state which can cost more', () => {
    const book = bookOf(
      listed(entry, 1, january),
      listed({ ...entry, asOf: '2026-01-02' }, 2, february),
      listed(dearer, 3, february),
      listed(cheaper, 4, march),
    );
    const changes = changesAfter(book, model, january);
    expect(changes.map(({ price, isIncrease }) => [price.version, isIncrease])).toEqual([
      [3, true],
      [4, false],
    ]);
    expect(changesAfter(book, model, february).map(({ price }) => price.version)).toEqual([4]);
  });
  it('leave out changes of facts, withdrawn prices, and prices after the end of sale', () => {
    const book = bookOf(
      listed(entry, 1, january),
      listed({ ...entry, asOf: '2026-01-02' }, 2, february),
      listed(dearer, 3, march),
      delisted(model, march),
    );
    expect(changesAfter(book, model, january)).toEqual([]);
    expect(
      changesAfter(bookOf(listed(entry, 1, january), listed(dearer, 2, march), withdrawn(2)), model, january),
    ).toEqual([]);
  });
});

describe('the price in force', () => {
  const book = bookOf(
    listed(entry, 1, january),
    listed(dearer, 2, march),
    listed(other, 1, february),
    listed({ ...other, asOf: 'corrected' }, 2, february),
  );
  const versionAt = (model: string, at: Date) => priceAt(book, model, at)?.version;

  it('takes effect at the announced time', () => {
    expect(versionAt(entry.model, justBefore(january))).toBeUndefined();
    expect(versionAt(entry.model, january)).toBe(1);
    expect(versionAt(entry.model, justBefore(march))).toBe(1);
    expect(versionAt(entry.model, march)).toBe(2);
  });
  it('is the last listed one of several with the same effect', () => expect(versionAt(other.model, february)).toBe(2));
  it('is undefined for an unknown model', () => expect(versionAt('unheard-of', march)).toBeUndefined());
  it('is one for each model that is on sale', () => {
    expect(pricesAt(book, january).map(({ model, version }) => [model, version])).toEqual([[entry.model, 1]]);
    expect(pricesAt(book, march).map(({ model, version }) => [model, version])).toEqual([
      [entry.model, 2],
      [other.model, 2],
    ]);
  });
  it('includes the whole entry', () =>
    expect(priceAt(book, entry.model, january)).toEqual({
      ...{ ...entry, rates, version: 1, effectiveFrom: january },
    }));
});
