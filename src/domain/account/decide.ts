import { accept, type Decider, type Decision } from '../decider.ts';
import { cost, min, noUsage, tokenClasses, type Credits, type Usage } from '../money.ts';
import { evolveAccount, initialAccount, type Account } from './account.ts';
import type { AccountEvent, Delivery, LotSource, PinnedPrice, ReleaseReason, RequestFacts } from './events.ts';
import { isReplaced, MAX_KEYS } from './keys.ts';
import { areValid, limitNothing, meanTheSame, type AccountLimits, type Limits } from './limits.ts';
import { no, refuseSpending, refuseStep, reserve } from './reserve.ts';
import { available, draws } from './wallet.ts';
import { limitedBy, withinSpending, type LimitFacts } from './within-limits.ts';

export type AccountCommand =
  | {
      readonly type: 'RegisterAccount';
      readonly holder: 'person' | 'entity';
      /** Name and e-mail address, sealed before they came here. */
      readonly personal: string;
      readonly adult: boolean;
    }
  | { readonly type: 'AcceptTerms'; readonly version: string; readonly how: string }
  | { readonly type: 'SuspendAccount'; readonly reason: string }
  | { readonly type: 'ReinstateAccount'; readonly reason: string }
  | {
      readonly type: 'IssueKey';
      readonly keyId: string;
      readonly name: string;
      readonly hash: string;
      readonly pepperId: string;
      readonly hint: string;
      /** If left out, those of the key that it replaces. */
      readonly limits?: Limits;
      /** A key of the account, which is revoked with it. What that key has used goes on counting against limits. */
      readonly replaces?: string;
    }
  /** The same secret, hashed with another pepper by a node that holds it. */
  | { readonly type: 'RehashKey'; readonly keyId: string; readonly hash: string; readonly pepperId: string }
  | { readonly type: 'RevokeKey'; readonly keyId: string; readonly reason: string }
  /** These two replace all limits that there were. */
  | { readonly type: 'SetKeyLimits'; readonly keyId: string; readonly limits: Limits }
  | { readonly type: 'SetAccountLimits'; readonly limits: AccountLimits }
  | { readonly type: 'TopUp'; readonly lotId: string; readonly amount: Credits; readonly source: LotSource }
  | ReserveCredits
  | {
      readonly type: 'ExtendHold';
      readonly requestId: string;
      readonly by: Credits;
      /** By the clock of whoever asks, in ms since the epoch. */
      readonly at: number;
      /** The most that it adds. They count, but no limit by the minute ends what is under way. */
      readonly tokens: number;
    }
  | {
      readonly type: 'SettleHold';
      readonly requestId: string;
      readonly usage: Usage;
      readonly delivery: Delivery;
      /** Tokens beyond the bounds of the request, which the usage does not include. The customer does not pay for them. */
      readonly beyond?: Usage;
    }
  | {
      readonly type: 'ReleaseHold';
      readonly requestId: string;
      readonly reason: ReleaseReason;
      readonly detail: string;
    }
  /** Only for a hold that was placed at this price and released since; asking twice is caught by the command's id. */
  | {
      readonly type: 'ChargeLateUsage';
      readonly requestId: string;
      readonly keyId: string;
      readonly usage: Usage;
      readonly price: PinnedPrice;
      readonly delivery: Delivery;
      readonly beyond?: Usage;
      /** Of the hold. */
      readonly at?: number;
    }
  /** As ChargeLateUsage, for what the customer is not to pay. */
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
  /** By the clock of whoever asks, in ms since the epoch. */
  readonly at: number;
};

/** In order of precedence: where several are true of a request, it is refused with the first. */
export const refusalCodes = [
  'account_exists',
  'account_not_found',
  'under_age',
  'account_suspended',
  'account_not_suspended',
  'terms_not_accepted',
  'key_not_found',
  'key_revoked',
  'key_expired',
  'key_already_replaced',
  'model_not_allowed',
  'too_many_keys',
  'invalid_limits',
  'invalid_amount',
  'lot_exists',
  'request_id_reused',
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
   * For a refusal for lack of credits or for a spending limit: what was needed, what was available, what other requests
   * held, and what would be available if other requests held nothing.
   */
  readonly funds?: {
    readonly needed: Credits;
    readonly available: Credits;
    readonly held: Credits;
    readonly withoutHolds: Credits;
  };
  /** The limit that is in the way. */
  readonly limit?: LimitFacts;
};

export const decideAccount = (command: AccountCommand, account: Account): Decision<AccountEvent, AccountRefusal> => {
  const { standing, keys, wallet, tallies } = account;

  if (command.type === 'RegisterAccount') {
    const { holder, personal, adult } = command;
    if (standing.status !== 'unregistered') return no('account_exists');
    if (holder === 'person' && !adult) return no('under_age');
    return accept({ type: 'AccountRegistered', holder, personal });
  }
  if (standing.status === 'unregistered') return no('account_not_found');

  switch (command.type) {
    case 'AcceptTerms': {
      const { version, how } = command;
      return standing.termsVersion === version ? accept() : accept({ type: 'TermsAccepted', version, how });
    }
    case 'SuspendAccount':
      return standing.status === 'suspended' ? accept() : accept({ type: 'AccountSuspended', reason: command.reason });
    case 'ReinstateAccount':
      if (standing.status !== 'suspended') return no('account_not_suspended');
      return accept({ type: 'AccountReinstated', reason: command.reason });

    case 'IssueKey':
      return issueKey(command, account);
    case 'RehashKey': {
      const { keyId, hash, pepperId } = command;
      const key = keys.get(keyId);
      if (!key) return no('key_not_found');
      if (key.revoked) return no('key_revoked');
      // Of several nodes that see the key in use, the first writes the event.
      return key.pepperIds.includes(pepperId) ? accept() : accept({ type: 'KeyRehashed', keyId, hash, pepperId });
    }
    case 'RevokeKey': {
      const key = keys.get(command.keyId);
      if (!key) return no('key_not_found');
      return key.revoked ? accept() : accept({ type: 'KeyRevoked', keyId: command.keyId, reason: command.reason });
    }

    case 'SetKeyLimits': {
      const { keyId, limits } = command;
      if (!keys.has(keyId)) return no('key_not_found');
      if (!areValid(limits)) return no('invalid_limits');
      const same = meanTheSame(limits, tallies.keys.get(keyId)?.limits ?? {});
      return same ? accept() : accept({ type: 'KeyLimitsSet', keyId, limits });
    }
    case 'SetAccountLimits': {
      const { limits } = command;
      if (!areValid(limits) || 'expiresAt' in limits) return no('invalid_limits');
      return meanTheSame(limits, tallies.account.limits ?? {})
        ? accept()
        : accept({ type: 'AccountLimitsSet', limits });
    }

    case 'TopUp': {
      const { lotId, amount, source } = command;
      if (amount <= 0n) return no('invalid_amount');
      const lot = wallet.lots.get(lotId);
      if (lot) return lot.amount === amount ? accept() : no('lot_exists');
      return accept({ type: 'CreditsToppedUp', lotId, amount, source });
    }
    case 'ReserveCredits':
      return reserve(command, account);
    case 'ExtendHold': {
      const { requestId, by, tokens } = command;
      const hold = wallet.holds.get(requestId);
      const at = Math.max(command.at, tallies.at);
      const barred = refuseStep(account, hold?.keyId, at);
      if (barred) return barred;
      if (by <= 0n) return no('invalid_amount');
      if (!hold) return no('hold_not_open');
      const limited = limitedBy(tallies, hold.keyId);
      const refused = refuseSpending(wallet, limited, hold.at, by, hold.amount);
      return refused ?? accept({ type: 'HoldExtended', requestId, by, at, tokens });
    }
    case 'SettleHold': {
      const { requestId, usage, delivery, beyond } = command;
      const hold = wallet.holds.get(requestId);
      if (!hold) return no('hold_not_open');
      const { keyId, price } = hold;
      const owed = cost(usage, price.rates);
      const free = withinSpending(limitedBy(tallies, keyId), hold.at, available(wallet));
      const charged = min(owed, hold.amount + free);
      const held = hold.amount;
      const released = held - min(charged, held);
      const drawn = draws(wallet, charged);
      return accept(
        { type: 'HoldSettled', requestId, keyId, price, usage, cost: owed, charged, held, released, drawn, delivery },
        ...writeOff(requestId, owed - charged, price, beyond),
      );
    }
    case 'ReleaseHold': {
      const { requestId, reason, detail } = command;
      const hold = wallet.holds.get(requestId);
      if (!hold) return no('hold_not_open');
      return accept({ type: 'HoldReleased', requestId, released: hold.amount, reason, detail });
    }
    case 'ChargeLateUsage': {
      const { requestId, keyId, price, usage, delivery, beyond, at } = command;
      if (wallet.holds.has(requestId)) return no('request_id_reused');
      const owed = cost(usage, price.rates);
      const charged = min(owed, withinSpending(limitedBy(tallies, keyId), at ?? null, available(wallet)));
      const drawn = draws(wallet, charged);
      return accept(
        {
          type: 'LateUsageCharged',
          ...{ requestId, keyId, price, usage, cost: owed, charged, drawn, delivery },
          ...(at === undefined ? {} : { at }),
        },
        ...writeOff(requestId, owed - charged, price, beyond),
      );
    }
    case 'WriteOffLateUsage': {
      const { requestId, usage, price, beyond } = command;
      if (wallet.holds.has(requestId)) return no('request_id_reused');
      return accept(...writeOff(requestId, cost(usage, price.rates), price, beyond));
    }
  }
};

const issueKey = (
  command: Extract<AccountCommand, { type: 'IssueKey' }>,
  { standing, keys, tallies }: Account,
): Decision<AccountEvent, AccountRefusal> => {
  const { keyId, name, hash, pepperId, hint, replaces } = command;
  if (standing.status === 'suspended') return no('account_suspended');
  if (standing.termsVersion === null) return no('terms_not_accepted');
  if (keys.has(keyId)) return accept();
  const before = replaces === undefined ? undefined : keys.get(replaces);
  if (replaces !== undefined && !before) return no('key_not_found');
  if (replaces !== undefined && isReplaced(keys, replaces)) return no('key_already_replaced');
  if (keys.size >= MAX_KEYS) return no('too_many_keys');
  const inherited = replaces === undefined ? undefined : tallies.keys.get(replaces)?.limits;
  const limits = command.limits ?? inherited ?? {};
  if (!areValid(limits)) return no('invalid_limits');
  const issued = { type: 'KeyIssued' as const, keyId, name, hash, pepperId, hint };
  return accept<AccountEvent>(
    replaces === undefined ? issued : { ...issued, replaces },
    ...(limitNothing(limits) ? [] : [{ type: 'KeyLimitsSet' as const, keyId, limits }]),
    ...(replaces !== undefined && before?.revoked === false
      ? [{ type: 'KeyRevoked' as const, keyId: replaces, reason: `replaced by ${keyId}` }]
      : []),
  );
};

/** The rest of a cost, and the cost of what was beyond the bounds of the request. No event if both are nothing. */
const writeOff = (requestId: string, rest: Credits, { rates }: PinnedPrice, beyond = noUsage): AccountEvent[] => {
  const amount = rest + cost(beyond, rates);
  if (amount === 0n) return [];
  const isBeyond = tokenClasses.some((tokenClass) => beyond[tokenClass] > 0);
  return [{ type: 'UsageWrittenOff', requestId, amount, ...(isBeyond ? { beyond } : {}) }];
};

export const accountDecider: Decider<Account, AccountCommand, AccountEvent, AccountRefusal> = {
  initial: initialAccount,
  evolve: evolveAccount,
  decide: decideAccount,
};
