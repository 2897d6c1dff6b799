import fc from 'fast-check';
import { expect, it } from 'vitest';
import { evolveAccount } from '../../../src/domain/account/account.ts';
import { owed } from '../../../src/domain/account/closing.ts';
import type { AccountCommand } from '../../../src/domain/account/commands.ts';
import { accountPostings } from '../../../src/domain/account/postings.ts';
import { evolveBookedLots, type BookedLots } from '../../../src/domain/books/booked-lots.ts';
import type { BookAccount } from '../../../src/domain/books/chart.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import { excessOf, heldForRefund, heldOf, openMoneyBooks } from '../../reference/money-books.ts';
import { enter, isMoneyEvent } from '../../reference/money-entries.ts';
import { sum } from '../../support/money.ts';
import { anyEnd } from '../account/conduct/arbitrary.ts';
import { customer } from '../account/examples.ts';
import { decisionsOf, fold, moves } from './account-histories.ts';

/** What events of one type have posted to one account of the books. */
type Posted = Map<string, bigint>;

const book = (posted: Posted, event: AccountEvent, lots: BookedLots): void => {
  for (const { account, amount } of accountPostings(event, lots)) {
    const place = `${event.type} ${account}`;
    posted.set(place, (posted.get(place) ?? 0n) + amount);
  }
};
const of = (posted: Posted, type: AccountEvent['type'], account: BookAccount): bigint =>
  posted.get(`${type} ${account}`) ?? 0n;

/** Histories of which most end. */
const histories: fc.Arbitrary<readonly AccountCommand[]> = fc
  .tuple(moves, anyEnd, moves)
  .map(([before, end, after]) => [...before, end, ...after.slice(0, 30)]);

it('the books of a closed account equal its credits owed, in refunds, frozen and held, to the nano-dollar', () => {
  let closed = 0;
  fc.assert(
    fc.property(histories, (asked) => {
      const [lots, posted, books]: [BookedLots, Posted, ReturnType<typeof openMoneyBooks>] = [
        ...([new Map(), new Map()] as const),
        openMoneyBooks(),
      ];
      let account = fold(customer);
      for (const { events } of decisionsOf(asked)) {
        for (const event of events) {
          book(posted, event, lots);
          evolveBookedLots(lots, event);
          if (isMoneyEvent(event)) enter(books, event);
          account = evolveAccount(account, event);
        }
        if (!books.closed) continue;
        closed++;
        const { wallet } = account;
        // Counted lot by lot: what requests in progress may need is no part of it.
        const owing = sum(books.lots.map((lot) => excessOf(books, lot)));
        const inRefunds = sum(books.lots.map(heldForRefund));
        const frozen = sum(books.lots.map((lot) => lot.frozen));
        expect(owed(account)).toBe(owing);
        expect(wallet.balance).toBe(owing + inRefunds + frozen + heldOf(books));
        expect(-of(posted, 'CreditsForfeited', '4090')).toBe(wallet.forfeited);
        expect(-of(posted, 'CreditsWaived', '4095')).toBe(wallet.waived);
        expect(-of(posted, 'CreditsRefunded', '1140')).toBe(wallet.refunded);
      }
    }),
    { numRuns: 1000 },
  );
  expect(closed).toBeGreaterThan(1000);
});
