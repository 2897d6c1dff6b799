import fc from 'fast-check';
import { partnerRefundStatuses, type PaymentCommand } from '../../../src/domain/payments/commands.ts';
import { dispute, pay, refund, usd } from './examples.ts';

const id = fc.constantFrom('1', '2', '3');
const transactionId = fc.constantFrom('tran_1', 'tran_1', 'tran_2');
const gross = fc.oneof(fc.constantFrom(3000n, 1200n, 600n, 7n), fc.bigInt(0n, 3100n));
const currency = fc.constantFrom('USD', 'USD', 'USD', 'USD', 'EUR');
const amount = fc.oneof(fc.constantFrom(usd(2500), usd(1000), usd(500)), fc.bigInt(0n, usd(2600)));

/** Whatever partner, staff and customer may send. */
export const anyPaymentCommand: fc.Arbitrary<PaymentCommand> = fc.oneof(
  fc
    .record({ transactionId, currency, paid: fc.constantFrom(3000n, 2500n, 3001n, 500n) })
    .map((one) => ({ ...pay, ...one })),
  fc
    .record({ transactionId, gross, currency, reference: id, status: fc.constantFrom(...partnerRefundStatuses) })
    .map((one) => refund(one.gross, one)),
  fc.record({ transactionId, gross, currency, disputeId: id }).map((one) => dispute(one.gross, one)),
  fc.record({
    ...{ type: fc.constant('CloseDispute' as const), disputeId: id },
    ...{ outcome: fc.constantFrom('won' as const, 'lost' as const), how: fc.constant('staff' as const) },
  }),
  fc.record({
    ...{ type: fc.constant('RequestRefund' as const), refundId: id, amount, reason: fc.constant('other' as const) },
  }),
  fc.record({
    ...{ type: fc.constantFrom('ApproveRefund' as const, 'RefuseRefund' as const, 'FailRefund' as const) },
    ...{ refundId: id, reason: fc.constant('so') },
  }),
  fc.record({ type: fc.constant('RecordRefundSent' as const), refundId: id }),
  fc.record({
    ...{ type: fc.constant('ReleaseQuarantine' as const), transactionId },
    ...{ credited: amount, reason: fc.constant('so') },
  }),
  fc.record({ type: fc.constant('RejectQuarantine' as const), transactionId, reason: fc.constant('so') }),
);
