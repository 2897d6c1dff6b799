import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cost, costBound, noUsage, type Credits } from '../../../../src/domain/money.ts';
import {
  after,
  expectWellFormed,
  generationId,
  hold,
  owed,
  play,
  type played,
  rates,
  release,
  topUp,
  wordsIn,
  type Meanwhile,
  type Said,
} from './stepped-stream.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** How many words there would have been with the event that was not delivered; what was is all that came before it. */
const upToNext = (said: readonly Said[], delivered: number): number => {
  let words = 0;
  for (const one of said) {
    if (words + one.words > delivered) {
      expect(words).toBe(delivered);
      return words + one.words;
    }
    words += one.words;
  }
  throw new Error('all of it was delivered');
};

type Played = Awaited<ReturnType<typeof played>>;

/** What must be written off of so many words: what of the bill was not charged, and what nobody asked for and nobody reported. */
const houseBears = ({ end, total, limit, most }: Played, delivered: number): Credits => {
  if (!end) return 0n;
  const reported = end.delivery.usageSource === 'reported';
  const beyond = reported ? 0 : Math.max(0, delivered - limit);
  expect(beyond).toBeLessThanOrEqual(most - limit);
  return owed(reported ? total : delivered - beyond) - end.charged + cost({ ...noUsage, output: beyond }, rates);
};

describe('any stream', () => {
  const words = fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 0, max: 60 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1000, max: 5000 }) },
  );
  const credits = fc.integer({ min: 1, max: 20_000 }).map((output) => owed(output) + 200_000n);
  const shape = fc.integer({ min: 1, max: 3 }).chain((choices) =>
    fc.record({
      choices: fc.constant(choices),
      said: fc.array(fc.record({ index: fc.nat(choices - 1), words }), { maxLength: 400, size: 'max' }),
      ending: fc.constantFrom('usage', 'no usage', 'break'),
      cuts: fc.array(fc.nat(), { maxLength: 30, size: 'max' }),
      extendMs: fc.constantFrom(0, 7),
      flaky: fc.boolean(),
      credits,
      // Of which these upstreams take no notice.
      fields: fc.option(
        fc.integer({ min: 1, max: 6000 }).map((max_tokens) => ({ max_tokens })),
        { nil: {} },
      ),
    }),
  );
  const id = fc.constantFrom('a', 'b', 'c');
  const act: fc.Arbitrary<Meanwhile> = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(id, credits).map(([one, amount]) => hold(one, amount / 4n)) },
    { weight: 3, arbitrary: id.map(release) },
    { weight: 1, arbitrary: fc.tuple(id, credits).map(([lot, amount]) => topUp(lot, amount / 4n)) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        () => after(1),
        () => after(400),
      ),
    },
  );

  it('alone gets all that its credits pay for, to the last event, and not one more', () =>
    fc.assert(
      fc.asyncProperty(shape, async (how) => {
        const result = await play(how);
        fc.pre(result.reserved);
        const { told, books, end, inputTokens, account, total, limit, most } = result;
        const delivered = wordsIn(told);
        const affords = (output: number): boolean =>
          costBound(inputTokens, Math.min(output, limit), rates) <= how.credits;
        const gets = (output: number): boolean => output <= most && affords(output);
        expect(books.writtenOff).toBe(houseBears(result, delivered));
        expect(account.state.wallet.held).toBe(0n);
        if (end?.delivery.usageSource === 'metered') expect(books.charged).toBe(owed(Math.min(delivered, limit)));
        const isWhole = delivered === total;
        const next = isWhole ? total : upToNext(how.said, delivered);
        expect(gets(next)).toBe(isWhole);
        // A stream whose very first words are far too many says nothing that could be delivered, and so it broke.
        const broke = isWhole ? how.ending === 'break' : delivered === 0 && affords(next);
        if (!broke) expectWellFormed(result, how.choices);
      }),
      { numRuns: 150 },
    ));

  it('among others, and with a hold that may be lost, is delivered what is held for, charged that, and never cut where it could be paid', () =>
    fc.assert(
      fc.asyncProperty(
        shape,
        fc.array(act, { minLength: 1, maxLength: 30 }),
        fc.option(fc.nat(30), { freq: 5 }),
        async (how, acts, loss) => {
          const meanwhile = acts.map((one, n) => (n === loss ? release(generationId) : one));
          const result = await play({ ...how, meanwhile });
          fc.pre(result.reserved);
          // Kept by the audit: no charge exceeds the credits, and what is not charged is written off, once.
          const { told, books, account, end, limit } = result;
          const delivered = wordsIn(told);
          const held = account.events.reduce(
            (sum, event) =>
              event.type === 'CreditsReserved' && event.requestId === generationId
                ? event.amount
                : event.type === 'HoldExtended'
                  ? sum + event.by
                  : sum,
            0n,
          );
          expect(owed(Math.min(delivered, limit))).toBeLessThanOrEqual(held);
          expect(account.state.wallet.holds.has(generationId)).toBe(false);
          expect(books.writtenOff).toBe(houseBears(result, delivered));
          if (end?.type === 'HoldSettled' && end.delivery.usageSource === 'metered') {
            expect(books.charged).toBe(owed(Math.min(delivered, limit)));
          }
          for (let index = 0; index < how.choices; index++) {
            const all = how.said.filter((one) => one.index === index).reduce((sum, one) => sum + one.words, 0);
            expect(wordsIn(told, index)).toBeLessThanOrEqual(all);
          }
          if (end?.type === 'HoldSettled' && end.delivery.ended === 'out_of_credits') {
            expectWellFormed(result, how.choices);
            const next = Math.min(upToNext(how.said, delivered), limit);
            expect(costBound(result.inputTokens, next, rates)).toBeGreaterThan(result.within);
          }
          // Four tries of two extensions, and a last one: the answer of each may be lost, which takes a second.
          expect(result.longestWaitMs).toBeLessThan(11_000);
        },
      ),
      { numRuns: 150 },
    ));
});
