import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { usesEventStoreDb } from './stores/store-env.ts';
import { emptyLog, query, serverUrl } from './sql.ts';

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

/** Removes all rows of the log and of what belongs to it. Much cheaper than another database. */
export const emptyDatabase = ({ url }: TestDatabase): Promise<void> => emptyLog(url);
