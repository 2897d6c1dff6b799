/** How the providers of models have done lately, from real requests. It is kept in memory, by each process for itself. */
export type Health = {
  of(provider: string, model: string): State;
};

export type State = {
  /** It fails, so others are tried first. */
  readonly isCool: boolean;
  /** The median of the last requests; undefined without any. */
  readonly firstByteMs: number | undefined;
  readonly tokensPerSecond: number | undefined;
};

export type Outcome =
  | { readonly kind: 'answered'; readonly firstByteMs: number; readonly tokensPerSecond?: number | undefined }
  /** `retryAfterMs` is how long the provider asks to wait. */
  | { readonly kind: 'failed'; readonly retryAfterMs?: number | undefined };

export type KeptHealth = Health & { record(provider: string, model: string, outcome: Outcome): void };

const WINDOW_MS = 30_000;
/** It cools after so many failures in the window, or after so large a part of at least ten requests. A failure right
 * after a time of cooling is enough. */
const FAILURES = 5;
const FAILED_PART = 0.2;
const REQUESTS = 10;
/** After that, requests try it again. */
const COOL_MS = 15_000;
const MAX_COOL_MS = 5 * 60_000;
/** Enough for a median. */
const SAMPLES = 64;

type Counts = { requests: number; failures: number };

type Kept = {
  /** The counts of this half of the window and of the one before it. */
  now: Counts;
  before: Counts;
  halfEndsAt: number;
  coolUntil: number;
  /** It has cooled and not answered since: the next failure cools it again at once. */
  isOnTrial: boolean;
  readonly firstBytes: number[];
  readonly speeds: number[];
};

/** Without any requests so far, for tests and for a single provider. */
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
