import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { usesEventStoreDb } from './store-env.ts';
import { query, serverUrl } from './sql.ts';

export type TestDatabase = { readonly url: string; drop(): Promise<void> };

const create = async (template: string): Promise<TestDatabase> => {
  const server = serverUrl(inject('postgresUrl'));
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await query(server, `create database ${name} ${template}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: async () => void (await query(server, `drop database if exists ${name} with (force)`)),
  };
};

/** An empty database for the caller alone. Dropping it ends the sessions that are still open on it. */
export const createTestDatabase = (): Promise<TestDatabase> => create('');

/** The same with the tables that a gateway creates at its start, all of them empty. */
export const createMigratedDatabase = async (): Promise<TestDatabase> => {
  const database = await create(`template ${inject('templateDatabase')}`);
  // Streams in EventStoreDB are named after the log.
  if (usesEventStoreDb()) await query(database.url, 'update log_head set log_id = gen_random_uuid()');
  return database;
};

/**
 * Removes all rows of the log and of what belongs to it. Much cheaper than another database. The log is a new one, which
 * begins anew in EventStoreDB. The epoch is kept: what was read there for the log before is not copied any more.
 */
export const emptyDatabase = async ({ url }: TestDatabase): Promise<void> => {
  await query(
    url,
    `do $$
     declare name text;
     begin
       for name in select tablename from pg_tables where schemaname = 'public' and tablename not in ('migrations', 'log_head') loop
         execute format('alter table %I disable trigger user', name);
         execute format('delete from %I', name);
         execute format('alter table %I enable trigger user', name);
       end loop;
       update log_head set position = 0, time = '-infinity', hash = decode(repeat('00', 32), 'hex'),
         log_id = gen_random_uuid(), store = 'postgres', store_streams = null, store_marker = null, store_position = null;
     end $$`,
  );
};
