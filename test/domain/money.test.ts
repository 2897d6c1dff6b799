import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  affordableOutputTokens,
  cost,
  costBound,
  formatUsd,
  formatUsdPerMillion,
  jsonUsd,
  max,
  min,
  noUsage,
  parseUsd,
  parseUsdPerMillion,
  picoUsd,
  tokenClasses,
  type Rates,
  type TokenClass,
  type Usage,
} from '../../src/domain/money.ts';

const free: Rates = { input: 0n, cachedInput: 0n, cacheWrite: 0n, output: 0n, reasoning: 0n };

const perClass = <V>(value: fc.Arbitrary<V>): fc.Arbitrary<Record<TokenClass, V>> =>
  fc.record({ input: value, cachedInput: value, cacheWrite: value, output: value, reasoning: value });
// Small ones, among which rounding shows, and dear ones, up to a thousand USD for a thousand tokens.
const rate = fc.oneof(fc.bigInt(0n, 3000n), fc.bigInt(0n, 10n ** 12n));
const someRates: fc.Arbitrary<Rates> = perClass(rate);
const someTokens = fc.oneof(fc.nat(20), fc.nat(10_000_000));
const someUsage: fc.Arbitrary<Usage> = perClass(someTokens);

describe('cost', () => {
  it('is nothing for nothing', () => expect(cost(noUsage, { ...free, input: 5n })).toBe(0n));

  it('prices each class at its own rate', () => {
    const rates: Rates = {
      input: 2_000_000n,
      cachedInput: 500_000n,
      cacheWrite: 2_500_000n,
      output: 8_000_000n,
      reasoning: 9_000_000n,
    };
    const usage: Usage = { input: 1000, cachedInput: 200, cacheWrite: 30, output: 400, reasoning: 50 };
    // In USD: 0.002 + 0.0001 + 0.000075 + 0.0032 + 0.00045
    expect(cost(usage, rates)).toBe(5_825_000n);
  });

  it('rounds the sum up once, not each class', () => {
    expect(cost({ input: 1, cachedInput: 1, cacheWrite: 1, output: 1, reasoning: 1 }, { ...free, input: 1n })).toBe(1n);
    const threeTenths: Rates = { input: 300n, cachedInput: 300n, cacheWrite: 300n, output: 50n, reasoning: 50n };
    expect(cost({ input: 1, cachedInput: 1, cacheWrite: 1, output: 1, reasoning: 1 }, threeTenths)).toBe(1n);
    expect(cost({ input: 1, cachedInput: 1, cacheWrite: 1, output: 1, reasoning: 2 }, threeTenths)).toBe(2n);
  });

  it('is the least whole nano-USD that covers the pico-USD of all classes', () =>
    fc.assert(
      fc.property(someUsage, someRates, (usage, rates) => {
        const pico = tokenClasses.map((one) => picoUsd(usage[one], rates[one])).reduce((a, b) => a + b);
        const nano = cost(usage, rates);
        expect(nano * 1000n >= pico).toBe(true);
        expect((nano - 1n) * 1000n < pico).toBe(true);
      }),
    ));

  it.each([-1, NaN])('breaks a promise at %s tokens', (input) =>
    expect(() => cost({ ...noUsage, input }, free)).toThrow('usage is never negative'),
  );
  it.each([0.5, Infinity])('refuses %s tokens', (output) =>
    expect(() => cost({ ...noUsage, output }, free)).toThrow(RangeError),
  );
});

describe('costBound', () => {
  it('is never less than what a usage within the bounds costs, whatever its classes', () =>
    fc.assert(
      fc.property(someUsage, someRates, fc.nat(1000), fc.nat(1000), (usage, rates, moreInput, moreOutput) => {
        const bound = costBound(
          usage.input + usage.cachedInput + usage.cacheWrite + moreInput,
          usage.output + usage.reasoning + moreOutput,
          rates,
        );
        expect(cost(usage, rates) <= bound).toBe(true);
      }),
    ));

  it('is what the dearest usage costs', () =>
    fc.assert(
      fc.property(someTokens, someTokens, someRates, (input, output, rates) => {
        const costs = (['input', 'cachedInput', 'cacheWrite'] as const).flatMap((from) =>
          (['output', 'reasoning'] as const).map((to) => cost({ ...noUsage, [from]: input, [to]: output }, rates)),
        );
        expect(costBound(input, output, rates)).toBe(costs.reduce((a, b) => max(a, b)));
      }),
    ));
});

describe('affordableOutputTokens', () => {
  it('is the largest output that fits', () =>
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 12n), someTokens, someRates, (credits, input, rates) => {
        const output = affordableOutputTokens(credits, input, rates);
        if (output >= 0) expect(costBound(input, output, rates) <= credits).toBe(true);
        if (output < Number.MAX_SAFE_INTEGER) expect(costBound(input, output + 1, rates) > credits).toBe(true);
      }),
    ));

  it('is -1 where credits do not even pay for the input', () => {
    expect(affordableOutputTokens(9n, 10, { ...free, input: 1000n, output: 1n })).toBe(-1);
    expect(affordableOutputTokens(10n, 10, { ...free, input: 1000n, output: 1n })).toBe(0);
  });
  it('is -1 for an input that is not paid for, though the output costs nothing', () =>
    expect(affordableOutputTokens(9n, 10, { ...free, input: 1000n })).toBe(-1));
  it('knows no limit where the output costs nothing', () =>
    expect(affordableOutputTokens(10n, 10, { ...free, input: 1000n })).toBe(Number.MAX_SAFE_INTEGER));
  it('stays a number that can be counted with, however much credit there is', () =>
    expect(affordableOutputTokens(10n ** 18n, 0, { ...free, output: 1n })).toBe(Number.MAX_SAFE_INTEGER));
});

describe('USD', () => {
  it.each([
    ['5', 5_000_000_000n],
    ['5.00', 5_000_000_000n],
    ['0.000000001', 1n],
    ['0', 0n],
    ['007.5', 7_500_000_000n],
    ['999999999.999999999', 999_999_999_999_999_999n],
  ])('reads %s', (text, credits) => expect(parseUsd(text)).toBe(credits));

  it.each([
    ...['', ' 5', '5 ', '5\n', '+5', '-5', '.5', '5.', '1e3', '1,5', '1_000', '0x5', '٥', 'NaN', 'Infinity', '$5'],
    ...['0.0000000001', '1000000000', '5.0.0'],
  ])('does not read %j', (text) => expect(parseUsd(text)).toBeUndefined());

  it.each([
    [5_000_000_000n, '5.00'],
    [1n, '0.000000001'],
    [0n, '0.00'],
    [100_000_000n, '0.10'],
    [123_000_000n, '0.123'],
    [-1_500_000_000n, '-1.50'],
    [10n ** 30n, '1000000000000000000000.00'],
  ])('writes %s as %s', (credits, text) => expect(formatUsd(credits)).toBe(text));

  it('reads what it wrote', () =>
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 18n - 1n), (credits) => {
        expect(parseUsd(formatUsd(credits))).toBe(credits);
      }),
    ));
  it('is written to JSON as a number with all its decimals, also where a float has fewer', () => {
    expect(JSON.stringify({ a: jsonUsd(1n), b: jsonUsd(-123_456_789_123_456_789n) })).toBe(
      '{"a":0.000000001,"b":-123456789.123456789}',
    );
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 18n), 10n ** 18n), (credits) => {
        const json = JSON.stringify(jsonUsd(credits));
        expect(json).toBe(formatUsd(credits));
        expect(JSON.parse(json)).toBe(Number(formatUsd(credits)));
      }),
    );
  });

  it('writes at least cents, and no zero that says nothing', () =>
    fc.assert(
      fc.property(fc.bigInt(), (credits) => {
        expect(formatUsd(credits)).toMatch(/^-?(0|[1-9]\d*)\.\d(\d|\d{1,7}[1-9])$/);
      }),
    ));
});

describe('USD per million tokens', () => {
  it.each([
    ['1', 1_000_000n],
    ['0.15', 150_000n],
    ['0.000001', 1n],
    ['0', 0n],
  ])('reads %s', (text, rates) => expect(parseUsdPerMillion(text)).toBe(rates));
  it.each(['0.0000001', '-1', 'free', ''])('does not read %j', (text) =>
    expect(parseUsdPerMillion(text)).toBeUndefined(),
  );
  it('reads what it wrote', () =>
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 14n), (one) => {
        expect(parseUsdPerMillion(formatUsdPerMillion(one))).toBe(one);
      }),
    ));
});

describe('min and max', () => {
  it('choose', () => {
    expect(min(1n, 2n)).toBe(1n);
    expect(min(2n, 1n)).toBe(1n);
    expect(max(1n, 3n, 2n)).toBe(3n);
    expect(max(-1n)).toBe(-1n);
  });
});
