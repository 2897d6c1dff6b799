import type { RefundReason } from '../account/refunds/events.ts';
import type { Lot } from '../account/lots.ts';
import type { Credits } from '../money.ts';
import { CURRENCY, fromMinorUnits, left, sum, type Parts, type Whole } from './amounts.ts';
import type { DisputeEvent, MinorUnits, PaidEvent, PaymentEvent, QuarantineReason, ReturnCause } from './events.ts';

export type Payment = { readonly status: 'unknown' } | KnownPayment;

export type KnownPayment = {
  readonly status: 'open' | 'completed' | 'quarantined' | 'rejected' | 'expired';
  readonly accountId: string;
  /** What was asked, without tax. */
  readonly amount: Credits;
  readonly partner: string;
  /** The newest is last. */
  readonly checkouts: readonly { readonly checkoutId: string; readonly url: string }[];
  /** The transaction that was credited; null until then. */
  readonly sale: Sale | null;
  readonly quarantined: readonly Quarantined[];
  readonly requests: readonly RefundRequest[];
  /** The refunds of the sale that the partner has reported. */
  readonly refunds: readonly PartnerRefund[];
  readonly disputes: readonly Dispute[];
};

export type Sale = Whole & {
  readonly transactionId: string;
  readonly orderId: string;
  readonly checkoutId: string | null;
  readonly tax: Credits;
  readonly currency: string;
};

export type Quarantined = {
  readonly transactionId: string;
  readonly orderId: string;
  readonly paid: MinorUnits;
  readonly tax: MinorUnits;
  readonly currency: string;
  readonly reason: QuarantineReason;
  readonly status: 'waiting' | 'released' | 'rejected';
  /** What the partner has returned, before or instead of a release. */
  readonly returns: readonly { readonly cause: ReturnCause; readonly gross: MinorUnits }[];
};

export type RefundRequest = {
  readonly refundId: string;
  readonly amount: Credits;
  readonly gross: Credits;
  readonly reason: RefundReason;
  readonly status: 'requested' | 'approved' | 'sent' | 'completed' | 'refused' | 'failed';
};

export type PartnerRefund = {
  readonly reference: string;
  readonly refundId: string | null;
  readonly status: 'pending' | 'succeeded' | 'failed';
  readonly gross: Credits;
  /** 0 until it has succeeded. */
  readonly amount: Credits;
};

export type Dispute = {
  readonly disputeId: string;
  readonly status: 'open' | 'won' | 'lost';
  readonly gross: Credits;
  /** What the chargeback would take at most. */
  readonly amount: Credits;
  /** What the chargeback has taken. */
  readonly taken: Parts;
};

export const paymentStream = (paymentId: string): string => `payment-${paymentId}`;

/** The payment of a stream; undefined for streams of other kinds. */
export const paymentOfStream = (stream: string): string | undefined =>
  stream.startsWith('payment-') ? stream.slice('payment-'.length) : undefined;

/** The lot that a payment `pay_…` is credited as. */
export const lotOfPayment = (paymentId: string): string => `lot_${paymentId.replace(/^pay_/, '')}`;

/** The id of a refund or chargeback that was found in its transaction, because its report, with its own id, has not arrived. */
export const idByTotal = (transactionId: string, total: MinorUnits): string => `${transactionId}#${total}`;
export const isFoundByTotal = (id: string): boolean => id.includes('#');

/** The payment of a lot; undefined for the lot of a grant. */
export const paymentOfLot = ({ source }: Pick<Lot, 'source'>): string | undefined =>
  source.kind === 'payment' ? source.reference : undefined;

/** What was returned of the sale by refunds and chargebacks. */
export const returnedOf = ({ refunds, disputes }: KnownPayment): Parts =>
  sum([
    ...refunds.flatMap(({ status, gross, amount }) => (status === 'succeeded' ? [{ gross, net: amount }] : [])),
    ...disputes.map(({ taken }) => taken),
  ]);

const OPEN: ReadonlySet<RefundRequest['status']> = new Set(['requested', 'approved', 'sent']);

export const isOpenRequest = ({ status }: RefundRequest): boolean => OPEN.has(status);

/** The requests that may still be refunded, the oldest first. */
export const openRequestsOf = ({ requests }: KnownPayment): readonly RefundRequest[] => requests.filter(isOpenRequest);

export const partsOf = (requests: readonly RefundRequest[]): Parts =>
  sum(requests.map(({ gross, amount }) => ({ gross, net: amount })));

/** What a further refund can be requested for; undefined if nothing was credited. */
export const refundableOf = (payment: KnownPayment): Parts | undefined =>
  payment.sale ? left(payment.sale, sum([returnedOf(payment), partsOf(openRequestsOf(payment))])) : undefined;

/** Whether the request is for the whole transaction, and nothing of it has been returned. */
export const isFullRefund = (payment: KnownPayment, refundId: string): boolean => {
  const { sale, requests } = payment;
  const request = requests.find((one) => one.refundId === refundId);
  if (!sale || request?.gross !== sale.paid) return false;
  return returnedOf(payment).gross === 0n && returnedBefore(payment) === 0n;
};

/** Whether a dispute about the sale is open or lost. */
export const isDisputed = ({ disputes }: KnownPayment): boolean => disputes.some(({ status }) => status !== 'won');

export const returnsOf = ({ returns }: Quarantined): MinorUnits => returns.reduce((all, { gross }) => all + gross, 0n);

/** What went back of the sale while it was in quarantine. It counts as never paid, but the partner's total includes it. */
export const returnedBefore = ({ sale, quarantined }: KnownPayment): MinorUnits => {
  const origin = quarantined.find(({ transactionId }) => transactionId === sale?.transactionId);
  return origin ? returnsOf(origin) : 0n;
};

/** A copy in which the elements with these fields are changed. */
const changing = <Element>(all: readonly Element[], fields: Partial<Element>, change: (one: Element) => Element) => {
  const names = Object.keys(fields) as (keyof Element)[];
  return all.map((one) => (names.every((name) => one[name] === fields[name]) ? change(one) : one));
};

export const evolvePayment = (payment: Payment, event: PaymentEvent): Payment => {
  if (event.type === 'PaymentOpened') {
    const { accountId, amount, partner } = event;
    const none = { checkouts: [], sale: null, quarantined: [], requests: [], refunds: [], disputes: [] };
    return { status: 'open', accountId, amount, partner, ...none };
  }
  return payment.status === 'unknown' ? payment : evolveKnown(payment, event);
};

const evolveKnown = (payment: KnownPayment, event: Exclude<PaymentEvent, { type: 'PaymentOpened' }>): KnownPayment => {
  switch (event.type) {
    case 'CheckoutCreated': {
      const { checkoutId, url } = event;
      return { ...payment, checkouts: [...payment.checkouts, { checkoutId, url }] };
    }
    case 'PaymentExpired':
      return { ...payment, status: 'expired' };
    case 'PaymentCompleted':
    case 'PaymentQuarantined':
    case 'QuarantineReleased':
    case 'QuarantineRejected':
    case 'QuarantineReturned':
      return evolvePaid(payment, event);
    case 'RefundRequested': {
      const { refundId, amount, gross, reason } = event;
      return { ...payment, requests: [...payment.requests, { refundId, amount, gross, reason, status: 'requested' }] };
    }
    case 'RefundApproved':
      return withRequest(payment, event.refundId, 'approved');
    case 'RefundRefused':
      return withRequest(payment, event.refundId, 'refused');
    case 'RefundSent':
      return withRequest(payment, event.refundId, 'sent');
    case 'RefundPending': {
      const { refundId, reference, gross } = event;
      return withRefund(payment, { refundId, reference, gross, status: 'pending', amount: 0n });
    }
    case 'RefundCompleted': {
      const { refundId, reference, gross, amount } = event;
      const known = withRefund(payment, { refundId, reference, gross, status: 'succeeded', amount });
      return withRequest(known, refundId, 'completed');
    }
    case 'RefundFailed': {
      const { refundId, reference } = event;
      const known =
        reference === null
          ? payment
          : withRefund(payment, { refundId, reference, gross: 0n, status: 'failed', amount: 0n });
      return withRequest(known, refundId, 'failed');
    }
    case 'DisputeOpened':
    case 'DisputeClosed':
      return evolveDisputes(payment, event);
  }
};

const withRequest = (
  payment: KnownPayment,
  refundId: string | null,
  status: RefundRequest['status'],
): KnownPayment => ({
  ...payment,
  requests: changing(payment.requests, { refundId: refundId ?? '' }, (one) => ({ ...one, status })),
});

const withRefund = (payment: KnownPayment, refund: PartnerRefund): KnownPayment => {
  const others = payment.refunds.filter(({ reference }) => reference !== refund.reference);
  return { ...payment, refunds: [...others, refund] };
};

const evolvePaid = (payment: KnownPayment, event: PaidEvent): KnownPayment => {
  const { quarantined } = payment;
  switch (event.type) {
    case 'PaymentCompleted': {
      const { type: _, ...sale } = event;
      return { ...payment, status: 'completed', sale: { ...sale, currency: CURRENCY } };
    }
    case 'PaymentQuarantined': {
      const { type: _, ...transaction } = event;
      const one: Quarantined = { ...transaction, status: 'waiting', returns: [] };
      return withStatus({ ...payment, quarantined: [...quarantined, one] });
    }
    case 'QuarantineReleased': {
      const { transactionId, credited } = event;
      const released = changing(quarantined, { transactionId }, (one) => ({ ...one, status: 'released' as const }));
      return {
        ...payment,
        status: 'completed',
        quarantined: released,
        sale: saleOf(released, transactionId, credited),
      };
    }
    case 'QuarantineRejected': {
      const { transactionId } = event;
      const rejected = changing(quarantined, { transactionId }, (one) => ({ ...one, status: 'rejected' as const }));
      return withStatus({ ...payment, quarantined: rejected });
    }
    case 'QuarantineReturned': {
      const { transactionId, cause, gross } = event;
      const returned = changing(quarantined, { transactionId }, (one) => ({
        ...one,
        returns: [...one.returns, { cause, gross }],
      }));
      return { ...payment, quarantined: returned };
    }
  }
};

const withStatus = (payment: KnownPayment): KnownPayment => {
  if (payment.sale) return payment;
  const isWaiting = payment.quarantined.some(({ status }) => status === 'waiting');
  return { ...payment, status: isWaiting ? 'quarantined' : 'rejected' };
};

/** What the partner returned before the release counts as never paid. */
const saleOf = (quarantined: readonly Quarantined[], transactionId: string, credited: Credits): Sale | null => {
  const one = quarantined.find((transaction) => transaction.transactionId === transactionId);
  if (!one) return null;
  const { orderId, currency } = one;
  const paid = fromMinorUnits(one.paid - returnsOf(one));
  return { transactionId, orderId, checkoutId: null, currency, paid, tax: fromMinorUnits(one.tax), credited };
};

const evolveDisputes = (payment: KnownPayment, event: DisputeEvent): KnownPayment => {
  const { disputeId } = event;
  if (event.type === 'DisputeOpened') {
    const { gross, amount } = event;
    const one: Dispute = { disputeId, status: 'open', gross, amount, taken: { gross: 0n, net: 0n } };
    return { ...payment, disputes: [...payment.disputes, one] };
  }
  const { outcome, amount } = event;
  const gross = payment.sale ? left(payment.sale, returnedOf(payment)).gross : 0n;
  const disputes = changing(payment.disputes, { disputeId }, (one) => ({
    ...one,
    status: outcome,
    taken: outcome === 'won' ? { gross: 0n, net: 0n } : { gross: one.gross < gross ? one.gross : gross, net: amount },
  }));
  return { ...payment, disputes };
};
