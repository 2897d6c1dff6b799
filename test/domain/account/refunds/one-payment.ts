import fc from 'fast-check';
import type { AccountCommand } from '../../../../src/domain/account/decide.ts';
import { close, release, reserve, settle } from '../examples.ts';
import { pay } from './examples.ts';

const lotId = 'lot_1';
const amount = fc.bigInt(1n, 25n);
const reason = 'asked';
const dispute = fc.constantFrom(1, 1, 2, 2, 3).map((n) => ({ lotId, disputeId: `dispute_${n}_of_${lotId}` }));

const move: fc.Arbitrary<AccountCommand> = fc.oneof(
  { weight: 3, arbitrary: dispute.map((of) => ({ type: 'FreezeLot' as const, ...of })) },
  { weight: 2, arbitrary: dispute.map((of) => ({ type: 'UnfreezeLot' as const, ...of })) },
  {
    weight: 3,
    arbitrary: fc.record({ of: dispute, amount }).map(({ of, amount }) => ({
      ...{ type: 'RecordChargeback' as const, ...of, amount },
    })),
  },
  { weight: 3, arbitrary: dispute.map((of) => ({ type: 'ReverseChargeback' as const, ...of })) },
  {
    weight: 3,
    // The receipt comes with informed.ts.
    arbitrary: amount.map((amount) => ({
      ...{ type: 'ReverseCharge' as const, requestId: 'req_1', amount, reason, at: 0 },
      ...{ charged: 0n, drawn: [], chargedAt: 0 },
    })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ amount, n: fc.noShrink(fc.nat(1_000_000_000)) }).map(({ amount, n }) => ({
      ...{ type: 'RecordRefund' as const, lotId, reference: `ref_${n}`, refundId: null, amount },
    })),
  },
  {
    weight: 1,
    arbitrary: amount.map((amount) => ({
      ...{ type: 'HoldForRefund' as const, refunds: [{ refundId: `refund_${amount}`, lotId, amount }] },
      reason: 'other' as const,
    })),
  },
  { weight: 1, arbitrary: amount.map((amount) => ({ type: 'WriteOffDebt' as const, lotId, amount, reason })) },
  { weight: 1, arbitrary: fc.constantFrom(2, 3, 4).map((n) => pay(9n, `lot_${n}`)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<AccountCommand>(settle(5, 'req_2'), release('req_2'), close(), {
      ...{ type: 'WaiveCredits', reason },
    }),
  },
);

/** A payment of which a part is used and a part is held, and then mostly disputes about it and reversals of the charge. */
export const aboutOnePayment: fc.Arbitrary<readonly AccountCommand[]> = fc
  .record({ used: fc.nat(30), moves: fc.array(move, { maxLength: 25, size: 'max' }) })
  .map(({ used, moves }) => [
    ...[pay(40n, lotId), reserve(BigInt(used)), settle(used), reserve(8n, 'req_2')],
    ...moves,
  ]);
