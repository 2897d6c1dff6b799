import type { CommandOf } from '../../../src/domain/account/commands.ts';
import type { Draw } from '../../../src/domain/account/events.ts';
import { endingOf, excessOf, lotOf, openDebtOf, smaller, type Lot, type MoneyBooks } from '../money-books.ts';
import { begin, happens, liftIfNothingIsOwed, refused, write, type Verdict } from './decision.ts';
import { endOf, settleMarks } from './marks.ts';
import { sum } from '../../support/money.ts';

const LATEST_MS = 120 * 24 * 60 * 60_000;

/** Gives back part of a charge, from the end of what it drew. */
export const reverseCharge = (books: MoneyBooks, command: CommandOf<'ReverseCharge'>): Verdict => {
  const { requestId, amount, reason, charged, drawn, chargedAt, at } = command;
  const before = books.reversals.get(requestId) ?? 0n;
  if (amount <= 0n) return refused('invalid_amount');
  if (before + amount > charged) return refused('more_than_charged');
  if (at - chargedAt > LATEST_MS) return refused('reversal_too_late');
  const parts = cut(drawn.toReversed(), before, amount);
  const lists = share(books, parts, at);
  const decision = begin(books);
  write(decision, { type: 'ChargeReversed', requestId, amount, reason, at, ...lists });
  const granted = sum(lists.granted.map((part) => part.amount));
  if (granted > 0n) {
    const lotId = `lot_back_${requestId}_${before}`;
    const source = { kind: 'grant', reason: `reversal of ${requestId}` } as const;
    write(decision, { type: 'CreditsToppedUp', lotId, amount: granted, source });
    // It has ended with the account. The event marks it, so it may have no amount.
    const excess = excessOf(decision.books, lotOf(decision.books, lotId) as Lot);
    if (books.closed) write(decision, endOf(lotId, excess, 'account_closed'));
  }
  liftIfNothingIsOwed(decision);
  settleMarks(decision);
  return happens(...decision.effects);
};

/** `length` of the draws, after `skipped`. */
const cut = (draws: readonly Draw[], skipped: bigint, length: bigint): readonly Draw[] => {
  let [toSkip, left] = [skipped, length];
  return draws.flatMap(({ lotId, amount }) => {
    const over = smaller(amount, toSkip);
    toSkip -= over;
    const part = smaller(amount - over, left);
    left -= part;
    return part > 0n ? [{ lotId, amount: part }] : [];
  });
};

/** Where each part goes. */
const share = (books: MoneyBooks, parts: readonly Draw[], at: number) => {
  const lists = { returned: [] as Draw[], debtReduced: [] as Draw[], granted: [] as Draw[] };
  const owed = new Map<string, bigint>();
  const put = (list: Draw[], lotId: string, amount: bigint): void => {
    const there = list.findIndex((one) => one.lotId === lotId);
    if (amount === 0n) return;
    if (there === -1) list.push({ lotId, amount });
    else list.splice(there, 1, { lotId, amount: amount + (list[there]?.amount ?? 0n) });
  };
  for (const { lotId, amount } of parts) {
    const debt = owed.get(lotId) ?? openDebtOf(books, lotId);
    const ofDebt = smaller(amount, debt);
    owed.set(lotId, debt - ofDebt);
    put(lists.debtReduced, lotId, ofDebt);
    put(isLost(books, lotId, at) ? lists.granted : lists.returned, lotId, amount - ofDebt);
  }
  return lists;
};

/** Credits do not go back to a lot that has ended, or whose payment was reclaimed. */
const isLost = (books: MoneyBooks, lotId: string, at: number): boolean => {
  const lot = lotOf(books, lotId);
  if (!lot || endingOf(books, lot) !== undefined) return true;
  if (lot.endsAt !== undefined && lot.endsAt <= at) return true;
  if ([...lot.chargebacks.values()].some(({ reversed }) => !reversed)) return true;
  return books.debts.some((debt) => debt.lotId === lotId);
};
