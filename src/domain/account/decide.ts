import { accept, refuse, type Decider, type Decision } from '../decider.ts';
import { cost, min, type Credits, type Usage } from '../money.ts';
import { evolveAccount, initialAccount, type Account } from './account.ts';
import type { AccountEvent, Delivery, LotSource, PinnedPrice, ReleaseReason, RequestFacts } from './events.ts';
import { MAX_KEYS } from './keys.ts';
import { available, draws, type Wallet } from './wallet.ts';

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
    }
  | { readonly type: 'RevokeKey'; readonly keyId: string; readonly reason: string }
  | { readonly type: 'TopUp'; readonly lotId: string; readonly amount: Credits; readonly source: LotSource }
  | ReserveCredits
  | { readonly type: 'ExtendHold'; readonly requestId: string; readonly by: Credits }
  | { readonly type: 'SettleHold'; readonly requestId: string; readonly usage: Usage; readonly delivery: Delivery }
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
    }
  /** As ChargeLateUsage, for what the customer is not to pay. */
  | {
      readonly type: 'WriteOffLateUsage';
      readonly requestId: string;
      readonly usage: Usage;
      readonly price: PinnedPrice;
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
  'too_many_keys',
  'invalid_amount',
  'lot_exists',
  'request_id_reused',
  'hold_not_open',
  'credits_held_by_concurrent_requests',
  'insufficient_credits',
] as const;

export type AccountRefusal = {
  readonly code: (typeof refusalCodes)[number];
  /** Of a refusal for want of credits: what was needed, was there and was held by others, so that the answer can say so. */
  readonly funds?: { readonly needed: Credits; readonly available: Credits; readonly held: Credits };
};

type Answer = Decision<AccountEvent, AccountRefusal>;
const no = (code: AccountRefusal['code']): Answer => refuse({ code });

export const decideAccount = (command: AccountCommand, account: Account): Answer => {
  const { standing, keys, wallet } = account;

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

    case 'IssueKey': {
      const { keyId, name, hash, pepperId, hint } = command;
      if (standing.status === 'suspended') return no('account_suspended');
      if (standing.termsVersion === null) return no('terms_not_accepted');
      if (keys.has(keyId)) return accept();
      if (keys.size >= MAX_KEYS) return no('too_many_keys');
      return accept({ type: 'KeyIssued', keyId, name, hash, pepperId, hint });
    }
    case 'RevokeKey': {
      const key = keys.get(command.keyId);
      if (!key) return no('key_not_found');
      return key.revoked ? accept() : accept({ type: 'KeyRevoked', keyId: command.keyId, reason: command.reason });
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
      const { requestId, by } = command;
      if (by <= 0n) return no('invalid_amount');
      const hold = wallet.holds.get(requestId);
      if (!hold) return no('hold_not_open');
      if (by > available(wallet)) return refuseFunds(wallet, by, wallet.held - hold.amount);
      return accept({ type: 'HoldExtended', requestId, by });
    }
    case 'SettleHold': {
      const { requestId, usage, delivery } = command;
      const hold = wallet.holds.get(requestId);
      if (!hold) return no('hold_not_open');
      const { keyId, price } = hold;
      const owed = cost(usage, price.rates);
      const charged = min(owed, hold.amount + available(wallet));
      const held = hold.amount;
      const released = held - min(charged, held);
      const drawn = draws(wallet, charged);
      return accept(
        { type: 'HoldSettled', requestId, keyId, price, usage, cost: owed, charged, held, released, drawn, delivery },
        ...writeOff(requestId, owed - charged),
      );
    }
    case 'ReleaseHold': {
      const { requestId, reason, detail } = command;
      const hold = wallet.holds.get(requestId);
      if (!hold) return no('hold_not_open');
      return accept({ type: 'HoldReleased', requestId, released: hold.amount, reason, detail });
    }
    case 'ChargeLateUsage': {
      const { requestId, keyId, price, usage, delivery } = command;
      if (wallet.holds.has(requestId)) return no('request_id_reused');
      const owed = cost(usage, price.rates);
      const charged = min(owed, available(wallet));
      const drawn = draws(wallet, charged);
      return accept(
        { type: 'LateUsageCharged', requestId, keyId, price, usage, cost: owed, charged, drawn, delivery },
        ...writeOff(requestId, owed - charged),
      );
    }
    case 'WriteOffLateUsage': {
      const { requestId, usage, price } = command;
      if (wallet.holds.has(requestId)) return no('request_id_reused');
      return accept(...writeOff(requestId, cost(usage, price.rates)));
    }
  }
};

const reserve = ({ type: _, ...asked }: ReserveCredits, account: Account): Answer => {
  const { standing, keys, wallet } = account;
  const key = keys.get(asked.keyId);
  if (standing.status === 'suspended') return no('account_suspended');
  if (standing.termsVersion === null) return no('terms_not_accepted');
  if (!key) return no('key_not_found');
  if (key.revoked) return no('key_revoked');
  if (asked.amount < 0n) return no('invalid_amount');
  const held = wallet.holds.get(asked.requestId)?.amount;
  if (held === asked.amount) return accept(); // A retry finds its credits already held.
  if (held !== undefined) return no('request_id_reused');
  if (asked.amount > available(wallet)) return refuseFunds(wallet, asked.amount, wallet.held);
  return accept({ type: 'CreditsReserved', ...asked });
};

/** Credits that other requests hold may come free again, so the customer is not told to pay when waiting may do. */
const refuseFunds = (wallet: Wallet, needed: Credits, heldByOthers: Credits): Answer => {
  const free = available(wallet);
  return refuse({
    code: needed <= free + heldByOthers ? 'credits_held_by_concurrent_requests' : 'insufficient_credits',
    funds: { needed, available: free, held: heldByOthers },
  });
};

const writeOff = (requestId: string, amount: Credits): AccountEvent[] =>
  amount > 0n ? [{ type: 'UsageWrittenOff', requestId, amount }] : [];

export const accountDecider: Decider<Account, AccountCommand, AccountEvent, AccountRefusal> = {
  initial: initialAccount,
  evolve: evolveAccount,
  decide: decideAccount,
};
