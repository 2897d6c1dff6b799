import type { Credits } from '../../money.ts';
import type { KeyEvent, LimitEvent, WalletEvent } from '../events.ts';
import { limitNothing, type Limits } from './limits.ts';
import { countInMinute, emptyMinute, type Minute } from './minute.ts';
import { countSpending, noSpending, turnPage, type Spending } from './spending.ts';
import { tokensHeld, tokensUsed, type Hold } from '../wallet.ts';

/**
 * The limits and the usage of a key or an account. Spending is always counted, so that a limit that is set later is correct
 * immediately. Changes in place.
 */
export type Tally = {
  limits: Limits | null;
  /** The number of open holds. */
  open: number;
  readonly spending: Spending;
  /** Counted from the first per-minute limit on, even after that limit is removed, for a limit that is set again. */
  minute: Minute | null;
};

export type Tallies = {
  /** The newest time of a decision, in ms since the epoch. Later decisions on this account are never before it. */
  at: number;
  readonly account: Tally;
  /** For keys that were used or limited. */
  readonly keys: Map<string, Tally>;
  /** By replaced key, the key that replaces it: the usage of the former counts for the latter as well. */
  readonly replacedBy: Map<string, string>;
};

type Holds = ReadonlyMap<string, Hold>;
type CountedEvent = Extract<KeyEvent, { type: 'KeyIssued' }> | LimitEvent | WalletEvent;

const emptyTally = (): Tally => ({ limits: null, open: 0, spending: noSpending(), minute: null });
export const emptyTallies = (): Tallies => ({
  at: 0,
  account: emptyTally(),
  keys: new Map(),
  replacedBy: new Map(),
});

/** `holds` are the open holds before the event. */
export const evolveTallies = (tallies: Tallies, event: CountedEvent, holds: Holds): void => {
  switch (event.type) {
    case 'KeyIssued': {
      const { keyId, replaces } = event;
      if (replaces === undefined) return;
      tallies.replacedBy.set(replaces, keyId);
      tallies.keys.set(keyId, { ...structuredClone(tallyOf(tallies, replaces)), limits: null });
      return;
    }
    case 'KeyLimitsSet': {
      const { keyId, limits } = event;
      return setLimits(tallyOf(tallies, keyId), limits, holds, (hold) => lineOf(tallies, hold.keyId).includes(keyId));
    }
    case 'AccountLimitsSet':
      return setLimits(tallies.account, event.limits, holds, () => true);
    case 'CreditsReserved': {
      const { amount, at = null, request, keyId } = event;
      tallies.at = Math.max(tallies.at, at ?? 0);
      const tokens = tokensHeld(request);
      for (const tally of talliesOf(tallies, keyId)) begin(tally, at, amount, tokens);
      return;
    }
    case 'HoldExtended': {
      const hold = holds.get(event.requestId);
      if (!hold) return;
      const { by, at, tokens = 0 } = event;
      tallies.at = Math.max(tallies.at, at ?? 0);
      for (const tally of talliesOf(tallies, hold.keyId)) {
        countSpending(tally.spending, hold.at, 0n, by);
        if (tally.minute && at !== undefined) countInMinute(tally.minute, at, 0, tokens);
      }
      return;
    }
    case 'HoldSettled':
      return end(tallies, holds.get(event.requestId), event.charged, tokensUsed(event.usage));
    case 'HoldReleased':
      return end(tallies, holds.get(event.requestId), 0n, 0);
    case 'LateUsageCharged': {
      const { keyId, at = null, charged, usage } = event;
      tallies.at = Math.max(tallies.at, at ?? 0);
      for (const tally of talliesOf(tallies, keyId)) late(tally, at, charged, tokensUsed(usage));
      return;
    }
    case 'CreditsToppedUp':
    case 'UsageWrittenOff':
    case 'LotExpired':
      return;
  }
};

const tallyOf = ({ keys }: Tallies, keyId: string): Tally => {
  const known = keys.get(keyId);
  if (known) return known;
  const tally = emptyTally();
  keys.set(keyId, tally);
  return tally;
};

/** A key and its successive replacements. */
export const lineOf = ({ replacedBy }: Tallies, keyId: string): readonly string[] => {
  const line = [keyId];
  for (let next = replacedBy.get(keyId); next !== undefined; next = replacedBy.get(next)) line.push(next);
  return line;
};

/** The tallies that the usage of a key counts in. */
const talliesOf = (tallies: Tallies, keyId: string): readonly Tally[] =>
  tallies.replacedBy.size === 0
    ? [tallies.account, tallyOf(tallies, keyId)]
    : [tallies.account, ...lineOf(tallies, keyId).map((one) => tallyOf(tallies, one))];

/** A newly counted minute starts with the requests under way: their hold and their last step, which are corrected at their end. */
const setLimits = (tally: Tally, limits: Limits, holds: Holds, belongs: (hold: Hold) => boolean): void => {
  tally.limits = limitNothing(limits) ? null : limits;
  if (tally.minute || (limits.requestsPerMinute === undefined && limits.tokensPerMinute === undefined)) return;
  tally.minute = emptyMinute();
  for (const hold of holds.values()) {
    if (!belongs(hold)) continue;
    if (hold.at !== null) countInMinute(tally.minute, hold.at, 1, hold.tokens);
    if (hold.extended) countInMinute(tally.minute, hold.extended.last.at, 0, hold.extended.last.tokens);
  }
};

const begin = (tally: Tally, at: number | null, amount: Credits, tokens: number): void => {
  tally.open++;
  if (at !== null) {
    turnPage(tally.spending, at);
    if (tally.minute) countInMinute(tally.minute, at, 1, tokens);
  }
  countSpending(tally.spending, at, 0n, amount);
};

const end = (tallies: Tallies, hold: Hold | undefined, charged: Credits, tokens: number): void => {
  if (!hold) return;
  for (const tally of talliesOf(tallies, hold.keyId)) endFor(tally, hold, charged, tokens);
};

const endFor = (tally: Tally, hold: Hold, charged: Credits, tokens: number): void => {
  tally.open--;
  countSpending(tally.spending, hold.at, charged, -hold.amount);
  if (tally.minute) correct(tally.minute, hold, tokens);
};

/**
 * Replaces the counted tokens by the used ones: first in the last step, then in the original hold, in neither below zero.
 * Steps in between are not remembered, and remain counted.
 */
const correct = (minute: Minute, { at, tokens: placed, extended }: Hold, used: number): void => {
  let by = used - placed;
  if (extended) {
    const { last } = extended;
    by -= extended.tokens;
    const inLast = Math.max(by, -last.tokens);
    countInMinute(minute, last.at, 0, inLast);
    by -= inLast;
  }
  if (at !== null) countInMinute(minute, at, 0, Math.max(by, -placed));
};

const late = (tally: Tally, at: number | null, charged: Credits, tokens: number): void => {
  if (at !== null) {
    turnPage(tally.spending, at);
    if (tally.minute) countInMinute(tally.minute, at, 0, tokens);
  }
  countSpending(tally.spending, at, charged, 0n);
};
