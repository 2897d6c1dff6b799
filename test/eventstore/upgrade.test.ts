import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountStream } from '../../src/domain/account/account.ts';
import type { AccountEvent } from '../../src/domain/account/events.ts';
import { contentHash, GENESIS } from '../../src/eventstore/integrity/chain.ts';
import { expectedHash } from './integrity/expected-hash.ts';
import { encode } from '../../src/eventstore/journal/codec.ts';
import type { ChainedLog } from '../../src/eventstore/chained-log.ts';
import type { NewEvent } from '../../src/eventstore/event-store.ts';
import { eventId } from '../../src/eventstore/ids.ts';
import { migrate } from '../../src/eventstore/postgres/database/migrate.ts';
import { readPlain } from '../../src/eventstore/journal/personal-data.ts';
import { createPostgresStore, migratePostgresStore } from '../../src/eventstore/postgres/postgres.ts';
import { audit } from '../reference/audit-history.ts';
import { issueKey, keyIssued, reserve, reserved, settle, termsAccepted, toppedUp } from '../domain/account/examples.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { query } from '../support/sql.ts';
import { readLogAfter } from './logs.ts';
import { createNode, historyOf } from './nodes.ts';

const sql = new URL('../../src/eventstore/postgres/sql/', import.meta.url);
const ada = { name: 'Ada', email: 'ada@example.com' };

/** As the first version of this software wrote it: a name in the clear, and no idempotency keys. */
const written = (event: AccountEvent, n: number): NewEvent => {
  const now = encode(event, eventId(`old/${n}`, 0), { actor: 'test', commandId: `old/${n}` });
  if (event.type !== 'AccountRegistered') return { ...now, version: 1 };
  return { ...now, version: 1, data: JSON.stringify({ ...ada, holder: event.holder }) };
};
const past = [
  { type: 'AccountRegistered', holder: 'person', personal: 'replaced' } as const,
  termsAccepted(),
  keyIssued(),
  toppedUp(100n),
  reserved(60n),
].map(written);

let database: TestDatabase;
let store: ChainedLog;

beforeAll(async () => {
  database = await createTestDatabase();
  const first = await mkdtemp(join(tmpdir(), 'kissapi-first-'));
  await copyFile(new URL('000001-events.sql', sql), join(first, '000001-events.sql'));
  await migrate(database.url, 'eventstore', pathToFileURL(`${first}/`));
  await rm(first, { recursive: true });
  const stream = accountStream('ada');
  const batch = past.map((event, i) => ({ n: 0, i, ...event, content: contentHash(event, stream, i) }));
  await query(database.url, 'select append_events($1::text::json, $2::text::json)', [
    JSON.stringify([{ n: 0, stream, expected: -1 }]),
    JSON.stringify(batch),
  ]);
  await migratePostgresStore(database.url);
  store = createPostgresStore(database.url);
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

describe('a log of the first version of this software', () => {
  it('continues: the hold is settled, the next is placed, and the books are correct', async () => {
    const node = createNode(store);
    for (const command of [settle(50), reserve(40n, 'req_2'), settle(40, 'req_2'), issueKey('key_2')]) {
      expect(await node.execute('ada', command)).toMatchObject({ kind: 'accepted' });
    }
    expect(await node.execute('ada', reserve(11n, 'req_3'))).toMatchObject({ kind: 'refused' });
    expect(audit(await historyOf(store, 'ada'))).toMatchObject({ toppedUp: 100n, charged: 90n, holds: new Map() });
  });

  it('is one chain of hashes across the upgrade', async () => {
    const events = await readLogAfter(store, 0);
    expect(events.length).toBeGreaterThan(past.length);
    let previous = GENESIS;
    for (const event of events) {
      expect(event.hash).toBe(expectedHash(previous, event));
      previous = event.hash;
    }
  });

  it('still has the personal data of the account', async () => {
    const { state } = await createNode(store).commands.read(accountStream('ada'));
    expect(readPlain('ada', state.standing.registration?.personal ?? '')).toEqual(ada);
  });
});
