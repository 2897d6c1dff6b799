import type { CommandOf, ReserveCredits } from '../../../src/domain/account/commands.ts';
import type { AccountRefusal } from '../../../src/domain/account/decide.ts';
import type { PinnedPrice } from '../../../src/domain/account/events.ts';
import type { Usage } from '../../../src/domain/money.ts';
import { availableOf, drawsOf, heldOf, smaller } from '../money-books.ts';
import { costOf, tokensOf } from '../usage-cost.ts';
import { acceptanceByUse } from './conduct.ts';
import { begin, happens, refused, refusedAsSuspended, write, type Effect, type Verdict } from './decision.ts';
import { expire } from './endings.ts';
import type { Ledger } from './ledger.ts';
import { settleMarks } from './marks.ts';

/**
 * Newer terms are accepted first, and then lots whose time is over end. A refusal changes nothing, and neither does a
 * request whose credits are already held.
 */
export const reserve = (ledger: Ledger, command: ReserveCredits): Verdict => {
  const { money, terms, keys, limits } = ledger;
  const { requestId, amount, keyId, price, request } = command;
  const at = limits.timeOf(command.at);
  const tokens = request.inputTokensBound + request.outputTokensBound;
  const asked = { keyId, at, model: price.model, tokens, amount };
  const hold = money.holds.get(requestId);
  const acceptance = acceptanceByUse(ledger, command);
  if (money.closed) return refused('account_closed');
  if (money.suspensions.length > 0) return refusedAsSuspended(money);
  if (terms === undefined) return refused('terms_not_accepted');
  if (acceptance?.notice === 'failed' && command.terms?.explicit) return refused('terms_not_accepted');
  if (!keys.has(keyId)) return refused('key_not_found');
  if (!keys.get(keyId)) return refused('key_revoked');
  const barred = limits.expiredOrForbidden(asked);
  if (barred) return refused(barred);
  if (amount < 0n) return refused('invalid_amount');
  if (hold) return hold.amount === amount ? happens() : refused('request_id_reused');
  const tooMany = limits.tooMany(asked);
  if (tooMany) return refused(tooMany);
  const decision = begin(money);
  if (acceptance) write(decision, acceptance);
  expire(decision, at);
  const [free, held] = [availableOf(decision.books), heldOf(decision.books)];
  const withoutHolds = limits.withoutOthers(keyId, at, 0n, free + held);
  const beyond = limits.tooDear(asked, 0n, free, withoutHolds);
  if (beyond && !waitsInVain(beyond, amount, free + held)) return { refusal: beyond };
  if (amount > free) return tooDear(amount, free, held, withoutHolds);
  write(decision, { type: 'CreditsReserved', requestId, amount, keyId, price, request, at });
  return happens(...decision.effects);
};

export const extend = (ledger: Ledger, command: CommandOf<'ExtendHold'>): Verdict => {
  const { money, keys, limits } = ledger;
  const { requestId, by, tokens } = command;
  const hold = money.holds.get(requestId);
  const at = limits.timeOf(command.at);
  const keyId = limits.keyOf(requestId);
  if (money.closed) return refused('account_closed');
  if (money.suspensions.length > 0) return refusedAsSuspended(money);
  if (hold && !keys.get(keyId)) return refused('key_revoked');
  if (hold && limits.hasExpired(keyId, at)) return refused('key_expired');
  if (by <= 0n) return refused('invalid_amount');
  if (!hold) return refused('hold_not_open');
  const decision = begin(money);
  expire(decision, at);
  const free = availableOf(decision.books);
  const held = heldOf(money) - hold.amount;
  const asked = { keyId, at: limits.atOf(requestId), amount: by };
  const withoutHolds = limits.withoutOthers(keyId, asked.at, hold.amount, free + held);
  const tooMuch = limits.tooDear(asked, hold.amount, free, withoutHolds);
  if (tooMuch && !waitsInVain(tooMuch, by, free + held)) return { refusal: tooMuch };
  if (by > free) return tooDear(by, free, held, withoutHolds);
  write(decision, { type: 'HoldExtended', requestId, by, at, tokens });
  return happens(...decision.effects);
};

export const releaseHold = ({ money }: Ledger, { requestId }: CommandOf<'ReleaseHold'>): Verdict => {
  const hold = money.holds.get(requestId);
  if (!hold) return refused('hold_not_open');
  const decision = begin(money);
  write(decision, { type: 'HoldReleased', requestId, released: hold.amount });
  settleMarks(decision);
  return happens(...decision.effects);
};

export const settle = ({ money, limits }: Ledger, command: CommandOf<'SettleHold'>): Verdict => {
  const { requestId, usage, beyond } = command;
  const hold = money.holds.get(requestId);
  if (!hold) return refused('hold_not_open');
  const { amount: held, price } = hold;
  const cost = costOf(usage, price);
  const at = limits.atOf(requestId);
  const within = limits.within(limits.keyOf(requestId), at, availableOf(money));
  const charged = smaller(cost, held + within);
  const released = charged < held ? held - charged : 0n;
  const drawn = drawsOf(money, charged, at);
  const decision = begin(money);
  write(decision, { type: 'HoldSettled', requestId, price, usage, cost, charged, held, released, drawn });
  write(decision, ...uncovered(requestId, cost - charged, price, beyond));
  settleMarks(decision);
  return happens(...decision.effects);
};

export const chargeLate = ({ money, limits }: Ledger, command: CommandOf<'ChargeLateUsage'>): Verdict => {
  const { requestId, keyId, usage, price, at, beyond } = command;
  if (money.holds.has(requestId)) return refused('request_id_reused');
  const cost = costOf(usage, price);
  const charged = smaller(cost, limits.within(keyId, at, availableOf(money)));
  const drawn = drawsOf(money, charged, at);
  const late = { requestId, keyId, price, usage, cost, charged, drawn, ...(at === undefined ? {} : { at }) };
  return happens({ type: 'LateUsageCharged', ...late }, ...uncovered(requestId, cost - charged, price, beyond));
};

export const writeOffLate = ({ money }: Ledger, command: CommandOf<'WriteOffLateUsage'>): Verdict => {
  const { requestId, usage, price, beyond } = command;
  if (money.holds.has(requestId)) return refused('request_id_reused');
  return happens(...uncovered(requestId, costOf(usage, price), price, beyond));
};

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
