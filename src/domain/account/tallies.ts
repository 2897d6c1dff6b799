import type { Credits } from '../money.ts';
import type { KeyEvent, LimitEvent, WalletEvent } from './events.ts';
import { limitNothing, type Limits } from './limits.ts';
import { countInMinute, emptyMinute, type Minute } from './minute.ts';
import { countSpending, noSpending, turnPage, type Spending } from './spending.ts';
import { tokensHeld, tokensUsed, type Hold } from './wallet.ts';

/**
 * What a key, or a whole account, may do and has done. Spending is counted for all of them always, so that a limit that
 * is set later is right at once. Changes in place, as a wallet does: a state belongs to whoever folds it.
 */
export type Tally = {
  limits: Limits | null;
  /** How many holds are open. */
  open: number;
  readonly spending: Spending;
  /** Counted from the first limit by the minute on, though it be taken away: one that is set again knows what was. */
  minute: Minute | null;
};

export type Tallies = {
  /** The newest time that was decided at, in ms since the epoch: for this account, time does not go back behind it. */
  at: number;
  readonly account: Tally;
  /** Of keys that were used or limited. */
  readonly keys: Map<string, Tally>;
  /** For each key that was replaced, the key in its place: what counts for the former counts for the latter as well. */
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

/** `holds` are those before the event, for one that ends is counted off. */
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

/** A key, and those that were issued in its place one after another. */
const lineOf = ({ replacedBy }: Tallies, keyId: string): readonly string[] => {
  const line = [keyId];
  for (let next = replacedBy.get(keyId); next !== undefined; next = replacedBy.get(next)) line.push(next);
  return line;
};

/** Where it counts what a key does. */
const talliesOf = (tallies: Tallies, keyId: string): readonly Tally[] => [
  tallies.account,
  ...(tallies.replacedBy.size === 0 ? [keyId] : lineOf(tallies, keyId)).map((one) => tallyOf(tallies, one)),
];

/**
 * A minute that begins to be counted knows the requests under way, by what they were placed for and their last step: these
 * are to be corrected when they end.
 */
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
 * From what was counted to what was used: in the last step first, then in what it was placed for, and in neither by more
 * than it had counted. What lies between is not known any more, and goes on counting.
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
