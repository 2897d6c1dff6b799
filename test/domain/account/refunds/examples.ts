import type { AccountCommand } from '../../../../src/domain/account/decide.ts';
import type { AccountEvent } from '../../../../src/domain/account/events.ts';
import { AT, paid, toppedUp } from '../examples.ts';

type Event<T extends AccountEvent['type']> = Extract<AccountEvent, { type: T }>;

/** A grant that ends at a time, `AT` by default. */
export const endingGrant = (amount: bigint, lotId = 'lot_1', endsAt = AT): Event<'CreditsToppedUp'> => ({
  ...toppedUp(amount, lotId),
  endsAt,
});
export const ended = (amount: bigint, lotId = 'lot_1'): Event<'LotExpired'> => ({
  ...{ type: 'LotExpired', lotId, amount, reason: 'ended' },
});
export const heldForRefund = (amount: bigint, refundId = 'ref_1', lotId = 'lot_2'): Event<'CreditsHeldForRefund'> => ({
  ...{ type: 'CreditsHeldForRefund', refundId, lotId, amount, reason: 'not_needed' },
});
export const refundReleased = (
  amount: bigint,
  reason = 'refused',
  refundId = 'ref_1',
  lotId = 'lot_2',
): Event<'RefundHoldReleased'> => ({ type: 'RefundHoldReleased', refundId, lotId, amount, reason });
export const refunded = (
  amount: bigint,
  {
    awaited = 0n,
    refundId = null,
    reference = 'partner_ref_1',
    lotId = 'lot_2',
  }: Partial<Omit<Event<'CreditsRefunded'>, 'type' | 'amount'>> = {},
): Event<'CreditsRefunded'> => ({ type: 'CreditsRefunded', lotId, reference, refundId, amount, awaited });
export const frozen = (amount: bigint, disputeId = 'disp_1', lotId = 'lot_2'): Event<'LotFrozen'> => ({
  ...{ type: 'LotFrozen', lotId, disputeId, amount },
});
export const unfrozen = (amount: bigint, disputeId = 'disp_1', lotId = 'lot_2'): Event<'LotUnfrozen'> => ({
  ...{ type: 'LotUnfrozen', lotId, disputeId, amount },
});
export const chargedBack = (amount: bigint, awaited = 0n, disputeId = 'disp_1'): Event<'CreditsChargedBack'> => ({
  ...{ type: 'CreditsChargedBack', lotId: 'lot_2', disputeId, amount, awaited },
});
export const chargebackReversed = (
  restored: bigint,
  rest: Partial<Pick<Event<'ChargebackReversed'>, 'cancelled' | 'returned' | 'reduced'>> = {},
): Event<'ChargebackReversed'> => ({
  ...{ type: 'ChargebackReversed', lotId: 'lot_2', disputeId: 'disp_1', restored },
  ...{ cancelled: 0n, returned: [], reduced: 0n, ...rest },
});
export const debt = (
  amount: bigint,
  cause: 'refund' | 'chargeback' = 'refund',
  reference = 'partner_ref_1',
): Event<'DebtIncurred'> => ({ type: 'DebtIncurred', lotId: 'lot_2', amount, cause, reference });
export const repaid = (amount: bigint, from: string, lotId = 'lot_2'): Event<'DebtRepaid'> => ({
  ...{ type: 'DebtRepaid', lotId, amount, from },
});
export const reversed = (
  amount: bigint,
  parts: Partial<Pick<Event<'ChargeReversed'>, 'returned' | 'debtReduced' | 'granted'>>,
): Event<'ChargeReversed'> => ({
  ...{ type: 'ChargeReversed', requestId: 'req_1', amount, reason: 'wrong model', at: AT },
  ...{ returned: [], debtReduced: [], granted: [], ...parts },
});

export const suspendedForDebt: AccountEvent = {
  type: 'AccountSuspended',
  reason: 'credits that were used have been refunded',
  cause: { kind: 'debt' },
};
export const reinstatedFromDebt: AccountEvent = {
  ...{ type: 'AccountReinstated', reason: 'debt repaid', cause: { kind: 'debt' } },
};
export const suspendedFor = (disputeId: string): AccountEvent => ({
  ...{ type: 'AccountSuspended', reason: 'a payment is disputed', cause: { kind: 'dispute', disputeId } },
});
export const reinstatedFrom = (disputeId: string): AccountEvent => ({
  ...{ type: 'AccountReinstated', reason: 'the dispute was closed', cause: { kind: 'dispute', disputeId } },
});
export const suspendedForDispute = suspendedFor('disp_1');
export const reinstatedFromDispute = reinstatedFrom('disp_1');

export const holdForRefund = (amount: bigint, refundId = 'ref_1', lotId = 'lot_2'): AccountCommand => ({
  type: 'HoldForRefund',
  refunds: [{ refundId, lotId, amount }],
  reason: 'not_needed',
});
export const releaseRefund = (reason = 'refused', refundId = 'ref_1'): AccountCommand => ({
  ...{ type: 'ReleaseRefundHold', refundId, reason },
});
export const recordRefund = (amount: bigint, refundId: string | null = null): AccountCommand => ({
  ...{ type: 'RecordRefund', lotId: 'lot_2', reference: 'partner_ref_1', refundId, amount },
});
export const freeze = (disputeId = 'disp_1'): AccountCommand => ({ type: 'FreezeLot', lotId: 'lot_2', disputeId });
export const unfreeze = (disputeId = 'disp_1'): AccountCommand => ({ type: 'UnfreezeLot', lotId: 'lot_2', disputeId });
export const chargeBack = (amount: bigint, disputeId = 'disp_1'): AccountCommand => ({
  ...{ type: 'RecordChargeback', lotId: 'lot_2', disputeId, amount },
});
export const reverseChargeback = (disputeId = 'disp_1'): AccountCommand => ({
  ...{ type: 'ReverseChargeback', lotId: 'lot_2', disputeId },
});
export const pay = (amount: bigint, lotId: string): AccountCommand => ({ ...paid(amount, lotId), type: 'TopUp' });
export const writeOffDebt = (amount: bigint): AccountCommand => ({
  ...{ type: 'WriteOffDebt', lotId: 'lot_2', amount, reason: 'not collectable' },
});
export const reverse = (
  amount: bigint,
  charge: Pick<Extract<AccountCommand, { type: 'ReverseCharge' }>, 'charged' | 'drawn'>,
  chargedAt = AT,
): AccountCommand => ({
  ...{ type: 'ReverseCharge', requestId: 'req_1', amount, reason: 'wrong model', chargedAt, at: AT },
  ...charge,
});
