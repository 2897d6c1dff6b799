import type pg from 'pg';
import type { LogPlace } from '../chained-log.ts';
import type { RememberedEvent } from '../remembered-appends.ts';
import { createPool } from './database/connections.ts';
import { bigints, hashes, ints, texts, uuids } from './pg-arrays.ts';

/** A detected rewind: the log went back in time. */
export type LogRewind = {
  readonly id: string;
  readonly noticedAt: Date;
  /** The newest place that a gateway had seen and that the log no longer has. */
  readonly seen: LogPlace;
  /** The newest position that is known to be in both histories. */
  readonly commonPosition: number;
  /** The end of the log when the rewind was first detected. */
  readonly head: LogPlace;
};

/** Rewinds, stored in the database beside the log. */
export type LogRewinds = {
  /** Identifies the log and all its copies. */
  logId(): Promise<string>;
  /** The rewind that is not acknowledged yet; undefined if there is none. */
  open(): Promise<LogRewind | undefined>;
  isAcknowledged(id: string): Promise<boolean>;
  /** The given events that the log does not have. */
  missing(events: readonly RememberedEvent[]): Promise<readonly RememberedEvent[]>;
  /** The newest of these places that the log has. */
  newestCommon(places: readonly LogPlace[]): Promise<number>;
  /** Opens a rewind, or extends the open one. Returns the open rewind. */
  record(id: string, seen: LogPlace, commonPosition: number): Promise<LogRewind>;
  addEvents(id: string, events: readonly RememberedEvent[]): Promise<void>;
  events(id: string): Promise<readonly RememberedEvent[]>;
  acknowledge(id: string): Promise<void>;
  close(): Promise<void>;
};

type Row = {
  readonly id: string;
  readonly noticed_at: Date;
  readonly seen_position: string;
  readonly seen_hash: string;
  readonly common_position: string;
  readonly head_position: string;
  readonly head_hash: string;
};

const columns = `id, noticed_at, seen_position, encode(seen_hash, 'hex') as seen_hash, common_position, head_position,
  encode(head_hash, 'hex') as head_hash`;

const asRewind = (row: Row): LogRewind => ({
  id: row.id,
  noticedAt: row.noticed_at,
  seen: { position: Number(row.seen_position), hash: row.seen_hash },
  commonPosition: Number(row.common_position),
  head: { position: Number(row.head_position), hash: row.head_hash },
});

const ANSWER_WITHIN_MS = 5000;
const IDS_AT_ONCE = 5000;

/** Must be closed. */
export const createLogRewinds = (databaseUrl: string): LogRewinds => {
  const pool = createPool(databaseUrl, {
    max: 2,
    query_timeout: ANSWER_WITHIN_MS,
    application_name: 'kissapi-rewinds',
  });
  return { ...createRewinds(pool), ...createLostEvents(pool), close: () => pool.end() };
};

const createRewinds = (
  pool: pg.Pool,
): Pick<LogRewinds, 'logId' | 'open' | 'isAcknowledged' | 'record' | 'acknowledge'> => {
  const first = async (text: string, values: readonly unknown[]): Promise<LogRewind | undefined> => {
    const { rows } = await pool.query<Row>(text, [...values]);
    return rows[0] && asRewind(rows[0]);
  };
  return {
    logId: async () => {
      const { rows } = await pool.query<{ log_id: string }>('select log_id from log_head');
      return rows[0]?.log_id ?? '';
    },
    open: () => first(`select ${columns} from log_rewinds where acknowledged_at is null`, []),
    isAcknowledged: async (id) => {
      const sql = 'select from log_rewinds where id = $1 and acknowledged_at is not null';
      return (await pool.query(sql, [id])).rowCount === 1;
    },
    record: async (id, seen, commonPosition) => {
      const recorded = await first(
        `insert into log_rewinds (id, seen_position, seen_hash, common_position, head_position, head_hash)
         select $1, $2, decode($3, 'hex'), least($4, h.position), h.position, h.hash from log_head h
         on conflict ((true)) where acknowledged_at is null do update
           set seen_position = greatest(log_rewinds.seen_position, excluded.seen_position),
               seen_hash = case when excluded.seen_position > log_rewinds.seen_position
                           then excluded.seen_hash else log_rewinds.seen_hash end,
               common_position = greatest(log_rewinds.common_position, excluded.common_position)
         returning ${columns}`,
        [id, seen.position, seen.hash, commonPosition],
      );
      if (!recorded) throw new Error('the log has no head');
      return recorded;
    },
    acknowledge: async (id) => {
      await pool.query('update log_rewinds set acknowledged_at = clock_timestamp() where id = $1', [id]);
    },
  };
};

const createLostEvents = (pool: pg.Pool): Pick<LogRewinds, 'missing' | 'newestCommon' | 'addEvents' | 'events'> => ({
  missing: async (events) => {
    const found = new Set<string>();
    for (const some of inChunks(events)) {
      const { rows } = await pool.query<{ id: string }>('select id from events where id = any($1::uuid[])', [
        uuids(some.map(({ id }) => id)),
      ]);
      for (const { id } of rows) found.add(id);
    }
    return events.filter(({ id }) => !found.has(id));
  },
  newestCommon: async (places) => {
    const { rows } = await pool.query<{ position: string | null }>(
      `select max(e.position) as position from unnest($1::bigint[], $2::bytea[]) as p (position, hash)
       join events e on e.position = p.position and e.hash = p.hash`,
      [bigints(places.map(({ position }) => position)), hashes(places.map(({ hash }) => hash))],
    );
    return Number(rows[0]?.position ?? 0);
  },
  addEvents: async (id, events) => {
    for (const some of inChunks(events)) {
      await pool.query(
        `insert into log_rewind_events (rewind_id, event_id, position, stream, revision, type, version, data, time)
         select $1, e.id, e.position, e.stream, e.revision, e.type, e.version, e.data::json, to_timestamp(e.ms / 1000.0)
         from unnest($2::uuid[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::int[], $8::text[], $9::bigint[])
           as e (id, position, stream, revision, type, version, data, ms)
         on conflict do nothing`,
        [
          id,
          uuids(some.map((event) => event.id)),
          bigints(some.map(({ position }) => position)),
          texts(some.map(({ stream }) => stream)),
          bigints(some.map(({ revision }) => revision)),
          texts(some.map(({ type }) => type)),
          ints(some.map(({ version }) => version)),
          texts(some.map(({ data }) => data)),
          bigints(some.map(({ time }) => time.getTime())),
        ],
      );
    }
  },
  events: async (id) => {
    const { rows } = await pool.query<
      Omit<RememberedEvent, 'position' | 'revision'> & { readonly position: string; readonly revision: string }
    >(
      `select event_id as id, position, stream, revision, type, version, data::text, time
       from log_rewind_events where rewind_id = $1 order by position, event_id`,
      [id],
    );
    return rows.map((row) => ({ ...row, position: Number(row.position), revision: Number(row.revision) }));
  },
});

function* inChunks<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += IDS_AT_ONCE) yield all.slice(at, at + IDS_AT_ONCE);
}
