import type { CommandOf } from '../../../src/domain/account/commands.ts';
import { lotOf, openDebtOf, smaller, type MoneyBooks } from '../money-books.ts';
import { begin, happens, liftIfNothingIsOwed, refused, write, type Verdict } from './decision.ts';

/** A payment repays what is owed before it can be spent: the lot first whose open debt is the oldest. */
export const topUp = (books: MoneyBooks, { lotId, amount, source, endsAt }: CommandOf<'TopUp'>): Verdict => {
  if (books.closed && source.kind === 'grant') return refused('account_closed');
  if (amount <= 0n) return refused('invalid_amount');
  const lot = lotOf(books, lotId);
  if (lot) return lot.amount === amount ? happens() : refused('lot_exists');
  const decision = begin(books);
  write(decision, {
    ...{ type: 'CreditsToppedUp', lotId, amount, source },
    ...(endsAt === undefined ? {} : { endsAt }),
  });
  if (source.kind === 'grant') return happens(...decision.effects);
  for (const debtor of new Set(books.debts.filter(({ open }) => open > 0n).map((debt) => debt.lotId))) {
    const part = smaller(lotOf(decision.books, lotId)?.free ?? 0n, openDebtOf(decision.books, debtor));
    if (part > 0n) write(decision, { type: 'DebtRepaid', lotId: debtor, amount: part, from: lotId });
  }
  liftIfNothingIsOwed(decision);
  return happens(...decision.effects);
};

export const writeOffDebt = (books: MoneyBooks, { lotId, amount, reason }: CommandOf<'WriteOffDebt'>): Verdict => {
  const open = openDebtOf(books, lotId);
  if (open === 0n) return refused('debt_not_found');
  if (amount <= 0n) return refused('invalid_amount');
  if (amount > open) return refused('more_than_owed');
  const decision = begin(books);
  write(decision, { type: 'DebtWrittenOff', lotId, amount, reason });
  liftIfNothingIsOwed(decision);
  return happens(...decision.effects);
};
