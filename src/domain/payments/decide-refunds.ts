import { accept, refuse } from '../decider.ts';
import { fromMinorUnits, netOf } from './amounts.ts';
import type { PaymentCommandOf, PaymentDecision } from './commands.ts';
import { isReturned, quarantinedOf, returnQuarantined } from './decide-paid.ts';
import { endMisfits, pendingOf } from './decide-requests.ts';
import type { PaymentEvent } from './events.ts';
import {
  evolvePayment,
  isFoundByTotal,
  isOpenRequest,
  openRequestsOf,
  returnedBefore,
  returnedOf,
  type KnownPayment,
  type RefundRequest,
  type Sale,
} from './payment.ts';

type RecordRefund = PaymentCommandOf<'RecordRefund'>;

/** A refund is recorded once in each status, by the partner's id of it. */
export const recordRefund = (fact: RecordRefund, payment: KnownPayment): PaymentDecision => {
  const { reference, transactionId, gross, currency, status } = fact;
  const cause = { kind: 'refund', reference } as const;
  if (isReturned(payment, cause)) return accept();
  const { sale } = payment;
  if (sale?.transactionId !== transactionId) {
    const one = quarantinedOf(payment, transactionId);
    if (!one) return refuse({ code: 'payment_not_completed' });
    return status === 'succeeded' ? returnQuarantined(one, cause, gross, currency) : accept();
  }
  if (isRefusal(fact, payment)) return refuse({ code: 'already_refunded' });
  if (currency !== sale.currency) return refuse({ code: 'other_currency' });
  if (gross <= 0n) return refuse({ code: 'invalid_amount' });
  switch (status) {
    case 'pending':
    case 'requiresAction':
      return recordPending(fact, payment);
    case 'succeeded':
      return recordSucceeded(fact, payment, sale);
    case 'failed':
    case 'canceled':
      return recordFailed(fact, payment);
  }
};

const statusOf = ({ refunds }: KnownPayment, reference: string) =>
  refunds.find((one) => one.reference === reference)?.status;

/** A refund that has succeeded does not fail: the credits are gone, and staff must look at it. */
const isRefusal = ({ reference, status }: RecordRefund, payment: KnownPayment): boolean =>
  statusOf(payment, reference) === 'succeeded' && (status === 'failed' || status === 'canceled');

const recordPending = ({ reference, gross: paid }: RecordRefund, payment: KnownPayment): PaymentDecision => {
  if (statusOf(payment, reference) !== undefined) return accept();
  const gross = fromMinorUnits(paid);
  const refundId = matching(payment, reference, gross)?.refundId ?? null;
  return accept({ type: 'RefundPending', refundId, reference, gross });
};

const recordSucceeded = (fact: RecordRefund, payment: KnownPayment, sale: Sale): PaymentDecision => {
  const { reference } = fact;
  if (statusOf(payment, reference) === 'succeeded') return accept();
  const gross = fromMinorUnits(fact.gross);
  const counted = isCounted(fact, payment);
  if (counted === 'unknown') return refuse({ code: 'refund_total_needed' });
  if (counted) return accept();
  const request = matching(payment, reference, gross);
  const amount = request?.amount ?? netOf(gross, sale, returnedOf(payment));
  const refundId = request?.refundId ?? null;
  const completed: PaymentEvent = { type: 'RefundCompleted', refundId, reference, gross, amount };
  const after = evolvePayment(payment, completed);
  const misfits = after.status === 'unknown' ? [] : endMisfits(after, 'the payment was refunded');
  return accept(completed, ...misfits);
};

/** Whether a refund is part of one that was found by comparing totals. */
const isCounted = ({ gross, total }: RecordRefund, payment: KnownPayment): boolean | 'unknown' => {
  if (total === undefined)
    return payment.refunds.some(({ reference }) => isFoundByTotal(reference)) ? 'unknown' : false;
  const refunded = payment.refunds.reduce((sum, one) => (one.status === 'succeeded' ? sum + one.gross : sum), 0n);
  // A chargeback counts in the total as well.
  const disputed = payment.disputes.reduce((sum, one) => (one.status === 'won' ? sum : sum + one.gross), 0n);
  const known = refunded + disputed + fromMinorUnits(returnedBefore(payment));
  return known + fromMinorUnits(gross) > fromMinorUnits(total);
};

const recordFailed = ({ reference, gross, status }: RecordRefund, payment: KnownPayment): PaymentDecision => {
  if (statusOf(payment, reference) === 'failed') return accept();
  const request = matching(payment, reference, fromMinorUnits(gross));
  // A refund that failed before the request was approved was not made for it.
  const refundId = request && request.status !== 'requested' ? request.refundId : null;
  return accept({ type: 'RefundFailed', refundId, reference, reason: status });
};

/**
 * The open request that a refund of the partner fulfils: the one that it was recorded for before; otherwise one of the same
 * gross amount that no other refund fulfils, an approved one first.
 */
const matching = (payment: KnownPayment, reference: string, gross: bigint): RefundRequest | undefined => {
  const known = payment.refunds.find((one) => one.reference === reference);
  if (known) return payment.requests.find((one) => one.refundId === known.refundId && isOpenRequest(one));
  const open = openRequestsOf(payment).filter((one) => one.gross === gross && !pendingOf(payment, one.refundId));
  return open.find(({ status }) => status !== 'requested') ?? open[0];
};
