import type { Decision } from '../decider.ts';
import type { Credits, Usage } from '../money.ts';
import type {
  AccountEvent,
  Delivery,
  Draw,
  DuplicateSignal,
  LotSource,
  MemberRole,
  PinnedPrice,
  ReleaseReason,
  RequestFacts,
  RestOfCredits,
  SuspensionCause,
} from './events.ts';
import type { ConductCommand } from './conduct/commands.ts';
import type { AccountLimits, Limits } from './limits/limits.ts';
import type { LimitFacts } from './limits/within-limits.ts';
import type { RefundReason } from './refunds/events.ts';

export type AccountCommand =
  | {
      readonly type: 'RegisterAccount';
      readonly holder: 'person' | 'entity';
      /** Name and e-mail address, as a sealed text. */
      readonly personal: string;
      readonly adult: boolean;
      /** The person who holds the account; absent if the operator registers it. */
      readonly owner?: string;
      /** Of a new customer; absent: none. */
      readonly limits?: AccountLimits;
    }
  /** `from` is the sealed text that `personal` was made from. */
  | { readonly type: 'ChangeContact'; readonly from: string; readonly personal: string }
  | { readonly type: 'AddMember'; readonly personId: string; readonly role: MemberRole }
  | { readonly type: 'ChangeMemberRole'; readonly personId: string; readonly role: MemberRole }
  | { readonly type: 'RemoveMember'; readonly personId: string; readonly reason: string }
  /** `by` is a member with a role that may create tokens. */
  | {
      readonly type: 'CreateToken';
      readonly tokenId: string;
      readonly by: string;
      readonly scopes: readonly string[];
      readonly endsAt: number;
    }
  /** Tokens are not part of the state: the caller has found it among those of the account. */
  | { readonly type: 'RevokeToken'; readonly tokenId: string; readonly reason: string }
  /** `other` is an older account. */
  | { readonly type: 'SuspectDuplicate'; readonly other: string; readonly signal: DuplicateSignal }
  | { readonly type: 'DismissDuplicate'; readonly other: string; readonly reason: string }
  | { readonly type: 'AcceptTerms'; readonly version: string; readonly how: string }
  | { readonly type: 'SuspendAccount'; readonly reason: string }
  /** Removes one cause; by default the decision of staff. */
  | { readonly type: 'ReinstateAccount'; readonly reason: string; readonly cause?: SuspensionCause }
  /** `askedBy` is a member. Without `rest`, paid credits stay owed. */
  | {
      readonly type: 'CloseAccount';
      readonly reason: string;
      readonly askedBy?: string;
      readonly rest?: RestOfCredits;
    }
  | { readonly type: 'ErasePersonalData'; readonly reason: string }
  | {
      readonly type: 'IssueKey';
      readonly keyId: string;
      readonly name: string;
      readonly hash: string;
      readonly pepperId: string;
      readonly hint: string;
      /** By default those of the key that it replaces. */
      readonly limits?: Limits;
      /** A key of the account, which is revoked unless there is an overlap. Its usage counts against the limits of this key. */
      readonly replaces?: string;
      /** ISO 8601: the replaced key works until then, within the limits of both. */
      readonly overlapUntil?: string;
      /** By the clock of the caller, in ms since the epoch: keys that have expired by then do not count as live. */
      readonly at?: number;
    }
  /** The same secret, hashed with another pepper by a node that has received it in a request. */
  | { readonly type: 'RehashKey'; readonly keyId: string; readonly hash: string; readonly pepperId: string }
  | { readonly type: 'RevokeKey'; readonly keyId: string; readonly reason: string }
  /** Of a key that is revoked already, so that the revocation does not depend on this event. */
  | { readonly type: 'ReportKeyLeak'; readonly keyId: string; readonly since: number | null }
  /** These two replace all limits. */
  | { readonly type: 'SetKeyLimits'; readonly keyId: string; readonly limits: Limits }
  | { readonly type: 'SetAccountLimits'; readonly limits: AccountLimits }
  /** Below this balance a mail is sent; null: never. */
  | { readonly type: 'SetLowBalanceThreshold'; readonly amount: Credits | null }
  | {
      readonly type: 'TopUp';
      readonly lotId: string;
      readonly amount: Credits;
      readonly source: LotSource;
      /** Of a grant: in ms since the epoch. */
      readonly endsAt?: number;
    }
  | RefundCommand
  | ConductCommand
  | ReserveCredits
  | {
      readonly type: 'ExtendHold';
      readonly requestId: string;
      readonly by: Credits;
      /** By the clock of the caller, in ms since the epoch. */
      readonly at: number;
      /** The maximum that the step adds. They count, but per-minute limits do not end requests under way. */
      readonly tokens: number;
    }
  | {
      readonly type: 'SettleHold';
      readonly requestId: string;
      readonly usage: Usage;
      readonly delivery: Delivery;
      /** Tokens beyond the bounds of the request. `usage` excludes them, and the customer does not pay for them. */
      readonly beyond?: Usage;
    }
  | {
      readonly type: 'ReleaseHold';
      readonly requestId: string;
      readonly reason: ReleaseReason;
      readonly detail: string;
    }
  /** For a hold that was placed at this price and has been released. The command id prevents charging twice. */
  | {
      readonly type: 'ChargeLateUsage';
      readonly requestId: string;
      readonly keyId: string;
      readonly usage: Usage;
      readonly price: PinnedPrice;
      readonly delivery: Delivery;
      readonly beyond?: Usage;
      /** The time of the hold. */
      readonly at?: number;
    }
  /** Like ChargeLateUsage, for usage that the customer does not pay. */
  | {
      readonly type: 'WriteOffLateUsage';
      readonly requestId: string;
      readonly usage: Usage;
      readonly price: PinnedPrice;
      readonly beyond?: Usage;
    };

/**
 * How credits leave an account without being used, and corrections. What the payment partner did (`RecordRefund`, `FreezeLot`,
 * `UnfreezeLot`, `RecordChargeback`, `ReverseChargeback`) is a fact, and is recorded in any state of the account.
 */
export type RefundCommand =
  /** All of them or none. Refused if a lot has less that can be refunded. */
  | {
      readonly type: 'HoldForRefund';
      readonly refunds: readonly { readonly refundId: string; readonly lotId: string; readonly amount: Credits }[];
      readonly reason: RefundReason;
    }
  | { readonly type: 'ReleaseRefundHold'; readonly refundId: string; readonly reason: string }
  /** The partner has refunded this part of the payment of the lot. `refundId` is the request that it fulfils. */
  | {
      readonly type: 'RecordRefund';
      readonly lotId: string;
      readonly reference: string;
      readonly refundId: string | null;
      readonly amount: Credits;
    }
  /** The payment of the lot is disputed: what is left of it cannot be spent, and the account is suspended. Several may be open. */
  | { readonly type: 'FreezeLot'; readonly lotId: string; readonly disputeId: string }
  /** The dispute ended in our favour. */
  | { readonly type: 'UnfreezeLot'; readonly lotId: string; readonly disputeId: string }
  /** The dispute was lost. It is recorded even if the lot was never frozen. */
  | {
      readonly type: 'RecordChargeback';
      readonly lotId: string;
      readonly disputeId: string;
      readonly amount: Credits;
    }
  /** A lost dispute ended in our favour after all. */
  | { readonly type: 'ReverseChargeback'; readonly lotId: string; readonly disputeId: string }
  | { readonly type: 'WriteOffDebt'; readonly lotId: string; readonly amount: Credits; readonly reason: string }
  /** `charged`, `drawn` and `chargedAt` (ms since the epoch) are those of the receipt of the generation. */
  | {
      readonly type: 'ReverseCharge';
      readonly requestId: string;
      readonly amount: Credits;
      readonly reason: string;
      readonly charged: Credits;
      readonly drawn: readonly Draw[];
      readonly chargedAt: number;
      /** By the clock of the caller, in ms since the epoch. */
      readonly at: number;
    }
  /** For a closed account. `WaiveCredits` ends all lots, or one (`lotId`), or those with less than `below` left. */
  | { readonly type: 'ForfeitCredits'; readonly reason: string }
  | { readonly type: 'WaiveCredits'; readonly reason: string; readonly lotId?: string; readonly below?: Credits }
  /** Ends the lots whose time is over by the clock of the caller, in ms since the epoch. */
  | { readonly type: 'ExpireLots'; readonly at: number };

export type ReserveCredits = {
  readonly type: 'ReserveCredits';
  readonly requestId: string;
  readonly amount: Credits;
  /** The hold is refused unless this much more could be held, too. It is not held. */
  readonly spare?: Credits;
  readonly keyId: string;
  readonly runId: string;
  readonly price: PinnedPrice;
  readonly request: RequestFacts;
  readonly requestHash?: string;
  /**
   * The terms in force, which the request accepts. If `explicit`, it does not accept them after a failed notice. `noticed` is
   * the newest version that customers were notified of, if it is an earlier one.
   */
  readonly terms?: { readonly version: string; readonly explicit: boolean; readonly noticed?: string };
  /** By the clock of the caller, in ms since the epoch. */
  readonly at: number;
};

/** In order of precedence: if several apply to a request, it is refused with the first. */
export const refusalCodes = [
  'account_exists',
  'account_not_found',
  'under_age',
  'account_closed',
  'account_not_closed',
  'account_not_terminated',
  'holds_open',
  'personal_data_erased',
  'account_suspended',
  'account_not_suspended',
  'terms_not_accepted',
  'resale_authorized',
  'resale_not_authorized',
  'notice_not_found',
  'key_not_found',
  'key_revoked',
  'key_expired',
  'key_already_replaced',
  'key_not_revoked',
  'member_not_found',
  'member_exists',
  'last_owner',
  'personal_account',
  'too_many_members',
  'duplicate_not_found',
  'model_not_allowed',
  'too_many_keys',
  'invalid_limits',
  'invalid_amount',
  'lot_exists',
  'lot_not_found',
  'refund_exists',
  'refund_not_open',
  'lot_disputed',
  'lot_not_disputed',
  'more_than_refundable',
  'refund_open',
  'debt_open',
  'debt_not_found',
  'more_than_owed',
  'more_than_charged',
  'reversal_too_late',
  'request_id_reused',
  'contact_changed',
  'hold_not_open',
  'concurrency_limit_exceeded',
  'rate_limit_exceeded',
  'key_limit_exceeded',
  'account_limit_exceeded',
  'limit_held_by_concurrent_requests',
  'credits_held_by_concurrent_requests',
  'insufficient_credits',
] as const;

export type AccountRefusal = {
  readonly code: (typeof refusalCodes)[number];
  /**
   * For refusals because of credits or a spending limit: what was needed, what was available, what other requests held, and
   * what would be available if they held nothing.
   */
  readonly funds?: {
    readonly needed: Credits;
    readonly available: Credits;
    readonly held: Credits;
    readonly withoutHolds: Credits;
  };
  /** The limit that refuses the command. */
  readonly limit?: LimitFacts;
  /** Why the account is suspended, each kind once. */
  readonly causes?: readonly SuspensionCause['kind'][];
};

export type AccountDecision = Decision<AccountEvent, AccountRefusal>;

/** The command of one type. */
export type CommandOf<Type extends AccountCommand['type']> = Extract<AccountCommand, { type: Type }>;
