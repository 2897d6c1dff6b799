import { accountDecider, type AccountCommand, type ReserveCredits } from '../../../src/domain/account/decide.ts';
import type {
  AccountEvent,
  Delivery,
  PinnedPrice,
  RequestFacts,
  MemberRole,
  SuspensionCause,
} from '../../../src/domain/account/events.ts';
import type { AccountLimits, Limits } from '../../../src/domain/account/limits/limits.ts';
import { noUsage, type Rates, type Usage } from '../../../src/domain/money.ts';
import { specify } from '../../given.ts';

type Event<T extends AccountEvent['type']> = Extract<AccountEvent, { type: T }>;
type Command<T extends AccountCommand['type']> = Extract<AccountCommand, { type: T }>;

/** At this price a token costs one nano-USD, so that examples can count in credits. */
export const rates: Rates = { input: 1000n, cachedInput: 1000n, cacheWrite: 1000n, output: 1000n, reasoning: 1000n };
export const price: PinnedPrice = { model: 'simulated-small', version: 1, rates };
/** When holds are placed: noon. */
export const AT = Date.UTC(2026, 0, 31, 12);
export const tokens = (output: number): Usage => ({ ...noUsage, output });

export const request: RequestFacts = {
  endpoint: '/v1/chat/completions',
  upstream: 'simulated',
  streamed: true,
  inputTokensBound: 100,
  outputTokensBound: 50,
};
export const delivery: Delivery = {
  usageSource: 'reported',
  ended: 'completed',
  finishReason: 'stop',
  upstreamId: 'chatcmpl-1',
  firstByteMs: 12,
  totalMs: 345,
  anomalies: [],
};

// What happened.
export const registered: Event<'AccountRegistered'> = {
  type: 'AccountRegistered',
  holder: 'person',
  personal: 'v1.c2VhbGVk',
};
export const termsAccepted = (version = '2026-01'): Event<'TermsAccepted'> => ({
  type: 'TermsAccepted',
  version,
  how: 'api',
});
const staff: SuspensionCause = { kind: 'staff' };
export const suspended = (reason = 'resale', cause: SuspensionCause = staff): Event<'AccountSuspended'> => ({
  ...{ type: 'AccountSuspended', reason, cause },
});
export const reinstated = (reason = 'appeal', cause: SuspensionCause = staff): Event<'AccountReinstated'> => ({
  ...{ type: 'AccountReinstated', reason, cause },
});
export const closed = (reason = 'asked', askedBy?: string): Event<'AccountClosed'> => ({
  ...{ type: 'AccountClosed', reason },
  ...(askedBy === undefined ? {} : { askedBy }),
});
export const erased = (reason = 'asked'): Event<'PersonalDataErased'> => ({ type: 'PersonalDataErased', reason });
export const contactChanged = (personal = 'v1.bmV3'): Event<'ContactChanged'> => ({ type: 'ContactChanged', personal });
export const memberAdded = (personId = 'per_1', role: MemberRole = 'owner'): Event<'MemberAdded'> => ({
  ...{ type: 'MemberAdded', personId, role },
});
export const memberRoleChanged = (personId: string, role: MemberRole): Event<'MemberRoleChanged'> => ({
  ...{ type: 'MemberRoleChanged', personId, role },
});
export const memberRemoved = (personId: string, reason = 'left'): Event<'MemberRemoved'> => ({
  ...{ type: 'MemberRemoved', personId, reason },
});
export const tokenCreated = (tokenId = 'tok_1'): Event<'TokenCreated'> => ({
  ...{ type: 'TokenCreated', tokenId, scopes: ['read', 'keys'], endsAt: AT },
});
export const tokenRevoked = (tokenId = 'tok_1'): Event<'TokenRevoked'> => ({
  ...{ type: 'TokenRevoked', tokenId, reason: 'unused' },
});
export const duplicateSuspected = (other = 'acc_1'): Event<'DuplicateSuspected'> => ({
  ...{ type: 'DuplicateSuspected', other, signal: 'same_name_and_domain' },
});
export const duplicateDismissed = (other = 'acc_1'): Event<'DuplicateDismissed'> => ({
  ...{ type: 'DuplicateDismissed', other, reason: 'siblings' },
});
export const keyLeakReported = (since: number | null = null, keyId = 'key_1'): Event<'KeyLeakReported'> => ({
  ...{ type: 'KeyLeakReported', keyId, since },
});
export const keyIssued = (keyId = 'key_1'): Event<'KeyIssued'> => ({
  type: 'KeyIssued',
  keyId,
  name: 'laptop',
  hash: `hash of ${keyId}`,
  pepperId: 'pepper_1',
  hint: 'wxyz',
});
export const keyRehashed = (pepperId = 'pepper_2', keyId = 'key_1'): Event<'KeyRehashed'> => ({
  type: 'KeyRehashed',
  keyId,
  hash: `${pepperId} hash of ${keyId}`,
  pepperId,
});
export const keyRevoked = (keyId = 'key_1'): Event<'KeyRevoked'> => ({ type: 'KeyRevoked', keyId, reason: 'leaked' });
export const toppedUp = (amount: bigint, lotId = 'lot_1'): Event<'CreditsToppedUp'> => ({
  type: 'CreditsToppedUp',
  lotId,
  amount,
  source: { kind: 'grant', reason: 'welcome' },
});
export const paid = (amount: bigint, lotId = 'lot_2'): Event<'CreditsToppedUp'> => ({
  ...toppedUp(amount, lotId),
  source: { kind: 'payment', reference: 'ord_1' },
});
export const expired = (amount: bigint, lotId = 'lot_1'): Event<'LotExpired'> => ({
  ...{ type: 'LotExpired', lotId, amount, reason: 'account_closed' },
});
export const reserved = (amount: bigint, requestId = 'req_1', at = AT): Event<'CreditsReserved'> => ({
  type: 'CreditsReserved',
  requestId,
  amount,
  keyId: 'key_1',
  runId: 'run_1',
  price,
  request,
  at,
});
export const limitsSet = (limits: Limits, keyId = 'key_1'): Event<'KeyLimitsSet'> => ({
  type: 'KeyLimitsSet',
  keyId,
  limits,
});
export const accountLimitsSet = (limits: AccountLimits): Event<'AccountLimitsSet'> => ({
  type: 'AccountLimitsSet',
  limits,
});
export const extended = (by: bigint, requestId = 'req_1', at = AT, tokens = 0): Event<'HoldExtended'> => ({
  type: 'HoldExtended',
  requestId,
  by,
  at,
  tokens,
});
/** `cost` is in tokens of `price`, and so in credits. */
export const settled = (
  cost: number,
  money: Pick<Event<'HoldSettled'>, 'held' | 'charged' | 'released' | 'drawn'>,
  requestId = 'req_1',
): Event<'HoldSettled'> => ({
  type: 'HoldSettled',
  requestId,
  keyId: 'key_1',
  price,
  usage: tokens(cost),
  cost: BigInt(cost),
  ...money,
  delivery,
});
export const released = (amount: bigint, requestId = 'req_1'): Event<'HoldReleased'> => ({
  type: 'HoldReleased',
  requestId,
  released: amount,
  reason: 'upstream_failed',
  detail: 'status 502',
});
export const lateCharged = (
  cost: number,
  money: Pick<Event<'LateUsageCharged'>, 'charged' | 'drawn'>,
  requestId = 'req_1',
): Event<'LateUsageCharged'> => ({
  type: 'LateUsageCharged',
  requestId,
  keyId: 'key_1',
  price,
  usage: tokens(cost),
  cost: BigInt(cost),
  ...money,
  delivery,
});
export const writtenOff = (amount: bigint, requestId = 'req_1', outputBeyond?: number): Event<'UsageWrittenOff'> => ({
  type: 'UsageWrittenOff',
  requestId,
  amount,
  ...(outputBeyond === undefined ? {} : { beyond: { ...noUsage, output: outputBeyond } }),
});
/** What a lot paid of a charge. */
export const drawn = (amount: bigint, lotId = 'lot_1') => ({ lotId, amount });

// What is asked.
export const register = (asked: Partial<Command<'RegisterAccount'>> = {}): AccountCommand => ({
  ...registered,
  adult: true,
  ...asked,
  type: 'RegisterAccount',
});
export const acceptTerms = (version = '2026-01'): AccountCommand => ({ type: 'AcceptTerms', version, how: 'api' });
export const suspend = (reason = 'resale'): AccountCommand => ({ type: 'SuspendAccount', reason });
export const reinstate = (reason = 'appeal'): Command<'ReinstateAccount'> => ({ type: 'ReinstateAccount', reason });
export const close = (reason = 'asked', askedBy?: string): Command<'CloseAccount'> => ({
  ...closed(reason, askedBy),
  type: 'CloseAccount',
});
export const erase = (reason = 'asked'): AccountCommand => ({ type: 'ErasePersonalData', reason });
export const issueKey = (keyId = 'key_1'): AccountCommand => ({ ...keyIssued(keyId), type: 'IssueKey' });
export const replaceKey = (replaces: string, keyId: string): AccountCommand => ({
  ...keyIssued(keyId),
  ...{ type: 'IssueKey', replaces },
});
export const rehashKey = (pepperId = 'pepper_2', keyId = 'key_1'): AccountCommand => ({
  ...keyRehashed(pepperId, keyId),
  type: 'RehashKey',
});
export const revokeKey = (keyId = 'key_1'): AccountCommand => ({ ...keyRevoked(keyId), type: 'RevokeKey' });
export const setLimits = (limits: Limits, keyId = 'key_1'): AccountCommand => ({ type: 'SetKeyLimits', keyId, limits });
export const setAccountLimits = (limits: AccountLimits): AccountCommand => ({ type: 'SetAccountLimits', limits });
export const topUp = (amount: bigint, lotId = 'lot_1'): AccountCommand => ({
  ...toppedUp(amount, lotId),
  type: 'TopUp',
});
export const reserve = (amount: bigint, requestId = 'req_1', keyId = 'key_1', at = AT): ReserveCredits => ({
  ...reserved(amount, requestId),
  keyId,
  at,
  type: 'ReserveCredits',
});
export const extend = (by: bigint, requestId = 'req_1', at = AT, tokens = 0): AccountCommand => ({
  ...extended(by, requestId, at, tokens),
  ...{ type: 'ExtendHold', at, tokens },
});
export const settle = (cost: number, requestId = 'req_1'): AccountCommand => ({
  type: 'SettleHold',
  requestId,
  usage: tokens(cost),
  delivery,
});
export const release = (requestId = 'req_1'): AccountCommand => ({
  type: 'ReleaseHold',
  requestId,
  reason: 'upstream_failed',
  detail: 'status 502',
});
export const chargeLate = (cost: number, requestId = 'req_1'): AccountCommand => ({
  type: 'ChargeLateUsage',
  requestId,
  keyId: 'key_1',
  usage: tokens(cost),
  price,
  delivery,
});

export const writeOffLate = (cost: number, requestId = 'req_1'): AccountCommand => ({
  type: 'WriteOffLateUsage',
  requestId,
  usage: tokens(cost),
  price,
});

/** Somebody in good standing who holds `key_1`. */
export const customer: AccountEvent[] = [registered, termsAccepted(), keyIssued()];

/** Of an account of which nothing is known. */
export const givenNobody = specify(accountDecider);
/** Of a customer, to whom the events happened. */
export const given = specify(accountDecider, ...customer);
