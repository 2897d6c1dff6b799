import { startEventStoreDbStandIn, type EventStoreDbStandIn } from '@kissapi/eventstoredb-stand-in';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ACCOUNT_STATE_VERSION, accountStream, type Account } from '../../../src/domain/account/account.ts';
import { accountDecider } from '../../../src/domain/account/decide.ts';
import { StoreUnavailable } from '../../../src/eventstore/event-store.ts';
import { createLog } from '../../../src/eventstore/create-log.ts';
import { acquireSessions } from '../../../src/eventstore/eventstoredb/connection/sessions.ts';
import { CannotMigrate, openMigration } from '../../../src/eventstore/eventstoredb/migrate/migration.ts';
import { createFold } from '../../../src/eventstore/fold.ts';
import { verifyDatabase } from '../../../src/eventstore/integrity/verify/verify-database.ts';
import { journal } from '../../../src/eventstore/journal/codec.ts';
import { createPostgresStore } from '../../../src/eventstore/postgres/postgres.ts';
import { createSnapshots } from '../../../src/eventstore/postgres/snapshots.ts';
import { ACCOUNT, goOn, writeLedger } from '../../cli/ledger.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';
import { query } from '../../support/sql.ts';
import { anEvent, readLogAfter, slice } from '../logs.ts';
import { createSignedLog, putLogBack, tamper } from '../signed-logs.ts';
import { namedServer } from './server.ts';

// The server that EVENT_STORE_URL names, else the stand-in. Faults come from the stand-in alone.
const named = namedServer(process.env);
let standIn: EventStoreDbStandIn;
let eventStoreUrl: string;
let database: TestDatabase;
beforeAll(async () => {
  standIn = await startEventStoreDbStandIn();
  eventStoreUrl = named ?? standIn.url;
});
afterAll(() => standIn.close());
beforeEach(async () => {
  database = await createMigratedDatabase();
  // Databases that were made from one template have one id, and the logs share a server here.
  await query(database.url, 'update log_head set log_id = gen_random_uuid()');
});
afterEach(() => database.drop());

const ignore = (): void => undefined;

const migrationTo = async (url = eventStoreUrl, begin = true) => {
  const migration = await openMigration({
    ...{ databaseUrl: database.url, eventStoreUrl: url, begin, now: () => new Date(), waiting: ignore },
  });
  onTestFinished(migration.close);
  return migration;
};

const signedLog = async (batches: number) => {
  const log = await createSignedLog(batches, database);
  onTestFinished(log.close);
  return log;
};

const inEventStore = () => {
  const log = createLog({ databaseUrl: database.url, eventStoreUrl });
  onTestFinished(log.close);
  return log;
};

const migrated = async (): Promise<void> => {
  const migration = await migrationTo();
  await migration.copy(ignore);
  const { compared, difference } = await migration.compare(false, ignore);
  expect(difference).toBeUndefined();
  expect(await migration.switchTo('eventstoredb', compared)).toEqual({ kind: 'switched' });
  await migration.close();
};

describe('a log that is moved to EventStoreDB', () => {
  it('keeps every event with its position, time, hash and token, and its signatures', async () => {
    const before = await signedLog(20);
    const events = await readLogAfter(before.store, 0);
    await migrated();
    const log = inEventStore();
    expect(await readLogAfter(log, 0)).toEqual(events);
    expect(await log.streams.readStream('stream-3', 0, 100)).toMatchObject(
      events
        .filter(({ stream }) => stream === 'stream-3')
        .map(({ id, data, metadata, revision, time, token }) => ({ id, data, metadata, revision, time, token })),
    );
    const [result] = await log.append([slice('stream-1', 39, anEvent())]);
    expect(result?.kind).toBe('appended');
    expect(await log.head()).toBe(201);
    const verdict = await verifyDatabase(database.url, { publicKeys: [before.key.publicKey], kept: [] });
    expect(verdict).toMatchObject({ events: 201, flaw: undefined, signatures: { good: 20 } });
  });

  it('is not appended to by a process that still uses PostgreSQL', async () => {
    const { store, append } = await signedLog(2);
    await migrated();
    await expect(append()).rejects.toThrow('this log is committed in EventStoreDB');
    expect(await store.head()).toBe(20);
  });

  it('is followed while PostgreSQL appends to it', async () => {
    const { append } = await signedLog(3);
    const migration = await migrationTo();
    const appending = append();
    await migration.copy(ignore);
    await appending;
    const first = await migration.compare(false, ignore);
    await append();
    expect(await migration.switchTo('eventstoredb', first.compared)).toEqual({ kind: 'moved' });
    await migration.copy(ignore);
    const { compared, difference } = await migration.compare(false, ignore);
    expect({ position: compared.position, difference }).toEqual({ position: 50, difference: undefined });
    expect(await migration.switchTo('eventstoredb', compared)).toEqual({ kind: 'switched' });
  });

  it('is copied once and in order although connections break', async () => {
    await signedLog(120);
    const migration = await migrationTo(standIn.url);
    standIn.delayMs = 1;
    let left = 3;
    const cuts = setInterval(() => left-- > 0 && standIn.cut(), 100);
    try {
      await migration.copy(ignore);
    } finally {
      clearInterval(cuts);
      standIn.delayMs = 0;
    }
    const { compared, difference } = await migration.compare(true, ignore);
    expect({ position: compared.position, difference }).toEqual({ position: 1200, difference: undefined });
  });

  it('goes on where an earlier migration ended, and compares only what none has compared', async () => {
    const { append } = await signedLog(3);
    const first = await migrationTo();
    await first.copy(ignore);
    const { compared } = await first.compare(false, ignore);
    await first.chained(compared, 30);
    await first.close();
    await append();
    const second = await migrationTo();
    const copied: number[] = [];
    await second.copy((position) => copied.push(position));
    expect(copied).toEqual([40, 40]);
    const seen: number[] = [];
    const next = await second.compare(false, (position) => seen.push(position));
    expect(seen[0]).toBeGreaterThan(30);
    expect(next.compared).toMatchObject({ position: 40, chained: 30 });
    const again = await second.compare(true, ignore);
    expect(again.compared).toMatchObject({ position: 40, chained: 0 });
  });
});

describe('the comparison of both stores', () => {
  it.each([
    [`update events set data = '{"text":"changed"}' where position = 17`, 17, 'data'],
    [`update events set metadata = '{}' where position = 4`, 4, 'metadata'],
    [`update events set time = time + interval '1 ms' where position = 9`, 9, 'time'],
    [`update events set hash = sha256('x') where position = 11`, 11, 'token'],
  ])('names the first event that differs: %s', async (change, position, what) => {
    await signedLog(3);
    const migration = await migrationTo();
    await migration.copy(ignore);
    await tamper(database.url, change);
    const { difference } = await migration.compare(true, ignore);
    expect(difference?.position).toBe(position);
    expect(difference?.what).toMatch(new RegExp(`^the ${what} of event`));
  });

  it('names an event that PostgreSQL lacks', async () => {
    await signedLog(3);
    const migration = await migrationTo();
    await migration.copy(ignore);
    await tamper(database.url, 'delete from events where position = 12');
    expect((await migration.compare(true, ignore)).difference).toEqual({
      position: 12,
      what: 'PostgreSQL does not have the position 12',
    });
  });
});

describe('a server that does not fit', () => {
  it('is refused if it was filled from another copy of the log', async () => {
    await signedLog(3);
    const first = await migrationTo();
    await first.copy(ignore);
    await first.close();
    await putLogBack(database.url, 20);
    const second = await migrationTo();
    await expect(second.copy(ignore)).rejects.toThrow('was filled from another copy of this log');
  });

  it('is refused if it has another log under the same names', async () => {
    await signedLog(1);
    await (await migrationTo()).close();
    await query(database.url, `update log_head set log_id = overlay(log_id::text placing 'ffff' from 10)::uuid`);
    await expect(migrationTo()).rejects.toThrow('with another log under the names');
  });

  it('is refused if the log is compared only, and it has nothing of it', async () => {
    await signedLog(1);
    await expect(migrationTo(eventStoreUrl, false)).rejects.toThrow(CannotMigrate);
  });

  it('is refused while another process migrates the log', async () => {
    await signedLog(1);
    await migrationTo();
    await expect(migrationTo()).rejects.toThrow('Another process migrates this log');
  });
});

const topUp = (lotId: string) =>
  ({ type: 'TopUp', lotId, amount: 1n, source: { kind: 'grant', reason: 'More' } }) as const;

const foldIn = async (store: Parameters<typeof createFold>[0]['store']) => {
  const options = { databaseUrl: database.url, version: ACCOUNT_STATE_VERSION, secret: 'test' };
  const snapshots = createSnapshots<Account>(options);
  const fold = createFold({ store, codec: journal, decider: accountDecider, snapshots });
  const folded = await fold(accountStream(ACCOUNT));
  const bare = await createFold({ store, codec: journal, decider: accountDecider })(accountStream(ACCOUNT));
  snapshots.take(accountStream(ACCOUNT), folded.state, folded);
  await snapshots.close();
  return { folded, bare };
};

describe('a log that is moved back to PostgreSQL', () => {
  const back = async (): Promise<void> => {
    const migration = await migrationTo();
    const { compared, difference } = await migration.compare(false, ignore);
    expect(difference).toBeUndefined();
    await expect.poll(() => migration.switchTo('postgres', compared)).toEqual({ kind: 'switched' });
    await migration.close();
  };

  it('is appended to in PostgreSQL, verified, and can be moved to EventStoreDB again', async () => {
    const postgres = createPostgresStore(database.url);
    onTestFinished(postgres.close);
    await writeLedger(postgres);
    await foldIn(postgres);
    await migrated();

    const log = createLog({ databaseUrl: database.url, eventStoreUrl });
    await foldIn(log.streams);
    await goOn(log, [topUp('lot_4')], 'in EventStoreDB');
    await log.head();
    await foldIn(log.streams);
    await log.close();
    await back();

    const { folded, bare } = await foldIn(postgres);
    expect(folded).toMatchObject({ state: bare.state, revision: bare.revision, token: bare.token });
    await goOn(postgres, [topUp('lot_5')], 'in PostgreSQL again');
    const end = await foldIn(postgres);
    expect(end.folded.state).toEqual(end.bare.state);
    const head = await postgres.head();

    await migrated();
    const again = inEventStore();
    await goOn(again, [topUp('lot_6')], 'in EventStoreDB again');
    expect(await again.head()).toBe(head + 1);
    expect((await foldIn(again.streams)).folded.revision).toBe(end.folded.revision + 1);
    expect(await verifyDatabase(database.url, { publicKeys: [], kept: [] })).toMatchObject({
      events: head + 1,
      flaw: undefined,
    });
  });

  it('stays in EventStoreDB while a process is connected that can append there', async () => {
    await signedLog(1);
    await migrated();
    const log = createLog({ databaseUrl: database.url, eventStoreUrl });
    await log.head();
    const migration = await migrationTo();
    const { compared } = await migration.compare(false, ignore);
    expect(await migration.switchTo('postgres', compared)).toEqual({ kind: 'in_use', processes: expect.any(Number) });
    await log.close();
    await expect.poll(() => migration.switchTo('postgres', compared)).toEqual({ kind: 'switched' });
  });

  it('stays in EventStoreDB if that has more than PostgreSQL', async () => {
    await signedLog(1);
    await migrated();
    const log = createLog({ databaseUrl: database.url, eventStoreUrl });
    await log.head();
    const migration = await migrationTo();
    const { compared } = await migration.compare(false, ignore);
    await log.append([slice('stream-1', 1, anEvent())]);
    await log.head();
    await log.close();
    await expect.poll(() => migration.switchTo('postgres', compared)).toEqual({ kind: 'moved' });
    const [{ store } = {}] = await query<{ store: string }>(database.url, 'select store from log_head');
    expect(store).toBe('eventstoredb');
  });
});

it('reports a server that is away for long', async () => {
  await signedLog(1);
  const sessions = acquireSessions('esdb://127.0.0.1:1?tls=false');
  await expect(sessions.open()).rejects.toThrow(StoreUnavailable);
  await sessions.release();
});
