import type { Credits, Draw } from '../../money.ts';

/**
 * How credits leave an account without being used. A lot has the id of its payment in its source. Each of these takes at most
 * what open holds do not need; what they need is taken when they end, by a further event of the same type.
 */
export type RefundEvent =
  /** finance: the liability moves from paid credits to credits held for a refund. They cannot be spent. */
  | {
      readonly type: 'CreditsHeldForRefund';
      readonly refundId: string;
      readonly lotId: string;
      readonly amount: Credits;
      readonly reason: RefundReason;
    }
  /** finance: the reverse. The refund was refused or failed, or a dispute about the same payment took its place. */
  | {
      readonly type: 'RefundHoldReleased';
      readonly refundId: string;
      readonly lotId: string;
      readonly amount: Credits;
      readonly reason: string;
    }
  /** finance: the liability ends, and the payment partner owes us less. */
  | {
      readonly type: 'CreditsRefunded';
      readonly lotId: string;
      /** The partner's id of the refund. */
      readonly reference: string;
      /** The request that it fulfils; null if the partner made it without one. */
      readonly refundId: string | null;
      /** Taken from the lot now; 0 if nothing could be taken. */
      readonly amount: Credits;
      /** Still to be taken from the lot as open holds end. What they use becomes a debt. */
      readonly awaited: Credits;
    }
  /**
   * finance: the liability moves from paid credits to frozen credits. The payment of the lot is disputed. If several disputes
   * are open, the credits are frozen for all of them: `amount` is only what was still free.
   */
  | { readonly type: 'LotFrozen'; readonly lotId: string; readonly disputeId: string; readonly amount: Credits }
  /** finance: the reverse. The amount is 0 while another dispute about the payment is open. */
  | { readonly type: 'LotUnfrozen'; readonly lotId: string; readonly disputeId: string; readonly amount: Credits }
  /** finance: the liability ends, and the payment partner owes us less. The dispute was lost. Fields as of `CreditsRefunded`. */
  | {
      readonly type: 'CreditsChargedBack';
      readonly lotId: string;
      readonly disputeId: string;
      readonly amount: Credits;
      readonly awaited: Credits;
    }
  /** finance: the reverse of a chargeback and of the debt that it caused. */
  | {
      readonly type: 'ChargebackReversed';
      readonly lotId: string;
      readonly disputeId: string;
      /** What the chargeback had taken, back in the lot. */
      readonly restored: Credits;
      /** The open debt that ends. */
      readonly cancelled: Credits;
      /** What other lots had repaid of the debt, back in these lots. */
      readonly returned: readonly Draw[];
      /** What reversals of charges had taken off the debt, now in the lot. */
      readonly reduced: Credits;
    }
  /** finance: revenue from forfeiture. The account was closed for a violation. */
  | { readonly type: 'CreditsForfeited'; readonly lotId: string; readonly amount: Credits; readonly reason: string }
  /** finance: revenue from breakage. The holder gave the credits up when the account was closed. */
  | { readonly type: 'CreditsWaived'; readonly lotId: string; readonly amount: Credits; readonly reason: string };

export const refundReasons = ['not_needed', 'by_mistake', 'not_satisfied', 'account_closed', 'other'] as const;
export type RefundReason = (typeof refundReasons)[number];

/** The lot of a debt is the one whose payment was refunded or charged back after its credits had been used. */
export type DebtEvent =
  /** finance: a receivable from the customer; the payment partner owes us less. */
  | {
      readonly type: 'DebtIncurred';
      readonly lotId: string;
      readonly amount: Credits;
      readonly cause: 'refund' | 'chargeback';
      /** The partner's id of the refund or the dispute. */
      readonly reference: string;
    }
  /** finance: paid credits of the lot `from` settle the receivable. In the same append as the payment. */
  | { readonly type: 'DebtRepaid'; readonly lotId: string; readonly amount: Credits; readonly from: string }
  /** finance: a bad debt, an expense of the operator. */
  | { readonly type: 'DebtWrittenOff'; readonly lotId: string; readonly amount: Credits; readonly reason: string };

export type CorrectionEvent =
  /**
   * finance: revenue falls. Part of a charge goes back: all reversals of a generation together are at most its charge. The
   * amount is the sum of the three lists; the lots in them are lots that had paid the charge.
   */
  {
    readonly type: 'ChargeReversed';
    readonly requestId: string;
    readonly amount: Credits;
    readonly reason: string;
    /** When it was decided, in ms since the epoch. */
    readonly at: number;
    /** Back in the lots. */
    readonly returned: readonly Draw[];
    /** Less debt, for lots whose payment was refunded or charged back. */
    readonly debtReduced: readonly Draw[];
    /** For lots that have ended: a grant in the same append takes their place. */
    readonly granted: readonly Draw[];
  };
