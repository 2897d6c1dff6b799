import { accept } from '../../decider.ts';
import { min } from '../../money.ts';
import type { Account } from '../account.ts';
import type { AccountDecision, CommandOf } from '../commands.ts';
import type { SuspensionCause } from '../events.ts';
import { free, isPaid, lotOf, openDisputes } from '../lots.ts';
import { no } from '../reserve.ts';
import { openDraft, reinstate, reinstateWithoutDebt, suspend } from './draft.ts';
import { releaseAllHeld } from './refunds.ts';
import { incurDebt, settleMarks, takeable } from './settle-marks.ts';

const causeOf = (disputeId: string): SuspensionCause => ({ kind: 'dispute', disputeId });
const CLOSED = 'the dispute was closed';

export const freezeLot = ({ lotId, disputeId }: CommandOf<'FreezeLot'>, account: Account): AccountDecision => {
  const draft = openDraft(account);
  const lot = lotOf(draft.wallet, lotId);
  if (!lot || !isPaid(lot)) return no('lot_not_found');
  if (lot.disputes.has(disputeId)) return accept();
  releaseAllHeld(draft, lotId, 'the payment is disputed');
  draft.add({ type: 'LotFrozen', lotId, disputeId, amount: takeable(draft, lot) });
  suspend(draft, causeOf(disputeId), 'a payment is disputed');
  return draft.decision();
};

export const unfreezeLot = ({ lotId, disputeId }: CommandOf<'UnfreezeLot'>, account: Account): AccountDecision => {
  const draft = openDraft(account);
  const lot = lotOf(draft.wallet, lotId);
  if (!lot || !isPaid(lot)) return no('lot_not_found');
  if (lot.disputes.get(disputeId)?.state !== 'open') return no('lot_not_disputed');
  const isLast = openDisputes(lot).length === 1;
  // While another dispute is open, the credits stay frozen for it.
  draft.add({ type: 'LotUnfrozen', lotId, disputeId, amount: isLast ? lot.frozen : 0n });
  reinstate(draft, causeOf(disputeId), CLOSED);
  settleMarks(draft);
  return draft.decision();
};

export const recordChargeback = (
  { lotId, disputeId, amount }: CommandOf<'RecordChargeback'>,
  account: Account,
): AccountDecision => {
  const draft = openDraft(account);
  const lot = lotOf(draft.wallet, lotId);
  if (!lot || !isPaid(lot)) return no('lot_not_found');
  const state = lot.disputes.get(disputeId)?.state;
  if (state === 'lost') return accept();
  if (amount <= 0n) return no('invalid_amount');
  // A dispute that had ended well may be lost after all, and so may one that froze nothing.
  if (state !== 'open') releaseAllHeld(draft, lotId, 'the payment was charged back');
  const taken = min(amount, lot.frozen + takeable(draft, lot));
  const awaited = min(amount - taken, lot.frozen + free(lot) - taken);
  draft.add({ type: 'CreditsChargedBack', lotId, disputeId, amount: taken, awaited });
  if (lot.frozen > 0n && openDisputes(lot).length === 0) {
    draft.add({ type: 'LotUnfrozen', lotId, disputeId, amount: lot.frozen });
  }
  incurDebt(draft, { lotId, amount: amount - taken - awaited, cause: 'chargeback', reference: disputeId });
  reinstate(draft, causeOf(disputeId), CLOSED);
  settleMarks(draft);
  return draft.decision();
};

export const reverseChargeback = (
  { lotId, disputeId }: CommandOf<'ReverseChargeback'>,
  account: Account,
): AccountDecision => {
  const draft = openDraft(account);
  const lot = lotOf(draft.wallet, lotId);
  if (!lot || !isPaid(lot)) return no('lot_not_found');
  const dispute = lot.disputes.get(disputeId);
  if (dispute?.state !== 'lost') return no('lot_not_disputed');
  const debts = draft.wallet.debts.filter((debt) => debt.lotId === lotId && debt.reference === disputeId);
  draft.add({
    type: 'ChargebackReversed',
    ...{ lotId, disputeId, restored: dispute.taken },
    cancelled: debts.reduce((sum, { open }) => sum + open, 0n),
    returned: debts.flatMap(({ repaid }) => repaid),
    reduced: debts.reduce((sum, { reduced }) => sum + reduced, 0n),
  });
  reinstateWithoutDebt(draft);
  settleMarks(draft);
  return draft.decision();
};
