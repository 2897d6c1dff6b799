/**
 * The requests and tokens of the last minute, in buckets of three seconds. Twenty complete buckets and the current one count,
 * so that no more than a limit is admitted in any 60 seconds, and under overload at least 95 % of it. Changes in place.
 */
export type Minute = {
  /** The newest bucket, counted from the epoch. */
  newest: number;
  readonly sums: Amounts;
  /** By bucket, in a ring. */
  readonly requests: number[];
  readonly tokens: number[];
};

type Amounts = { requests: number; tokens: number };
export type Pace = keyof Amounts;

export const BUCKET_MS = 3000;
export const BUCKETS = 21;

const bucketOf = (at: number): number => Math.floor(at / BUCKET_MS);

export const emptyMinute = (): Minute => ({
  newest: 0,
  sums: { requests: 0, tokens: 0 },
  requests: new Array<number>(BUCKETS).fill(0),
  tokens: new Array<number>(BUCKETS).fill(0),
});

/** Adds to the bucket of a time, unless it is no longer in the minute. */
export const countInMinute = (minute: Minute, at: number, requests: number, tokens: number): void => {
  const bucket = bucketOf(at);
  if (bucket > minute.newest) advance(minute, bucket);
  if (bucket <= minute.newest - BUCKETS) return;
  add(minute, 'requests', bucket, requests);
  add(minute, 'tokens', bucket, tokens);
};

const add = (minute: Minute, pace: Pace, bucket: number, amount: number): void => {
  minute[pace][bucket % BUCKETS] = inBucket(minute, pace, bucket) + amount;
  minute.sums[pace] += amount;
};

const inBucket = (minute: Minute, pace: Pace, bucket: number): number => minute[pace][bucket % BUCKETS] ?? 0;

const advance = (minute: Minute, to: number): void => {
  for (let bucket = Math.max(minute.newest + 1, to - BUCKETS + 1); bucket <= to; bucket++) {
    add(minute, 'requests', bucket, -inBucket(minute, 'requests', bucket));
    add(minute, 'tokens', bucket, -inBucket(minute, 'tokens', bucket));
  }
  minute.newest = to;
};

/** The first bucket that counts at a time. Times before the newest bucket count as the newest bucket. */
const firstAt = (minute: Minute, at: number): number => Math.max(bucketOf(at), minute.newest) - BUCKETS + 1;

/** The sum of the minute at a time. */
export const inMinute = (minute: Minute, pace: Pace, at: number): number => {
  const first = firstAt(minute, at);
  let sum = minute.sums[pace];
  for (let bucket = minute.newest - BUCKETS + 1; bucket < first && bucket <= minute.newest; bucket++) {
    sum -= inBucket(minute, pace, bucket);
  }
  return sum;
};

/** How long from a time until at least `amount` of what counts has left the minute, or all of it. */
export const msUntilLeft = (minute: Minute, pace: Pace, at: number, amount: number): number => {
  let left = 0;
  let wait = 0;
  for (let bucket = firstAt(minute, at); bucket <= minute.newest && left < amount; bucket++) {
    const leaves = inBucket(minute, pace, bucket);
    if (leaves === 0) continue;
    left += leaves;
    wait = (bucket + BUCKETS) * BUCKET_MS - at;
  }
  return Math.max(0, wait);
};
