import type { RefundReason } from '../account/refunds/events.ts';
import type { Decision } from '../decider.ts';
import type { Credits } from '../money.ts';
import type { DisputeEnd, DisputeOutcome, MinorUnits, PaymentEvent } from './events.ts';

export type PaymentCommand = OpeningCommand | PartnerFact | QuarantineCommand | RefundRequestCommand | CloseDispute;

type OpeningCommand =
  /** The caller checks the smallest and the largest amount that may be asked. */
  | { readonly type: 'OpenPayment'; readonly accountId: string; readonly amount: Credits; readonly partner: string }
  | { readonly type: 'RecordCheckout'; readonly checkoutId: string; readonly url: string }
  /** Changes nothing if the payment has been paid. */
  | { readonly type: 'ExpirePayment'; readonly reason: string };

/** What the partner reports, in any order and any number of times. The account may be in any state. */
type PartnerFact =
  | {
      readonly type: 'RecordPaid';
      readonly transactionId: string;
      readonly orderId: string;
      readonly checkoutId: string | null;
      /** With tax. */
      readonly paid: MinorUnits;
      readonly tax: MinorUnits;
      /** ISO 4217, in capital letters. */
      readonly currency: string;
    }
  /** Refused with `payment_not_completed` if the transaction is not recorded yet: the caller records it first. */
  | {
      readonly type: 'RecordRefund';
      readonly reference: string;
      readonly transactionId: string;
      readonly gross: MinorUnits;
      readonly currency: string;
      readonly status: PartnerRefundStatus;
      /**
       * What the partner has refunded of the transaction in total by now. It is needed once a refund was found by
       * comparing totals, without its id: the report of that refund, which may still come, must not count again.
       */
      readonly total?: MinorUnits;
    }
  /** Refused like RecordRefund. */
  | {
      readonly type: 'RecordDispute';
      readonly disputeId: string;
      readonly transactionId: string;
      readonly gross: MinorUnits;
      readonly currency: string;
    };

export const partnerRefundStatuses = ['pending', 'requiresAction', 'succeeded', 'failed', 'canceled'] as const;
export type PartnerRefundStatus = (typeof partnerRefundStatuses)[number];

/** Decisions of staff about a transaction in quarantine. */
type QuarantineCommand =
  /** In USD at most the part without tax of what was paid and did not go back. Refused if the payment has credits from another transaction. */
  | {
      readonly type: 'ReleaseQuarantine';
      readonly transactionId: string;
      readonly credited: Credits;
      readonly reason: string;
    }
  | { readonly type: 'RejectQuarantine'; readonly transactionId: string; readonly reason: string };

type RefundRequestCommand =
  /** The account holds the credits already. */
  | {
      readonly type: 'RequestRefund';
      readonly refundId: string;
      readonly amount: Credits;
      readonly reason: RefundReason;
    }
  | { readonly type: 'ApproveRefund'; readonly refundId: string; readonly reason: string }
  | { readonly type: 'RefuseRefund'; readonly refundId: string; readonly reason: string }
  /** The partner has accepted the order to refund. */
  | { readonly type: 'RecordRefundSent'; readonly refundId: string }
  /** The refund is not made. The account may have released the credits already. */
  | { readonly type: 'FailRefund'; readonly refundId: string; readonly reason: string };

export type CloseDispute = {
  readonly type: 'CloseDispute';
  readonly disputeId: string;
  readonly outcome: DisputeOutcome;
  readonly how: DisputeEnd;
};

/** In order of precedence: if several apply to a command, it is refused with the first. */
export const paymentRefusalCodes = [
  'payment_exists',
  'payment_not_found',
  'payment_not_completed',
  'quarantine_not_found',
  'quarantine_closed',
  'payment_completed',
  'refund_exists',
  'refund_not_found',
  'refund_closed',
  'refund_sent',
  'refund_not_approved',
  'refund_total_needed',
  'payment_disputed',
  'already_refunded',
  'dispute_not_found',
  'dispute_closed',
  'other_currency',
  'invalid_amount',
  'more_than_refundable',
] as const;
export type PaymentRefusal = { readonly code: (typeof paymentRefusalCodes)[number] };

export type PaymentDecision = Decision<PaymentEvent, PaymentRefusal>;

/** The command of one type. */
export type PaymentCommandOf<Type extends PaymentCommand['type']> = Extract<PaymentCommand, { type: Type }>;
