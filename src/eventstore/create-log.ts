import type { ChainedLog } from './chained-log.ts';
import { createEventStoreDbLog, type EventStoreDbLog, type StoreEvent } from './eventstoredb/eventstoredb.ts';
import { openClient } from './postgres/database/connections.ts';
import { UnfitDatabase } from './postgres/database/database-faults.ts';
import { createPostgresStore, type PostgresStoreOptions } from './postgres/postgres.ts';

/** Where a log is. With `eventStoreUrl`, EventStoreDB commits it, and the database has a copy. */
export type LogAddress = { readonly databaseUrl: string; readonly eventStoreUrl?: string | undefined };

export type LogOptions = PostgresStoreOptions & {
  /** Called with what an operator must know about EventStoreDB. */
  readonly noticed?: (event: StoreEvent) => void;
  readonly failed?: (error: unknown) => void;
  /** With EventStoreDB, called when a connection to PostgreSQL breaks. */
  readonly interrupted?: () => void;
};

export type Log = ChainedLog & {
  /** Of a log in EventStoreDB: see EventStoreDbLog. */
  readonly copyLag?: EventStoreDbLog['copyLag'];
  readonly standing?: EventStoreDbLog['standing'];
  readonly complete?: EventStoreDbLog['complete'];
};

/** The log at an address. The schema must have been migrated. Must be closed. */
export const createLog = ({ databaseUrl, eventStoreUrl }: LogAddress, options: LogOptions = {}): Log =>
  eventStoreUrl === undefined
    ? createPostgresStore(databaseUrl, options)
    : createEventStoreDbLog(databaseUrl, { ...options, eventStoreUrl });

type Row = { readonly store: string | null; readonly position: string };

/**
 * Rejects with UnfitDatabase if the log is committed in another store than that of the address: PostgreSQL and EventStoreDB
 * must never both accept appends to it. A log without events can begin in either.
 */
export const checkLogOwner = async ({ databaseUrl, eventStoreUrl }: LogAddress): Promise<void> => {
  const client = await openClient(databaseUrl, 'kissapi-check');
  try {
    const { rows: there } = await client.query<{ there: boolean }>(
      `select to_regclass('log_head') is not null as there`,
    );
    if (!there[0]?.there) return;
    // As JSON, because commands also read a database that no gateway of this release has migrated.
    const sql = `select to_jsonb(log_head) ->> 'store' as store, position from log_head`;
    const [head] = (await client.query<Row>(sql)).rows;
    const inEventStore = head?.store === 'eventstoredb';
    if (inEventStore && eventStoreUrl === undefined) {
      throw new UnfitDatabase(
        'The log of this database is committed in EventStoreDB, and the database has a copy. Set EVENT_STORE_URL.',
      );
    }
    if (!inEventStore && eventStoreUrl !== undefined && Number(head?.position) > 0) {
      throw new UnfitDatabase(
        `PostgreSQL commits the log of this database, which has ${Number(head?.position)} events. To move it, run ` +
          '`npm run migrate-log -- --to eventstoredb`; to go on with it, unset EVENT_STORE_URL.',
      );
    }
  } finally {
    await client.end();
  }
};
