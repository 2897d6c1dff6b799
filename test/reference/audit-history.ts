import type { AccountEvent, PinnedPrice, RequestFacts } from '../../src/domain/account/events.ts';
import { endedNow } from './ended-lots.ts';
import { openLimitBooks } from './limit-books.ts';
import { costOf, tokensOf } from './usage-cost.ts';
import { sum } from '../support/money.ts';

export type Books = {
  readonly toppedUp: bigint;
  readonly charged: bigint;
  /** What promotional lots lost at their end. */
  readonly expired: bigint;
  readonly writtenOff: bigint;
  /** What remains of each lot, oldest first. */
  readonly lots: ReadonlyMap<string, bigint>;
  readonly holds: ReadonlyMap<string, { readonly amount: bigint; readonly keyId: string; readonly price: PinnedPrice }>;
};

type Charge = Extract<AccountEvent, { type: 'HoldSettled' | 'LateUsageCharged' }>;

/** A promise to customers or to finance that a history breaks. */
export class BrokenBooks extends Error {
  override readonly name = 'BrokenBooks';
}

/**
 * Keeps the books of one account a second time from its events, without code of the domain, and checks every promise at
 * every event. It needs no commands, so it also audits histories that a gateway wrote. It does not check which of several
 * allowed events a command must lead to: command-ledger.ts does.
 */
export const audit = (history: readonly AccountEvent[]): Books => {
  let toppedUp = 0n;
  let charged = 0n;
  let expired = 0n;
  let closed = false;
  let threshold: bigint | null = null;
  /** The event before, or the one before its write-off, took the balance below the threshold. */
  let crossed = false;
  let writtenOff = 0n;
  let mayReserve = { terms: false, suspended: false };
  /** What the event before wrote a charge for and did not charge: the next event must write it off. */
  let uncovered: { readonly requestId: string; readonly amount: bigint } | undefined;
  /** The charge that the event before was, if it was one: what came beyond a limit is written off right after it. */
  let justCharged: { readonly requestId: string; readonly price: PinnedPrice } | undefined;
  const lots = new Map<string, bigint>();
  /** Of each lot that ever was: what came in, what was used, and what was lost at its end. */
  const perLot = new Map<string, LotBook>();
  const holds = new Map<string, { amount: bigint; keyId: string; price: PinnedPrice }>();
  const liveKeys = new Set<string>();
  /** Whose holds were given back, and of which nothing was charged or borne since. */
  const givenBack = new Set<string>();
  const limits = openLimitBooks();

  const heldNow = (): bigint => sum([...holds.values()].map(({ amount }) => amount));
  /** What promotional lots must lose now, if the account is closed. */
  const dueToEnd = () =>
    endedNow(
      [...lots].map(([id, left]) => ({ id, left, promotional: perLot.get(id)?.promotional === true })),
      heldNow(),
    );

  const promise = (kept: boolean, what: string, event: AccountEvent, n: number): void => {
    if (!kept) throw new BrokenBooks(`${what}: ${event.type} is event ${n} of ${show(history.slice(0, n + 1))}`);
  };

  history.forEach((event, n) => {
    const check = (kept: boolean, what: string): void => promise(kept, what, event, n);
    const holdOf = (requestId: string) => {
      const hold = holds.get(requestId);
      check(hold !== undefined, 'a hold ends once, and nothing touches it then');
      return hold ?? { amount: 0n, keyId: '', price: { model: '', version: 0, rates: noRates } };
    };
    const free = (): bigint => sum(lots.values()) - heldNow();
    const charge = ({ requestId, price, cost, charged: paid, drawn }: Charge, within: bigint): void => {
      check(paid === (cost < within ? cost : within), 'a charge is the cost, or all that may be touched');
      check(sum(drawn.map(({ amount }) => amount)) === paid, 'the draws sum up to the charge');
      for (const { lotId, amount } of drawn) {
        check(amount > 0n && lotId === lots.keys().next().value, 'the oldest lot pays first');
        const remains = (lots.get(lotId) ?? 0n) - amount;
        check(remains >= 0n, 'a lot never pays more than it has');
        if (remains === 0n) lots.delete(lotId);
        else lots.set(lotId, remains);
        const book = perLot.get(lotId);
        if (book) book.used += amount;
      }
      const before = toppedUp - charged;
      crossed = !closed && threshold !== null && before >= threshold && before - paid < threshold;
      charged += paid;
      uncovered = paid < cost ? { requestId, amount: cost - paid } : undefined;
      justCharged = { requestId, price };
    };

    const checkSpending = (keyId: string, at: number | undefined, amount: bigint): void =>
      check(limits.within(keyId, at, amount) === amount, 'no hold grows beyond a limit on spending');

    const due = uncovered;
    const chargedBefore = justCharged;
    [uncovered, justCharged] = [undefined, undefined];
    check(!due || event.type === 'UsageWrittenOff', 'what is not charged is written off');

    // What a closing or the end of a hold leads to comes in the same append, right after it.
    if (closed && !['KeyRevoked', 'LotExpired', 'UsageWrittenOff'].includes(event.type)) {
      check(liveKeys.size === 0, 'a closed account has no live key');
      check(dueToEnd().length === 0, 'promotional credits end with the account, as soon as no hold needs them');
    }

    const fell = crossed;
    crossed = fell && event.type === 'UsageWrittenOff';
    check(!fell || crossed || event.type === 'BalanceBelowThreshold', 'a fall below the threshold is recorded');

    switch (event.type) {
      case 'AccountRegistered':
        check(n === 0, 'an account is registered first and once');
        break;
      case 'TermsAccepted':
        check(!closed, 'a closed account accepts no terms');
        mayReserve = { ...mayReserve, terms: true };
        break;
      case 'AccountClosed':
        check(!closed, 'an account is closed once');
        closed = true;
        break;
      case 'PersonalDataErased':
        check(closed && holds.size === 0, 'only what is closed and has ended is erased');
        break;
      case 'AccountSuspended':
        check(!closed, 'a closed account stays closed');
        mayReserve = { ...mayReserve, suspended: true };
        break;
      case 'AccountReinstated':
        check(!closed, 'a closed account stays closed');
        mayReserve = { ...mayReserve, suspended: false };
        break;
      case 'KeyIssued':
        check(!closed, 'a closed account is issued no key');
        liveKeys.add(event.keyId);
        if (event.replaces !== undefined) limits.replace(event.replaces, event.keyId);
        break;
      case 'LowBalanceThresholdSet':
        threshold = event.amount;
        break;
      case 'BalanceBelowThreshold':
        check(fell, 'a balance below the threshold is recorded when it falls below it');
        check(event.threshold === threshold && event.balance === toppedUp - charged, 'it states both amounts');
        break;
      case 'ContactChanged':
      case 'MemberAdded':
      case 'MemberRoleChanged':
      case 'MemberRemoved':
      case 'DuplicateSuspected':
      case 'DuplicateDismissed':
      case 'TokenCreated':
      case 'TokenRevoked':
        break;
      case 'KeyLeakReported':
        check(!liveKeys.has(event.keyId), 'a key is revoked before its leak is reported');
        break;
      case 'KeyRehashed':
        check(liveKeys.has(event.keyId), 'only a live key is hashed again');
        break;
      case 'KeyRevoked':
        liveKeys.delete(event.keyId);
        break;
      case 'KeyLimitsSet':
        limits.setKeyLimits(event.keyId, event.limits);
        break;
      case 'AccountLimitsSet':
        limits.setAccountLimits(event.limits);
        break;
      case 'CreditsToppedUp':
        check(event.amount > 0n && !lots.has(event.lotId), 'a lot is new and has something in it');
        check(!closed || event.source.kind === 'payment', 'a closed account is granted nothing');
        lots.set(event.lotId, event.amount);
        toppedUp += event.amount;
        // A lot that is used up may come again under the same id.
        perLot.set(event.lotId, {
          promotional: event.source.kind === 'grant',
          amount: event.amount + (perLot.get(event.lotId)?.amount ?? 0n),
          used: perLot.get(event.lotId)?.used ?? 0n,
          expired: perLot.get(event.lotId)?.expired ?? 0n,
        });
        break;
      case 'CreditsReserved': {
        check(mayReserve.terms && !mayReserve.suspended && !closed, 'only an account in good standing holds credits');
        check(liveKeys.has(event.keyId), 'only a live key holds credits');
        check(event.amount >= 0n && !holds.has(event.requestId), 'a request holds credits once');
        checkSpending(event.keyId, event.at, event.amount);
        holds.set(event.requestId, { amount: event.amount, keyId: event.keyId, price: event.price });
        const { requestId, keyId, amount, at, price, request } = event;
        limits.reserve({ requestId, keyId, at, held: amount, tokens: boundOf(request) });
        if (at !== undefined) {
          const broken =
            limits.expiredOrForbidden({ keyId, at, model: price.model, tokens: 0, amount: 0n }) ??
            limits.check(keyId, at);
          check(broken === undefined, `what is let in keeps every limit (${broken})`);
        }
        break;
      }
      case 'HoldExtended': {
        const hold = holdOf(event.requestId);
        check(!closed, 'no hold of a closed account grows');
        check(event.by > 0n, 'a hold is extended by something');
        checkSpending(hold.keyId, limits.atOf(event.requestId), event.by);
        limits.extend(event.requestId, event.by, event.at, event.tokens);
        holds.set(event.requestId, { ...hold, amount: hold.amount + event.by });
        break;
      }
      case 'HoldReleased':
        check(event.released === holdOf(event.requestId).amount, 'a release gives all of the hold back');
        holds.delete(event.requestId);
        givenBack.add(event.requestId);
        limits.end(event.requestId, 0n, 0);
        break;
      case 'HoldSettled': {
        const { requestId, keyId, price, cost, charged: paid, held, released } = event;
        const hold = holdOf(requestId);
        check(held === hold.amount && keyId === hold.keyId, 'a settlement knows its hold');
        check(show(price) === show(hold.price), 'a settlement is by the price that the hold pinned');
        check(cost === costOf(event.usage, price), 'a receipt can be recomputed');
        check(released === (paid < held ? held - paid : 0n), 'what a hold kept beyond the charge is given back');
        charge(event, held + limits.within(keyId, limits.atOf(requestId), free()));
        holds.delete(requestId);
        limits.end(requestId, paid, tokensOf(event.usage));
        break;
      }
      case 'LateUsageCharged':
        check(!holds.has(event.requestId), 'late usage has no hold any more');
        givenBack.delete(event.requestId);
        check(event.cost === costOf(event.usage, event.price), 'a receipt can be recomputed');
        charge(event, limits.within(event.keyId, event.at, free()));
        limits.late({
          requestId: event.requestId,
          keyId: event.keyId,
          at: event.at,
          spent: event.charged,
          tokens: tokensOf(event.usage),
        });
        break;
      case 'UsageWrittenOff': {
        const { requestId, amount } = event;
        const ofCharge = chargedBefore?.requestId === requestId ? chargedBefore : undefined;
        const beyond = ofCharge ? costOf(event.beyond ?? nothingUsed, ofCharge.price) : 0n;
        if (due) check(due.requestId === requestId, 'cost = charged + written off');
        if (ofCharge) check((due?.amount ?? 0n) + beyond === amount, 'cost = charged + written off');
        else check(givenBack.delete(requestId), 'cost = charged + written off');
        check(amount > 0n, 'something is written off, or no word is lost about it');
        writtenOff += amount;
        break;
      }
      case 'LotExpired': {
        const { lotId, amount } = event;
        const [due] = dueToEnd();
        check(closed && due?.id === lotId && due.amount === amount, 'a lot loses all that no hold needs, at its end');
        const remains = (lots.get(lotId) ?? 0n) - amount;
        if (remains === 0n) lots.delete(lotId);
        else lots.set(lotId, remains);
        const book = perLot.get(lotId);
        if (book) book.expired += amount;
        expired += amount;
        break;
      }
    }
    check(n === 0 || history[0]?.type === 'AccountRegistered', 'an account is registered first and once');
    check(free() >= 0n, 'holds never exceed the balance');
    check(
      [...lots.values()].every((remains) => remains >= 0n),
      'no lot is ever negative',
    );
    check(toppedUp === sum(lots.values()) + charged + expired, 'all that came in is there, was charged or has expired');
    for (const [lotId, { amount, used, expired: lost }] of perLot) {
      check(amount === (lots.get(lotId) ?? 0n) + used + lost, 'of each lot: amount = remaining + used + expired');
    }
  });
  if (uncovered) throw new BrokenBooks(`what is not charged is written off, in ${show(history)}`);
  if (closed && liveKeys.size > 0) throw new BrokenBooks(`a closed account has no live key, in ${show(history)}`);
  if (closed && dueToEnd().length > 0) {
    throw new BrokenBooks(`promotional credits end with the account, in ${show(history)}`);
  }
  return { toppedUp, charged, expired, writtenOff, lots, holds };
};

type LotBook = { readonly promotional: boolean; readonly amount: bigint; used: bigint; expired: bigint };

const boundOf = (request: RequestFacts): number => request.inputTokensBound + request.outputTokensBound;

const nothingUsed = { input: 0, cachedInput: 0, cacheWrite: 0, output: 0, reasoning: 0 };
const noRates = { input: 0n, cachedInput: 0n, cacheWrite: 0n, output: 0n, reasoning: 0n };

const show = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? `${one}n` : one));
