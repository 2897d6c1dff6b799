import { createPool, READ_WITHIN } from '../eventstore/postgres/database/connections.ts';
import { inRounds } from './rounds.ts';

/** A request that was authenticated and refused before credits were held, so that nothing of it is in the log. */
export type Refusal = {
  readonly accountId: string;
  readonly keyId: string;
  readonly code: string;
  readonly status: number;
  readonly requestId: string;
  /** The amounts and limits that decided. Never content of the request. */
  readonly figures: string | null;
  readonly at: Date;
};

/** The refusals of one key with one code in one minute. */
export type KeptRefusal = {
  readonly account_id: string;
  readonly key_id: string;
  readonly code: string;
  readonly status: number;
  readonly count: number;
  readonly figures: string | null;
  /** At most MAX_REQUEST_IDS. */
  readonly request_ids: readonly string[];
  readonly minute: Date;
  readonly last_at: Date;
};

/** A key that hit a limit of requests in many hours of a day. */
export type LimitedAllDay = {
  readonly account_id: string;
  readonly key_id: string;
  readonly hours: number;
  readonly since: Date;
};

export type Refusals = {
  /** On a UTC day, of one account or of all. */
  limitedAllDay(day: string, accountId?: string): Promise<readonly LimitedAllDay[]>;
  /** Returns immediately; the refusal is in the database about a second later. */
  add(refusal: Refusal): void;
  /** Of an account, newest first; before a minute, for the next page. A page ends with a whole minute, so it may be longer. */
  ofAccount(accountId: string, limit: number, before?: Date): Promise<readonly KeptRefusal[]>;
  byRequest(requestId: string): Promise<readonly KeptRefusal[]>;
  /** Writes the rows that still wait. */
  close(): Promise<void>;
};

export type RefusalsOptions = {
  /** Must have the tables of the reactions. */
  readonly databaseUrl: string;
  readonly now: () => Date;
  readonly failed: (error: unknown) => void;
  readonly writeEveryMs?: number;
};

const WRITE_EVERY_MS = 1000;
const FORGET_EVERY_MS = 3_600_000;
const KEPT_DAYS = 30;
const MINUTE_MS = 60_000;
const MAX_REQUEST_IDS = 20;
/** Half of the day: a program that retries endlessly, or several customers behind one key. */
export const MANY_HOURS = 12;
const MAX_LIMITED = 1000;
/** Refusals that differ in account, key, code or minute and are not written yet. More are dropped. */
const MAX_WAITING = 10_000;

const WRITE = `insert into refusals
    (account_id, key_id, code, minute, status, count, figures, request_ids, last_at)
  select account_id, key_id, code, minute, status, count, figures, request_ids, last_at
  from jsonb_to_recordset($1::jsonb) as row (account_id text, key_id text, code text, minute timestamptz, status int,
    count int, figures text, request_ids text[], last_at timestamptz)
  on conflict (account_id, key_id, code, minute) do update set
    count = refusals.count + excluded.count,
    figures = excluded.figures,
    request_ids = (refusals.request_ids || excluded.request_ids)[1:${MAX_REQUEST_IDS}],
    last_at = greatest(refusals.last_at, excluded.last_at)`;

/** Keeps refusals in a table, written in the background, because many may arrive at once. */
export const openRefusals = (options: RefusalsOptions): Refusals => {
  const { databaseUrl, now, failed, writeEveryMs = WRITE_EVERY_MS } = options;
  const pool = createPool(databaseUrl, { max: 2, application_name: 'kissapi-refusals', ...READ_WITHIN });
  let waiting = new Map<string, KeptRefusal>();

  const write = async (): Promise<void> => {
    if (waiting.size === 0) return;
    const rows = waiting;
    waiting = new Map();
    try {
      // In one order on all nodes, so that they do not wait for each other in a circle.
      const sorted = [...rows].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
      await pool.query(WRITE, [JSON.stringify(sorted)]);
    } catch (error) {
      failed(error);
      for (const [key, row] of rows) {
        if (waiting.has(key) || waiting.size < MAX_WAITING) waiting.set(key, merged(row, waiting.get(key)));
      }
    }
  };

  let forgetAt = 0;
  const forget = async (): Promise<void> => {
    const at = now().getTime();
    if (at < forgetAt) return;
    forgetAt = at + FORGET_EVERY_MS;
    const oldest = new Date(at - KEPT_DAYS * 24 * 60 * MINUTE_MS);
    await pool.query('delete from refusals where minute < $1', [oldest]).catch(failed);
  };

  const rounds = inRounds(async (rest) => {
    for (; !rest.ended; await rest.pause(writeEveryMs)) {
      await write();
      await forget();
    }
    await write();
  });

  return {
    add: (refusal) => {
      const row = rowOf(refusal);
      const key = [row.account_id, row.key_id, row.code, row.minute.getTime()].join(' ');
      const before = waiting.get(key);
      if (before || waiting.size < MAX_WAITING) waiting.set(key, before ? merged(before, row) : row);
    },
    ofAccount: async (accountId, limit, before) => {
      const { rows } = await pool.query<KeptRefusal>(
        `select * from refusals where account_id = $1 and ($2::timestamptz is null or minute < $2)
         order by minute desc fetch first $3 rows with ties`,
        [accountId, before ?? null, limit],
      );
      return rows;
    },
    limitedAllDay: async (day, accountId) => {
      const { rows } = await pool.query<LimitedAllDay>(
        `select account_id, key_id, count(distinct date_trunc('hour', minute))::int as hours, min(minute) as since
         from refusals
         where minute >= $1::timestamptz and minute < $1::timestamptz + interval '1 day'
           and code in ('rate_limit_exceeded', 'concurrency_limit_exceeded') and ($2::text is null or account_id = $2)
         group by account_id, key_id having count(distinct date_trunc('hour', minute)) >= ${MANY_HOURS}
         order by hours desc limit ${MAX_LIMITED}`,
        [`${day}T00:00:00Z`, accountId ?? null],
      );
      return rows;
    },
    byRequest: async (requestId) => {
      const { rows } = await pool.query<KeptRefusal>('select * from refusals where request_ids @> array[$1]', [
        requestId,
      ]);
      return rows;
    },
    close: async () => {
      await rounds.close();
      await pool.end();
    },
  };
};

const rowOf = ({ accountId, keyId, code, status, requestId, figures, at }: Refusal): KeptRefusal => ({
  account_id: accountId,
  key_id: keyId,
  code,
  status,
  count: 1,
  figures,
  request_ids: [requestId],
  minute: new Date(Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS),
  last_at: at,
});

/** `later` has the newer figures. */
const merged = (row: KeptRefusal, later: KeptRefusal | undefined): KeptRefusal =>
  later === undefined
    ? row
    : {
        ...row,
        count: row.count + later.count,
        figures: later.figures,
        request_ids: [...row.request_ids, ...later.request_ids].slice(0, MAX_REQUEST_IDS),
        last_at: later.last_at,
      };
