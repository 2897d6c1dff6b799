import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cost, noUsage, tokenClasses, type Rates, type Usage } from '../../../src/domain/money.ts';
import { MIN_AHEAD_MS, NOTICE_MS } from '../../../src/domain/notice.ts';
import { priceDecider, type PriceCommand } from '../../../src/domain/prices/decide.ts';
import type { PriceEntry, PriceEvent } from '../../../src/domain/prices/events.ts';
import { canCostMore, lineFault, linesOf, ratesOf, type PriceLine } from '../../../src/domain/prices/lines.ts';
import { emptyPriceBook, evolvePriceBook, priceAt, type PriceBook } from '../../../src/domain/prices/price-book.ts';
import { withMargin } from '../../../src/domain/prices/proposals.ts';

const byClass = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Readonly<Record<keyof Rates, Value>>> =>
  fc.record({ input: value, cachedInput: value, cacheWrite: value, output: value, reasoning: value });
const someRates: fc.Arbitrary<Rates> = byClass(fc.bigInt(0n, 10n ** 9n));
const nearRates: fc.Arbitrary<Rates> = byClass(fc.bigInt(0n, 3n));
const someUsage: fc.Arbitrary<Usage> = byClass(fc.nat(5000));

describe('whether a price can cost more', () => {
  /** Looks for a usage that costs more: a few tokens of each class, and of all. */
  const searched: readonly Usage[] = [1, 2, 10, 1000].flatMap((tokens) => [
    ...tokenClasses.map((one) => ({ ...noUsage, [one]: tokens })),
    { input: tokens, cachedInput: tokens, cacheWrite: tokens, output: tokens, reasoning: tokens },
  ]);

  it.each([
    ['far apart', someRates],
    ['close together', nearRates],
  ])('is true if and only if a usage costs more, for rates that are %s', (_, rates) => {
    fc.assert(
      fc.property(rates, rates, fc.array(someUsage, { maxLength: 20 }), (old, updated, usages) => {
        const costsMore = [...searched, ...usages].some((usage) => cost(usage, updated) > cost(usage, old));
        expect(canCostMore(old, updated)).toBe(costsMore);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a proposal', () => {
  it('is the cost with the margin, rounded up by less than a pico-USD per token, and never below the cost', () => {
    fc.assert(
      fc.property(someRates, fc.bigInt(0n, 5_000_000n), (rates, margin) => {
        const proposed = withMargin(rates, margin);
        for (const one of tokenClasses) {
          const exact = rates[one] * (1_000_000n + margin);
          expect(proposed[one] >= rates[one]).toBe(true);
          expect(proposed[one] * 1_000_000n >= exact).toBe(true);
          expect((proposed[one] - 1n) * 1_000_000n < exact).toBe(true);
        }
        expect(lineFault(linesOf(proposed))).toBeUndefined();
      }),
    );
  });
});

describe('the rates that a hold pins', () => {
  const line = (tokenClass: keyof Rates): fc.Arbitrary<PriceLine> =>
    fc.record({
      unit: fc.constant('token' as const),
      per: fc.constantFrom(1, 1000, 1_000_000, 500, 7),
      match: fc.constant({ class: tokenClass }),
      price: fc.bigInt(0n, 10n ** 10n).map((price) => price * 7n * 10n ** 3n),
    });
  const lines = fc.tuple(...tokenClasses.map(line)).map((all) => [...all].reverse());

  it('cost exactly what the lines of the listed version cost', () => {
    fc.assert(
      fc.property(lines, someUsage, (lines, usage) => {
        expect(lineFault(lines)).toBeUndefined();
        const event: PriceEvent = {
          type: 'PriceListed',
          version: 1,
          effectiveFrom: new Date(0),
          entry: entryAt(lines),
        };
        const price = priceAt(evolvePriceBook(emptyPriceBook(), event), 'm', new Date(1));
        const common = 7_000_000n;
        const sum = lines.reduce((all, { match, per, price }) => {
          return all + (BigInt(usage[match.class]) * price * common) / BigInt(per);
        }, 0n);
        expect(cost(usage, price?.rates ?? ratesOf([]))).toBe((sum + common - 1n) / common);
      }),
    );
  });
});

const entryAt = (lines: readonly PriceLine[]): PriceEntry => ({
  ...{
    model: 'm',
    kind: 'chat',
    ownedBy: 'o',
    upstream: 'u',
    upstreamModel: 'm',
    contextTokens: 9,
    maxOutputTokens: 9,
  },
  ...{ lines, cost: null, source: 's', asOf: '2026-01-01' },
});

const START = Date.parse('2026-01-01T00:00:00Z');
const DAY = 24 * 60 * 60 * 1000;
const aheadMs = fc.oneof(
  fc.constantFrom(0, MIN_AHEAD_MS - 1, MIN_AHEAD_MS, MIN_AHEAD_MS + 5000, NOTICE_MS - 1, NOTICE_MS, 20 * DAY),
  fc.integer({ min: -DAY, max: 40 * DAY }),
);
type Step = (at: Date) => PriceCommand;
const step: fc.Arbitrary<{ readonly waitMs: number; readonly commandAt: Step }> = fc.record({
  waitMs: fc.oneof(fc.constantFrom(0, 1, 20_000, MIN_AHEAD_MS, DAY, NOTICE_MS), fc.nat(20 * DAY)),
  commandAt: fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(byClass(fc.bigInt(1n, 3n)), aheadMs).map(([rates, ms]): Step => (at) => {
        return { type: 'ListPrice', entry: entryAt(linesOf(rates)), effectiveFrom: new Date(+at + ms), at };
      }),
    },
    {
      weight: 2,
      arbitrary: fc.integer({ min: 1, max: 6 }).map((version): Step => (at) => {
        return { type: 'WithdrawPrice', model: 'm', version, reason: 'r', at };
      }),
    },
    fc.tuple(aheadMs, fc.boolean()).map(([ms, endedByProvider]): Step => (at) => {
      return { type: 'DelistModel', model: 'm', effectiveFrom: new Date(+at + ms), reason: 'r', endedByProvider, at };
    }),
    fc.constant((at: Date): PriceCommand => ({ type: 'RelistModel', model: 'm', at })),
  ),
});

type Done = {
  readonly at: number;
  readonly command: PriceCommand;
  readonly before: PriceBook;
  readonly after: PriceBook;
};

/** The commands that the price book accepted, each at its time. */
const carryOut = (steps: readonly { readonly waitMs: number; readonly commandAt: Step }[]): readonly Done[] => {
  let at = START;
  let book = emptyPriceBook();
  return steps.flatMap(({ waitMs, commandAt }) => {
    at += waitMs;
    const command = commandAt(new Date(at));
    const decision = priceDecider.decide(command, book);
    if (decision.kind === 'refused' || decision.events.length === 0) return [];
    const before = book;
    book = decision.events.reduce(evolvePriceBook, book);
    return [{ at, command, before, after: book }];
  });
};

/** Every time at which the price of the model can change in one of the books, and the moment before it. */
const timesOf = (...books: readonly PriceBook[]): readonly number[] =>
  books
    .flatMap((book) =>
      [book.get('m')].flatMap((prices) => [
        ...(prices?.versions ?? []),
        ...(prices?.withdrawn ?? []),
        ...(prices?.delistings ?? []),
      ]),
    )
    .flatMap(({ effectiveFrom }) => [+effectiveFrom - 1, +effectiveFrom]);

const histories = fc.array(step, { minLength: 2, maxLength: 12 });

describe('whatever is announced', () => {
  it('no command changes the price of the next minute, or makes that of the next 14 days worse', () => {
    fc.assert(
      fc.property(histories, (steps) => {
        for (const { at, command, before, after } of carryOut(steps)) {
          if (!before.get('m')?.versions.length) continue;
          const soon = [at, at + MIN_AHEAD_MS - 1, at + NOTICE_MS - 1];
          for (const time of [...soon, ...timesOf(before, after)].filter((one) => one >= at)) {
            const [old, updated] = [before, after].map((book) => priceAt(book, 'm', new Date(time)));
            if (time < at + MIN_AHEAD_MS) expect(updated?.version).toBe(old?.version);
            const ended = command.type === 'DelistModel' && command.endedByProvider;
            if (time >= at + NOTICE_MS || !old || ended) continue;
            expect(updated).toBeDefined();
            expect(canCostMore(old.rates, updated?.rates ?? old.rates)).toBe(false);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('nodes agree on the price at a time if their clocks differ by 30 s at most, and their copies are 30 s old at most', () => {
    const skew = fc.integer({ min: -15_000, max: 15_000 });
    fc.assert(
      fc.property(histories, fc.infiniteStream(skew), fc.infiniteStream(fc.nat(30_000)), (steps, skews, ages) => {
        /** Each command is decided by the clock of its node, and is in the log at a real time. */
        const done = carryOut(steps).map((one) => ({ ...one, inLogAt: one.at - (skews.next().value as number) }));
        const [first] = done;
        const last = done.at(-1)?.after ?? emptyPriceBook();
        for (const time of [...timesOf(last), ...done.map(({ at }) => at + MIN_AHEAD_MS)]) {
          /** What a node decides if its clock shows that time. */
          const seen = [1, 2].map(() => {
            const copiedAt = time - (skews.next().value as number) - (ages.next().value as number);
            const book = done.findLast(({ inLogAt }) => inLogAt <= copiedAt)?.after ?? first?.before;
            return book && first && copiedAt >= first.inLogAt ? priceAt(book, 'm', new Date(time))?.version : undefined;
          });
          const known = seen.filter((version) => version !== undefined);
          if (first && time - 45_000 > first.inLogAt + MIN_AHEAD_MS) expect(new Set(seen).size).toBe(1);
          else expect(new Set(known).size).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
