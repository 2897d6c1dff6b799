import type { Credits } from '../../money.ts';

/** The limits of a key or an account. An absent field means no limit. */
export type Limits = {
  /** In any 60 seconds. */
  readonly requestsPerMinute?: number;
  /** In any 60 seconds: input and output together, as held, and later as used. */
  readonly tokensPerMinute?: number;
  /** How many requests may be under way at the same time. */
  readonly concurrentRequests?: number;
  readonly spending?: SpendingLimits;
  /** The only models that may be used. */
  readonly models?: readonly string[];
  /** ISO 8601: from then on the key is refused. Only for keys. */
  readonly expiresAt?: string;
};

/** Days and months are UTC; the total counts from the beginning. */
export type SpendingLimits = { readonly day?: Credits; readonly month?: Credits; readonly total?: Credits };

/** The longest first: if it is exhausted, the shorter ones do not matter. */
export const spendingWindows = ['total', 'month', 'day'] as const;
export type SpendingWindow = (typeof spendingWindows)[number];

/** An account does not expire: it is suspended. */
export type AccountLimits = Omit<Limits, 'expiresAt'>;

export const areValid = (limits: Limits): boolean => {
  const { requestsPerMinute, tokensPerMinute, concurrentRequests, spending = {}, expiresAt } = limits;
  return (
    [requestsPerMinute, tokensPerMinute, concurrentRequests].every(
      (most) => most === undefined || (Number.isSafeInteger(most) && most > 0),
    ) &&
    spendingWindows.every((window) => (spending[window] ?? 0n) >= 0n) &&
    (expiresAt === undefined || !Number.isNaN(Date.parse(expiresAt)))
  );
};

export const earliestEnd = (one: string | undefined, other: string): string =>
  one !== undefined && Date.parse(one) <= Date.parse(other) ? one : other;

/** Equal texts for limits that mean the same. */
const meaning = ({ spending = {}, models, expiresAt, ...most }: Limits): string =>
  JSON.stringify([
    [most.requestsPerMinute, most.tokensPerMinute, most.concurrentRequests],
    spendingWindows.map((window) => spending[window]?.toString()),
    models && [...new Set(models)].toSorted(),
    expiresAt === undefined ? undefined : Date.parse(expiresAt),
  ]);

const NONE = meaning({});

export const limitNothing = (limits: Limits): boolean => meaning(limits) === NONE;
export const meanTheSame = (one: Limits, other: Limits): boolean => meaning(one) === meaning(other);
