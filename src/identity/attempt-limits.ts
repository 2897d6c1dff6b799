import { hash } from 'node:crypto';
import type { IdentityDatabase } from './database.ts';

export type Action =
  | 'register'
  | 'verification_mail'
  | 'send_code'
  | 'invite'
  | 'contact'
  | 'change'
  | 'redeem_code'
  | 'passkey'
  | 'second_step'
  | 'authenticate';

/** A token bucket: how many attempts at once, and after which time one more is allowed. */
export type Rate = { readonly burst: number; readonly refillMs: number };

/** What attempts of an action are counted by. A part without a rate is not counted. */
export type Rates = {
  /** Per account or person who is known, such as one that is signed in. */
  readonly account?: Rate;
  /** Per e-mail address, from anywhere: bounds the mail that it gets. */
  readonly address?: Rate;
  /** Per e-mail address from one network. Tighter than `address`, so that one network cannot use up the bucket of others. */
  readonly addressFromNetwork?: Rate;
  readonly network?: Rate;
};

export type Attempt = {
  readonly action: Action;
  readonly keys: {
    readonly account?: string | undefined;
    /** A keyed hash of the address, never the address. */
    readonly addressHash?: string | undefined;
    /** A prefix, from `networkPrefix`. */
    readonly network?: string | undefined;
  };
};

export type Allowance = { readonly kind: 'allowed' } | { readonly kind: 'wait'; readonly retryAfterMs: number };

export type AttemptLimits = {
  /**
   * Counts one attempt against each of its keys, on all nodes together, if all of them allow it. A refused attempt counts
   * against none, so refusals never prolong a wait: it is at most the refill time.
   */
  allow(attempt: Attempt): Promise<Allowance>;
  /** Deletes buckets that are full again, and resolves to their number. */
  deleteExpired(): Promise<number>;
};

export type AttemptLimitsOptions = {
  readonly database: IdentityDatabase;
  readonly now: () => Date;
  readonly rates?: Readonly<Record<Action, Rates>>;
};

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const rate = (burst: number, refillMs: number): Rate => ({ burst, refillMs });

/** Far above what a person does, far below what guesses need. An office shares one network. */
export const RATES: Readonly<Record<Action, Rates>> = {
  // More than one mail an hour is not sent to an address that has an account.
  register: {
    address: rate(60, MINUTE_MS),
    addressFromNetwork: rate(5, 10 * MINUTE_MS),
    network: rate(20, MINUTE_MS),
  },
  /** Mails to an address without an account. The registrations beyond these get none. */
  verification_mail: { address: rate(20, 10 * MINUTE_MS) },
  send_code: {
    account: rate(10, MINUTE_MS),
    address: rate(20, 2 * MINUTE_MS),
    addressFromNetwork: rate(5, 10 * MINUTE_MS),
    network: rate(50, 10 * SECOND_MS),
  },
  // Of an account or of the staff. Invitations do not use up what an address is allowed for signing in.
  invite: { account: rate(50, MINUTE_MS), address: rate(10, 10 * MINUTE_MS), network: rate(100, 10 * SECOND_MS) },
  // Messages to support. Each one is an event that stays, and a mail to support.
  contact: {
    account: rate(20, 10 * MINUTE_MS),
    address: rate(20, 2 * MINUTE_MS),
    addressFromNetwork: rate(5, 10 * MINUTE_MS),
    network: rate(20, 2 * MINUTE_MS),
  },
  // What a person changes while signed in. Each change is an event that stays.
  change: { account: rate(120, 5 * SECOND_MS) },
  redeem_code: { account: rate(20, 30 * SECOND_MS), network: rate(100, 5 * SECOND_MS) },
  passkey: { account: rate(20, 10 * SECOND_MS), network: rate(100, 2 * SECOND_MS) },
  // Six digits with one step of drift: three codes of a million are valid at a time.
  second_step: { account: rate(5, 5 * MINUTE_MS), network: rate(20, MINUTE_MS) },
  authenticate: { network: rate(200, SECOND_MS) },
};

/** A bucket that is concerned, by the hash under which it is stored. */
type Bucket = { readonly key: Buffer; readonly rate: Rate };
type Row = { readonly key: Buffer; readonly full_at: Date };

export const createAttemptLimits = ({ database, now, rates = RATES }: AttemptLimitsOptions): AttemptLimits => ({
  allow: async (attempt) => {
    const buckets = bucketsOf(attempt, rates[attempt.action]);
    if (buckets.length === 0) return { kind: 'allowed' };
    const at = now();
    return database.transaction(async (query) => {
      // Inserts or locks each row, in one order on all nodes, and returns its newest value.
      const rows = await query<Row>(
        `insert into attempt_limits (key, full_at) select key, $2 from unnest($1::bytea[]) as key order by key
         on conflict (key) do update set full_at = attempt_limits.full_at returning key, full_at`,
        [buckets.map(({ key }) => key), at],
      );
      const taken = buckets.map(({ key, rate }) => {
        const fullAt = rows.find((row) => row.key.equals(key))?.full_at ?? at;
        return { key, ...takeOne(rate, fullAt.getTime(), at.getTime()) };
      });
      const retryAfterMs = Math.max(...taken.map(({ waitMs }) => waitMs));
      if (retryAfterMs > 0) return { kind: 'wait', retryAfterMs };
      await query(
        `update attempt_limits l set full_at = t.full_at
         from unnest($1::bytea[], $2::timestamptz[]) as t (key, full_at) where l.key = t.key`,
        [taken.map(({ key }) => key), taken.map(({ fullAtMs }) => new Date(fullAtMs))],
      );
      return { kind: 'allowed' };
    });
  },
  deleteExpired: async () =>
    (await database.query('delete from attempt_limits where full_at <= $1 returning key', [now()])).length,
});

/**
 * A bucket that is full at a time lacks (that time − now) ÷ refill attempts. Taking one moves the time by one refill. The wait
 * is until the bucket has one.
 */
const takeOne = ({ burst, refillMs }: Rate, fullAtMs: number, nowMs: number) => {
  const next = Math.max(fullAtMs, nowMs) + refillMs;
  return { fullAtMs: next, waitMs: Math.max(0, next - nowMs - burst * refillMs) };
};

const bucketsOf = ({ action, keys }: Attempt, rates: Rates): readonly Bucket[] => {
  const { account, addressHash, network } = keys;
  const bucket = (part: keyof Rates, ...values: readonly (string | undefined)[]): readonly Bucket[] => {
    const rate = rates[part];
    if (!rate || values.some((value) => value === undefined)) return [];
    return [{ rate, key: hash('sha256', JSON.stringify([action, part, ...values]), 'buffer') }];
  };
  return [
    ...bucket('account', account),
    ...bucket('address', addressHash),
    ...bucket('addressFromNetwork', addressHash, network),
    ...bucket('network', network),
  ];
};
