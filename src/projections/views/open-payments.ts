import { paymentOfStream } from '../../domain/payments/payment.ts';
import type { PaymentEvent } from '../../domain/payments/events.ts';
import type { DomainEvent, Fact } from '../../eventstore/journal/codec.ts';
import type { Consumer } from '../follow.ts';

/** A payment that is under way. The payment's stream has the details. */
type Waiting = { readonly paymentId: string; readonly since: Date };
type UnpaidPayment = Waiting & { readonly accountId: string };
type WaitingRefund = Waiting & { readonly refundId: string };
type OpenDispute = Waiting & { readonly disputeId: string };

export type OpenPayments = Consumer & {
  /** Opened, not paid and not expired: the oldest first. */
  unpaid(): readonly UnpaidPayment[];
  /** Expired, and opened after a time: their pages may still have been paid. */
  expired(openedAfter: Date): readonly UnpaidPayment[];
  /** Requests for a refund that are not answered, or not made yet: the oldest first. */
  refunds(): readonly WaitingRefund[];
  /** With a transaction that is not credited until staff decide: the oldest first. */
  quarantined(): readonly Waiting[];
  /** Disputes without an outcome: the oldest first. */
  disputes(): readonly OpenDispute[];
};

const TYPES = new Set<DomainEvent['type']>([
  ...(['PaymentOpened', 'PaymentExpired', 'PaymentCompleted', 'PaymentQuarantined'] as const),
  ...(['QuarantineReleased', 'QuarantineRejected', 'RefundRequested', 'RefundRefused', 'RefundCompleted'] as const),
  ...(['RefundFailed', 'DisputeOpened', 'DisputeClosed'] as const),
]);

type Matters = {
  readonly unpaid: Map<string, UnpaidPayment>;
  readonly expired: Map<string, UnpaidPayment>;
  readonly refunds: Map<string, WaitingRefund>;
  /** By transaction. */
  readonly quarantined: Map<string, Waiting>;
  readonly disputes: Map<string, OpenDispute>;
};

/** What is under way with payments, in memory, from the log. */
export const createOpenPayments = (): OpenPayments => {
  const matters: Matters = {
    ...{ unpaid: new Map(), expired: new Map() },
    ...{ refunds: new Map(), quarantined: new Map(), disputes: new Map() },
  };
  let position = 0;
  return {
    name: 'open_payments',
    types: TYPES,
    position: () => position,
    apply: (batch, upTo) => {
      for (const fact of batch) {
        const paymentId = paymentOfStream(fact.stream);
        if (paymentId !== undefined && fact.position > position) follow(matters, paymentId, fact);
      }
      position = Math.max(position, upTo);
      return position;
    },
    unpaid: () => [...matters.unpaid.values()],
    expired: (openedAfter) => {
      // Forgets the others, so that the map does not grow.
      for (const [id, { since }] of matters.expired) if (since <= openedAfter) matters.expired.delete(id);
      return [...matters.expired.values()];
    },
    refunds: () => [...matters.refunds.values()],
    quarantined: () => [...matters.quarantined.values()],
    disputes: () => [...matters.disputes.values()],
  };
};

const follow = (
  { unpaid, expired, refunds, quarantined, disputes }: Matters,
  paymentId: string,
  { event: any, time: since }: Fact,
): void => {
  const event = any as PaymentEvent;
  switch (event.type) {
    case 'PaymentOpened':
      return void unpaid.set(paymentId, { paymentId, accountId: event.accountId, since });
    case 'PaymentExpired': {
      const one = unpaid.get(paymentId);
      if (one) expired.set(paymentId, one);
      return void unpaid.delete(paymentId);
    }
    case 'PaymentCompleted':
      expired.delete(paymentId);
      return void unpaid.delete(paymentId);
    case 'PaymentQuarantined':
      expired.delete(paymentId);
      unpaid.delete(paymentId);
      return void quarantined.set(event.transactionId, { paymentId, since });
    case 'QuarantineReleased':
    case 'QuarantineRejected':
      return void quarantined.delete(event.transactionId);
    case 'RefundRequested':
      return void refunds.set(event.refundId, { paymentId, refundId: event.refundId, since });
    case 'RefundRefused':
    case 'RefundCompleted':
    case 'RefundFailed':
      return void (event.refundId !== null && refunds.delete(event.refundId));
    case 'DisputeOpened':
      return void disputes.set(event.disputeId, { paymentId, disputeId: event.disputeId, since });
    case 'DisputeClosed':
      return void disputes.delete(event.disputeId);
    case 'CheckoutCreated':
    case 'QuarantineReturned':
    case 'RefundApproved':
    case 'RefundSent':
    case 'RefundPending':
      return;
  }
};
