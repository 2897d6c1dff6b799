import { createPool, READ_WITHIN } from '../eventstore/postgres/database/connections.ts';
import { inRounds } from './rounds.ts';

/** A key that was used on one day from many networks that are new for it. */
export type Spread = {
  readonly account_id: string;
  readonly key_id: string;
  /** Networks of the day that are new. */
  readonly networks: number;
  /** Of the new networks in each of the days before. */
  readonly median: number;
  /** The hour in which the first of them was seen. */
  readonly since: Date;
};

export type KeyNetworks = {
  /** Returns immediately; in the database a few seconds later. `network` is a truncated address. */
  add(accountId: string, keyId: string, network: string, at: number): void;
  /** On a UTC day, `YYYY-MM-DD`, of one account or of all. */
  spreads(day: string, accountId?: string): Promise<readonly Spread[]>;
  /** Deletes the rows of an account, for an erasure. May be repeated. */
  forget(accountId: string): Promise<void>;
  /** Writes the rows that still wait. */
  close(): Promise<void>;
};

export type KeyNetworksOptions = {
  /** Must have the tables of the reactions. */
  readonly databaseUrl: string;
  readonly now: () => Date;
  readonly failed: (error: unknown) => void;
  readonly writeEveryMs?: number;
};

/** One holder uses few networks (home, office, phone). A shared or stolen key is used from many. */
export const MANY_NETWORKS = 10;
/** Servers that scale up and down have new networks every day, so the threshold follows the median. */
export const TIMES_THE_MEDIAN = 3;
const DAYS_BEFORE = 14;
const KEPT_DAYS = 30;
const WRITE_EVERY_MS = 5000;
const FORGET_EVERY_MS = 3_600_000;
const HOUR_MS = 3_600_000;
const MAX_SPREADS = 1000;
/** The maximum of rows that wait to be written. Further ones are dropped. */
const MAX_WAITING = 50_000;

const WRITE = `insert into key_networks (account_id, key_id, network, hour)
  select account_id, key_id, network, hour
  from jsonb_to_recordset($1::jsonb) as row (account_id text, key_id text, network text, hour timestamptz)
  on conflict do nothing`;

/** Days without a new network count as 0 in the median. */
const SPREADS = `with firsts as (
    select account_id, key_id, network, min(hour) as first_at from key_networks
    where hour < $1::timestamptz + interval '1 day' and ($2::text is null or account_id = $2)
    group by account_id, key_id, network
  ), days as (
    select account_id, key_id, (first_at at time zone 'utc')::date as day, count(*)::int as networks, min(first_at) as since
    from firsts group by 1, 2, 3
  ), spreads as (
    select account_id, key_id, networks, since, (
      select percentile_cont(0.5) within group (order by coalesce(past.networks, 0))
      from generate_series(1, ${DAYS_BEFORE}) as n
      left join days as past on past.account_id = days.account_id and past.key_id = days.key_id and past.day = days.day - n
    ) as median
    from days where day = ($1::timestamptz at time zone 'utc')::date and networks >= ${MANY_NETWORKS}
  )
  select * from spreads where networks >= ${TIMES_THE_MEDIAN} * median order by networks desc limit ${MAX_SPREADS}`;

/** Keeps the networks of keys in a table, written in the background. */
export const openKeyNetworks = (options: KeyNetworksOptions): KeyNetworks => {
  const { databaseUrl, now, failed, writeEveryMs = WRITE_EVERY_MS } = options;
  const pool = createPool(databaseUrl, { max: 2, application_name: 'kissapi-key-networks', ...READ_WITHIN });
  const buffer = createBuffer(options, (rows) => pool.query(WRITE, [JSON.stringify(rows.map(rowOf))]));

  let forgetAt = 0;
  const forgetOld = async (): Promise<void> => {
    const at = now().getTime();
    if (at < forgetAt) return;
    forgetAt = at + FORGET_EVERY_MS;
    const oldest = new Date(at - KEPT_DAYS * 24 * HOUR_MS);
    await pool.query('delete from key_networks where hour < $1', [oldest]).catch(failed);
  };

  const rounds = inRounds(async (rest) => {
    for (; !rest.ended; await rest.pause(writeEveryMs)) {
      await buffer.write();
      await forgetOld();
    }
    await buffer.write();
  });

  return {
    add: (accountId, keyId, network, at) => buffer.add(`${accountId} ${keyId} ${network} ${Math.floor(at / HOUR_MS)}`),
    spreads: async (day, accountId) => {
      const { rows } = await pool.query<Spread>(SPREADS, [`${day}T00:00:00Z`, accountId ?? null]);
      return rows;
    },
    forget: async (accountId) => {
      buffer.drop(`${accountId} `);
      await pool.query('delete from key_networks where account_id = $1', [accountId]);
    },
    close: async () => {
      await rounds.close();
      await pool.end();
    },
  };
};

/** The rows that are not written yet. A write that fails is repeated with the next one. */
const createBuffer = (
  { now, failed }: Pick<KeyNetworksOptions, 'now' | 'failed'>,
  writeRows: (rows: readonly string[]) => Promise<unknown>,
) => {
  let waiting = new Set<string>();
  /** Rows of the current hour that this node has written already. They are not written again. */
  let written = new Set<string>();
  let writtenHour = 0;
  const add = (row: string): void => {
    if (waiting.size < MAX_WAITING) waiting.add(row);
  };
  const write = async (): Promise<void> => {
    if (waiting.size === 0) return;
    const rows = waiting;
    waiting = new Set();
    const hour = Math.floor(now().getTime() / HOUR_MS);
    if (hour !== writtenHour || written.size > MAX_WAITING) [written, writtenHour] = [new Set(), hour];
    const fresh = [...rows].filter((row) => !written.has(row)).toSorted();
    if (fresh.length === 0) return;
    try {
      await writeRows(fresh);
      for (const row of fresh) written.add(row);
    } catch (error) {
      failed(error);
      for (const row of fresh) add(row);
    }
  };
  const drop = (prefix: string): void => {
    for (const row of waiting) if (row.startsWith(prefix)) waiting.delete(row);
  };
  return { add, write, drop };
};

const rowOf = (row: string) => {
  const [account_id, key_id, network, hour] = row.split(' ');
  return { account_id, key_id, network, hour: new Date(Number(hour) * HOUR_MS).toISOString() };
};
