import { fromMinorUnits } from '../../../src/domain/payments/amounts.ts';
import type { PaymentCommandOf } from '../../../src/domain/payments/commands.ts';
import type { PaymentEvent } from '../../../src/domain/payments/events.ts';

type EventOf<Type extends PaymentEvent['type']> = Extract<PaymentEvent, { type: Type }>;

/** Cents as credits. */
export const usd = (cents: number): bigint => fromMinorUnits(BigInt(cents));

export const opened: EventOf<'PaymentOpened'> = {
  ...{ type: 'PaymentOpened', accountId: 'acc_1', amount: usd(2500), partner: 'creem' },
};
export const checkedOut: EventOf<'CheckoutCreated'> = {
  ...{ type: 'CheckoutCreated', checkoutId: 'ch_1', url: 'https://creem.test/checkout/ch_1' },
};
export const expired: EventOf<'PaymentExpired'> = { type: 'PaymentExpired', reason: 'not paid in time' };

/** 30.00 USD with 5.00 USD of tax. */
export const pay: PaymentCommandOf<'RecordPaid'> = {
  ...{ type: 'RecordPaid', transactionId: 'tran_1', orderId: 'ord_1', checkoutId: 'ch_1' },
  ...{ paid: 3000n, tax: 500n, currency: 'USD' },
};
export const completed: EventOf<'PaymentCompleted'> = {
  ...{ type: 'PaymentCompleted', transactionId: 'tran_1', orderId: 'ord_1', checkoutId: 'ch_1' },
  ...{ paid: usd(3000), tax: usd(500), credited: usd(2500) },
};
export const quarantined = (
  reason: EventOf<'PaymentQuarantined'>['reason'],
  over: Partial<EventOf<'PaymentQuarantined'>> = {},
): EventOf<'PaymentQuarantined'> => ({
  ...{ type: 'PaymentQuarantined', transactionId: 'tran_1', orderId: 'ord_1' },
  ...{ paid: 3000n, tax: 500n, currency: 'USD', reason, ...over },
});
export const released = (credited: bigint, transactionId = 'tran_1'): EventOf<'QuarantineReleased'> => ({
  ...{ type: 'QuarantineReleased', transactionId, credited, reason: 'checked' },
});
export const rejected = (transactionId = 'tran_1'): EventOf<'QuarantineRejected'> => ({
  ...{ type: 'QuarantineRejected', transactionId, reason: 'paid twice' },
});

export const requested = (amount: bigint, gross: bigint, refundId = 'rfd_1'): EventOf<'RefundRequested'> => ({
  type: 'RefundRequested',
  refundId,
  amount,
  gross,
  reason: 'not_needed',
});
export const approved = (refundId = 'rfd_1'): EventOf<'RefundApproved'> => ({
  ...{ type: 'RefundApproved', refundId, reason: 'unused' },
});
export const refused = (refundId = 'rfd_1'): EventOf<'RefundRefused'> => ({
  ...{ type: 'RefundRefused', refundId, reason: 'used' },
});
export const sent = (refundId = 'rfd_1'): EventOf<'RefundSent'> => ({ type: 'RefundSent', refundId });
export const failed = (
  reason: string,
  refundId: string | null = 'rfd_1',
  reference: string | null = null,
): EventOf<'RefundFailed'> => ({ type: 'RefundFailed', refundId, reference, reason });
export const refunded = (
  cents: number,
  amount: bigint,
  refundId: string | null = null,
  reference = 'ref_1',
): EventOf<'RefundCompleted'> => ({ type: 'RefundCompleted', refundId, reference, gross: usd(cents), amount });
export const pending = (cents: number, refundId: string | null = null): EventOf<'RefundPending'> => ({
  ...{ type: 'RefundPending', refundId, reference: 'ref_1', gross: usd(cents) },
});

export const refund = (
  gross: bigint,
  over: Partial<PaymentCommandOf<'RecordRefund'>> = {},
): PaymentCommandOf<'RecordRefund'> => ({
  ...{ type: 'RecordRefund', reference: 'ref_1', transactionId: 'tran_1', gross },
  ...{ currency: 'USD', status: 'succeeded', ...over },
});
export const dispute = (
  gross: bigint,
  over: Partial<PaymentCommandOf<'RecordDispute'>> = {},
): PaymentCommandOf<'RecordDispute'> => ({
  ...{ type: 'RecordDispute', disputeId: 'disp_1', transactionId: 'tran_1', gross, currency: 'USD', ...over },
});
export const disputed = (cents: number, amount: bigint): EventOf<'DisputeOpened'> => ({
  ...{ type: 'DisputeOpened', disputeId: 'disp_1', gross: usd(cents), amount },
});
export const closedAs = (outcome: 'won' | 'lost', amount: bigint): EventOf<'DisputeClosed'> => ({
  ...{ type: 'DisputeClosed', disputeId: 'disp_1', outcome, how: 'partner', amount },
});

/** One of every type, and its data as it has been on disk since the first day. */
export const paymentsOnDisk: { readonly [T in PaymentEvent['type']]: readonly [EventOf<T>, string] } = {
  PaymentOpened: [opened, '{"accountId":"acc_1","amount":"25000000000","partner":"creem"}'],
  CheckoutCreated: [checkedOut, '{"checkoutId":"ch_1","url":"https://creem.test/checkout/ch_1"}'],
  PaymentExpired: [expired, '{"reason":"not paid in time"}'],
  PaymentCompleted: [
    completed,
    '{"transactionId":"tran_1","orderId":"ord_1","checkoutId":"ch_1","paid":"30000000000","tax":"5000000000",' +
      '"credited":"25000000000"}',
  ],
  PaymentQuarantined: [
    quarantined('other_currency', { currency: 'EUR' }),
    '{"transactionId":"tran_1","orderId":"ord_1","paid":"3000","tax":"500","currency":"EUR","reason":"other_currency"}',
  ],
  QuarantineReleased: [released(usd(2500)), '{"transactionId":"tran_1","credited":"25000000000","reason":"checked"}'],
  QuarantineRejected: [rejected(), '{"transactionId":"tran_1","reason":"paid twice"}'],
  QuarantineReturned: [
    {
      ...{ type: 'QuarantineReturned', transactionId: 'tran_1', gross: 3000n },
      cause: { kind: 'refund', reference: 'ref_1' },
    },
    '{"transactionId":"tran_1","cause":{"kind":"refund","reference":"ref_1"},"gross":"3000"}',
  ],
  RefundRequested: [
    requested(usd(1000), usd(1200)),
    '{"refundId":"rfd_1","amount":"10000000000","gross":"12000000000","reason":"not_needed"}',
  ],
  RefundApproved: [approved(), '{"refundId":"rfd_1","reason":"unused"}'],
  RefundRefused: [refused(), '{"refundId":"rfd_1","reason":"used"}'],
  RefundSent: [sent(), '{"refundId":"rfd_1"}'],
  RefundPending: [pending(1200), '{"refundId":null,"reference":"ref_1","gross":"12000000000"}'],
  RefundCompleted: [
    refunded(1200, usd(1000), 'rfd_1'),
    '{"refundId":"rfd_1","reference":"ref_1","gross":"12000000000","amount":"10000000000"}',
  ],
  RefundFailed: [failed('canceled', null, 'ref_1'), '{"refundId":null,"reference":"ref_1","reason":"canceled"}'],
  DisputeOpened: [disputed(3000, usd(2500)), '{"disputeId":"disp_1","gross":"30000000000","amount":"25000000000"}'],
  DisputeClosed: [
    closedAs('lost', usd(2500)),
    '{"disputeId":"disp_1","outcome":"lost","how":"partner","amount":"25000000000"}',
  ],
};
