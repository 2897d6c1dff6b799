import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { createLog, type Log } from '../../../src/eventstore/create-log.ts';
import { secondId } from '../../../src/eventstore/eventstoredb/copy/copy-events.ts';
import type { StoreEvent } from '../../../src/eventstore/eventstoredb/eventstoredb.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { migratePostgresStore } from '../../../src/eventstore/postgres/postgres.ts';
import { chainedLogContract } from '../chained-log.contract.ts';
import { eventStoreContract } from '../event-store.contract.ts';
import { serverUnderTest, type ServerUnderTest } from './server.ts';

/** An image may have to be downloaded first. */
const START_WITHIN_MS = 300_000;

const server = await serverUnderTest(process.env);
process.stderr.write(`the contract of the log in EventStoreDB runs on ${server.name}\n`);

describe(`the log in EventStoreDB: ${server.name}`, () => {
  let running: Awaited<ReturnType<ServerUnderTest['start']>>;
  let database: TestDatabase;
  beforeAll(async () => {
    running = await server.start();
    database = await createTestDatabase();
    await migratePostgresStore(database.url);
  }, START_WITHIN_MS);
  afterAll(async () => {
    await database.drop();
    await running.stop();
  });

  const noticed: StoreEvent[] = [];
  afterEach(() => expect(noticed).toEqual([]));
  const create = (): Promise<Log> =>
    Promise.resolve(
      createLog(
        { databaseUrl: database.url, eventStoreUrl: running.url },
        { noticed: (event) => void noticed.push(event) },
      ),
    );
  eventStoreContract('the log in EventStoreDB', { create, assignsLater: true });
  chainedLogContract('the log in EventStoreDB', { create, assignsLater: { secondId } });
});
