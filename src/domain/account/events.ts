import type { Credits, Draw, Rates, Usage } from '../money.ts';
import type { AccountLimits, Limits } from './limits/limits.ts';
import type { ConductEvent, ContactNote, NoticeEvent, NoticeOutcome } from './conduct/events.ts';
import type { CorrectionEvent, DebtEvent, RefundEvent } from './refunds/events.ts';

/**
 * The events of an account. Names and fields are on disk permanently: a changed shape is a new version in the codec.
 * `finance:` is the effect of an event on the books.
 */
export type AccountEvent =
  | StandingEvent
  | MemberEvent
  | TokenEvent
  | DuplicateEvent
  | KeyEvent
  | LimitEvent
  | LowBalanceEvent
  | WalletEvent
  | RefundEvent
  | DebtEvent
  | CorrectionEvent
  | NoticeEvent
  | ConductEvent
  | ContactNote;

export type StandingEvent =
  /**
   * finance: nothing. Registration was accepted; the holder declared to be 18 or older, or to act for an entity.
   * `personal` is a sealed text, so that personal data can be made unreadable without changing the log.
   */
  | { readonly type: 'AccountRegistered'; readonly holder: 'person' | 'entity'; readonly personal: string }
  /**
   * finance: nothing. The evidence that this version of the terms binds the account. If `how` is `use`, the event is in the append
   * of the first hold after the version took effect, and `notice` is the state of the notice to the owners at that moment.
   */
  | {
      readonly type: 'TermsAccepted';
      readonly version: string;
      readonly how: string;
      readonly notice?: NoticeOutcome | 'pending' | 'not_due';
    }
  /** finance: nothing. No new hold is possible until every cause is removed by an event of its own. */
  | { readonly type: 'AccountSuspended'; readonly reason: string; readonly cause: SuspensionCause }
  | { readonly type: 'AccountReinstated'; readonly reason: string; readonly cause: SuspensionCause }
  /** finance: nothing. The name or the address of the holder changed. */
  | { readonly type: 'ContactChanged'; readonly personal: string }
  /**
   * finance: nothing. The same append revokes all keys and ends the promotional lots (`LotExpired`). The rest of paid lots
   * stays owed, is to be refunded (`refund`), or is given up in the same append (`waived`). An account cannot be opened again.
   * `askedBy` is the member who asked for it; absent if the operator closed it.
   */
  | {
      readonly type: 'AccountClosed';
      readonly reason: string;
      readonly askedBy?: string;
      readonly rest?: RestOfCredits;
    }
  /** finance: nothing. The data key is destroyed because of this event, so that no sealed text of the account can be opened. */
  | { readonly type: 'PersonalDataErased'; readonly reason: string };

/** What the holder of a closed account asks for: a refund of the paid credits, or to give them up. */
export const restsOfCredits = ['refund', 'waived'] as const;
export type RestOfCredits = (typeof restsOfCredits)[number];

/**
 * Why an account is suspended: a decision of staff, a violation of the terms, a dispute about the payment of a lot, or credits
 * that it owes.
 */
export type SuspensionCause =
  | { readonly kind: 'staff' }
  | { readonly kind: 'violation'; readonly violationId: string }
  | { readonly kind: 'dispute'; readonly disputeId: string }
  | { readonly kind: 'debt' };

/** What a person may do for an account: everything; money and invoices; keys and usage. */
export const memberRoles = ['owner', 'billing', 'developer'] as const;
export type MemberRole = (typeof memberRoles)[number];

export type MemberEvent =
  /** finance: nothing, as all events of members. */
  | { readonly type: 'MemberAdded'; readonly personId: string; readonly role: MemberRole }
  | { readonly type: 'MemberRoleChanged'; readonly personId: string; readonly role: MemberRole }
  | { readonly type: 'MemberRemoved'; readonly personId: string; readonly reason: string };

export type TokenEvent =
  /**
   * finance: nothing, as all events of tokens. A management token for scripts. Its name is the customer's text, and is kept
   * with its hash outside the log. `endsAt` is in ms since the epoch.
   */
  | {
      readonly type: 'TokenCreated';
      readonly tokenId: string;
      readonly scopes: readonly string[];
      readonly endsAt: number;
    }
  | { readonly type: 'TokenRevoked'; readonly tokenId: string; readonly reason: string };

/** What two accounts have in common. Accounts at one mail provider that gives mailboxes to anybody have no domain in common. */
export const duplicateSignals = ['same_name_and_domain', 'same_entity_name'] as const;
export type DuplicateSignal = (typeof duplicateSignals)[number];

export type DuplicateEvent =
  /** finance: nothing, as all events of duplicates. The older account `other` may have the same holder. It only informs staff. */
  | { readonly type: 'DuplicateSuspected'; readonly other: string; readonly signal: DuplicateSignal }
  | { readonly type: 'DuplicateDismissed'; readonly other: string; readonly reason: string };

export type KeyEvent =
  /** finance: nothing. Only a keyed hash of the secret is stored; `hint` is its last four characters. */
  | {
      readonly type: 'KeyIssued';
      readonly keyId: string;
      readonly name: string;
      readonly hash: string;
      readonly pepperId: string;
      readonly hint: string;
      /** The key that it replaces: the usage of that key counts against the limits of this one. */
      readonly replaces?: string;
    }
  /** finance: nothing. The same secret, hashed with another pepper. Earlier hashes are valid while their pepper is accepted. */
  | { readonly type: 'KeyRehashed'; readonly keyId: string; readonly hash: string; readonly pepperId: string }
  | { readonly type: 'KeyRevoked'; readonly keyId: string; readonly reason: string }
  /** finance: nothing. Others may have used the key since `since` (ms since the epoch; null if that is unknown). Support receives a mail. */
  | { readonly type: 'KeyLeakReported'; readonly keyId: string; readonly since: number | null };

export type LimitEvent =
  /** finance: nothing. Replaces all limits of the key. */
  | { readonly type: 'KeyLimitsSet'; readonly keyId: string; readonly limits: Limits }
  | { readonly type: 'AccountLimitsSet'; readonly limits: AccountLimits };

export type LowBalanceEvent =
  /** finance: nothing. Below this balance the owners and billing members receive a mail; null: they receive none. */
  | { readonly type: 'LowBalanceThresholdSet'; readonly amount: Credits | null }
  /** finance: nothing. The events of the same decision took the balance below the threshold. */
  | { readonly type: 'BalanceBelowThreshold'; readonly balance: Credits; readonly threshold: Credits };

export type WalletEvent =
  /** finance: a liability. A grant is an expense of the operator, a payment is money received. */
  | {
      readonly type: 'CreditsToppedUp';
      readonly lotId: string;
      readonly amount: Credits;
      readonly source: LotSource;
      /** Of a grant: in ms since the epoch; absent: it does not end. It pays holds that were placed before its end. */
      readonly endsAt?: number;
    }
  /** finance: nothing yet. Credits are held for one generation before the upstream is called. */
  | {
      readonly type: 'CreditsReserved';
      readonly requestId: string;
      readonly amount: Credits;
      readonly keyId: string;
      /** The run that must end this hold. If it dies, other runs release the hold. */
      readonly runId: string;
      readonly price: PinnedPrice;
      readonly request: RequestFacts;
      /** With an Idempotency-Key: identifies the request, to compare it with other requests under that key. */
      readonly requestHash?: string;
      /**
       * When it was decided, in ms since the epoch. Determines the day of its charge, and the minute that it counts in. Never
       * before that of an earlier hold of the account. The oldest events lack it and count only towards totals.
       */
      readonly at?: number;
    }
  /** finance: nothing yet. More credits are held because the stream continues. */
  | {
      readonly type: 'HoldExtended';
      readonly requestId: string;
      readonly by: Credits;
      /** When it was decided, as for a hold. The oldest events lack this and the tokens of the step. */
      readonly at?: number;
      readonly tokens?: number;
    }
  /** finance: `charged` becomes revenue, drawn from the listed lots. The rest of the hold is released. */
  | {
      readonly type: 'HoldSettled';
      readonly requestId: string;
      readonly keyId: string;
      /** Copied from the hold, so that this event is the complete receipt. */
      readonly price: PinnedPrice;
      readonly usage: Usage;
      readonly cost: Credits;
      readonly charged: Credits;
      /** The final amount of the hold. */
      readonly held: Credits;
      /** The amount of the hold beyond the charge. Never negative; 0 if the charge also used the free balance. */
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
      /** The message of the upstream or the transport, without content of the request. */
      readonly detail: string;
    }
  /** finance: as HoldSettled, for usage that was reported after the hold had been released. */
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
      /** Of the released hold. */
      readonly at?: number;
    }
  /**
   * finance: an expense of the operator. It was delivered, but neither hold nor balance covers it; or it was charged before
   * under the same idempotency key; or it exceeds what the request could cost.
   */
  | {
      readonly type: 'UsageWrittenOff';
      readonly requestId: string;
      readonly amount: Credits;
      /** Tokens beyond the bounds of the request. The usage does not include them; the amount includes their cost at the pinned price. */
      readonly beyond?: Usage;
    }
  /**
   * finance: the liability for `amount` ends without revenue: it is taken from the expense of the grant. Credits that holds
   * may still need are taken when those holds end, by a further event.
   */
  | {
      readonly type: 'LotExpired';
      readonly lotId: string;
      /** At most what was available at that moment. 0 if open holds may need all of a lot that has ended. */
      readonly amount: Credits;
      readonly reason: 'account_closed' | 'ended';
    };

export type LotSource =
  { readonly kind: 'grant'; readonly reason: string } | { readonly kind: 'payment'; readonly reference: string };

export type { Draw };

/** The price version that a request is charged by, copied so that a receipt can be recomputed from the event alone. */
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
  /** `reported` by the upstream, or `metered` by the gateway: the stream broke off, the client left, or the report was implausible. */
  readonly usageSource: 'reported' | 'metered';
  /** `access_ended`: the key was revoked or expired, or the account suspended or closed, while the stream was under way. */
  readonly ended: 'completed' | 'client_gone' | 'upstream_broke' | 'out_of_credits' | 'access_ended' | 'drained';
  readonly finishReason: string | null;
  /** The id of the response at the upstream, which the customer sees. */
  readonly upstreamId: string | null;
  readonly firstByteMs: number | null;
  readonly totalMs: number;
  /** Anomalies of the reported usage, for the operator. */
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
