import { isDeepStrictEqual } from 'node:util';
import type { AccountCommand, AccountRefusal } from '../../src/domain/account/decide.ts';
import type { AccountEvent, Draw, PinnedPrice } from '../../src/domain/account/events.ts';
import type { Limits } from '../../src/domain/account/limits/limits.ts';
import type { Usage } from '../../src/domain/money.ts';
import { endedNow } from './ended-lots.ts';
import { openLimitBooks, type LimitBooks } from './limit-books.ts';
import { costOf, tokensOf } from './usage-cost.ts';

/** The part of a command's event that concerns money, names or standing. */
export type Effect =
  | Of<'AccountRegistered', 'holder' | 'personal'>
  | Of<'TermsAccepted', 'version'>
  | Of<'AccountSuspended' | 'AccountReinstated' | 'AccountClosed' | 'PersonalDataErased', 'reason'>
  | Of<'KeyIssued' | 'KeyRehashed', 'keyId' | 'pepperId'>
  | Of<'KeyRevoked', 'keyId'>
  | Of<'KeyLimitsSet' | 'AccountLimitsSet', 'keyId' | 'limits'>
  | Of<'LowBalanceThresholdSet' | 'BalanceBelowThreshold', 'amount' | 'balance' | 'threshold'>
  | Of<'CreditsToppedUp', 'lotId' | 'amount' | 'source'>
  | Of<'CreditsReserved', 'requestId' | 'amount' | 'keyId' | 'price' | 'request' | 'at'>
  | Of<'HoldExtended', 'requestId' | 'by' | 'at' | 'tokens'>
  | Of<'HoldReleased', 'requestId' | 'released'>
  | Of<'HoldSettled', 'requestId' | 'price' | 'usage' | 'cost' | 'charged' | 'held' | 'released' | 'drawn'>
  | Of<'LateUsageCharged', 'requestId' | 'keyId' | 'price' | 'usage' | 'at' | 'cost' | 'charged' | 'drawn'>
  | Of<'UsageWrittenOff', 'requestId' | 'amount' | 'beyond'>
  | Of<'LotExpired', 'lotId' | 'amount' | 'reason'>;
type Of<T extends AccountEvent['type'], Field extends string> = {
  [Each in T]: Pick<
    Extract<AccountEvent, { type: Each }>,
    Extract<Field | 'type', keyof Extract<AccountEvent, { type: Each }>>
  >;
}[T];

/** The expected outcome of a command: events (none if nothing changes), or a refusal. */
export type Verdict = { readonly effects: readonly Effect[] } | { readonly refusal: AccountRefusal };

/**
 * A second, deliberately simple implementation of one account that shares no code with the domain's deciders. It
 * receives commands one after another, in the order of the log, and returns the only events or refusal that are right.
 * audit-history.ts checks promises of events alone. Both share limit-books.ts and usage-cost.ts.
 */
export type Ledger = {
  registered: boolean;
  suspended: boolean;
  closed: boolean;
  erased: boolean;
  terms: string | undefined;
  /** Whether each key is still valid. */
  readonly keys: Map<string, boolean>;
  /** The key and the pepper of each hash. */
  readonly hashed: Set<string>;
  /** Oldest first, without empty lots. */
  lots: { readonly id: string; readonly whole: bigint; readonly promotional: boolean; left: bigint }[];
  readonly holds: Map<string, { amount: bigint; readonly price: PinnedPrice }>;
  toppedUp: bigint;
  charged: bigint;
  expired: bigint;
  writtenOff: bigint;
  threshold: bigint | null;
  readonly limits: LimitBooks;
};

export const openLedger = (): Ledger => ({
  registered: false,
  suspended: false,
  closed: false,
  erased: false,
  terms: undefined,
  keys: new Map(),
  hashed: new Set(),
  lots: [],
  holds: new Map(),
  toppedUp: 0n,
  charged: 0n,
  expired: 0n,
  writtenOff: 0n,
  threshold: null,
  limits: openLimitBooks(),
});

export const balanceOf = ({ lots }: Ledger): bigint => lots.reduce((sum, { left }) => sum + left, 0n);
export const heldOf = ({ holds }: Ledger): bigint => [...holds.values()].reduce((sum, { amount }) => sum + amount, 0n);

/** The expected outcome of a command now. Changes nothing. */
export const ask = (ledger: Ledger, command: AccountCommand): Verdict => {
  const verdict = verdictOf(ledger, command);
  const paid = ('effects' in verdict ? verdict.effects : []).reduce(
    (sum, effect) => sum + ('charged' in effect ? effect.charged : 0n),
    0n,
  );
  const { threshold, closed } = ledger;
  const balance = balanceOf(ledger) - paid;
  if (closed || threshold === null || paid === 0n || balance >= threshold || balance + paid < threshold) return verdict;
  const effects = 'effects' in verdict ? verdict.effects : [];
  return happens(...effects, { type: 'BalanceBelowThreshold', balance, threshold });
};

const verdictOf = (ledger: Ledger, command: AccountCommand): Verdict => {
  const { registered, suspended, closed, terms, keys, lots, holds, limits } = ledger;
  const free = balanceOf(ledger) - heldOf(ledger);
  if (command.type === 'RegisterAccount') {
    if (registered) return refused('account_exists');
    if (command.holder === 'person' && !command.adult) return refused('under_age');
    return happens({ type: 'AccountRegistered', holder: command.holder, personal: command.personal });
  }
  if (!registered) return refused('account_not_found');
  switch (command.type) {
    case 'AcceptTerms':
      if (closed) return refused('account_closed');
      return terms === command.version ? happens() : happens({ type: 'TermsAccepted', version: command.version });
    case 'SuspendAccount':
      if (closed) return refused('account_closed');
      return suspended ? happens() : happens({ type: 'AccountSuspended', reason: command.reason });
    case 'ReinstateAccount':
      if (closed) return refused('account_closed');
      return suspended
        ? happens({ type: 'AccountReinstated', reason: command.reason })
        : refused('account_not_suspended');
    case 'CloseAccount': {
      if (closed) return happens();
      const live = [...keys].flatMap(([keyId, isValid]) => (isValid ? [keyId] : []));
      return happens(
        { type: 'AccountClosed', reason: command.reason },
        ...live.map((keyId): Effect => ({ type: 'KeyRevoked', keyId })),
        ...expired(lots, heldOf(ledger)),
      );
    }
    case 'ErasePersonalData':
      if (!closed) return refused('account_not_closed');
      if (ledger.erased) return happens();
      if (holds.size > 0) return refused('holds_open');
      return happens({ type: 'PersonalDataErased', reason: command.reason });
    case 'IssueKey':
      if (closed) return refused('account_closed');
      if (suspended) return refused('account_suspended');
      if (terms === undefined) return refused('terms_not_accepted');
      if (keys.has(command.keyId)) return happens();
      if ([...keys.values()].filter(Boolean).length >= 500) return refused('too_many_keys');
      return happens({ type: 'KeyIssued', keyId: command.keyId, pepperId: command.pepperId });
    case 'RehashKey': {
      const { keyId, pepperId } = command;
      if (!keys.has(keyId)) return refused('key_not_found');
      if (!keys.get(keyId)) return refused('key_revoked');
      return ledger.hashed.has(`${keyId} ${pepperId}`) ? happens() : happens({ type: 'KeyRehashed', keyId, pepperId });
    }
    case 'ReportKeyLeak':
    case 'ChangeContact':
    case 'AddMember':
    case 'ChangeMemberRole':
    case 'RemoveMember':
    case 'SuspectDuplicate':
    case 'DismissDuplicate':
    case 'CreateToken':
    case 'RevokeToken':
      throw new Error(`The histories have no ${command.type}.`);
    case 'RevokeKey':
      if (!keys.has(command.keyId)) return refused('key_not_found');
      return keys.get(command.keyId) ? happens({ type: 'KeyRevoked', keyId: command.keyId }) : happens();
    case 'SetKeyLimits':
      if (!keys.has(command.keyId)) return refused('key_not_found');
      if (sameLimits(command.limits, limits.limitsOf(command.keyId))) return happens();
      return happens({ type: 'KeyLimitsSet', keyId: command.keyId, limits: command.limits });
    case 'SetAccountLimits':
      if (sameLimits(command.limits, limits.limitsOfAccount())) return happens();
      return happens({ type: 'AccountLimitsSet', limits: command.limits });
    case 'SetLowBalanceThreshold': {
      const { amount } = command;
      if (amount !== null && amount <= 0n) return refused('invalid_amount');
      return amount === ledger.threshold ? happens() : happens({ type: 'LowBalanceThresholdSet', amount });
    }
    case 'TopUp': {
      const { lotId, amount, source } = command;
      if (closed && source.kind === 'grant') return refused('account_closed');
      const lot = lots.find(({ id }) => id === lotId);
      if (amount <= 0n) return refused('invalid_amount');
      if (lot) return lot.whole === amount ? happens() : refused('lot_exists');
      return happens({ type: 'CreditsToppedUp', lotId, amount, source });
    }
    case 'ReserveCredits': {
      const { requestId, amount, keyId, price, request } = command;
      const at = limits.timeOf(command.at);
      const tokens = request.inputTokensBound + request.outputTokensBound;
      const asked = { keyId, at, model: price.model, tokens, amount };
      const hold = holds.get(requestId);
      if (closed) return refused('account_closed');
      if (suspended) return refused('account_suspended');
      if (terms === undefined) return refused('terms_not_accepted');
      if (!keys.has(keyId)) return refused('key_not_found');
      if (!keys.get(keyId)) return refused('key_revoked');
      const barred = limits.expiredOrForbidden(asked);
      if (barred) return refused(barred);
      if (amount < 0n) return refused('invalid_amount');
      if (hold) return hold.amount === amount ? happens() : refused('request_id_reused');
      const tooMany = limits.tooMany(asked);
      if (tooMany) return refused(tooMany);
      const held = heldOf(ledger);
      const withoutHolds = limits.withoutOthers(keyId, at, 0n, free + held);
      const beyond = limits.tooDear(asked, 0n, free, withoutHolds);
      if (beyond && !waitsInVain(beyond, amount, free + held)) return { refusal: beyond };
      if (amount > free) return tooDear(amount, free, held, withoutHolds);
      return happens({ type: 'CreditsReserved', requestId, amount, keyId, price, request, at });
    }
    case 'ExtendHold': {
      const { requestId, by, tokens } = command;
      const hold = holds.get(requestId);
      if (closed) return refused('account_closed');
      if (suspended) return refused('account_suspended');
      if (hold && !keys.get(limits.keyOf(requestId))) return refused('key_revoked');
      if (hold && limits.hasExpired(limits.keyOf(requestId), limits.timeOf(command.at))) return refused('key_expired');
      if (by <= 0n) return refused('invalid_amount');
      if (!hold) return refused('hold_not_open');
      const asked = { keyId: limits.keyOf(requestId), at: limits.atOf(requestId), amount: by };
      const held = heldOf(ledger) - hold.amount;
      const withoutHolds = limits.withoutOthers(asked.keyId, asked.at, hold.amount, free + held);
      const tooMuch = limits.tooDear(asked, hold.amount, free, withoutHolds);
      if (tooMuch && !waitsInVain(tooMuch, by, free + held)) return { refusal: tooMuch };
      if (by > free) return tooDear(by, free, held, withoutHolds);
      return happens({ type: 'HoldExtended', requestId, by, at: limits.timeOf(command.at), tokens });
    }
    case 'ReleaseHold': {
      const { requestId } = command;
      const hold = holds.get(requestId);
      if (!hold) return refused('hold_not_open');
      const ended = closed ? expired(lots, heldOf(ledger) - hold.amount) : [];
      return happens({ type: 'HoldReleased', requestId, released: hold.amount }, ...ended);
    }
    case 'SettleHold': {
      const { requestId, usage, beyond } = command;
      const hold = holds.get(requestId);
      if (!hold) return refused('hold_not_open');
      const { amount: held, price } = hold;
      const cost = costOf(usage, price);
      const within = limits.within(limits.keyOf(requestId), limits.atOf(requestId), free);
      const charged = smaller(cost, held + within);
      const released = charged < held ? held - charged : 0n;
      const drawn = oldestFirst(ledger, charged);
      const settled = { requestId, price, usage, cost, charged, held, released, drawn };
      return happens(
        { type: 'HoldSettled', ...settled },
        ...uncovered(requestId, cost - charged, price, beyond),
        ...(closed ? expired(without(lots, drawn), heldOf(ledger) - held) : []),
      );
    }
    case 'ChargeLateUsage': {
      const { requestId, keyId, usage, price, at, beyond } = command;
      if (holds.has(requestId)) return refused('request_id_reused');
      const cost = costOf(usage, price);
      const charged = smaller(cost, limits.within(keyId, at, free));
      const drawn = oldestFirst(ledger, charged);
      const late = { requestId, keyId, price, usage, cost, charged, drawn, ...(at === undefined ? {} : { at }) };
      return happens({ type: 'LateUsageCharged', ...late }, ...uncovered(requestId, cost - charged, price, beyond));
    }
    case 'WriteOffLateUsage': {
      const { requestId, usage, price, beyond } = command;
      if (holds.has(requestId)) return refused('request_id_reused');
      return happens(...uncovered(requestId, costOf(usage, price), price, beyond));
    }
  }
};

/** Executes a command if it is accepted, and returns the outcome. */
export const carryOut = (ledger: Ledger, command: AccountCommand): Verdict => {
  const verdict = ask(ledger, command);
  for (const effect of 'effects' in verdict ? verdict.effects : []) change(ledger, effect);
  return verdict;
};

const change = (ledger: Ledger, effect: Effect): void => {
  const { keys, lots, holds, limits } = ledger;
  switch (effect.type) {
    case 'AccountRegistered':
      ledger.registered = true;
      break;
    case 'TermsAccepted':
      ledger.terms = effect.version;
      break;
    case 'AccountSuspended':
    case 'AccountReinstated':
      ledger.suspended = effect.type === 'AccountSuspended';
      break;
    case 'AccountClosed':
      ledger.closed = true;
      break;
    case 'PersonalDataErased':
      ledger.erased = true;
      break;
    case 'KeyIssued':
    case 'KeyRehashed':
      keys.set(effect.keyId, true);
      ledger.hashed.add(`${effect.keyId} ${effect.pepperId}`);
      break;
    case 'KeyRevoked':
      keys.set(effect.keyId, false);
      break;
    case 'KeyLimitsSet':
      limits.setKeyLimits(effect.keyId, effect.limits);
      break;
    case 'AccountLimitsSet':
      limits.setAccountLimits(effect.limits);
      break;
    case 'LowBalanceThresholdSet':
      ledger.threshold = effect.amount;
      break;
    case 'BalanceBelowThreshold':
      break;
    case 'CreditsToppedUp': {
      const promotional = effect.source.kind === 'grant';
      lots.push({ id: effect.lotId, whole: effect.amount, promotional, left: effect.amount });
      ledger.toppedUp += effect.amount;
      break;
    }
    case 'CreditsReserved': {
      const { requestId, keyId, amount, price, request, at } = effect;
      holds.set(requestId, { amount, price });
      const tokens = request.inputTokensBound + request.outputTokensBound;
      limits.reserve({ requestId, keyId, at, held: amount, tokens });
      break;
    }
    case 'HoldExtended': {
      const hold = holds.get(effect.requestId);
      if (hold) hold.amount += effect.by;
      limits.extend(effect.requestId, effect.by, effect.at, effect.tokens);
      break;
    }
    case 'HoldReleased':
      holds.delete(effect.requestId);
      limits.end(effect.requestId, 0n, 0);
      break;
    case 'HoldSettled':
    case 'LateUsageCharged':
      holds.delete(effect.requestId);
      if (effect.type === 'HoldSettled') limits.end(effect.requestId, effect.charged, tokensOf(effect.usage));
      else {
        const { requestId, keyId, at, charged: spent, usage } = effect;
        limits.late({ requestId, keyId, at, spent, tokens: tokensOf(usage) });
      }
      ledger.lots = without(lots, effect.drawn);
      ledger.charged += effect.charged;
      break;
    case 'UsageWrittenOff':
      ledger.writtenOff += effect.amount;
      break;
    case 'LotExpired':
      ledger.lots = without(lots, [effect]);
      ledger.expired += effect.amount;
      break;
  }
};

const sameLimits = (one: Limits, other: Limits): boolean => {
  const plain = ({ spending = {}, models, ...most }: Limits) => [most, { ...spending }, models && [...models].sort()];
  return isDeepStrictEqual(plain(one), plain(other));
};
const refused = (code: AccountRefusal['code']): Verdict => ({ refusal: { code } });
const happens = (...effects: Effect[]): Verdict => ({ effects });
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const uncovered = (requestId: string, rest: bigint, price: PinnedPrice, beyond?: Usage): Effect[] => {
  const amount = rest + (beyond ? costOf(beyond, price) : 0n);
  const told = beyond && tokensOf(beyond) > 0 ? { beyond } : {};
  return amount > 0n ? [{ type: 'UsageWrittenOff', requestId, amount, ...told }] : [];
};

/**
 * If credits would be missing even without other holds, the refusal must state that, and not suggest waiting for a
 * limit.
 */
const waitsInVain = ({ code }: AccountRefusal, needed: bigint, most: bigint): boolean =>
  code === 'limit_held_by_concurrent_requests' && needed > most;

/** Credits held by other requests may be released, so waiting helps as well as paying. */
const tooDear = (needed: bigint, available: bigint, held: bigint, withoutHolds: bigint): Verdict => {
  const code = needed <= available + held ? 'credits_held_by_concurrent_requests' : 'insufficient_credits';
  return { refusal: { code, funds: { needed, available, held, withoutHolds } } };
};

type Lots = Ledger['lots'];

/** The lots after these parts are taken, without empty ones. */
const without = (lots: Lots, parts: readonly Draw[]): Lots =>
  lots
    .map((lot) => ({
      ...lot,
      left: parts.reduce((rest, { lotId, amount }) => (lotId === lot.id ? rest - amount : rest), lot.left),
    }))
    .filter(({ left }) => left > 0n);

const expired = (lots: Lots, held: bigint): readonly Effect[] =>
  endedNow(lots, held).map(({ id, amount }) => ({ type: 'LotExpired', lotId: id, amount, reason: 'account_closed' }));

const oldestFirst = ({ lots }: Ledger, amount: bigint): Draw[] => {
  let due = amount;
  return lots.flatMap(({ id, left }) => {
    const part = smaller(left, due);
    due -= part;
    return part > 0n ? [{ lotId: id, amount: part }] : [];
  });
};
