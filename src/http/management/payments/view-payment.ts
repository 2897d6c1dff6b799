import type { Account } from '../../../domain/account/account.ts';
import type { PaymentEvent } from '../../../domain/payments/events.ts';
import {
  isFullRefund,
  lotOfPayment,
  returnsOf,
  type Dispute,
  type KnownPayment,
  type Quarantined,
  type RefundRequest,
} from '../../../domain/payments/payment.ts';
import { formatUsd } from '../../../domain/money.ts';
import { viewLots } from '../accounts/views/lot-view.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { timeOf, type PaymentHistory } from './payment-history.ts';
import type { PaymentSummary, PaymentView } from './payment-view.ts';
import { refundableNow } from '../../../domain/payments/refundable.ts';

/** Customers do not see the notes of staff. */
type Reader = { readonly isCustomer: boolean };

export const viewPayment = (
  history: PaymentHistory,
  account: Account,
  { isSimulatedPartner, topUps }: Pick<ManagementDeps, 'isSimulatedPartner' | 'topUps'>,
  reader: Reader,
): PaymentView => {
  const { paymentId, payment, events } = history;
  const { sale, checkouts } = payment;
  const isOpen = payment.status === 'open';
  const openedAt = openedAtOf(history);
  const lot_id = lotOfPayment(paymentId);
  return {
    ...viewSummary(history),
    simulated: isSimulatedPartner(payment.partner),
    checkout_url: isOpen ? (checkouts.at(-1)?.url ?? null) : null,
    expires_at: isOpen ? new Date(openedAt.getTime() + topUps.payableMs).toISOString() : null,
    ...{ lot_id, lot: viewLots(account.wallet).find((one) => one.lot_id === lot_id) ?? null },
    refundable_usd: formatUsd(refundableNow(account, paymentId, payment)),
    sale: sale && {
      ...{ transaction_id: sale.transactionId, order_id: sale.orderId, checkout_id: sale.checkoutId },
      ...{ currency: sale.currency, paid: formatUsd(sale.paid), tax: formatUsd(sale.tax) },
    },
    refunds: payment.requests.map((one) => viewRefund(history, one, reader)),
    partner_refunds: payment.refunds.map(({ reference, refundId, status, gross, amount }) => ({
      ...{ reference, refund_id: refundId, status, gross: formatUsd(gross), amount_usd: formatUsd(amount) },
    })),
    disputes: payment.disputes.map((one) => viewDispute(history, one)),
    quarantined: payment.quarantined.map((one) => viewQuarantined(history, one, reader)),
    events: events.map(({ event: { type }, position, time, metadata: { actor } }) => ({
      ...{ type, position, time: time.toISOString(), actor },
    })),
  };
};

export const openedAtOf = ({ events }: PaymentHistory): Date => events[0]?.time ?? new Date(0);

const isoOf = (time: Date | null): string | null => time?.toISOString() ?? null;

const viewSummary = (history: PaymentHistory): PaymentSummary => {
  const { paymentId, payment } = history;
  const { accountId, status, partner, amount, sale, refunds, disputes, quarantined } = payment;
  return {
    ...{ payment_id: paymentId, account_id: accountId, status, partner, amount_usd: formatUsd(amount) },
    credited_usd: formatUsd(sale?.credited ?? 0n),
    refunded_usd: formatUsd(refunds.reduce((sum, one) => sum + one.amount, 0n)),
    charged_back_usd: formatUsd(disputes.reduce((sum, { taken }) => sum + taken.net, 0n)),
    order_id: sale?.orderId ?? quarantined[0]?.orderId ?? null,
    opened_at: openedAtOf(history).toISOString(),
    completed_at: isoOf(timeOf(history, ({ type }) => type === 'PaymentCompleted' || type === 'QuarantineReleased')),
  };
};

const ANSWERS: ReadonlySet<PaymentEvent['type']> = new Set(['RefundApproved', 'RefundRefused']);
const ENDS: ReadonlySet<PaymentEvent['type']> = new Set(['RefundRefused', 'RefundFailed', 'RefundCompleted']);

export const viewRefund = (
  history: PaymentHistory,
  { refundId, status, amount, gross, reason }: RefundRequest,
  { isCustomer }: Reader,
): PaymentView['refunds'][number] => {
  const of = (types: ReadonlySet<PaymentEvent['type']>) => (event: PaymentEvent) =>
    types.has(event.type) && 'refundId' in event && event.refundId === refundId;
  const isMade = status !== 'refused' && status !== 'failed';
  return {
    ...{ refund_id: refundId, status, amount_usd: formatUsd(amount), gross: formatUsd(gross), reason },
    is_full: isFullRefund(history.payment, refundId),
    answer_reason: isCustomer && isMade ? null : reasonOf(history, refundId),
    requested_at: timeOf(history, of(new Set(['RefundRequested'])))?.toISOString() ?? openedAtOf(history).toISOString(),
    answered_at: isoOf(timeOf(history, of(ANSWERS))),
    ended_at: isoOf(timeOf(history, of(ENDS))),
  };
};

/** The newest: a refund that was approved may be refused or fail later. */
const reasonOf = ({ events }: PaymentHistory, refundId: string): string | null => {
  for (const { event } of events.toReversed()) {
    const isAnswer = event.type === 'RefundApproved' || event.type === 'RefundRefused' || event.type === 'RefundFailed';
    if (isAnswer && event.refundId === refundId) return event.reason;
  }
  return null;
};

/** The id as it appears in URLs. That of a dispute that was found without a report contains a `#`. */
export const disputeIdInUrls = (disputeId: string): string => disputeId.replaceAll('#', '-');

export const viewDispute = (
  history: PaymentHistory,
  { disputeId, status, gross, amount, taken }: Dispute,
): PaymentView['disputes'][number] => {
  const opened = (event: PaymentEvent) => event.type === 'DisputeOpened' && event.disputeId === disputeId;
  const closed = history.events.findLast(
    ({ event }) => event.type === 'DisputeClosed' && event.disputeId === disputeId,
  );
  return {
    ...{ dispute_id: disputeIdInUrls(disputeId), status, gross: formatUsd(gross), amount_usd: formatUsd(amount) },
    charged_back_usd: formatUsd(taken.net),
    opened_at: (timeOf(history, opened) ?? openedAtOf(history)).toISOString(),
    closed_at: isoOf(closed?.time ?? null),
  };
};

export const viewQuarantined = (
  history: PaymentHistory,
  one: Quarantined,
  { isCustomer }: Reader,
): PaymentView['quarantined'][number] => {
  const { transactionId, orderId, status, reason, currency, paid, tax } = one;
  const of = (types: readonly PaymentEvent['type'][]) =>
    history.events.find(
      ({ event }) => types.includes(event.type) && 'transactionId' in event && event.transactionId === transactionId,
    );
  const decided = of(['QuarantineReleased', 'QuarantineRejected']);
  const decision = decided?.event;
  const isForStaff = decision?.type === 'QuarantineReleased' || decision?.type === 'QuarantineRejected';
  return {
    ...{ transaction_id: transactionId, order_id: orderId, status, reason, currency, paid: `${paid}`, tax: `${tax}` },
    returned: `${returnsOf(one)}`,
    decision_reason: isForStaff && !isCustomer ? decision.reason : null,
    quarantined_at: (of(['PaymentQuarantined'])?.time ?? openedAtOf(history)).toISOString(),
    decided_at: isoOf(decided?.time ?? null),
  };
};

/** The request of a payment with this id. */
export const requestOf = ({ requests }: KnownPayment, refundId: string): RefundRequest | undefined =>
  requests.find((one) => one.refundId === refundId);
