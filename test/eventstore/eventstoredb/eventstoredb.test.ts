import { afterAll, beforeAll } from 'vitest';
import { beginIn } from '../../../src/eventstore/eventstoredb/begin.ts';
import { createCopyHeads } from '../../../src/eventstore/eventstoredb/copy-head.ts';
import { createEventStoreDbLog } from '../../../src/eventstore/eventstoredb/eventstoredb.ts';
import { acquireSessions } from '../../../src/eventstore/eventstoredb/sessions.ts';
import { migratePostgresStore } from '../../../src/eventstore/postgres/postgres.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventStoreContract } from '../event-store.contract.ts';

const eventStoreUrl = process.env['EVENT_STORE_URL'] ?? '';
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await migratePostgresStore(database.url);
  const heads = createCopyHeads(database.url);
  const sessions = acquireSessions(eventStoreUrl);
  await beginIn(sessions, heads);
  await sessions.release();
  await heads.close();
});
afterAll(() => database.drop());

const create = () =>
  Promise.resolve(
    createEventStoreDbLog(database.url, {
      eventStoreUrl,
      failed: (e) => console.log('failed', e),
      noticed: (e) => console.log('noticed', e),
    }),
  );
eventStoreContract('the log in EventStoreDB', { create, assignsLater: true });
