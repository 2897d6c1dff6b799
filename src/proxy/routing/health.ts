/** Recent failures and speed of each provider and model, from real requests. Each process has its own, in memory. */
export type Health = {
  of(provider: string, model: string): State;
};

export type State = {
  /** It failed recently, so other providers are asked first. */
  readonly isCool: boolean;
  /** The median of the last requests; undefined if there were no requests. */
  readonly firstByteMs: number | undefined;
  readonly tokensPerSecond: number | undefined;
};

export type Outcome =
  | { readonly kind: 'answered'; readonly firstByteMs: number; readonly tokensPerSecond?: number | undefined }
  /** `retryAfterMs` is how long the provider asks to wait. */
  | { readonly kind: 'failed'; readonly retryAfterMs?: number | undefined };

export type KeptHealth = Health & { record(provider: string, model: string, outcome: Outcome): void };

const WINDOW_MS = 30_000;
/**
 * A provider is cool after this many failures in the window, or if this part of at least ten requests failed. After a
 * cooldown, one failure is enough.
 */
const FAILURES = 5;
const FAILED_PART = 0.2;
const REQUESTS = 10;
/** How long a cooldown lasts. */
const COOL_MS = 15_000;
const MAX_COOL_MS = 5 * 60_000;
/** Enough for a median. */
const SAMPLES = 64;

type Counts = { requests: number; failures: number };

type Kept = {
  /** The counts of this half of the window, and of the half before it. */
  now: Counts;
  before: Counts;
  halfEndsAt: number;
  coolUntil: number;
  /** It has not answered since its last cooldown, so the next failure begins another one. */
  isOnTrial: boolean;
  readonly firstBytes: number[];
  readonly speeds: number[];
};

/** The health of providers without requests so far. */
export const healthy: Health = {
  of: () => ({ isCool: false, firstByteMs: undefined, tokensPerSecond: undefined }),
};

const none = (): Counts => ({ requests: 0, failures: 0 });

/** `nowMs` is a clock that never goes back. */
export const createHealth = (nowMs: () => number): KeptHealth => {
  const all = new Map<string, Kept>();
  const keptOf = (provider: string, model: string): Kept => {
    const key = `${provider}\n${model}`;
    let kept = all.get(key);
    if (!kept) {
      kept = {
        ...{ now: none(), before: none(), halfEndsAt: -Infinity, coolUntil: -Infinity, isOnTrial: false },
        ...{ firstBytes: [], speeds: [] },
      };
      all.set(key, kept);
    }
    return kept;
  };
  return {
    of: (provider, model) => {
      const kept = all.get(`${provider}\n${model}`);
      if (!kept) return healthy.of(provider, model);
      return {
        isCool: nowMs() < kept.coolUntil,
        firstByteMs: median(kept.firstBytes),
        tokensPerSecond: median(kept.speeds),
      };
    },
    record: (provider, model, outcome) => {
      const kept = keptOf(provider, model);
      const now = nowMs();
      count(kept, now, outcome.kind === 'failed');
      if (outcome.kind === 'failed') return cool(kept, now, outcome.retryAfterMs);
      kept.coolUntil = -Infinity;
      kept.isOnTrial = false;
      sample(kept.firstBytes, outcome.firstByteMs);
      if (outcome.tokensPerSecond !== undefined) sample(kept.speeds, outcome.tokensPerSecond);
    },
  };
};

const count = (kept: Kept, now: number, isFailure: boolean): void => {
  if (now >= kept.halfEndsAt) {
    kept.before = now < kept.halfEndsAt + WINDOW_MS / 2 ? kept.now : none();
    kept.now = none();
    kept.halfEndsAt = now + WINDOW_MS / 2;
  }
  kept.now.requests++;
  if (isFailure) kept.now.failures++;
};

const cool = (kept: Kept, now: number, retryAfterMs: number | undefined): void => {
  const [requests, failures] = [kept.now.requests + kept.before.requests, kept.now.failures + kept.before.failures];
  if (retryAfterMs !== undefined) kept.coolUntil = now + Math.min(retryAfterMs, MAX_COOL_MS);
  const failsOften = failures >= FAILURES || (requests >= REQUESTS && failures > FAILED_PART * requests);
  if (failsOften || kept.isOnTrial) kept.coolUntil = Math.max(kept.coolUntil, now + COOL_MS);
  if (kept.coolUntil > now) kept.isOnTrial = true;
};

const sample = (values: number[], value: number): void => {
  values.push(value);
  if (values.length > SAMPLES) values.shift();
};

const median = (values: readonly number[]): number | undefined => values.toSorted((a, b) => a - b)[values.length >> 1];
