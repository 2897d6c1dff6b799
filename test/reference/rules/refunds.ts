import type { CommandOf } from '../../../src/domain/account/commands.ts';
import { lotOf, paidLotOf, smaller, takableOf, type Lot, type MoneyBooks } from '../money-books.ts';
import { begin, happens, incur, refused, write, type Decision, type Verdict } from './decision.ts';
import { settleMarks } from './marks.ts';

export const holdForRefund = (books: MoneyBooks, { refunds, reason }: CommandOf<'HoldForRefund'>): Verdict => {
  const isHeld = refunds.every(({ refundId, lotId, amount }) => lotOf(books, lotId)?.refunds.get(refundId) === amount);
  if (isHeld) return happens();
  const decision = begin(books);
  for (const { refundId, lotId, amount } of refunds) {
    const lot = paidLotOf(decision.books, lotId);
    if (!lot) return refused('lot_not_found');
    if (isHeldNow(decision.books, refundId)) return refused('refund_exists');
    if (amount <= 0n) return refused('invalid_amount');
    if (lot.open.size > 0) return refused('lot_disputed');
    if (amount > takableOf(decision.books, lot)) return refused('more_than_refundable');
    write(decision, { type: 'CreditsHeldForRefund', refundId, lotId, amount, reason });
  }
  return happens(...decision.effects);
};

const isHeldNow = ({ lots }: MoneyBooks, refundId: string): boolean =>
  lots.some(({ refunds }) => refunds.has(refundId));

export const releaseRefundHold = (books: MoneyBooks, { refundId, reason }: CommandOf<'ReleaseRefundHold'>): Verdict => {
  const lot = books.lots.find(({ refunds }) => refunds.has(refundId));
  if (!lot) return refused('refund_not_open');
  const decision = begin(books);
  release(decision, lot.id, refundId, reason);
  settleMarks(decision);
  return happens(...decision.effects);
};

export const release = (decision: Decision, lotId: string, refundId: string, reason: string): void => {
  const amount = lotOf(decision.books, lotId)?.refunds.get(refundId) ?? 0n;
  write(decision, { type: 'RefundHoldReleased', refundId, lotId, amount, reason });
};

/** A fact: what is not left of the lot is awaited from holds, and becomes a debt. */
export const recordRefund = (
  books: MoneyBooks,
  { lotId, reference, refundId, amount }: CommandOf<'RecordRefund'>,
): Verdict => {
  if (!paidLotOf(books, lotId)) return refused('lot_not_found');
  if (amount <= 0n) return refused('invalid_amount');
  const decision = begin(books);
  const lot = paidLotOf(decision.books, lotId) as Lot;
  const own = refundId === null ? 0n : (lot.refunds.get(refundId) ?? 0n);
  const within = (): bigint => own + lot.frozen + takableOf(decision.books, lot);
  for (const other of [...lot.refunds.keys()]) {
    if (other !== refundId && within() < amount) release(decision, lotId, other, 'the payment was refunded');
  }
  const taken = smaller(within(), amount);
  // Of the parts, the free one is taken last.
  const ofFree = taken > own + lot.frozen ? taken - own - lot.frozen : 0n;
  const rest = amount - taken;
  const awaited = smaller(rest, lot.free - ofFree);
  write(decision, { type: 'CreditsRefunded', lotId, reference, refundId, amount: taken, awaited });
  if (refundId !== null && own > amount) release(decision, lotId, refundId, 'refunded in part');
  incur(decision, { lotId, amount: rest - awaited, cause: 'refund', reference });
  settleMarks(decision);
  return happens(...decision.effects);
};
