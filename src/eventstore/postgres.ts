import pg from 'pg';
import { contentHash } from './chain.ts';
import { NEVER_HANG, surviveLoss } from './connections.ts';
import {
  StoreFull,
  StoreUnavailable,
  type EventStore,
  type Slice,
  type SliceResult,
  type StoredEvent,
} from './event-store.ts';
import { followPages } from './follow-pages.ts';
import { migrate } from './migrate.ts';
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

const columns = `position, stream, revision, id, type, version, data::text, metadata::text, time, encode(hash, 'hex') as hash`;
const UNIQUE_VIOLATION = '23505';
const DISK_FULL = '53100';
const APPEND_TIMEOUT_MS = 10_000;

const stored = (row: EventRow): StoredEvent => ({
  ...row,
  position: Number(row.position),
  revision: Number(row.revision),
});

/** Creates the tables of the log where they are missing. */
export const migratePostgresStore = (databaseUrl: string): Promise<void> =>
  migrate(databaseUrl, 'eventstore', new URL('./sql/', import.meta.url));

/** The log in PostgreSQL: one table, one locked head, one round trip per batch. The schema must have been migrated. */
export const createPostgresStore = (databaseUrl: string): EventStore => {
  const connection = { connectionString: databaseUrl, ...NEVER_HANG };
  const reads = surviveLoss(new pg.Pool({ ...connection, max: 4, application_name: 'kissapi-reads' }));
  // One connection: appends go one after another anyway, for the head of the log lets in one at a time.
  const commits = surviveLoss(
    new pg.Pool({
      ...connection,
      max: 1,
      idleTimeoutMillis: 0,
      // An append whose answer was lost may have been written; asking again is harmless, waiting for ever is not.
      query_timeout: APPEND_TIMEOUT_MS,
      application_name: 'kissapi-commits',
    }),
  );
  const listener = createLogListener(databaseUrl);

  const query = async (name: string, text: string, values: unknown[]): Promise<StoredEvent[]> => {
    try {
      const { rows } = await reads.query<EventRow>({ name, text, values });
      return rows.map(stored);
    } catch (cause) {
      throw unavailable(cause);
    }
  };

  const appendBatch = async (slices: readonly Slice[]): Promise<readonly SliceResult[]> => {
    const { rows } = await commits.query<{ n: number; first_position: string | null; appended_at: Date }>({
      name: 'append_events',
      text: 'select n, first_position, appended_at from append_events($1::text::json, $2::text::json)',
      values: [slicesJson(slices), batchJson(slices)],
    });
    const results: SliceResult[] = slices.map(() => ({ appended: false }));
    for (const { n, first_position, appended_at } of rows) {
      results[n] = { appended: true, firstPosition: Number(first_position), time: appended_at };
    }
    return results;
  };

  const readAll: EventStore['readAll'] = (afterPosition, limit) =>
    query('read_all', `select ${columns} from events where position > $1 order by position limit $2`, [
      afterPosition,
      limit,
    ]);

  return {
    append: async (slices) => {
      try {
        return await appendBatch(slices);
      } catch (cause) {
        if (!isUniqueViolation(cause)) throw unavailable(cause);
        // An event id that is in the log already failed the batch as a whole: find out which slice has it.
        if (slices.length === 1) return [{ appended: false }];
        const results: SliceResult[] = [];
        for (const slice of slices) results.push(...(await appendOne(slice)));
        return results;
      }
    },
    readStream: (stream, fromRevision, limit) =>
      query(
        'read_stream',
        `select ${columns} from events where stream = $1 and revision >= $2 order by revision limit $3`,
        [stream, fromRevision, limit],
      ),
    readAll,
    findEvent: async (id) => (await query('find_event', `select ${columns} from events where id = $1`, [id]))[0],
    head: async () => {
      try {
        const { rows } = await reads.query<{ position: string }>('select position from log_head');
        return Number(rows[0]?.position ?? 0);
      } catch (cause) {
        throw unavailable(cause);
      }
    },
    follow: (afterPosition, signal) => followPages(readAll, afterPosition, signal, listener.subscribe),
    close: async () => {
      await listener.close();
      await commits.end();
      await reads.end();
    },
  };

  async function appendOne(slice: Slice): Promise<readonly SliceResult[]> {
    try {
      return await appendBatch([slice]);
    } catch (cause) {
      if (isUniqueViolation(cause)) return [{ appended: false }];
      // Never StoreFull: slices before this one have been written.
      throw new StoreUnavailable(unavailable(cause).message, { cause });
    }
  }
};

const slicesJson = (slices: readonly Slice[]): string =>
  JSON.stringify(slices.map(({ stream, expectedRevision }, n) => ({ n, stream, expected: expectedRevision })));

// `data` and `metadata` travel as strings: PostgreSQL reads what is nested in JSON, and refuses the escapes \u0000 and \ud800.
const batchJson = (slices: readonly Slice[]): string =>
  JSON.stringify(
    slices.flatMap(({ stream, expectedRevision, events }, n) =>
      events.map((event, i) => ({ n, i, ...event, content: contentHash(event, stream, expectedRevision + 1 + i) })),
    ),
  );

const isUniqueViolation = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && error.code === UNIQUE_VIOLATION;

const unavailable = (cause: unknown): StoreUnavailable => {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return cause instanceof pg.DatabaseError && cause.code === DISK_FULL
    ? new StoreFull(`the disk of the database is full, make room there: ${reason}`, { cause })
    : new StoreUnavailable(`the event store does not answer: ${reason}`, { cause });
};
