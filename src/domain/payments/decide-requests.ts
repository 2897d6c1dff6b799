import { accept, refuse } from '../decider.ts';
import { grossOf, left, sum } from './amounts.ts';
import type { PaymentCommandOf, PaymentDecision, PaymentRefusal } from './commands.ts';
import type { PaymentEvent } from './events.ts';
import {
  isDisputed,
  openRequestsOf,
  partsOf,
  returnedOf,
  type KnownPayment,
  type PartnerRefund,
  type RefundRequest,
} from './payment.ts';

const no = (code: PaymentRefusal['code']): PaymentDecision => refuse({ code });

/** Accepted while a dispute is open, too: the account ends the request when it freezes the lot. */
export const requestRefund = (
  { refundId, amount, reason }: PaymentCommandOf<'RequestRefund'>,
  payment: KnownPayment,
): PaymentDecision => {
  const { sale } = payment;
  if (!sale) return no('payment_not_completed');
  const known = requestOf(payment, refundId);
  if (known) return known.amount === amount && known.reason === reason ? accept() : no('refund_exists');
  const taken = sum([returnedOf(payment), partsOf(openRequestsOf(payment))]);
  const rest = left(sale, taken);
  if (rest.gross === 0n || rest.net === 0n) return no('already_refunded');
  if (amount <= 0n) return no('invalid_amount');
  if (amount > rest.net) return no('more_than_refundable');
  return accept({ type: 'RefundRequested', refundId, amount, gross: grossOf(amount, sale, taken), reason });
};

export const approveRefund = (
  { refundId, reason }: PaymentCommandOf<'ApproveRefund'>,
  payment: KnownPayment,
): PaymentDecision => {
  const request = requestOf(payment, refundId);
  switch (request?.status) {
    case undefined:
      return no('refund_not_found');
    case 'completed':
    case 'refused':
    case 'failed':
      return no('refund_closed');
    case 'approved':
    case 'sent':
      return accept();
    case 'requested':
      return isDisputed(payment) ? no('payment_disputed') : accept({ type: 'RefundApproved', refundId, reason });
  }
};

/** An approved request may still be refused, until the partner is at work on it. */
export const refuseRefund = (
  { refundId, reason }: PaymentCommandOf<'RefuseRefund'>,
  payment: KnownPayment,
): PaymentDecision => {
  const request = requestOf(payment, refundId);
  switch (request?.status) {
    case undefined:
      return no('refund_not_found');
    case 'refused':
      return accept();
    case 'completed':
    case 'failed':
      return no('refund_closed');
    case 'sent':
      return no('refund_sent');
    case 'requested':
    case 'approved':
      return pendingOf(payment, refundId) ? no('refund_sent') : accept({ type: 'RefundRefused', refundId, reason });
  }
};

/** The partner may report that the refund has succeeded before the answer to our order is recorded. */
export const recordRefundSent = (
  { refundId }: PaymentCommandOf<'RecordRefundSent'>,
  payment: KnownPayment,
): PaymentDecision => {
  const request = requestOf(payment, refundId);
  switch (request?.status) {
    case undefined:
      return no('refund_not_found');
    case 'refused':
    case 'failed':
      return no('refund_closed');
    case 'requested':
      return no('refund_not_approved');
    case 'approved':
      return accept({ type: 'RefundSent', refundId });
    case 'sent':
    case 'completed':
      return accept();
  }
};

export const failRefund = (
  { refundId, reason }: PaymentCommandOf<'FailRefund'>,
  payment: KnownPayment,
): PaymentDecision => {
  const request = requestOf(payment, refundId);
  switch (request?.status) {
    case undefined:
      return no('refund_not_found');
    case 'completed':
      return no('refund_closed');
    case 'refused':
    case 'failed':
      return accept();
    case 'requested':
    case 'approved':
    case 'sent':
      return accept({ type: 'RefundFailed', refundId, reference: null, reason });
  }
};

const requestOf = ({ requests }: KnownPayment, refundId: string): RefundRequest | undefined =>
  requests.find((one) => one.refundId === refundId);

/** The refund under way at the partner that fulfils the request. */
export const pendingOf = ({ refunds }: KnownPayment, refundId: string): PartnerRefund | undefined =>
  refunds.find((one) => one.refundId === refundId && one.status === 'pending');

/** The open requests, the oldest first, that no longer fit into what is left of the payment. */
export const endMisfits = (payment: KnownPayment, reason: string): readonly PaymentEvent[] => {
  if (!payment.sale) return [];
  const rest = left(payment.sale, returnedOf(payment));
  const open = [...openRequestsOf(payment)];
  const ended: PaymentEvent[] = [];
  for (let parts = partsOf(open); parts.gross > rest.gross || parts.net > rest.net; parts = partsOf(open)) {
    const oldest = open.shift();
    if (!oldest) break;
    ended.push({ type: 'RefundFailed', refundId: oldest.refundId, reference: null, reason });
  }
  return ended;
};
