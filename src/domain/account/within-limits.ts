import { max, min, type Credits } from '../money.ts';
import { spendingWindows, type Limits, type SpendingWindow } from './limits.ts';
import { inMinute, msUntilLeft, type Pace } from './minute.ts';
import { counterAt, resetsAt } from './spending.ts';
import type { Tallies, Tally } from './tallies.ts';

/** Whose limit it is. */
export type LimitScope = 'key' | 'account';

/** What there is to say of a limit that is in the way, so that the answer can. Times in ms since the epoch. */
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
      /** null where it never does. */
      readonly resetsAt: number | null;
    }
  | {
      readonly of: Pace;
      readonly scope: LimitScope;
      readonly limit: number;
      readonly used: number;
      readonly needed: number;
      /** null where no waiting helps, for the request alone is more than the limit. */
      readonly retryAfterMs: number | null;
    }
  | { readonly of: 'concurrency'; readonly scope: LimitScope; readonly limit: number; readonly open: number };

/** A key or an account that has limits. */
export type Limited = { readonly scope: LimitScope; readonly limits: Limits; readonly tally: Tally };

/** Those whose limits a request of a key must keep: the key first. */
export const limitedBy = ({ account, keys }: Tallies, keyId: string): readonly Limited[] => {
  const key = keys.get(keyId);
  const found: Limited[] = [];
  if (key?.limits) found.push({ scope: 'key', limits: key.limits, tally: key });
  if (account.limits) found.push({ scope: 'account', limits: account.limits, tally: account });
  return found;
};

export const expired = ({ limits: { expiresAt } }: Limited, at: number): boolean =>
  expiresAt !== undefined && at >= Date.parse(expiresAt);

export const forbids = ({ limits: { models } }: Limited, model: string): boolean =>
  models !== undefined && !models.includes(model);

/** The limit of requests under way that leaves no room for one more. */
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

/** The limit by the minute that a request of so many tokens would break: of several the one that takes longest to pass. */
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
  /** By all requests. */
  readonly held: Credits;
  readonly resetsAt: number | null;
  /** Below zero where a limit was set lower than what counts already. */
  readonly left: Credits;
};

/**
 * What every limit on spending leaves for a hold that was placed at a time. Of a hold from before times were recorded only
 * the total is known; in a day or a month that is long over there is nothing left.
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

/** How much of `credits` the limits on spending leave; never less than nothing. */
export const withinSpending = (limited: readonly Limited[], at: number | null, credits: Credits): Credits => {
  let most = credits;
  for (const { left } of rooms(limited, at)) most = min(most, left);
  return most < 0n ? 0n : most;
};

/** As `withinSpending`, if no other request held anything; `own` is what the request holds already. */
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

/** A hold that was placed in an earlier day or month does not count in the window. */
const heldByOthers = (held: Credits, own: Credits): Credits => (held > own ? held - own : 0n);

export type SpendingInTheWay = {
  readonly facts: Extract<LimitFacts, { of: 'spending' }>;
  /** Whether it will do to wait until other requests have ended. */
  readonly mayPass: boolean;
};

/** The limit on spending that so much more would break; `own` is what the request holds already. */
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

/** How a limit by the minute stands. */
export type PaceNow = { readonly limit: number; readonly remaining: number; readonly resetMs: number };

/** Of several the one with the least room; undefined where there is none. It begins anew when nothing counts any more. */
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

/** How the limit on spending with the least room stands; undefined where there is none. */
export const spendingNow = (tallies: Tallies, keyId: string, now: number): SpendingNow | undefined => {
  const [first, ...others] = rooms(limitedBy(tallies, keyId), Math.max(now, tallies.at));
  const tightest = first && others.reduce((least, room) => (room.left < least.left ? room : least), first);
  return tightest && { window: tightest.window, limit: tightest.limit, left: max(tightest.left, 0n) };
};
