import fc from 'fast-check';
import { expect, it } from 'vitest';
import { accountPostings } from '../../../src/domain/account/postings.ts';
import { openDebt, type Wallet } from '../../../src/domain/account/wallet.ts';
import { evolveBookedLots, type BookedLots } from '../../../src/domain/books/booked-lots.ts';
import { customerCredits, type BookAccount } from '../../../src/domain/books/chart.ts';
import type { Posting } from '../../../src/domain/books/posting.ts';
import { sum } from '../../support/money.ts';
import { decisionsOf, moves } from './account-histories.ts';

type TrialBalance = Map<BookAccount, bigint>;

const balanceOf = (books: TrialBalance, ...accounts: readonly BookAccount[]): bigint =>
  sum(accounts.map((account) => books.get(account) ?? 0n));

const book = (books: TrialBalance, postings: readonly Posting[]): void => {
  for (const { account, amount } of postings) books.set(account, (books.get(account) ?? 0n) + amount);
};

const lockedIn = ({ lots, spentLots }: Wallet, part: 'heldForRefund' | 'frozen'): bigint =>
  sum([...lots.values(), ...spentLots.values()].map((lot) => lot[part]));

it('keeps for each account what its wallet has, at every decision', () =>
  fc.assert(
    fc.property(moves, (asked) => {
      const books: TrialBalance = new Map();
      const lots: BookedLots = new Map();
      for (const { events, account } of decisionsOf(asked)) {
        for (const event of events) {
          const postings = accountPostings(event, lots);
          expect(sum(postings.map(({ amount }) => amount)), event.type).toBe(0n);
          book(books, postings);
          evolveBookedLots(lots, event);
        }
        const { wallet } = account;
        expect(-balanceOf(books, ...customerCredits)).toBe(wallet.balance);
        expect(-balanceOf(books, '2030')).toBe(lockedIn(wallet, 'heldForRefund'));
        expect(-balanceOf(books, '2040')).toBe(lockedIn(wallet, 'frozen'));
        expect(balanceOf(books, '1200')).toBe(openDebt(wallet));
      }
    }),
    { numRuns: 2000 },
  ));
