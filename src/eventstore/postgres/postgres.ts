import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { LogWentBack, type ChainedLog, type LogPlace } from '../chained-log.ts';
import { StoreUnavailable, type Slice, type SliceResult } from '../event-store.ts';
import { followPages } from '../follow-pages.ts';
import { createHistorySeen, type HistorySeen } from '../history-seen.ts';
import { appendSlices, lastPlace, resultsOf, type AppendedRow } from './append-slices.ts';
import { createPool } from './database/connections.ts';
import { asStoreFault, createLogReads } from './log-reads.ts';
import { migrate, type MigrateOptions } from './database/migrate.ts';
import { createLogListener } from './postgres-listener.ts';

const UNIQUE_VIOLATION = '23505';
const APPEND_TIMEOUT_MS = 10_000;
/** For the head of the log. An operator who appends by hand may hold it in an open transaction. */
const LOCK_TIMEOUT_MS = 8000;
/**
 * A process that is stopped in the middle of an append would hold the head for all others. Less than they wait for it, so
 * that most of them only wait.
 */
const TRANSACTION_TIMEOUT_MS = 6000;

/** Creates the tables of the log if they are missing. */
export const migratePostgresStore = (databaseUrl: string, options?: MigrateOptions): Promise<void> =>
  migrate(databaseUrl, 'eventstore', new URL('./sql/', import.meta.url), options);

export type PostgresStoreOptions = {
  /** The newest place that an earlier process saw, if it is known: the log must still have it. */
  readonly newest?: LogPlace | undefined;
  /** Called with each batch that was appended. */
  readonly appended?: (slices: readonly Slice[], results: readonly SliceResult[]) => void;
  /** Called when an append is refused because the log went back in time. */
  readonly wentBack?: () => void;
};

/**
 * The log in PostgreSQL: one table, one locked head, one round trip per batch. The schema must have been migrated. A writer
 * whose slice clashed has the turn on that stream for half a second, so that no writer loses every race.
 */
export const createPostgresStore = (databaseUrl: string, options: PostgresStoreOptions = {}): ChainedLog => {
  const history = createHistorySeen(options.newest);
  const reads = createLogReads(databaseUrl, history);
  const appends = createAppends(databaseUrl, history, options);
  const listener = createLogListener(databaseUrl);
  return {
    ...reads,
    streams: reads,
    append: appends.append,
    get newest() {
      return history.newest;
    },
    forgetHistory: history.forget,
    follow: (...asked) => followPages(reads, listener.subscribe, ...asked),
    close: async () => {
      await listener.close();
      await appends.close();
      await reads.close();
    },
  };
};

const createAppends = (
  databaseUrl: string,
  history: HistorySeen,
  options: PostgresStoreOptions,
): Pick<ChainedLog, 'append' | 'close'> => {
  /** The name under which this store waits for its turn on a stream. */
  const writer = randomUUID();
  // One connection is enough, because the head of the log admits one append at a time.
  const pool = createPool(databaseUrl, {
    max: 1,
    idleTimeoutMillis: 0,
    // An append without an answer may have been written. A retry is harmless; waiting for ever is not.
    query_timeout: APPEND_TIMEOUT_MS,
    // Shorter, so that the server does not continue an append that this process has given up.
    limits: { lockTimeoutMs: LOCK_TIMEOUT_MS, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS },
    application_name: 'kissapi-commits',
  });

  const appendBatch = async (slices: readonly Slice[]): Promise<readonly SliceResult[]> => {
    const basis = history.newest;
    const { rows } = await pool.query<AppendedRow>(appendSlices(writer, basis, slices));
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

  const appendOne = async (slice: Slice): Promise<readonly SliceResult[]> => {
    try {
      return await appendBatch([slice]);
    } catch (cause) {
      if (isUniqueViolation(cause)) return [{ kind: 'duplicate' }];
      // Never StoreFull: slices before this one have been written.
      throw new StoreUnavailable(asStoreFault(cause).message, { cause });
    }
  };

  return {
    append: async (slices) => {
      try {
        return await appendBatch(slices);
      } catch (cause) {
        if (!isUniqueViolation(cause)) throw asStoreFault(cause);
        // An event id that is in the log fails the whole batch: append one by one, to find the slice that has it.
        if (slices.length === 1) return [{ kind: 'duplicate' }];
        const results: SliceResult[] = [];
        for (const slice of slices) results.push(...(await appendOne(slice)));
        return results;
      }
    },
    close: () => pool.end(),
  };
};

const isUniqueViolation = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && error.code === UNIQUE_VIOLATION;
