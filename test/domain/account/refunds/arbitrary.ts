import fc from 'fast-check';
import type { AccountCommand } from '../../../../src/domain/account/decide.ts';
import type { SuspensionCause } from '../../../../src/domain/account/events.ts';
import { refundReasons } from '../../../../src/domain/account/refunds/events.ts';

// Few names, so that refunds and disputes meet the same lots. A dispute is about one payment, so its id has the name of the lot.
export const lotId = fc.constantFrom('lot_1', 'lot_2', 'lot_3', 'lot_4', 'lot_5', 'lot_6');
const refundId = fc.constantFrom('refund_1', 'refund_2', 'refund_3', 'refund_4', 'refund_5', 'refund_6');
const amount = fc.oneof(
  { weight: 12, arbitrary: fc.bigInt(1n, 40n) },
  { weight: 1, arbitrary: fc.constantFrom(-1n, 0n) },
);
/** A fact has a reference of its own, also after shrinking: a partner never reports two refunds under one. */
const reference = fc.noShrink(fc.nat(1_000_000_000)).map((n) => `ref_${n}`);
const reason = fc.constant('asked');
const ofDispute = fc
  .record({ lotId, n: fc.constantFrom(1, 1, 1, 1, 2, 2, 2, 3) })
  .map(({ lotId, n }) => ({ lotId, disputeId: `dispute_${n}_of_${lotId}` }));

const DAY_MS = 24 * 60 * 60_000;
/** After all that happened before. */
const later = fc.oneof(
  { weight: 9, arbitrary: fc.nat(100).map((seconds) => seconds * 1000) },
  { weight: 1, arbitrary: fc.constantFrom(119 * DAY_MS, 121 * DAY_MS) },
);

const cause = fc.oneof(
  { weight: 1, arbitrary: fc.constant<SuspensionCause>({ kind: 'debt' }) },
  { weight: 3, arbitrary: ofDispute.map(({ disputeId }): SuspensionCause => ({ kind: 'dispute', disputeId })) },
);

const moves = {
  hold: fc.record({
    type: fc.constant('HoldForRefund' as const),
    refunds: fc.array(fc.record({ refundId, lotId, amount }), { minLength: 1, maxLength: 2 }),
    reason: fc.constantFrom(...refundReasons),
  }),
  release: fc.record({ type: fc.constant('ReleaseRefundHold' as const), refundId, reason }),
  refund: fc.record({
    type: fc.constant('RecordRefund' as const),
    ...{ lotId, reference, amount },
    refundId: fc.oneof(refundId, fc.constant(null)),
  }),
  freeze: ofDispute.map((of) => ({ type: 'FreezeLot' as const, ...of })),
  unfreeze: ofDispute.map((of) => ({ type: 'UnfreezeLot' as const, ...of })),
  chargeBack: fc.record({ of: ofDispute, amount }).map(({ of, amount }) => ({
    ...{ type: 'RecordChargeback' as const, ...of, amount },
  })),
  reverseChargeback: ofDispute.map((of) => ({ type: 'ReverseChargeback' as const, ...of })),
  writeOff: fc.record({ type: fc.constant('WriteOffDebt' as const), lotId, amount, reason }),
  /** Without a receipt: see informed.ts. */
  reverse: fc.record({
    type: fc.constant('ReverseCharge' as const),
    requestId: fc.constantFrom('req_1', 'req_2', 'req_3', 'req_4'),
    ...{ amount, reason, at: later },
    charged: fc.constant(0n),
    drawn: fc.constant([]),
    chargedAt: fc.constant(0),
  }),
  forfeit: reason.map((reason) => ({ type: 'ForfeitCredits' as const, reason })),
  waive: fc.record(
    { type: fc.constant('WaiveCredits' as const), reason, lotId, below: amount },
    { requiredKeys: ['type', 'reason'] },
  ),
  reinstate: fc.record({ type: fc.constant('ReinstateAccount' as const), reason, cause }),
} satisfies Record<string, fc.Arbitrary<AccountCommand>>;

/** Credits that leave without being used, and that come back. */
export const anyRefund: fc.Arbitrary<AccountCommand> = fc.oneof(
  { weight: 4, arbitrary: moves.hold },
  { weight: 2, arbitrary: moves.release },
  { weight: 4, arbitrary: moves.refund },
  { weight: 4, arbitrary: moves.freeze },
  { weight: 2, arbitrary: moves.unfreeze },
  { weight: 5, arbitrary: moves.chargeBack },
  { weight: 4, arbitrary: moves.reverseChargeback },
  { weight: 2, arbitrary: moves.writeOff },
  { weight: 5, arbitrary: moves.reverse },
  { weight: 1, arbitrary: moves.forfeit },
  { weight: 1, arbitrary: moves.waive },
  { weight: 2, arbitrary: moves.reinstate },
);
