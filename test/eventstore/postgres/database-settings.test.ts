import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ChainedLog } from '../../../src/eventstore/chained-log.ts';
import { createPostgresStore, migratePostgresStore } from '../../../src/eventstore/postgres/postgres.ts';
import { createDatabase, type Database } from '../../../src/projections/database.ts';
import { createMigratedDatabase, createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { query } from '../../support/sql.ts';
import { anEvent, aStream, slice } from '../logs.ts';

let database: TestDatabase;
/** Connects with the settings of the server. */
let plain: ChainedLog;
const roles: string[] = [];
const opened: { close(): Promise<unknown> }[] = [];
beforeAll(async () => {
  database = await createMigratedDatabase();
  plain = createPostgresStore(database.url);
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});
afterAll(async () => {
  await plain.close();
  for (const role of roles) await query(database.url, `drop role ${role}`);
  await database.drop();
});

/** The URL of a role of its own, for which these settings are the default. */
const withRole = async (settings: Readonly<Record<string, string>>): Promise<string> => {
  const role = `test_${randomUUID().replaceAll('-', '')}`;
  await query(database.url, `create role ${role} superuser login password 'secret'`);
  roles.push(role);
  for (const [name, value] of Object.entries(settings)) {
    await query(database.url, `alter role ${role} set ${name} = ${value}`);
  }
  const url = new URL(database.url);
  [url.username, url.password] = [role, 'secret'];
  return url.href;
};
const withOptions = (settings: Readonly<Record<string, string>>): string => {
  const url = new URL(database.url);
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  url.searchParams.set('options', options.join(' '));
  return url.href;
};
const openStore = (url: string): ChainedLog => {
  const store = createPostgresStore(url);
  opened.push(store);
  return store;
};
const openRows = (url: string): Database => {
  const rows = createDatabase(url);
  opened.push({ close: () => rows.$pool.end() });
  return rows;
};

/** Whether each of many appends is on the disk when it is acknowledged. */
const durableAppends = async (url: string): Promise<readonly boolean[]> => {
  const store = openStore(url);
  const server = new pg.Client({ connectionString: database.url });
  await server.connect();
  const durable: boolean[] = [];
  for (let n = 0; n < 30; n++) {
    const { rows: before } = await server.query<{ at: string }>('select pg_current_wal_insert_lsn() as at');
    await store.append([slice(aStream(), -1, anEvent())]);
    const { rows } = await server.query<{ flushed: boolean }>(
      'select pg_current_wal_flush_lsn() > $1::pg_lsn as flushed',
      [before[0]?.at],
    );
    durable.push(rows[0]?.flushed ?? false);
  }
  await server.end();
  return durable;
};

describe('an append', () => {
  it.each(['off', 'local', 'remote_write'])(
    'is on the disk when acknowledged, for a role with synchronous_commit = %s',
    async (value) => {
      const url = await withRole({ synchronous_commit: value });
      expect(await durableAppends(url)).not.toContain(false);
      const { setting } = await openRows(url).one<{ setting: string }>(
        `select current_setting('synchronous_commit') as setting`,
      );
      expect(setting).toBe('on');
    },
  );

  it('is on disk when acknowledged, even if the URL sets synchronous_commit = off', async () => {
    expect(await durableAppends(withOptions({ synchronous_commit: 'off' }))).not.toContain(false);
  });

  it('waits for the standby to apply it, if synchronous_commit = remote_apply', async () => {
    const url = await withRole({ synchronous_commit: 'remote_apply' });
    const { setting } = await openRows(url).one<{ setting: string }>(
      `select current_setting('synchronous_commit') as setting`,
    );
    expect(setting).toBe('remote_apply');
  });
});

/**
 * Each is allowed by PostgreSQL, and would break a statement or a parser if it were in force. They are set in groups, because
 * a role and its connections cost far more than a setting.
 */
const HOSTILE: readonly (readonly [string, string])[] = [
  ['DateStyle', "'SQL, DMY'"],
  ['DateStyle', "'German, YMD'"],
  ['DateStyle', "'Postgres, MDY'"],
  ['IntervalStyle', 'sql_standard'],
  ['TimeZone', "'Asia/Kathmandu'"],
  ['extra_float_digits', '-15'],
  ['bytea_output', 'escape'],
  ['client_encoding', 'LATIN1'],
  ['standard_conforming_strings', 'off'],
  ['array_nulls', 'off'],
  ['transform_null_equals', 'on'],
  ['default_transaction_isolation', 'serializable'],
  ['default_transaction_isolation', "'repeatable read'"],
  ['default_transaction_deferrable', 'on'],
  ['statement_timeout', '200'],
  ['lock_timeout', '1'],
  ['idle_in_transaction_session_timeout', '1'],
  ['idle_session_timeout', '200'],
  ['transaction_timeout', '200'],
  ['search_path', "'pg_catalog'"],
  ['search_path', "''"],
  ['row_security', 'on'],
  ['jit', 'on'],
  ['jit_above_cost', '0'],
  ['plan_cache_mode', 'force_custom_plan'],
  ['quote_all_identifiers', 'on'],
  ['session_replication_role', 'replica'],
];

/** Each group has a setting once. */
const groups = HOSTILE.reduce<readonly Record<string, string>[]>(
  (all, [name, value]) => {
    const group = all.find((one) => !(name in one));
    if (group) group[name] = value;
    return group ? all : [...all, { [name]: value }];
  },
  [{}],
).map((group): [string, Record<string, string>] => [Object.keys(group).join(', '), group]);

describe('the log on a connection', () => {
  it.each(groups)('is written and read in the same way, for a role with the settings %s', async (_, settings) => {
    const known = await query<{ name: string }>(database.url, 'select lower(name) as name from pg_settings');
    const names = new Set(known.map(({ name }) => name));
    const url = await withRole(
      Object.fromEntries(Object.entries(settings).filter(([name]) => names.has(name.toLowerCase()))),
    );
    const store = openStore(url);
    const stream = aStream();
    const event = { ...anEvent(), data: String.raw`{"text":"é \" ' \u00e9 ☃ \\"}` };
    const [appended] = await store.append([slice(stream, -1, event)]);
    const again = await store.append([slice(stream, -1, anEvent())]);
    expect(again).toEqual([{ kind: 'clash' }]);
    const [read] = await store.readStream(stream, 0, 10);
    expect(await plain.readStream(stream, 0, 10)).toEqual([read]);
    expect(read).toMatchObject({ stream, revision: 0, data: event.data });
    expect(appended).toMatchObject({ kind: 'appended', time: read?.time });

    const rows = openRows(url);
    const values = {
      text: String.raw`it's \' a "☃" \n`,
      time: new Date('2026-11-12T13:14:15.678Z'),
      bytes: Buffer.from([0, 92, 255]),
    };
    const found = await rows.one(
      `select $(text) as text, $(time)::timestamptz as time, $(bytes)::bytea as bytes, 1764444444444.25::float8 as float,
         pg_sleep(0.3)::text as slept, current_setting('transaction_isolation') as isolation`,
      values,
    );
    expect(found).toMatchObject({ ...values, float: 1764444444444.25, isolation: 'read committed' });
    // A transaction may pause between two statements.
    await rows.tx(async (tx) => {
      await tx.none('lock table log_head in row share mode');
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await tx.one(`select to_regclass('events')::text as name`)).toEqual({ name: 'events' });
    });
  });

  it('cannot be changed by a session with session_replication_role = replica', async () => {
    const url = await withRole({ session_replication_role: 'replica' });
    const store = openStore(database.url);
    await store.append([slice(aStream(), -1, anEvent())]);
    await expect(query(url, `update events set data = '{}'`)).rejects.toThrow('the log is append-only');
    await expect(query(url, 'delete from events')).rejects.toThrow('the log is append-only');
    await expect(query(url, 'truncate log_checkpoints')).rejects.toThrow('the log is append-only');
  });

  it('returns an error instead of a shorter log if a policy hides rows', async () => {
    const own = await createMigratedDatabase();
    const writer = createPostgresStore(own.url);
    await writer.append([slice(aStream(), -1, anEvent())]);
    await writer.close();
    const role = `test_${randomUUID().replaceAll('-', '')}`;
    await query(own.url, `create role ${role} login password 'secret'`);
    await query(own.url, `grant select on all tables in schema public to ${role}`);
    await query(own.url, 'alter table events enable row level security');
    const url = new URL(own.url);
    [url.username, url.password] = [role, 'secret'];
    const store = createPostgresStore(url.href);
    await expect(store.readAll(0, 10)).rejects.toThrow('row-level security');
    await store.close();
    await query(own.url, `drop owned by ${role}; drop role ${role}`);
    await own.drop();
  });

  it('is found in its schema, even if search_path is changed later', async () => {
    const own = await createTestDatabase();
    await query(own.url, 'create schema ledger; create schema other');
    const at = (path: string): string => {
      const url = new URL(own.url);
      url.searchParams.set('options', `-c search_path=${path}`);
      return url.href;
    };
    await migratePostgresStore(at('ledger'));
    const one = createPostgresStore(at('ledger'));
    await one.append([slice(aStream(), -1, anEvent())]);
    await one.close();
    await migratePostgresStore(at('other'));
    const two = createPostgresStore(at('other'));
    expect(await two.head()).toBe(1);
    await two.close();
    expect(
      await query(
        own.url,
        `select nspname from pg_class c join pg_namespace n on n.oid = relnamespace where relname = 'events'`,
      ),
    ).toEqual([{ nspname: 'ledger' }]);
    await own.drop();
  });
});
