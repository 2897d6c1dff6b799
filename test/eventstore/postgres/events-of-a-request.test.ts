import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ChainedLog } from '../../../src/eventstore/chained-log.ts';
import { createPostgresStore } from '../../../src/eventstore/postgres/postgres.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';
import { anEvent, aStream, idsOf, slice } from '../logs.ts';

// A database of its own: others have metadata with escapes that only the index keeps PostgreSQL from reading.
let database: TestDatabase;
let store: ChainedLog;
beforeAll(async () => {
  database = await createMigratedDatabase();
  store = createPostgresStore(database.url);
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

it('finds the events of one request in any stream, in their order, without some types and at most so many', async () => {
  const id = `req_${randomUUID()}`;
  const of = (correlationId: string, type = 'SomethingHappened') =>
    anEvent({ type, metadata: JSON.stringify({ actor: 'test', commandId: 'c', correlationId }) });
  const [first, frequent, second] = [of(id), of(id, 'HoldSettled'), of(id)];
  const others = [of(`req_${randomUUID()}`), anEvent()];
  await store.append([first, ...others, frequent, second].map((event) => slice(aStream(), -1, event)));
  const found = async (limit: number) => idsOf(await store.findByCorrelation(id, limit, ['HoldSettled']));
  expect(await found(100)).toEqual([first.id, second.id]);
  expect(await found(1)).toEqual([first.id]);
  expect(await store.findByCorrelation(`${id}\0`, 100, ['HoldSettled'])).toEqual([]);
});
