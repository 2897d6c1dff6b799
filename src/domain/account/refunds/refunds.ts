import { accept } from '../../decider.ts';
import { min } from '../../money.ts';
import type { Account } from '../account.ts';
import type { AccountDecision, CommandOf } from '../commands.ts';
import { free, isDisputed, isPaid, lotOf } from '../lots.ts';
import { no } from '../reserve.ts';
import { openDraft, type Draft } from './draft.ts';
import { incurDebt, settleMarks, takeable } from './settle-marks.ts';

export const holdForRefund = ({ refunds, reason }: CommandOf<'HoldForRefund'>, account: Account): AccountDecision => {
  const held = account.wallet.refunds;
  const isRepeated = refunds.every(({ refundId, lotId, amount }) => {
    const known = held.get(refundId);
    return known?.lotId === lotId && known.amount === amount;
  });
  if (isRepeated) return accept();
  const draft = openDraft(account);
  for (const { refundId, lotId, amount } of refunds) {
    const lot = lotOf(draft.wallet, lotId);
    if (!lot || !isPaid(lot)) return no('lot_not_found');
    if (draft.wallet.refunds.has(refundId)) return no('refund_exists');
    if (amount <= 0n) return no('invalid_amount');
    if (isDisputed(lot)) return no('lot_disputed');
    if (amount > takeable(draft, lot)) return no('more_than_refundable');
    draft.add({ type: 'CreditsHeldForRefund', refundId, lotId, amount, reason });
  }
  return draft.decision();
};

export const releaseRefundHold = (
  { refundId, reason }: CommandOf<'ReleaseRefundHold'>,
  account: Account,
): AccountDecision => {
  if (!account.wallet.refunds.has(refundId)) return no('refund_not_open');
  const draft = openDraft(account);
  releaseHeld(draft, refundId, reason);
  settleMarks(draft);
  return draft.decision();
};

/** Releases what is held for a refund. */
const releaseHeld = (draft: Draft, refundId: string, reason: string): void => {
  const held = draft.wallet.refunds.get(refundId);
  if (held) draft.add({ type: 'RefundHoldReleased', refundId, ...held, reason });
};

/** Releases all that is held for refunds of a lot. */
export const releaseAllHeld = (draft: Draft, lotId: string, reason: string): void => {
  for (const [refundId, held] of [...draft.wallet.refunds]) {
    if (held.lotId === lotId) releaseHeld(draft, refundId, reason);
  }
};

export const recordRefund = (command: CommandOf<'RecordRefund'>, account: Account): AccountDecision => {
  const { lotId, reference, refundId, amount } = command;
  const draft = openDraft(account);
  const lot = lotOf(draft.wallet, lotId);
  if (!lot || !isPaid(lot)) return no('lot_not_found');
  if (amount <= 0n) return no('invalid_amount');
  const own = refundId === null ? undefined : draft.wallet.refunds.get(refundId);
  const ofHold = own?.lotId === lotId ? min(own.amount, amount) : 0n;
  const rest = amount - ofHold;
  const isEnough = (): boolean => rest <= lot.frozen + takeable(draft, lot);
  if (!isEnough()) {
    const others = [...draft.wallet.refunds].filter(([id, held]) => held.lotId === lotId && id !== refundId);
    for (const [id] of others) if (!isEnough()) releaseHeld(draft, id, 'the payment was refunded');
  }
  const taken = ofHold + min(rest, lot.frozen + takeable(draft, lot));
  const left = lot.frozen + free(lot) - (taken - ofHold);
  const awaited = min(amount - taken, left);
  draft.add({ type: 'CreditsRefunded', lotId, reference, refundId, amount: taken, awaited });
  if (refundId !== null && ofHold > 0n) releaseHeld(draft, refundId, 'refunded in part');
  incurDebt(draft, { lotId, amount: amount - taken - awaited, cause: 'refund', reference });
  settleMarks(draft);
  return draft.decision();
};
