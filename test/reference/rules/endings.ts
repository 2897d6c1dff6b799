import type { CommandOf } from '../../../src/domain/account/commands.ts';
import {
  endingOf,
  excessOf,
  inPayOrder,
  paidLotOf,
  remainingOf,
  type Ending,
  type MoneyBooks,
} from '../money-books.ts';
import { begin, happens, refused, write, type Decision, type Verdict } from './decision.ts';
import { endOf } from './marks.ts';

/** Ends the lots whose time is over. A lot of which holds may need all is only marked. */
export const expire = (decision: Decision, at: number): void => {
  const { books } = decision;
  for (const lot of inPayOrder(books.lots)) {
    if (lot.endsAt === undefined || lot.endsAt > at || remainingOf(lot) === 0n) continue;
    if (endingOf(books, lot) !== undefined) continue;
    write(decision, endOf(lot.id, excessOf(books, lot), 'ended'));
  }
};

export const expireLots = (books: MoneyBooks, { at }: CommandOf<'ExpireLots'>): Verdict => {
  const decision = begin(books);
  expire(decision, at);
  return happens(...decision.effects);
};

/** What grants lose when the account is closed. */
export const endGrants = (decision: Decision): void => {
  const { books } = decision;
  for (const lot of inPayOrder(books.lots)) {
    const excess = lot.isGrant ? excessOf(books, lot) : 0n;
    if (excess > 0n) write(decision, endOf(lot.id, excess, 'account_closed'));
  }
};

type GivenUp = Ending & ('forfeited' | 'waived');

/** Forfeits or waives what is left of paid lots of a closed account. */
export const endPaid = (books: MoneyBooks, ending: GivenUp, lotId?: string, below?: bigint): Verdict => {
  if (!books.closed) return refused('account_not_closed');
  if (lotId !== undefined && !paidLotOf(books, lotId)) return refused('lot_not_found');
  const decision = begin(books);
  endPaidOf(decision, ending, lotId, below);
  return happens(...decision.effects);
};

/** Of all paid lots, or of one, or of those with less left. Grants have ended with the account, and a lot that has ended does not end otherwise. */
export const endPaidOf = (decision: Decision, ending: GivenUp, lotId?: string, below?: bigint): void => {
  for (const lot of inPayOrder(decision.books.lots)) {
    // What a refund or a dispute returns later is forfeited too.
    const left = ending === 'forfeited' ? remainingOf(lot) : lot.free;
    if (lot.isGrant || left === 0n || lot.ended !== undefined) continue;
    if (lotId !== undefined && lot.id !== lotId) continue;
    if (below !== undefined && remainingOf(lot) >= below) continue;
    write(decision, endOf(lot.id, excessOf(decision.books, lot), ending));
  }
};
