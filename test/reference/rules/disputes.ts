import type { CommandOf } from '../../../src/domain/account/commands.ts';
import { paidLotOf, smaller, takableOf, type Lot, type MoneyBooks } from '../money-books.ts';
import { begin, happens, incur, lift, liftIfNothingIsOwed, refused, suspend, write, type Verdict } from './decision.ts';
import { settleMarks } from './marks.ts';
import { release } from './refunds.ts';

const CLOSED = 'the dispute was closed';

export const freezeLot = (books: MoneyBooks, { lotId, disputeId }: CommandOf<'FreezeLot'>): Verdict => {
  const known = paidLotOf(books, lotId);
  if (!known) return refused('lot_not_found');
  if (known.disputes.has(disputeId)) return happens();
  const decision = begin(books);
  const lot = paidLotOf(decision.books, lotId) as Lot;
  for (const refundId of [...lot.refunds.keys()]) release(decision, lotId, refundId, 'the payment is disputed');
  write(decision, { type: 'LotFrozen', lotId, disputeId, amount: takableOf(decision.books, lot) });
  suspend(decision, { kind: 'dispute', disputeId }, 'a payment is disputed');
  return happens(...decision.effects);
};

export const unfreezeLot = (books: MoneyBooks, { lotId, disputeId }: CommandOf<'UnfreezeLot'>): Verdict => {
  const lot = paidLotOf(books, lotId);
  if (!lot) return refused('lot_not_found');
  if (!lot.open.has(disputeId)) return refused('lot_not_disputed');
  const decision = begin(books);
  write(decision, { type: 'LotUnfrozen', lotId, disputeId, amount: lot.open.size > 1 ? 0n : lot.frozen });
  lift(decision, { kind: 'dispute', disputeId }, CLOSED);
  settleMarks(decision);
  return happens(...decision.effects);
};

export const recordChargeback = (
  books: MoneyBooks,
  { lotId, disputeId, amount }: CommandOf<'RecordChargeback'>,
): Verdict => {
  const known = paidLotOf(books, lotId);
  if (!known) return refused('lot_not_found');
  const recorded = known.chargebacks.get(disputeId);
  if (recorded?.reversed === false) return happens();
  if (amount <= 0n) return refused('invalid_amount');
  const decision = begin(books);
  const lot = paidLotOf(decision.books, lotId) as Lot;
  if (!lot.open.has(disputeId)) {
    for (const refundId of [...lot.refunds.keys()]) release(decision, lotId, refundId, 'the payment was charged back');
  }
  const taken = smaller(lot.frozen + takableOf(decision.books, lot), amount);
  const ofFree = taken > lot.frozen ? taken - lot.frozen : 0n;
  const rest = amount - taken;
  const awaited = smaller(rest, lot.free - ofFree);
  write(decision, { type: 'CreditsChargedBack', lotId, disputeId, amount: taken, awaited });
  if (lot.open.size === 0 && lot.frozen > 0n)
    write(decision, { type: 'LotUnfrozen', lotId, disputeId, amount: lot.frozen });
  incur(decision, { lotId, amount: rest - awaited, cause: 'chargeback', reference: disputeId });
  lift(decision, { kind: 'dispute', disputeId }, CLOSED);
  settleMarks(decision);
  return happens(...decision.effects);
};

export const reverseChargeback = (books: MoneyBooks, { lotId, disputeId }: CommandOf<'ReverseChargeback'>): Verdict => {
  const lot = paidLotOf(books, lotId);
  if (!lot) return refused('lot_not_found');
  const chargeback = lot.chargebacks.get(disputeId);
  if (!chargeback || chargeback.reversed) return refused('lot_not_disputed');
  const ofDispute = books.debts.filter(
    (debt) => debt.lotId === lotId && debt.cause === 'chargeback' && debt.reference === disputeId,
  );
  const decision = begin(books);
  write(decision, {
    type: 'ChargebackReversed',
    lotId,
    disputeId,
    restored: chargeback.taken,
    cancelled: ofDispute.reduce((sum, { open }) => sum + open, 0n),
    returned: ofDispute.flatMap(({ repaid }) => repaid),
    reduced: ofDispute.reduce((sum, debt) => sum + debt.reversed, 0n),
  });
  liftIfNothingIsOwed(decision);
  settleMarks(decision);
  return happens(...decision.effects);
};
