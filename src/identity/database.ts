import type pg from 'pg';
import { StoreUnavailable } from '../eventstore/event-store.ts';
import { createPool, READ_WITHIN } from '../eventstore/postgres/database/connections.ts';
import { isDatabaseAway, reasonOf } from '../eventstore/postgres/database/database-faults.ts';
import { migrate, type MigrateOptions } from '../eventstore/postgres/database/migrate.ts';

/** Runs one statement and resolves to its rows. Rejects with StoreUnavailable if the database cannot be reached. */
export type Query = <Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]) => Promise<Row[]>;

/** The tables of this room. Must be closed. */
export type IdentityDatabase = {
  readonly query: Query;
  /** One transaction; rolled back if `use` rejects. */
  readonly transaction: <T>(use: (query: Query) => Promise<T>) => Promise<T>;
  close(): Promise<void>;
};

/** Creates the tables of this room, in the database of the log, whose tables must exist. */
export const migrateIdentity = (databaseUrl: string, options?: MigrateOptions): Promise<void> =>
  migrate(databaseUrl, 'identity', new URL('./sql/', import.meta.url), options);

export const createIdentityDatabase = (databaseUrl: string): IdentityDatabase => {
  const pool = createPool(databaseUrl, { ...READ_WITHIN, max: 4, application_name: 'kissapi-identity' });
  return {
    query: queryOn(pool),
    transaction: (use) =>
      reachable(async () => {
        const client = await pool.connect();
        let broken: Error | undefined;
        try {
          await client.query('begin');
          const result = await use(queryOn(client));
          await client.query('commit');
          return result;
        } catch (error) {
          await client.query('rollback').catch((failed: Error) => (broken = failed));
          throw error;
        } finally {
          client.release(broken);
        }
      }),
    close: () => pool.end(),
  };
};

const queryOn =
  (on: pg.Pool | pg.PoolClient): Query =>
  <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
    reachable(async () => (await on.query<Row>(text, [...values])).rows);

const reachable = async <T>(use: () => Promise<T>): Promise<T> => {
  try {
    return await use();
  } catch (cause) {
    if (cause instanceof StoreUnavailable || !isDatabaseAway(cause)) throw cause;
    throw new StoreUnavailable(`the tables of persons cannot be reached: ${reasonOf(cause)}`, { cause });
  }
};
