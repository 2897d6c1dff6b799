import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AccountCommand } from '../../../src/domain/account/commands.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import { accountPostings } from '../../../src/domain/account/postings.ts';
import { evolveAccount } from '../../../src/domain/account/account.ts';
import { openDebt, type Wallet } from '../../../src/domain/account/wallet.ts';
import { evolveBookedLots, type BookedLots } from '../../../src/domain/books/booked-lots.ts';
import { customerCredits, type BookAccount } from '../../../src/domain/books/chart.ts';
import type { Posting } from '../../../src/domain/books/posting.ts';
import { sum } from '../../support/money.ts';
import { customer } from '../account/examples.ts';
import { decisionsOf, fold, moves } from './account-histories.ts';

type TrialBalance = Map<BookAccount, bigint>;

const balanceOf = (books: TrialBalance, ...accounts: readonly BookAccount[]): bigint =>
  sum(accounts.map((account) => books.get(account) ?? 0n));

const book = (books: TrialBalance, postings: readonly Posting[]): void => {
  for (const { account, amount } of postings) books.set(account, (books.get(account) ?? 0n) + amount);
};

const lockedIn = ({ lots, spentLots }: Wallet, part: 'heldForRefund' | 'frozen'): bigint =>
  sum([...lots.values(), ...spentLots.values()].map((lot) => lot[part]));

/** What the payments have posted to 1140 for what the account was asked: money received, less money that went back. */
const createPayments = () => {
  let unapplied = 0n;
  const chargebacks = new Map<string, bigint>();
  return {
    unapplied: () => unapplied,
    record: (command: AccountCommand, events: readonly AccountEvent[]): void => {
      for (const event of events) {
        if (event.type === 'CreditsToppedUp' && event.source.kind === 'payment') unapplied -= event.amount;
      }
      if (command.type === 'RecordRefund') unapplied += command.amount;
      if (events.length === 0) return;
      if (command.type === 'RecordChargeback') {
        unapplied += command.amount;
        chargebacks.set(command.lotId + command.disputeId, command.amount);
      }
      if (command.type === 'ReverseChargeback') {
        unapplied -= chargebacks.get(command.lotId + command.disputeId) ?? 0n;
      }
    },
  };
};

const awaitedIn = ({ lots, spentLots }: Wallet): bigint =>
  sum([...lots.values(), ...spentLots.values()].flatMap(({ awaited }) => awaited.map(({ amount }) => amount)));

it('keeps for each account what its wallet has, at every revision', () =>
  fc.assert(
    fc.property(moves, (asked) => {
      const books: TrialBalance = new Map();
      const lots: BookedLots = new Map();
      const payments = createPayments();
      let account = fold(customer);
      for (const { command, events } of decisionsOf(asked)) {
        payments.record(command, events);
        for (const event of events) {
          const postings = accountPostings(event, lots);
          expect(sum(postings.map(({ amount }) => amount)), event.type).toBe(0n);
          book(books, postings);
          evolveBookedLots(lots, event);
          account = evolveAccount(account, event);
          const { wallet } = account;
          expect(-balanceOf(books, ...customerCredits)).toBe(wallet.balance);
          expect(-balanceOf(books, '2030')).toBe(lockedIn(wallet, 'heldForRefund'));
          expect(-balanceOf(books, '2040')).toBe(lockedIn(wallet, 'frozen'));
          expect(balanceOf(books, '1200')).toBe(openDebt(wallet));
        }
        expect(balanceOf(books, '1140') + payments.unapplied()).toBe(awaitedIn(account.wallet));
      }
    }),
    { numRuns: 1000 },
  ));
