import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBundledPostgres, type EmbeddedPostgres } from '../../../src/gateway/start/bundled-postgres.ts';
import { checkDatabase } from '../../../src/eventstore/postgres/database/database-check.ts';
import { DatabaseNotReady, UnfitDatabase } from '../../../src/eventstore/postgres/database/database-faults.ts';
import { migratePostgresStore } from '../../../src/eventstore/postgres/postgres.ts';
import { createMigratedDatabase, createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { query } from '../../support/sql.ts';

const check = async (databaseUrl: string, production = true): Promise<readonly string[]> => {
  const warnings: string[] = [];
  await checkDatabase({ databaseUrl, production, warn: (text) => warnings.push(text) });
  return warnings;
};

describe('a database', () => {
  let database: TestDatabase;
  beforeAll(async () => (database = await createTestDatabase()));
  afterAll(() => database.drop());

  it('is accepted before the log is in it, and afterwards', async () => {
    expect(await check(database.url)).toEqual([]);
    await migratePostgresStore(database.url);
    expect(await check(database.url)).toEqual([]);
  });

  it.each(['events', 'log_head', 'log_checkpoints', 'data_keys'])('is refused if a crash empties %s', async (table) => {
    const own = await createMigratedDatabase();
    await query(own.url, `alter table ${table} set unlogged`);
    const checked = check(own.url, false);
    await expect(checked).rejects.toThrow(UnfitDatabase);
    await expect(checked).rejects.toThrow(new RegExp(`unlogged: ${table}\\..*set logged`));
    await own.drop();
  });

  it('is refused if a crash empties a partition of the log', async () => {
    const own = await createTestDatabase();
    await query(own.url, 'create table events (position bigint) partition by range (position)');
    await query(own.url, 'create unlogged table events_1 partition of events for values from (1) to (100)');
    await expect(check(own.url)).rejects.toThrow('unlogged: events_1.');
    await own.drop();
  });

  it('is refused if its encoding cannot hold every text', async () => {
    const own = new URL(database.url);
    await query(database.url, `create database test_latin template template0 encoding 'LATIN1' locale 'C'`);
    own.pathname = '/test_latin';
    await expect(check(own.href)).rejects.toThrow(/encoding of the database is LATIN1.*'UTF8'/);
    await query(database.url, 'drop database test_latin with (force)');
  });

  it('is not ready while it is a standby', async () => {
    const own = await createTestDatabase();
    await query(own.url, 'create function pg_is_in_recovery() returns boolean language sql as $$ select true $$');
    const url = new URL(own.url);
    url.searchParams.set('options', '-c search_path=public,pg_catalog');
    await expect(check(url.href)).rejects.toThrow(DatabaseNotReady);
    await own.drop();
  });
});

describe('a server that does not write to its disk', () => {
  let dataDir: string;
  let server: EmbeddedPostgres;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'kissapi-unsafe-'));
    const settings = { fsync: 'off', full_page_writes: 'off', max_connections: '20', shared_buffers: '16MB' };
    server = await startBundledPostgres({ dataDir, log: () => undefined, settings });
  });
  afterAll(async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('is refused in production', async () => {
    const checked = check(server.url);
    await expect(checked).rejects.toThrow(UnfitDatabase);
    await expect(checked).rejects.toThrow('fsync = off');
  });

  it('is warned of in development', async () => {
    expect(await check(server.url, false)).toEqual([
      expect.stringContaining('fsync = off') as unknown,
      expect.stringContaining('full_page_writes = off') as unknown,
    ]);
  });
});
