import type { Credits, Rates, Usage } from '../money.ts';
import type { AccountLimits, Limits } from './limits.ts';

/**
 * What happens to an account. Names and fields are on disk for ever: a change of shape is a new version in the codec.
 * `finance:` says what an event does to the books.
 */
export type AccountEvent = StandingEvent | KeyEvent | LimitEvent | WalletEvent;

export type StandingEvent =
  /**
   * finance: nothing. Registration was accepted; the holder declared to be 18 or older, or to act for an entity.
   * `personal` is a sealed text, so that who the holder is can be made unreadable while the log stays as it is.
   */
  | { readonly type: 'AccountRegistered'; readonly holder: 'person' | 'entity'; readonly personal: string }
  /** finance: nothing. The evidence that this version of the terms binds the account. */
  | { readonly type: 'TermsAccepted'; readonly version: string; readonly how: string }
  /** finance: nothing moves, but no new hold is possible until it is reinstated. */
  | { readonly type: 'AccountSuspended'; readonly reason: string }
  | { readonly type: 'AccountReinstated'; readonly reason: string };

export type KeyEvent =
  /** finance: nothing. Only the keyed hash of the secret is known; `hint` is its last four characters. */
  | {
      readonly type: 'KeyIssued';
      readonly keyId: string;
      readonly name: string;
      readonly hash: string;
      readonly pepperId: string;
      readonly hint: string;
      /** The key in whose place it was issued: what that key has used counts against the limits of this one. */
      readonly replaces?: string;
    }
  /** finance: nothing. The same secret, hashed with another pepper; earlier hashes stay valid while their pepper is accepted. */
  | { readonly type: 'KeyRehashed'; readonly keyId: string; readonly hash: string; readonly pepperId: string }
  | { readonly type: 'KeyRevoked'; readonly keyId: string; readonly reason: string };

export type LimitEvent =
  /** finance: nothing. From now on these are all the limits of the key: what they do not name is not limited. */
  | { readonly type: 'KeyLimitsSet'; readonly keyId: string; readonly limits: Limits }
  | { readonly type: 'AccountLimitsSet'; readonly limits: AccountLimits };

export type WalletEvent =
  /** finance: a liability arises; a grant is an expense of the house, a payment is money received. */
  | { readonly type: 'CreditsToppedUp'; readonly lotId: string; readonly amount: Credits; readonly source: LotSource }
  /** finance: nothing yet. Credits are set aside for one request, before the upstream hears of it. */
  | {
      readonly type: 'CreditsReserved';
      readonly requestId: string;
      readonly amount: Credits;
      readonly keyId: string;
      /** The process that must end this hold; when it dies, others do. */
      readonly runId: string;
      readonly price: PinnedPrice;
      readonly request: RequestFacts;
      /** Where it was asked under an Idempotency-Key: tells whether another request under that key is the same. */
      readonly requestHash?: string;
      /**
       * When it was decided, in ms since the epoch: the day that its charge belongs to, and the minute that it counts in.
       * Never before that of an earlier hold of the account. Not known of the oldest, which count for totals alone.
       */
      readonly at?: number;
    }
  /** finance: nothing yet. More is set aside, because the stream goes on. */
  | {
      readonly type: 'HoldExtended';
      readonly requestId: string;
      readonly by: Credits;
      /** When it was decided, as of a hold; this and the tokens that the step adds are not known of the oldest. */
      readonly at?: number;
      readonly tokens?: number;
    }
  /** finance: `charged` turns from liability into revenue, drawn from the lots named; the rest of the hold is free again. */
  | {
      readonly type: 'HoldSettled';
      readonly requestId: string;
      readonly keyId: string;
      /** As pinned by the hold, so that this event alone is the receipt. */
      readonly price: PinnedPrice;
      readonly usage: Usage;
      readonly cost: Credits;
      readonly charged: Credits;
      /** What the hold had come to in the end. */
      readonly held: Credits;
      /** What the hold kept beyond the charge. Never negative; 0 when the charge reached into the free balance. */
      readonly released: Credits;
      readonly drawn: readonly Draw[];
      readonly delivery: Delivery;
    }
  /** finance: nothing. The request ended without a charge. */
  | {
      readonly type: 'HoldReleased';
      readonly requestId: string;
      readonly released: Credits;
      readonly reason: ReleaseReason;
      /** What the upstream or the transport said, without any content of the request. */
      readonly detail: string;
    }
  /** finance: as HoldSettled, for usage that became known after the hold had been released. */
  | {
      readonly type: 'LateUsageCharged';
      readonly requestId: string;
      readonly keyId: string;
      readonly price: PinnedPrice;
      readonly usage: Usage;
      readonly cost: Credits;
      readonly charged: Credits;
      readonly drawn: readonly Draw[];
      readonly delivery: Delivery;
      /** Of the hold that had been released. */
      readonly at?: number;
    }
  /**
   * finance: an expense of the house. Delivered, but covered by neither hold nor balance; or charged once already, by the
   * same key; or beyond what the request could cost.
   */
  | {
      readonly type: 'UsageWrittenOff';
      readonly requestId: string;
      readonly amount: Credits;
      /** Tokens beyond the bounds of the request. The usage does not include them; the amount includes their cost at the pinned price. */
      readonly beyond?: Usage;
    };

export type LotSource =
  { readonly kind: 'grant'; readonly reason: string } | { readonly kind: 'payment'; readonly reference: string };

/** Which lot paid how much of a charge: the oldest pays first. */
export type Draw = { readonly lotId: string; readonly amount: Credits };

/** The entry of the price book that a request is charged by, copied so that a receipt can be recomputed from here alone. */
export type PinnedPrice = { readonly model: string; readonly version: number; readonly rates: Rates };

export type RequestFacts = {
  readonly endpoint: string;
  readonly upstream: string;
  readonly streamed: boolean;
  /** The bounds that the hold was computed from. */
  readonly inputTokensBound: number;
  readonly outputTokensBound: number;
};

export type Delivery = {
  /** `reported` by the upstream, or `metered` here because it broke off, the client left, or the report was absurd. */
  readonly usageSource: 'reported' | 'metered';
  /** `access_ended`: the key was revoked or expired, or the account suspended, while the stream was under way. */
  readonly ended: 'completed' | 'client_gone' | 'upstream_broke' | 'out_of_credits' | 'access_ended' | 'drained';
  readonly finishReason: string | null;
  /** The id that the upstream gave, which the customer sees in the response. */
  readonly upstreamId: string | null;
  readonly firstByteMs: number | null;
  readonly totalMs: number;
  /** What was odd about the reported usage, for the operator. */
  readonly anomalies: readonly string[];
};

export type ReleaseReason =
  | 'upstream_refused'
  | 'upstream_failed'
  | 'client_gone'
  | 'out_of_credits'
  | 'access_ended'
  | 'orphaned'
  | 'gateway_failed';
