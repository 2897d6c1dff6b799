import { serialize } from 'node:v8';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  ACCOUNT_STATE_VERSION,
  accountStream,
  evolveAccount,
  initialAccount,
  type Account,
} from '../../../src/domain/account/account.ts';
import { accountDecider } from '../../../src/domain/account/decide.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import { createCommands } from '../../../src/eventstore/commands.ts';
import { journal } from '../../../src/eventstore/journal/codec.ts';
import { createCommitter } from '../../../src/eventstore/committer.ts';
import type { ChainedLog } from '../../../src/eventstore/chained-log.ts';
import { createFold, type Fold } from '../../../src/eventstore/fold.ts';
import { createPostgresStore } from '../../../src/eventstore/postgres/postgres.ts';
import { createSnapshots } from '../../../src/eventstore/postgres/snapshots.ts';
import { SNAPSHOT_EVERY, type Snapshots } from '../../../src/eventstore/snapshots.ts';
import { customer, reserve, settle, toppedUp } from '../../domain/account/examples.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';
import { query } from '../../support/sql.ts';
import { numbers } from '../logs.ts';
import { happen, historyOf, metadataOf } from '../nodes.ts';

const PAIRS = 180;
const stream = accountStream('ada');
const options = { version: ACCOUNT_STATE_VERSION, secret: 'of the tests' };

let database: TestDatabase;
let store: ChainedLog;
let history: readonly AccountEvent[];
let times: readonly Date[];

const take = (): Snapshots<Account> => createSnapshots<Account>({ databaseUrl: database.url, ...options });
const plainly = (count: number): Account => history.slice(0, count).reduce(evolveAccount, initialAccount());
const taken = () =>
  query<{ revision: string }>(database.url, 'select revision from snapshots where stream = $1 order by revision', [
    stream,
  ]);

/** A fold that says how many events it had to read. */
const counted = (snapshots?: Snapshots<Account>): { fold: Fold<Account>; read: () => number } => {
  let read = 0;
  const readStream: ChainedLog['readStream'] = async (...asked) => {
    const page = await store.readStream(...asked);
    read += page.length;
    return page;
  };
  return {
    fold: createFold({ store: { readStream }, codec: journal, decider: accountDecider, snapshots }),
    read: () => read,
  };
};

beforeAll(async () => {
  database = await createMigratedDatabase();
  store = createPostgresStore(database.url);
  await happen(store, 'ada', ...customer, toppedUp(1_000_000n));
  const snapshots = take();
  const commands = createCommands({
    store,
    committer: createCommitter({ store }),
    codec: journal,
    decider: accountDecider,
    snapshots,
  });
  for (const n of numbers(0, PAIRS)) {
    // One in nine stays open, so that the state has something in it.
    const asked = n % 9 === 0 ? [reserve(3n, `req_${n}`)] : [reserve(3n, `req_${n}`), settle(2, `req_${n}`)];
    for (const command of asked) await commands.execute(stream, command, metadataOf());
  }
  await snapshots.close();
  history = await historyOf(store, 'ada');
  times = (await store.readStream(stream, 0, 1000)).map(({ time }) => time);
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

describe('as a stream grows', () => {
  it('snapshots of it are taken', async () => {
    const revisions = (await taken()).map(({ revision }) => Number(revision));
    expect(revisions.length).toBeGreaterThanOrEqual(Math.floor(history.length / (SNAPSHOT_EVERY * 2)));
    expect(revisions.at(-1)).toBeGreaterThan(history.length - 2 * SNAPSHOT_EVERY);
  });

  it('they are what the events fold to', async () => {
    const snapshots = take();
    for (const { revision } of await taken()) {
      const snapshot = await snapshots.find(stream, { revision: Number(revision) });
      expect(snapshot?.state).toEqual(plainly(Number(revision) + 1));
    }
    await snapshots.close();
  });
});

describe('a stream with snapshots', () => {
  let snapshots: Snapshots<Account>;
  beforeEach(async () => {
    snapshots = take();
    return () => snapshots.close();
  });

  it('is loaded without reading all of it', async () => {
    const { fold, read } = counted(snapshots);
    expect(await fold(stream)).toMatchObject({ state: plainly(history.length), revision: history.length - 1 });
    expect(read()).toBeLessThanOrEqual(2 * SNAPSHOT_EVERY);
  });

  it('is as it was at each of its revisions', async () => {
    const { fold, read } = counted(snapshots);
    for (const revision of numbers(0, history.length)) {
      const { state, ...at } = await fold(stream, { revision });
      expect(at.revision).toBe(revision);
      expect(state).toEqual(plainly(revision + 1));
    }
    expect(read()).toBeLessThanOrEqual(history.length * 2 * SNAPSHOT_EVERY);
  });

  it('is as it was at each moment', async () => {
    const { fold } = counted(snapshots);
    for (const [n, time] of times.entries()) {
      // Several events may have the same time: all of them had happened then.
      const count = times.filter((other) => other <= time).length;
      if (n % 3 === 0) expect(await fold(stream, { at: time })).toMatchObject({ revision: count - 1 });
      if (n % 30 === 0) expect((await fold(stream, { at: time })).state).toEqual(plainly(count));
    }
    expect(await fold(stream, { at: new Date((times[0]?.getTime() ?? 0) - 1) })).toMatchObject({ revision: -1 });
  });

  it('may be changed by whoever loaded it, and nobody else sees that', async () => {
    const { fold } = counted(snapshots);
    const { state } = await fold(stream);
    (state.wallet.holds as Map<string, unknown>).clear();
    expect((await fold(stream)).state).toEqual(plainly(history.length));
  });
});

describe('a snapshot that cannot be trusted is left aside', () => {
  const wrong = { ...initialAccount(), wallet: { ...initialAccount().wallet, balance: 1n } };

  /** Folds with every snapshot changed in one way, and puts them back. */
  const afterwards = async (sql: string, ...values: unknown[]): Promise<void> => {
    await query(database.url, 'create table kept as select * from snapshots');
    await query(database.url, sql, values);
    const snapshots = take();
    const { fold, read } = counted(snapshots);
    expect((await fold(stream)).state).toEqual(plainly(history.length));
    expect((await fold(stream, { revision: 250 })).state).toEqual(plainly(251));
    expect(read()).toBeGreaterThanOrEqual(history.length);
    await snapshots.close();
    await query(database.url, 'truncate snapshots');
    await query(database.url, 'insert into snapshots select * from kept');
    await query(database.url, 'drop table kept');
  };

  it('because it is of another history', () => afterwards(`update snapshots set hash = sha256('of another')`));
  it('because its state was changed by somebody', () =>
    afterwards('update snapshots set state = $1', serialize(wrong)));
  it('because it was moved to another revision or stream', () =>
    afterwards(`update snapshots s set revision = s.revision + 1000, hash = e.hash
                from events e where e.stream = s.stream and e.revision = 0`));
  it('because it cannot be read', () => afterwards(`update snapshots set state = 'nonsense'`));
  it('because it is of another version of the software', () =>
    afterwards('update snapshots set state = $1, version = version + 1', serialize(wrong)));
  it('because there is none', () => afterwards('truncate snapshots'));

  it('and new ones are taken on the way', async () => {
    await query(database.url, 'truncate snapshots');
    const snapshots = take();
    await counted(snapshots).fold(stream);
    await snapshots.close();
    expect(await taken()).not.toEqual([]);
    const again = take();
    const { fold, read } = counted(again);
    expect((await fold(stream)).state).toEqual(plainly(history.length));
    expect(read()).toBeLessThan(history.length);
    await again.close();
  });
});

describe('where snapshots cannot be had', () => {
  it('a stream is folded from its beginning', async () => {
    const away = createSnapshots<Account>({
      databaseUrl: database.url.replace(/\/[^/]*$/, '/no_such_database'),
      ...options,
    });
    const { fold } = counted(away);
    expect((await fold(stream)).state).toEqual(plainly(history.length));
    await away.close();
  });
});
