import type { Decision } from '../decider.ts';
import type { Credits, Usage } from '../money.ts';
import type {
  AccountEvent,
  Delivery,
  DuplicateSignal,
  LotSource,
  MemberRole,
  PinnedPrice,
  ReleaseReason,
  RequestFacts,
} from './events.ts';
import type { AccountLimits, Limits } from './limits/limits.ts';
import type { LimitFacts } from './limits/within-limits.ts';

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
  | { readonly type: 'ReinstateAccount'; readonly reason: string }
  /** `askedBy` is a member. */
  | { readonly type: 'CloseAccount'; readonly reason: string; readonly askedBy?: string }
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
  | { readonly type: 'TopUp'; readonly lotId: string; readonly amount: Credits; readonly source: LotSource }
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

export type ReserveCredits = {
  readonly type: 'ReserveCredits';
  readonly requestId: string;
  readonly amount: Credits;
  readonly keyId: string;
  readonly runId: string;
  readonly price: PinnedPrice;
  readonly request: RequestFacts;
  readonly requestHash?: string;
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
  'holds_open',
  'personal_data_erased',
  'account_suspended',
  'account_not_suspended',
  'terms_not_accepted',
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
};

export type AccountDecision = Decision<AccountEvent, AccountRefusal>;

/** The command of one type. */
export type CommandOf<Type extends AccountCommand['type']> = Extract<AccountCommand, { type: Type }>;
