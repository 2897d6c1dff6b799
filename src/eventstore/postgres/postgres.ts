import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { GENESIS } from '../integrity/chain.ts';
import { appendSlices, lastPlace, resultsOf, type AppendedRow } from './append-slices.ts';
import { createPool, READ_WITHIN } from './connections.ts';
import {
  LogWentBack,
  StoreFull,
  StoreUnavailable,
  type EventStore,
  type LogPlace,
  type Slice,
  type SliceResult,
  type StoredEvent,
  type StoredFact,
} from '../event-store.ts';
import { followPages } from '../follow-pages.ts';
import { gather } from './load-batch.ts';
import { createHistorySeen } from '../history-seen.ts';
import { migrate, type MigrateOptions } from './migrate.ts';
import { bigints, hashes, texts } from './pg-arrays.ts';
import { createLogListener } from './postgres-listener.ts';

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
};

type HistoryRow = { readonly position: string; readonly hash: string; readonly gone: string | null };

type Page = { readonly stream: string; readonly fromRevision: number; readonly limit: number };

const columns = `position, stream, revision, id, type, version, data::text, metadata::text, time, encode(hash, 'hex') as hash`;
const UNIQUE_VIOLATION = '23505';
const DISK_FULL = '53100';
const APPEND_TIMEOUT_MS = 10_000;
/** For the head of the log, which somebody may hold who appends by hand and does not end the transaction. */
const LOCK_TIMEOUT_MS = 8000;
/**
 * A process that is stopped between the call of an append and its end would hold the head for all others. Less than they
 * wait for it, so that most of them only wait.
 */
const TRANSACTION_TIMEOUT_MS = 6000;

const stored = ({ stream, id, type, version, data, metadata, time, hash, ...row }: EventRow): StoredEvent => ({
  ...{ stream, id, type, version, data, metadata, time, hash },
  position: Number(row.position),
  revision: Number(row.revision),
});

/** Creates the tables of the log where they are missing. */
export const migratePostgresStore = (databaseUrl: string, options?: MigrateOptions): Promise<void> =>
  migrate(databaseUrl, 'eventstore', new URL('./sql/', import.meta.url), options);

export type PostgresStoreOptions = {
  /** The newest place that an earlier process saw, if that is known: the log must still have it. */
  readonly newest?: LogPlace | undefined;
  /** Called with each batch that was appended. */
  readonly appended?: (slices: readonly Slice[], results: readonly SliceResult[]) => void;
  /** Called when an append is refused because the log went back in time. */
  readonly wentBack?: () => void;
};

/**
 * The log in PostgreSQL: one table, one locked head, one round trip per batch. The schema must have been migrated. A writer
 * whose slice was refused comes before others on that stream for half a second, so that nobody loses every race.
 */
export const createPostgresStore = (databaseUrl: string, options: PostgresStoreOptions = {}): EventStore => {
  const history = createHistorySeen(options.newest);
  /** Under this name it waits for its turn where several write to one stream. */
  const writer = randomUUID();
  const reads = createPool(databaseUrl, { ...READ_WITHIN, max: 4, application_name: 'kissapi-reads' });
  // One connection: appends go one after another anyway, for the head of the log lets in one at a time.
  const commits = createPool(databaseUrl, {
    max: 1,
    idleTimeoutMillis: 0,
    // An append whose answer was lost may have been written; asking again is harmless, waiting for ever is not.
    query_timeout: APPEND_TIMEOUT_MS,
    // Sooner, so that what we no longer wait for does not go on waiting at the server.
    limits: { lockTimeoutMs: LOCK_TIMEOUT_MS, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS },
    application_name: 'kissapi-commits',
  });
  const listener = createLogListener(databaseUrl);

  /** Without a name it is planned for its values each time. */
  const query = async <Row extends object = EventRow>(
    name: string | undefined,
    text: string,
    values: unknown[],
  ): Promise<Row[]> => {
    try {
      return (await reads.query<Row>({ text, values, ...(name === undefined ? {} : { name }) })).rows;
    } catch (cause) {
      throw unavailable(cause);
    }
  };

  // Many accounts may be loaded at once, as after a start: a round trip each would cost more than what is read.
  const readPage = gather<Page, readonly StoredEvent[]>(
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
      return pages.map((_, n) => (found.get(n + 1) ?? []).map(stored).sort((a, b) => a.revision - b.revision));
    },
    { atOnce: 50, underWay: 3 },
  );

  const appendBatch = async (slices: readonly Slice[]): Promise<readonly SliceResult[]> => {
    const basis = history.newest;
    const { rows } = await commits.query<AppendedRow>(appendSlices(writer, basis, slices));
    const [row] = rows as [AppendedRow];
    if (row.went_back) {
      options.wentBack?.();
      throw new LogWentBack(basis);
    }
    const results = resultsOf(slices, row);
    const last = lastPlace(results);
    if (last) history.saw(last, basis);
    options.appended?.(slices, results);
    return results;
  };

  const seen = (events: readonly StoredEvent[]): readonly StoredEvent[] => {
    const last = events.at(-1);
    if (last) history.saw(last);
    return events;
  };

  const readAll: EventStore['readAll'] = async (afterPosition, limit, types) => {
    if (types) {
      const sql = `select ${columns} from events where position > $1 and type = any($3) order by position limit $2`;
      return seen((await query(undefined, sql, [afterPosition, limit, types])).map(stored));
    }
    const sql = `select ${columns} from events where position > $1 order by position limit $2`;
    return seen((await query('read_all', sql, [afterPosition, limit])).map(stored));
  };

  const store: EventStore = {
    append: async (slices) => {
      try {
        return await appendBatch(slices);
      } catch (cause) {
        if (!isUniqueViolation(cause)) throw unavailable(cause);
        // An event id that is in the log already failed the batch as a whole: find out which slice has it.
        if (slices.length === 1) return [{ appended: false, duplicate: true }];
        const results: SliceResult[] = [];
        for (const slice of slices) results.push(...(await appendOne(slice)));
        return results;
      }
    },
    readStream: async (stream, fromRevision, limit) => seen(await readPage({ stream, fromRevision, limit })),
    readAll,
    readFacts: async (afterPosition, limit) => {
      const sql = `select position, stream, revision, id, type, version, data::text, time from events
                   where position > $1 order by position limit $2`;
      const rows = await query<Pick<EventRow, keyof StoredFact>>('read_facts', sql, [afterPosition, limit]);
      return rows.map(({ stream, id, type, version, data, time, ...row }) => ({
        ...{ stream, id, type, version, data, time },
        position: Number(row.position),
        revision: Number(row.revision),
      }));
    },
    findEvent: async (id) => {
      const [row] = await query('find_event', `select ${columns} from events where id = $1`, [id]);
      return row && seen([stored(row)])[0];
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
    get newest() {
      return history.newest;
    },
    forgetHistory: history.forget,
    head: async () => {
      try {
        const { rows } = await reads.query<{ position: string; hash: string }>(
          `select position, encode(hash, 'hex') as hash from log_head`,
        );
        const [{ position, hash } = { position: '0', hash: GENESIS }] = rows;
        history.saw({ position: Number(position), hash });
        return Number(position);
      } catch (cause) {
        throw unavailable(cause);
      }
    },
    follow: (...asked) => followPages(store, listener.subscribe, ...asked),
    close: async () => {
      await listener.close();
      await commits.end();
      await reads.end();
    },
  };
  return store;

  async function appendOne(slice: Slice): Promise<readonly SliceResult[]> {
    try {
      return await appendBatch([slice]);
    } catch (cause) {
      if (isUniqueViolation(cause)) return [{ appended: false, duplicate: true }];
      // Never StoreFull: slices before this one have been written.
      throw new StoreUnavailable(unavailable(cause).message, { cause });
    }
  }
};

const isUniqueViolation = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && error.code === UNIQUE_VIOLATION;

const unavailable = (cause: unknown): StoreUnavailable => {
  if (cause instanceof LogWentBack) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return cause instanceof pg.DatabaseError && cause.code === DISK_FULL
    ? new StoreFull(`the disk of the database is full, make room there: ${reason}`, { cause })
    : new StoreUnavailable(`the event store does not answer: ${reason}`, { cause });
};
