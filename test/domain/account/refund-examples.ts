import type { AccountEvent } from '../../../src/domain/account/events.ts';
import type { CorrectionEvent, DebtEvent, RefundEvent } from '../../../src/domain/account/refunds/events.ts';
import { AT, drawn } from './examples.ts';

type Event<T extends AccountEvent['type']> = Extract<AccountEvent, { type: T }>;
type MoneyEvent = RefundEvent | DebtEvent | CorrectionEvent;

// What happened. The lot of a payment is `lot_2`, as in `paid`.
export const heldForRefund = (amount: bigint, refundId = 'ref_1', lotId = 'lot_2'): Event<'CreditsHeldForRefund'> => ({
  ...{ type: 'CreditsHeldForRefund', refundId, lotId, amount, reason: 'not_needed' },
});
export const refundHoldReleased = (
  amount: bigint,
  refundId = 'ref_1',
  lotId = 'lot_2',
): Event<'RefundHoldReleased'> => ({
  ...{ type: 'RefundHoldReleased', refundId, lotId, amount, reason: 'refused' },
});
export const refunded = (
  amount: bigint,
  { awaited = 0n, refundId = 'ref_1' as string | null, lotId = 'lot_2', reference = 'tran_refund_1' } = {},
): Event<'CreditsRefunded'> => ({ type: 'CreditsRefunded', lotId, reference, refundId, amount, awaited });
export const lotFrozen = (amount: bigint, disputeId = 'dis_1', lotId = 'lot_2'): Event<'LotFrozen'> => ({
  ...{ type: 'LotFrozen', lotId, disputeId, amount },
});
export const lotUnfrozen = (amount: bigint, disputeId = 'dis_1', lotId = 'lot_2'): Event<'LotUnfrozen'> => ({
  ...{ type: 'LotUnfrozen', lotId, disputeId, amount },
});
export const chargedBack = (
  amount: bigint,
  { awaited = 0n, disputeId = 'dis_1', lotId = 'lot_2' } = {},
): Event<'CreditsChargedBack'> => ({ type: 'CreditsChargedBack', lotId, disputeId, amount, awaited });
export const chargebackReversed = (
  restored: bigint,
  {
    cancelled = 0n,
    returned = [] as Event<'ChargebackReversed'>['returned'],
    disputeId = 'dis_1',
    lotId = 'lot_2',
  } = {},
): Event<'ChargebackReversed'> => ({ type: 'ChargebackReversed', lotId, disputeId, restored, cancelled, returned });
export const forfeited = (amount: bigint, lotId = 'lot_2'): Event<'CreditsForfeited'> => ({
  ...{ type: 'CreditsForfeited', lotId, amount, reason: 'resale' },
});
export const waived = (amount: bigint, lotId = 'lot_2'): Event<'CreditsWaived'> => ({
  ...{ type: 'CreditsWaived', lotId, amount, reason: 'asked' },
});
export const debtIncurred = (
  amount: bigint,
  { cause = 'chargeback' as const as 'refund' | 'chargeback', reference = 'dis_1', lotId = 'lot_2' } = {},
): Event<'DebtIncurred'> => ({ type: 'DebtIncurred', lotId, amount, cause, reference });
export const debtRepaid = (amount: bigint, from = 'lot_3', lotId = 'lot_2'): Event<'DebtRepaid'> => ({
  ...{ type: 'DebtRepaid', lotId, amount, from },
});
export const debtWrittenOff = (amount: bigint, lotId = 'lot_2'): Event<'DebtWrittenOff'> => ({
  ...{ type: 'DebtWrittenOff', lotId, amount, reason: 'unreachable' },
});
/** What goes back to `lot_1`, unless other lists are given. */
export const chargeReversed = (
  amount: bigint,
  lists: Partial<Pick<Event<'ChargeReversed'>, 'returned' | 'debtReduced' | 'granted'>> = {
    returned: [drawn(amount)],
  },
  requestId = 'req_1',
): Event<'ChargeReversed'> => ({
  ...{ type: 'ChargeReversed', requestId, amount, reason: 'a fault of the model', at: AT },
  ...{ returned: [], debtReduced: [], granted: [], ...lists },
});

/** One of every type, and its data on disk. */
export const moneyOnDisk: {
  readonly [T in MoneyEvent['type']]: readonly [Extract<MoneyEvent, { type: T }>, string];
} = {
  CreditsHeldForRefund: [heldForRefund(5n), '{"refundId":"ref_1","lotId":"lot_2","amount":"5","reason":"not_needed"}'],
  RefundHoldReleased: [refundHoldReleased(5n), '{"refundId":"ref_1","lotId":"lot_2","amount":"5","reason":"refused"}'],
  CreditsRefunded: [
    refunded(3n, { awaited: 2n, refundId: null }),
    '{"lotId":"lot_2","reference":"tran_refund_1","refundId":null,"amount":"3","awaited":"2"}',
  ],
  LotFrozen: [lotFrozen(0n), '{"lotId":"lot_2","disputeId":"dis_1","amount":"0"}'],
  LotUnfrozen: [lotUnfrozen(4n), '{"lotId":"lot_2","disputeId":"dis_1","amount":"4"}'],
  CreditsChargedBack: [
    chargedBack(3n, { awaited: 2n }),
    '{"lotId":"lot_2","disputeId":"dis_1","amount":"3","awaited":"2"}',
  ],
  ChargebackReversed: [
    chargebackReversed(3n, { cancelled: 2n, returned: [drawn(1n, 'lot_3')] }),
    '{"lotId":"lot_2","disputeId":"dis_1","restored":"3","cancelled":"2","returned":[{"lotId":"lot_3","amount":"1"}]}',
  ],
  CreditsForfeited: [forfeited(5n), '{"lotId":"lot_2","amount":"5","reason":"resale"}'],
  CreditsWaived: [waived(5n), '{"lotId":"lot_2","amount":"5","reason":"asked"}'],
  DebtIncurred: [debtIncurred(5n), '{"lotId":"lot_2","amount":"5","cause":"chargeback","reference":"dis_1"}'],
  DebtRepaid: [debtRepaid(5n), '{"lotId":"lot_2","amount":"5","from":"lot_3"}'],
  DebtWrittenOff: [debtWrittenOff(5n), '{"lotId":"lot_2","amount":"5","reason":"unreachable"}'],
  ChargeReversed: [
    chargeReversed(6n, {
      ...{ returned: [drawn(1n)], debtReduced: [drawn(2n, 'lot_2')], granted: [drawn(3n, 'lot_3')] },
    }),
    `{"requestId":"req_1","amount":"6","reason":"a fault of the model","at":${AT},` +
      '"returned":[{"lotId":"lot_1","amount":"1"}],"debtReduced":[{"lotId":"lot_2","amount":"2"}],' +
      '"granted":[{"lotId":"lot_3","amount":"3"}]}',
  ],
};
