import type { AccountEvent } from '../../src/domain/account/events.ts';
import type { Audited, Auditor } from './audit/auditor.ts';
import { auditConduct } from './audit/conduct.ts';
import { auditDebts } from './audit/debts.ts';
import { auditEndings } from './audit/endings.ts';
import { auditHolds } from './audit/holds.ts';
import { auditLots } from './audit/lots.ts';
import { auditMarks } from './audit/marks.ts';
import { auditRefunds } from './audit/refunds.ts';
import { auditReversals, type Charge } from './audit/reversals.ts';
import { auditStanding } from './audit/standing.ts';
import { auditThreshold } from './audit/threshold.ts';
import { auditWriteOffs } from './audit/write-offs.ts';
import {
  balanceOf,
  openDebtOf,
  openMoneyBooks,
  remainingOf,
  toppedUpOf,
  totalOf,
  type Flows,
  type Hold,
  type MoneyBooks,
} from './money-books.ts';
import { enter, isMoneyEvent } from './money-entries.ts';
import { sum } from '../support/money.ts';

export type { Charge } from './audit/reversals.ts';

export type Books = {
  readonly toppedUp: bigint;
  readonly charged: bigint;
  /** What lots lost at their end. */
  readonly expired: bigint;
  readonly writtenOff: bigint;
  /** What came back by reversals of charges. Repaid and charged back are without what was returned and restored. */
  readonly reversed: bigint;
  readonly repaid: bigint;
  readonly refunded: bigint;
  readonly chargedBack: bigint;
  readonly forfeited: bigint;
  readonly waived: bigint;
  readonly debt: bigint;
  /** The sum of what remains. */
  readonly balance: bigint;
  /** What remains of each lot, oldest first, without empty ones. */
  readonly lots: ReadonlyMap<string, bigint>;
  readonly holds: ReadonlyMap<string, Hold>;
  /** All that is kept. */
  readonly money: MoneyBooks;
};

/** A promise to customers or to finance that a history breaks. */
export class BrokenBooks extends Error {
  override readonly name = 'BrokenBooks';
}

type Expected = { readonly what: string; readonly isKept: (next: AccountEvent | undefined) => boolean };

/**
 * Keeps the books of one account a second time from its events, without code of the domain, and checks every promise at
 * every event. It needs no commands, so it also audits histories that a gateway wrote. It does not check which of several
 * allowed events a command must lead to: command-ledger.ts does. `lost` are charges that the log lost when it went back in
 * time: their receipts may still be reversed.
 */
export const audit = (history: readonly AccountEvent[], lost: readonly Charge[] = []): Books => {
  let n = 0;
  let expected: Expected[] = [];
  const books = openMoneyBooks();
  const check = (kept: boolean, what: string): void => {
    if (kept) return;
    const last = history[n]?.type ?? 'the end';
    throw new BrokenBooks(`${what}: ${last} is event ${n} of ${show(history.slice(0, n + 1))}`);
  };
  const audited: Audited = { books, check, expectNext: (what, isKept) => expected.push({ what, isKept }) };
  const standing = auditStanding(audited);
  const auditors: readonly Auditor[] = [
    standing,
    auditHolds(audited, standing.mayReserve),
    auditWriteOffs(audited),
    auditEndings(audited),
    auditConduct(audited),
    auditMarks(audited),
    auditRefunds(audited),
    auditDebts(audited),
    auditReversals(audited, lost),
    auditThreshold(audited),
    auditLots(audited, lost),
  ];
  const checkExpected = (next: AccountEvent | undefined): void => {
    const due = expected;
    expected = [];
    for (const { what, isKept } of due) check(isKept(next), what);
  };

  for (const event of history) {
    checkExpected(event);
    for (const { before } of auditors) before?.(event);
    if (isMoneyEvent(event)) enter(books, event);
    for (const { after } of auditors) after?.(event);
    n++;
  }
  checkExpected(undefined);
  for (const { end } of auditors) end?.();
  return closeBooks(books, history);
};

const closeBooks = (books: MoneyBooks, history: readonly AccountEvent[]): Books => {
  const flow = (name: keyof Flows): bigint => totalOf(books, name);
  const left = books.lots.map((lot): [string, bigint] => [lot.id, remainingOf(lot)]);
  return {
    toppedUp: toppedUpOf(books),
    charged: flow('used'),
    expired: flow('expired'),
    writtenOff: sum(history.map((event) => (event.type === 'UsageWrittenOff' ? event.amount : 0n))),
    reversed: flow('reversed'),
    repaid: flow('repaid'),
    refunded: flow('refunded'),
    chargedBack: flow('chargedBack'),
    forfeited: flow('forfeited'),
    waived: flow('waived'),
    debt: openDebtOf(books),
    balance: balanceOf(books),
    lots: new Map(left.filter(([, amount]) => amount > 0n)),
    holds: books.holds,
    money: books,
  };
};

const show = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? `${one}n` : one));
