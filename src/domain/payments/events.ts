import type { RefundReason } from '../account/refunds/events.ts';
import type { Credits } from '../money.ts';

/** An amount in the smallest unit of a currency, as a payment partner states it: of USD, in cents. */
export type MinorUnits = bigint;

/**
 * The events of one payment. Names and fields are on disk permanently. `finance:` is the effect on the books. The credits
 * themselves are in the account: a process carries each of these events there. `gross` includes tax; `amount` and `credited`
 * do not. `gross`, `paid` and `tax` of a payment that came from quarantine in another currency are billionths of that currency.
 */
export type PaymentEvent = OpeningEvent | PaidEvent | RefundRequestEvent | PartnerRefundEvent | DisputeEvent;

type OpeningEvent =
  /** finance: nothing. A customer asks to top up by `amount`, without tax, in whole cents. */
  | {
      readonly type: 'PaymentOpened';
      readonly accountId: string;
      readonly amount: Credits;
      /** The name of the payment partner. */
      readonly partner: string;
    }
  /** finance: nothing. The page on which the customer pays. A payment has a further one if the first was not recorded. */
  | { readonly type: 'CheckoutCreated'; readonly checkoutId: string; readonly url: string }
  /** finance: nothing. It was not paid in time. If it is paid later, it completes. */
  | { readonly type: 'PaymentExpired'; readonly reason: string };

export type PaidEvent =
  /** finance: the partner owes us `credited`, less its fee; we owe it to the customer as credits. The tax is the partner's. */
  | {
      readonly type: 'PaymentCompleted';
      readonly transactionId: string;
      readonly orderId: string;
      readonly checkoutId: string | null;
      readonly paid: Credits;
      readonly tax: Credits;
      readonly credited: Credits;
    }
  /** finance: the partner owes us the money; in suspense until staff decide. No credits. */
  | {
      readonly type: 'PaymentQuarantined';
      readonly transactionId: string;
      readonly orderId: string;
      readonly paid: MinorUnits;
      readonly tax: MinorUnits;
      /** ISO 4217. */
      readonly currency: string;
      readonly reason: QuarantineReason;
    }
  /** finance: from suspense to credits of the customer. */
  | {
      readonly type: 'QuarantineReleased';
      readonly transactionId: string;
      readonly credited: Credits;
      readonly reason: string;
    }
  /** finance: nothing. It stays in suspense until the partner has returned it. */
  | { readonly type: 'QuarantineRejected'; readonly transactionId: string; readonly reason: string }
  /** finance: out of suspense; the partner owes us less. The partner returned money of a transaction in quarantine. */
  | {
      readonly type: 'QuarantineReturned';
      readonly transactionId: string;
      readonly cause: ReturnCause;
      readonly gross: MinorUnits;
    };

export const quarantineReasons = ['more_than_asked', 'other_currency', 'second_transaction'] as const;
export type QuarantineReason = (typeof quarantineReasons)[number];

/** The partner's id of the refund or of the dispute. */
export type ReturnCause =
  { readonly kind: 'refund'; readonly reference: string } | { readonly kind: 'dispute'; readonly disputeId: string };

/** The `reason` of a decision is the text of the staff. */
type RefundRequestEvent =
  /** finance: nothing here; the account holds the credits. `gross` is what the partner is to return, in whole cents. */
  | {
      readonly type: 'RefundRequested';
      readonly refundId: string;
      readonly amount: Credits;
      readonly gross: Credits;
      readonly reason: RefundReason;
    }
  /** finance: nothing. */
  | { readonly type: 'RefundApproved'; readonly refundId: string; readonly reason: string }
  /** finance: nothing here; the account releases the credits. */
  | { readonly type: 'RefundRefused'; readonly refundId: string; readonly reason: string }
  /** finance: nothing. The partner has accepted the order to refund. */
  | { readonly type: 'RefundSent'; readonly refundId: string };

/** `reference` is the partner's id of the refund; `refundId` the request that it fulfils, null if it fulfils none. */
type PartnerRefundEvent =
  /** finance: nothing yet. The refund is under way. */
  | {
      readonly type: 'RefundPending';
      readonly refundId: string | null;
      readonly reference: string;
      readonly gross: Credits;
    }
  /** finance: the partner owes us `amount` less. Its fee for the payment stays an expense. 0 if nothing was left to take. */
  | {
      readonly type: 'RefundCompleted';
      readonly refundId: string | null;
      readonly reference: string;
      readonly gross: Credits;
      readonly amount: Credits;
    }
  /** finance: nothing here; the account releases the credits of the request. `reference` is null if it failed here. */
  | {
      readonly type: 'RefundFailed';
      readonly refundId: string | null;
      readonly reference: string | null;
      readonly reason: string;
    };

export type DisputeEvent =
  /** finance: `amount` moves from what the partner owes us to disputed money; the fee of the dispute is an expense. */
  | {
      readonly type: 'DisputeOpened';
      readonly disputeId: string;
      readonly gross: Credits;
      readonly amount: Credits;
    }
  /**
   * finance: won: the partner owes us the disputed money again; lost: it does not. A lost dispute may be won later. `amount`
   * is what the chargeback takes, or what comes back if the dispute was lost before. 0 if nothing was left to take, or if the
   * dispute is won at first.
   */
  | {
      readonly type: 'DisputeClosed';
      readonly disputeId: string;
      readonly outcome: DisputeOutcome;
      readonly how: DisputeEnd;
      readonly amount: Credits;
    };

export const disputeOutcomes = ['won', 'lost'] as const;
export type DisputeOutcome = (typeof disputeOutcomes)[number];

/** How the end of a dispute became known. `time`: the partner reported nothing for so long that the dispute counts as lost. */
export const disputeEnds = ['partner', 'staff', 'time'] as const;
export type DisputeEnd = (typeof disputeEnds)[number];
