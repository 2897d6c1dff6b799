import { max, min, type Credits } from '../../money.ts';
import { spendingWindows, type Limits, type SpendingWindow } from './limits.ts';
import { inMinute, msUntilLeft, type Pace } from './minute.ts';
import { counterAt, resetsAt } from './spending.ts';
import { lineOf, type Tallies, type Tally } from './tallies.ts';

/** The owner of a limit. */
export type LimitScope = 'key' | 'account';

/** A limit that refuses a request, for the error message. Times are in ms since the epoch. */
export type LimitFacts =
  | {
      readonly of: 'spending';
      readonly scope: LimitScope;
      readonly window: SpendingWindow;
      readonly limit: Credits;
      readonly spent: Credits;
      /** By other requests. */
      readonly held: Credits;
      readonly needed: Credits;
      /** null for the total. */
      readonly resetsAt: number | null;
    }
  | {
      readonly of: Pace;
      readonly scope: LimitScope;
      readonly limit: number;
      readonly used: number;
      readonly needed: number;
      /** null if the request alone exceeds the limit, so that waiting is useless. */
      readonly retryAfterMs: number | null;
    }
  | { readonly of: 'concurrency'; readonly scope: LimitScope; readonly limit: number; readonly open: number };

/** A key or an account that has limits. */
export type Limited = { readonly scope: LimitScope; readonly limits: Limits; readonly tally: Tally };

/**
 * The owners of the limits that apply to a request of a key: the key first. While a replaced key still works, its
 * requests must also fit the limits of the keys that replace it, so that both together use no more than one could.
 */
export const limitedBy = (tallies: Tallies, keyId: string): readonly Limited[] => {
  const { account, keys, replacedBy } = tallies;
  const key = keys.get(keyId);
  const found: Limited[] = [];
  if (key?.limits) found.push({ scope: 'key', limits: key.limits, tally: key });
  for (const next of replacedBy.has(keyId) ? lineOf(tallies, keyId).slice(1) : NO_KEYS) {
    const tally = keys.get(next);
    if (tally?.limits) found.push({ scope: 'key', limits: amountsOf(tally.limits), tally });
  }
  if (account.limits) found.push({ scope: 'account', limits: account.limits, tally: account });
  return found;
};

const NO_KEYS: readonly string[] = [];

/** Limits without those that concern only the key itself: its models and its end. */
const amountsOf = ({ models: _models, expiresAt: _end, ...amounts }: Limits): Limits => amounts;

export const expired = ({ limits: { expiresAt } }: Limited, at: number): boolean =>
  expiresAt !== undefined && at >= Date.parse(expiresAt);

export const forbids = ({ limits: { models } }: Limited, model: string): boolean =>
  models !== undefined && !models.includes(model);

/** The limit of concurrent requests that refuses one more. */
export const concurrencyInTheWay = (limited: readonly Limited[]): LimitFacts | undefined => {
  for (const { scope, limits, tally } of limited) {
    const { concurrentRequests: limit } = limits;
    if (limit !== undefined && tally.open >= limit) return { of: 'concurrency', scope, limit, open: tally.open };
  }
  return undefined;
};

const limitOf = ({ requestsPerMinute, tokensPerMinute }: Limits, pace: Pace): number | undefined =>
  pace === 'requests' ? requestsPerMinute : tokensPerMinute;

const paces = ['requests', 'tokens'] as const;

/** The per-minute limit that a request of so many tokens would exceed; of several, the one with the longest wait. */
export const paceInTheWay = (limited: readonly Limited[], at: number, tokens: number): LimitFacts | undefined => {
  let found: (LimitFacts & { readonly retryAfterMs: number | null }) | undefined;
  for (const { scope, limits, tally } of limited) {
    for (const pace of paces) {
      const limit = limitOf(limits, pace);
      if (limit === undefined || !tally.minute) continue;
      const needed = pace === 'requests' ? 1 : tokens;
      const used = inMinute(tally.minute, pace, at);
      if (used + needed <= limit) continue;
      const wait = needed > limit ? null : msUntilLeft(tally.minute, pace, at, used + needed - limit);
      if (found && (found.retryAfterMs ?? Infinity) >= (wait ?? Infinity)) continue;
      found = { of: pace, scope, limit, used, needed, retryAfterMs: wait };
    }
  }
  return found;
};

type Room = {
  readonly of: 'spending';
  readonly scope: LimitScope;
  readonly window: SpendingWindow;
  readonly limit: Credits;
  readonly spent: Credits;
  /** By all requests, this one included. */
  readonly held: Credits;
  readonly resetsAt: number | null;
  /** Negative if the limit was set lower than what already counts. */
  readonly left: Credits;
};

/**
 * What each spending limit leaves for a hold that was placed at a time. For a hold without a time only the total applies.
 * In a day or month before the previous one nothing is left.
 */
const rooms = (limited: readonly Limited[], at: number | null): readonly Room[] => {
  const found: Room[] = [];
  for (const { scope, limits, tally } of limited) {
    if (!limits.spending) continue;
    for (const window of spendingWindows) {
      const limit = limits.spending[window];
      if (limit === undefined || (at === null && window !== 'total')) continue;
      const { spent, held } = counterAt(tally.spending, window, at ?? 0) ?? { spent: limit, held: 0n };
      const reset = at === null ? null : resetsAt(window, at);
      found.push({ of: 'spending', scope, window, limit, spent, held, left: limit - spent - held, resetsAt: reset });
    }
  }
  return found;
};

/** How much of `credits` the spending limits allow; never negative. */
export const withinSpending = (limited: readonly Limited[], at: number | null, credits: Credits): Credits => {
  let most = credits;
  for (const { left } of rooms(limited, at)) most = min(most, left);
  return most < 0n ? 0n : most;
};

/** Like `withinSpending`, as if no other request held credits; `own` is what the request already holds. */
export const withoutOtherHolds = (
  limited: readonly Limited[],
  at: number | null,
  credits: Credits,
  own: Credits,
): Credits => {
  let most = credits;
  for (const { left, held } of rooms(limited, at)) most = min(most, left + heldByOthers(held, own));
  return max(most, 0n);
};

/** `own` may exceed `held`, because a hold of an earlier day or month does not count in the window. */
const heldByOthers = (held: Credits, own: Credits): Credits => (held > own ? held - own : 0n);

export type SpendingInTheWay = {
  readonly facts: Extract<LimitFacts, { of: 'spending' }>;
  /** Whether the request fits once other requests have ended. */
  readonly mayPass: boolean;
};

/** The spending limit that `needed` more would exceed; `own` is what the request already holds. */
export const spendingInTheWay = (
  limited: readonly Limited[],
  at: number | null,
  needed: Credits,
  own = 0n,
): SpendingInTheWay | undefined => {
  let found: SpendingInTheWay | undefined;
  for (const { left, held, ...room } of rooms(limited, at)) {
    if (needed <= left) continue;
    const byOthers = heldByOthers(held, own);
    const mayPass = needed <= left + byOthers;
    if (!found || (found.mayPass && !mayPass)) found = { facts: { ...room, held: byOthers, needed }, mayPass };
  }
  return found;
};

/** The current state of a per-minute limit. */
export type PaceNow = { readonly limit: number; readonly remaining: number; readonly resetMs: number };

/** The tightest limit, or undefined. `resetMs` is when nothing counts any more. */
const paceNow = (tallies: Tallies, keyId: string, pace: Pace, now: number): PaceNow | undefined => {
  const at = Math.max(now, tallies.at);
  let tightest: PaceNow | undefined;
  for (const { limits, tally } of limitedBy(tallies, keyId)) {
    const limit = limitOf(limits, pace);
    if (limit === undefined || !tally.minute) continue;
    const remaining = Math.max(0, limit - inMinute(tally.minute, pace, at));
    if (tightest && tightest.remaining <= remaining) continue;
    tightest = { limit, remaining, resetMs: msUntilLeft(tally.minute, pace, at, Infinity) };
  }
  return tightest;
};

export type PacesNow = { readonly [P in Pace]?: PaceNow };

export const pacesNow = (tallies: Tallies, keyId: string, now: number): PacesNow => {
  const found: { [P in Pace]?: PaceNow } = {};
  for (const pace of paces) {
    const stands = paceNow(tallies, keyId, pace, now);
    if (stands) found[pace] = stands;
  }
  return found;
};

export type SpendingNow = { readonly window: SpendingWindow; readonly limit: Credits; readonly left: Credits };

/** The tightest spending limit, or undefined. */
export const spendingNow = (tallies: Tallies, keyId: string, now: number): SpendingNow | undefined => {
  const [first, ...others] = rooms(limitedBy(tallies, keyId), Math.max(now, tallies.at));
  const tightest = first && others.reduce((least, room) => (room.left < least.left ? room : least), first);
  return tightest && { window: tightest.window, limit: tightest.limit, left: max(tightest.left, 0n) };
};
