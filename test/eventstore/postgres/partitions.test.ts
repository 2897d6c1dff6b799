import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresStore, migratePostgresStore } from '../../../src/eventstore/postgres/postgres.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';
import { query } from '../../support/sql.ts';
import { chainedLogContract } from '../chained-log.contract.ts';
import { putLogBack } from '../signed-logs.ts';
import { anEvent, aStream, idsOf, readLogAfter, slice, someEvents } from '../logs.ts';

/** So many events are in the first partition, and one more makes the second begin. */
const FIRST = 40;

let database: TestDatabase;
const stream = aStream();
const before = someEvents(FIRST - 1);

/** What docs/operations.md tells the operator to run, with another place to divide at. */
const procedure = async (): Promise<string> => {
  const page = await readFile(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
  const [, sql = ''] = /## A log in partitions[^]*?```sql\n([^]*?)```/.exec(page) ?? [];
  expect(sql).toContain('10000001');
  return sql.replaceAll('10000001', String(FIRST + 1)).replaceAll('10000000', String(FIRST));
};

beforeAll(async () => {
  database = await createMigratedDatabase();
  const store = createPostgresStore(database.url);
  await store.append([slice(stream, -1, ...before)]);
  await store.close();
  await query(database.url, await procedure());
});
afterAll(() => database.drop());

describe('a log that was partitioned while it had events', () => {
  it('continues across partitions, with its streams', async () => {
    const store = createPostgresStore(database.url);
    const after = someEvents(3);
    expect(await store.append([slice(stream, FIRST - 2, ...after)])).toMatchObject([
      { written: [{ position: FIRST }, {}, {}] },
    ]);
    expect(idsOf(await readLogAfter(store, 0))).toEqual(idsOf([...before, ...after]));
    const [sizes] = await query(
      database.url,
      'select (select count(*) from events_1)::int as first, (select count(*) from events_2)::int as second',
    );
    expect(sizes).toEqual({ first: FIRST, second: 2 });
    await store.close();
  });

  it('detects an event id of the other partition', async () => {
    const store = createPostgresStore(database.url);
    const [old = anEvent()] = before;
    expect(await store.append([slice(aStream(), -1, old)])).toEqual([{ kind: 'duplicate' }]);
    await store.close();
  });

  it.each(['events', 'events_1', 'events_2'])('refuses a change of %s', async (table) => {
    await expect(query(database.url, `update ${table} set data = '{}'`)).rejects.toThrow('the log is append-only');
    await expect(query(database.url, `truncate ${table}`)).rejects.toThrow('the log is append-only');
  });
});

describe('the index of looked-up event types', () => {
  const indexes = (url: string) =>
    query<{ table: string; definition: string }>(
      url,
      `select tablename as table, indexdef as definition from pg_indexes where indexdef like '%PriceListed%' order by 1`,
    );
  const old = `'KeyIssued', 'KeyRevoked', 'PriceListed'`;
  const known = /'KeyIssued', [^)]+/;

  it.each([
    ['whole', ['events']],
    ['divided', ['events', 'events_1', 'events_2']],
  ])('of a log that is %s is made anew if it lacks a type that is looked up', async (how, tables) => {
    const older = await createMigratedDatabase();
    await query(older.url, 'drop index events_looked_up');
    await query(older.url, `create index events_looked_up on events (position) where type in (${old})`);
    for (const made of ['table terms_texts', 'index events_by_request']) await query(older.url, `drop ${made}`);
    await query(
      older.url,
      `delete from migrations where file like any (array['000007-%', '000040-%', '000070-%', '000080-%', '000090-%', '000091-%'])`,
    );
    if (how === 'divided') await query(older.url, (await procedure()).replace(known, old));
    await migratePostgresStore(older.url);
    const found = await indexes(older.url);
    expect(found.map(({ table }) => table)).toEqual(tables);
    for (const { definition } of found)
      expect(definition).toMatch(/KeyRehashed.*PriceWithdrawn.*TermsWithdrawn.*PersonInvited.*AccountClosed.*DisputeClosed/);
    await older.drop();
  });

  it('is the one that the documented procedure creates on every partition', async () => {
    const found = await indexes(database.url);
    expect(found.map(({ table }) => table)).toEqual(['events', 'events_1', 'events_2']);
    for (const { definition } of found)
      expect(definition).toMatch(/KeyRehashed.*PriceWithdrawn.*TermsWithdrawn.*PersonInvited.*AccountClosed.*DisputeClosed/);
  });
});

chainedLogContract('the log in PostgreSQL, in partitions', {
  create: () => Promise.resolve(createPostgresStore(database.url)),
  goBackTo: (position) => putLogBack(database.url, position),
});
