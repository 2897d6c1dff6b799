import pg from 'pg';
import { LogWentBack, type ChainedEvent, type ChainedLog } from '../chained-log.ts';
import { StoreFull, StoreUnavailable, type StoredFact } from '../event-store.ts';
import type { HistorySeen } from '../history-seen.ts';
import { GENESIS } from '../integrity/chain.ts';
import { createPool, READ_WITHIN } from './database/connections.ts';
import { gather } from './load-batch.ts';
import { bigints, hashes, texts } from './pg-arrays.ts';

type EventRow = {
  position: string;
  stream: string;
  revision: string;
  id: string;
  type: string;
  version: number;
  data: string;
  metadata: string;
  time: Date;
  hash: string;
  token: string | null;
};

type HistoryRow = { readonly position: string; readonly hash: string; readonly gone: string | null };

type Page = { readonly stream: string; readonly fromRevision: number; readonly limit: number };

/** A query without a name is planned for its values each time. */
type Query = <Row extends object = EventRow>(
  name: string | undefined,
  text: string,
  values?: unknown[],
) => Promise<Row[]>;

const columns = `position, stream, revision, id, type, version, data::text, metadata::text, time, encode(hash, 'hex') as hash,
  encode(token, 'hex') as token`;

const asFact = ({ stream, id, type, version, data, time, ...row }: Pick<EventRow, keyof StoredFact>): StoredFact => ({
  ...{ stream, id, type, version, data, time },
  position: Number(row.position),
  revision: Number(row.revision),
});

/** In a log that PostgreSQL commits, the hash is the token, and so it is if a stream has no chain of its own. */
const reader =
  (streamTokens: boolean) =>
  (row: EventRow): ChainedEvent => ({
    ...asFact(row),
    metadata: row.metadata,
    token: (streamTokens ? row.token : undefined) ?? row.hash,
    hash: row.hash,
  });

export type LogReads = Pick<
  ChainedLog,
  'readStream' | 'readAll' | 'readFacts' | 'findEvent' | 'findByCorrelation' | 'head' | 'checkHistory' | 'close'
>;

export type LogReadsOptions = {
  /** The tokens are those of the streams in EventStoreDB, which the tables are a copy of. */
  readonly streamTokens?: boolean;
};

/** The reads of the log in PostgreSQL. Each one adds the newest place that it returns to `history`. Must be closed. */
export const createLogReads = (
  databaseUrl: string,
  history: HistorySeen,
  { streamTokens = false }: LogReadsOptions = {},
): LogReads => {
  const asEvent = reader(streamTokens);
  const pool = createPool(databaseUrl, { ...READ_WITHIN, max: 4, application_name: 'kissapi-reads' });
  const query: Query = async <Row extends object>(name: string | undefined, text: string, values: unknown[] = []) => {
    try {
      return (await pool.query<Row>({ text, values, ...(name === undefined ? {} : { name }) })).rows;
    } catch (cause) {
      throw asStoreFault(cause);
    }
  };
  const seen = (events: readonly ChainedEvent[]): readonly ChainedEvent[] => {
    const last = events.at(-1);
    if (last) history.saw(last);
    return events;
  };
  const readPage = createPageReader(query, asEvent);

  return {
    readStream: async (stream, fromRevision, limit) => seen(await readPage({ stream, fromRevision, limit })),
    readAll: async (afterPosition, limit, types) => {
      const sql = `select ${columns} from events where position > $1 ${types ? 'and type = any($3)' : ''} order by position limit $2`;
      const values = [afterPosition, limit, ...(types ? [types] : [])];
      return seen((await query(types ? undefined : 'read_all', sql, values)).map(asEvent));
    },
    readFacts: async (afterPosition, limit) => {
      const sql = `select position, stream, revision, id, type, version, data::text, time from events
                   where position > $1 order by position limit $2`;
      return (await query('read_facts', sql, [afterPosition, limit])).map(asFact);
    },
    findEvent: async (stream, id) => {
      const sql = `select ${columns} from events where id = $1 and stream = $2`;
      const [row] = await query('find_event', sql, [id, stream]);
      return row && seen([asEvent(row)])[0];
    },
    findByCorrelation: async (id, limit, except) => {
      if (id.includes('\0')) return []; // PostgreSQL accepts no NUL in a text.
      // The conditions are those of the index events_by_request, literally, so that PostgreSQL uses it.
      const sql = `select ${columns} from events
                   where metadata ->> 'correlationId' = $1 and type not in (${except.map(pg.escapeLiteral).join(', ')})
                     and position('\\u' in metadata::text) = 0
                   order by position limit $2`;
      return seen((await query(undefined, sql, [id, limit])).map(asEvent));
    },
    head: async () => {
      const sql = `select position, encode(hash, 'hex') as hash from log_head`;
      const [{ position, hash } = { position: '0', hash: GENESIS }] = await query<HistoryRow>(undefined, sql);
      history.saw({ position: Number(position), hash });
      return Number(position);
    },
    checkHistory: async () => {
      const { places } = history;
      const [row] = await query<HistoryRow>(
        'check_history',
        `select h.position, encode(h.hash, 'hex') as hash,
           (select max(p.position) from unnest($1::bigint[], $2::bytea[]) as p (position, hash)
            where not exists (select from events e where e.position = p.position and e.hash = p.hash)) as gone
         from log_head h`,
        [bigints(places.map(({ position }) => position)), hashes(places.map(({ hash }) => hash))],
      );
      if (!row) throw new StoreUnavailable('the log has no head');
      const gone = places.find(({ position }) => position === Number(row.gone));
      if (gone) throw new LogWentBack(gone);
      const head = { position: Number(row.position), hash: row.hash };
      history.compared(places, head);
      return head;
    },
    close: () => pool.end(),
  };
};

/** Reads pages of many streams in one round trip: after a start many accounts are loaded at once. */
const createPageReader = (query: Query, asEvent: (row: EventRow) => ChainedEvent) =>
  gather<Page, readonly ChainedEvent[]>(
    async (pages) => {
      const rows = await query<EventRow & { n: string }>(
        'read_streams',
        `select asked.n, ${columns} from unnest($1::text[], $2::bigint[], $3::bigint[])
           with ordinality as asked (of_stream, since, most, n)
         cross join lateral (select * from events e where e.stream = asked.of_stream collate "C" and e.revision >= asked.since
                             order by e.revision limit asked.most) e`,
        [
          texts(pages.map(({ stream }) => stream)),
          bigints(pages.map(({ fromRevision }) => fromRevision)),
          bigints(pages.map(({ limit }) => limit)),
        ],
      );
      const found = Map.groupBy(rows, ({ n }) => Number(n));
      return pages.map((_, n) => (found.get(n + 1) ?? []).map(asEvent).sort((a, b) => a.revision - b.revision));
    },
    { atOnce: 50, underWay: 3 },
  );

const DISK_FULL = '53100';

export const asStoreFault = (cause: unknown): StoreUnavailable => {
  if (cause instanceof LogWentBack) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return cause instanceof pg.DatabaseError && cause.code === DISK_FULL
    ? new StoreFull(`the disk of the database is full, make room there: ${reason}`, { cause })
    : new StoreUnavailable(`the event store does not answer: ${reason}`, { cause });
};
