import { once } from 'node:events';
import { connect as connectTo, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { accountStream } from '../../../src/domain/account/account.ts';
import type { AccountCommand } from '../../../src/domain/account/decide.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import { appendSlices } from '../../../src/eventstore/postgres/append-slices.ts';
import { createCommitter } from '../../../src/eventstore/committer.ts';
import { NOTHING_SEEN } from '../../../src/eventstore/history-seen.ts';
import type { ChainedLog } from '../../../src/eventstore/chained-log.ts';
import { StoreUnavailable, type NewEvent } from '../../../src/eventstore/event-store.ts';
import { createPostgresStore, migratePostgresStore } from '../../../src/eventstore/postgres/postgres.ts';
import { audit } from '../../reference/audit-history.ts';
import { customer, extend, reserve, settle, toppedUp } from '../../domain/account/examples.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { chainedLogContract } from '../chained-log.contract.ts';
import { eventStoreContract } from '../event-store.contract.ts';
import { putLogBack } from '../signed-logs.ts';
import { anEvent, aStream, follower, idsOf, numbers, readWholeStream, slice, someEvents } from '../logs.ts';
import { createNode, happen, historyOf, type AccountOutcome, type Node } from '../nodes.ts';

let database: TestDatabase;
let store: ChainedLog;
/** Another session on the same database: an operator, or trouble. */
let session: pg.Client;
let start: number;

/** Closed after the test, however it ends. */
const sessions: pg.Client[] = [];
const connect = async (): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString: database.url, application_name: 'test' });
  sessions.push(client);
  await client.connect();
  return client;
};
afterEach(async () => {
  for (const one of sessions.splice(0)) await one.end();
});

/** How many connections of one kind there are, such as wait for a lock or not. */
const connections = async (application: string, waiting?: 'waiting'): Promise<number> => {
  const { rowCount } = await session.query(
    `select from pg_stat_activity where datname = current_database() and application_name = $1
       and ($2::text is null or wait_event_type = 'Lock')`,
    [application, waiting],
  );
  return rowCount ?? 0;
};
const until = (what: () => Promise<void>): Promise<void> => vi.waitFor(what, { interval: 5, timeout: 20_000 });
const untilWaiting = (application: string): Promise<void> =>
  until(async () => expect(await connections(application, 'waiting')).toBe(1));

/** What a store does, in a transaction that the test ends as it likes. */
const appendIn = (client: pg.Client, event: NewEvent): Promise<unknown> =>
  client.query(appendSlices('test', NOTHING_SEEN, [slice(aStream(), -1, event)]));

/** The message that ends a command and, with it, its transaction: its type and its length. */
const SYNC_BYTES = 5;

const cut = (application: string): Promise<unknown> =>
  session.query(
    `select pg_terminate_backend(pid, 10000) from pg_stat_activity
     where datname = current_database() and application_name = $1`,
    [application],
  );

beforeAll(async () => {
  database = await createTestDatabase();
  await Promise.all([migratePostgresStore(database.url), migratePostgresStore(database.url)]);
  await migratePostgresStore(database.url);
  session = new pg.Client({ connectionString: database.url, application_name: 'test' });
  await session.connect();
});
afterAll(async () => {
  await session.end();
  await database.drop();
});

const create = () => Promise.resolve(createPostgresStore(database.url));
eventStoreContract('the log in PostgreSQL', { create });
chainedLogContract('the log in PostgreSQL', {
  create,
  goBackTo: (position) => putLogBack(database.url, position),
});

describe('the log in PostgreSQL', () => {
  beforeEach(async () => {
    store = createPostgresStore(database.url);
    start = await store.head();
  });
  afterEach(() => store.close());

  it.each([
    ['changed', `update events set data = '{}'`],
    [
      'changed by an upsert',
      `insert into events select * from events on conflict (position) do update set data = '{}'`,
    ],
    ['deleted', 'delete from events where position = 1'],
    ['truncated', 'truncate events'],
    ['truncated along with others', 'truncate events, log_head'],
  ])('cannot be %s', async (_, sql) => {
    await store.append([slice(aStream(), -1, anEvent())]);
    await expect(session.query(sql)).rejects.toThrow('the log is append-only');
    expect(await store.head()).toBe(start + 1);
  });

  it('takes time from the log where the clock of the server is behind it', async () => {
    const { rows } = await session.query<{ time: Date }>(
      `update log_head set time = date_trunc('milliseconds', clock_timestamp()) + interval '1 minute' returning time`,
    );
    const [result] = await store.append([slice(aStream(), -1, anEvent())]);
    expect(result).toMatchObject({ time: rows[0]?.time });
  });

  it('never shows an event while one before it is still being committed', async () => {
    const other = await connect();
    const [early, late] = [anEvent(), anEvent()];
    const one = follower(store, start);
    await other.query('begin');
    await appendIn(other, early);
    const appended = store.append([slice(aStream(), -1, late)]);
    await untilWaiting('kissapi-commits');
    expect(await store.readAll(start, 10)).toEqual([]);
    await other.query('commit');
    await appended;
    await one.until(2);
    expect(idsOf(one.seen)).toEqual([early.id, late.id]);
    await one.stop();
  });

  it('lets a slow writer have its turn on a stream that others never leave alone', async () => {
    const stream = aStream();
    const stop = new AbortController();
    const busy = async (writer: ChainedLog): Promise<void> => {
      for (let expected = -1; !stop.signal.aborted;) {
        const [result] = await writer.append([slice(stream, expected, anEvent())]);
        if (result?.kind === 'appended') expected++;
        else expected += (await writer.readStream(stream, expected + 1, 1000)).length;
      }
    };
    const others = numbers(0, 3).map(() => createPostgresStore(database.url));
    const running = Promise.all(others.map(busy));
    // What a slow writer has read is out of date by the time it appends, and will be the next time: but for its turn.
    let expected = -1;
    try {
      for (let won = 0, refused = 0; won < 5;) {
        expected += (await store.readStream(stream, expected + 1, 10_000)).length;
        await sleep(20);
        const [result] = await store.append([slice(stream, expected, anEvent())]);
        if (result?.kind === 'appended') [won, refused] = [won + 1, 0];
        else expect(++refused).toBeLessThan(30);
      }
    } finally {
      stop.abort();
      await running;
      await Promise.all(others.map((other) => other.close()));
    }
  });

  it('keeps nobody waiting for a turn that is not needed, because another node had carried the command out', async () => {
    const account = `ada-${start}`;
    await happen(store, account, ...customer, toppedUp(100n));
    const other = createPostgresStore(database.url);
    const [one, two] = [createNode(store), createNode(other)];
    for (const n of numbers(0, 5)) {
      const id = `req_${n}`;
      await Promise.all([one, two].map((node) => node.execute(account, reserve(1n, id), id, { mayRepeat: true })));
      // Whichever was first: the turn of the other lapses only after half a second, in which this would be refused.
      await until(async () => {
        const { rowCount } = await session.query('select from turns where stream = $1', [accountStream(account)]);
        expect(rowCount).toBe(0);
      });
    }
    await other.close();
  });

  it('gives the position of an append that was rolled back to the next', async () => {
    const other = await connect();
    await other.query('begin');
    await appendIn(other, anEvent());
    await other.query('rollback');
    const event = anEvent();
    expect(await store.append([slice(aStream(), -1, event)])).toMatchObject([{ written: [{ position: start + 1 }] }]);
    expect(idsOf(await store.readAll(start, 10))).toEqual([event.id]);
  });

  it('goes on for followers while a transaction is left open elsewhere', async () => {
    const idle = await connect();
    await idle.query('begin isolation level repeatable read');
    await idle.query('create temporary table of_its_own as select * from events limit 1');
    await idle.query('listen kissapi_log');
    const one = follower(store, start);
    for (const n of numbers(0, 5)) {
      await store.append([slice(aStream(), -1, anEvent())]);
      await one.until(n + 1);
    }
    await one.stop();
  });
});

describe('when a connection breaks', () => {
  beforeEach(async () => {
    store = createPostgresStore(database.url);
    start = await store.head();
  });
  afterEach(() => store.close());

  /** Holds the head of the log, so that an append is under way for as long as the test needs it to be. */
  const holdHead = async (): Promise<() => Promise<unknown>> => {
    const other = await connect();
    await other.query('begin');
    await other.query('select from log_head for update');
    return () => other.query('rollback');
  };

  it('an append that was under way is rejected as of unknown outcome, and the next one works', async () => {
    const stream = aStream();
    const event = anEvent();
    await store.append([slice(stream, -1, anEvent())]);
    const letGo = await holdHead();
    const appended = store.append([slice(stream, 0, event)]);
    const rejected = expect(appended).rejects.toBeInstanceOf(StoreUnavailable);
    await untilWaiting('kissapi-commits');
    await cut('kissapi-commits');
    await rejected;
    await letGo();
    expect(await store.append([slice(stream, 0, event)])).toMatchObject([{ kind: 'appended' }]);
    expect(idsOf(await readWholeStream(store, stream))[1]).toBe(event.id);
  });

  it('a process that falls silent between the call of an append and its end holds up the others for seconds', async () => {
    const { rows } = await session.query("select from pg_settings where name = 'transaction_timeout'");
    if (rows.length === 0) return void console.warn('skipped: before PostgreSQL 17 no transaction is ended by time');
    const { hostname, port } = new URL(database.url);
    let isSilent = false;
    const wires = new Set<Socket>();
    const proxy = createServer((client) => {
      const server = connectTo(Number(port), hostname);
      for (const wire of [client, server]) wires.add(wire.on('error', () => undefined));
      server.pipe(client);
      client.on('data', (bytes) => server.write(isSilent ? bytes.subarray(0, -SYNC_BYTES) : bytes));
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const url = new URL(database.url);
    [url.hostname, url.port] = ['127.0.0.1', String((proxy.address() as AddressInfo).port)];
    const silent = createPostgresStore(url.href);
    await silent.append([slice(aStream(), -1, anEvent())]);

    isSilent = true;
    const lost = expect(silent.append([slice(aStream(), -1, anEvent())])).rejects.toBeInstanceOf(StoreUnavailable);
    await until(async () => {
      expect((await session.query('select from log_head for update skip locked')).rows).toHaveLength(0);
    });
    // Who began to wait in the same moment would be at the end of its own time, and asks again.
    await sleep(500);
    expect(await store.append([slice(aStream(), -1, anEvent())])).toMatchObject([{ kind: 'appended' }]);
    await lost;
    await silent.close();
    for (const wire of wires) wire.destroy();
    proxy.close();
  });

  it('while nothing is under way, nobody notices', async () => {
    const stream = aStream();
    await store.append([slice(stream, -1, anEvent())]);
    await store.readStream(stream, 0, 1);
    await cut('kissapi-commits');
    await cut('kissapi-reads');
    await until(async () => expect(await connections('kissapi-commits')).toBe(0));
    // Whether the process knows already that its connection is gone depends on the weather: it may say so once.
    const appended = await store.append([slice(stream, 0, anEvent())]).catch((error: unknown) => error);
    if (appended instanceof Error) expect(appended).toBeInstanceOf(StoreUnavailable);
    await until(async () => expect(await store.readStream(stream, 0, 10)).toBeDefined());
    expect(await store.append([slice(aStream(), -1, anEvent())])).toMatchObject([{ kind: 'appended' }]);
    expect(await connections('kissapi-commits')).toBe(1);
  });

  it('reads say that the store does not answer', async () => {
    const gone = createPostgresStore(database.url.replace(/\/[^/]*$/, '/no_such_database'));
    await expect(gone.head()).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(gone.readAll(0, 1)).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(gone.readStream('s', 0, 1)).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(gone.findEvent(aStream(), anEvent().id)).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(gone.append([slice('s', -1, anEvent())])).rejects.toBeInstanceOf(StoreUnavailable);
    await gone.close();
  });

  it('followers listen again and have missed nothing', async () => {
    const writer = createPostgresStore(database.url);
    const followers = numbers(0, 5).map((n) => ({ skip: n, ...follower(store, start + n) }));
    const events = someEvents(30);
    for (const round of numbers(0, 3)) {
      const [before, during, after] = numbers(0, 3).map((n) => events.slice(round * 10 + n * 3).slice(0, 3));
      await writer.append([slice(aStream(), -1, ...(before ?? []))]);
      for (const { until: reached, skip } of followers) await reached(round * 10 + 3 - skip);
      await cut('kissapi-listens');
      await writer.append([slice(aStream(), -1, ...(during ?? []))]);
      for (const { until: reached, skip } of followers) await reached(round * 10 + 6 - skip);
      await until(async () => expect(await connections('kissapi-listens')).toBe(1));
      await writer.append([slice(aStream(), -1, ...(after ?? []), ...events.slice(round * 10 + 9, round * 10 + 10))]);
      for (const { until: reached, skip } of followers) await reached(round * 10 + 10 - skip);
    }
    for (const { seen, skip } of followers) expect(idsOf(seen)).toEqual(idsOf(events.slice(skip)));
    await Promise.all(followers.map(({ stop }) => stop()));
    await writer.close();
  });

  it('every command whose outcome was returned is in the log once, however often the connection breaks', async () => {
    const other = createPostgresStore(database.url);
    await happen(store, 'ada', ...customer, toppedUp(1000n));
    const nodes = [store, other].map((one) =>
      createNode(one, { committer: createCommitter({ store: one, maxRetries: 20, retryMs: 5 }) }),
    );
    const cutter = await connect();
    const trouble = { goesOn: true };
    let answers = 0;
    const cutting = (async () => {
      while (trouble.goesOn) {
        // Thrice in a row and then after the next answer: a slow machine is cut as often for its work as a fast one.
        const before = answers;
        for (let cuts = 0; cuts < 3; cuts++) {
          await cutter.query(
            `select pg_terminate_backend(pid), pg_sleep(0.005) from pg_stat_activity
             where datname = current_database() and application_name in ('kissapi-commits', 'kissapi-reads')`,
          );
        }
        while (trouble.goesOn && answers === before) await sleep(1);
      }
    })();
    const untilTold = async (node: Node, command: AccountCommand, commandId: string): Promise<AccountOutcome> => {
      for (;;) {
        const told = await node
          .execute('ada', command, commandId, { mayRepeat: true })
          .catch((error: unknown) => error);
        if (!(told instanceof StoreUnavailable)) return told as AccountOutcome;
      }
    };
    const told: AccountEvent[] = [];
    await Promise.all(
      numbers(0, 8).map(async (client) => {
        for (const n of numbers(0, 4)) {
          const id = `req_${client}_${n}`;
          for (const command of [reserve(3n, id), extend(1n, id), settle(2, id)]) {
            const node = nodes[client % 2];
            const outcome = node && (await untilTold(node, command, `${id}/${command.type}`));
            answers++;
            if (outcome?.kind === 'accepted') told.push(...outcome.events);
          }
        }
      }),
    );
    trouble.goesOn = false;
    await cutting;
    const history = await historyOf(store, 'ada');
    expect(audit(history)).toMatchObject({ charged: 64n, holds: new Map() });
    const lines = (events: readonly AccountEvent[]) => events.map((event) => inspect(event)).toSorted();
    expect(lines(told)).toEqual(lines(history.slice(customer.length + 1)));
    await other.close();
  });

  it('a store can be closed while its listener reconnects', async () => {
    const closing = createPostgresStore(database.url);
    const one = follower(closing, start);
    await until(async () => expect(await connections('kissapi-listens')).toBe(1));
    await cut('kissapi-listens');
    await one.stop();
    await closing.close();
    expect(await connections('kissapi-listens')).toBe(0);
  });
});

describe('a closed store', () => {
  it('leaves no connection behind', async () => {
    const used = createPostgresStore(database.url);
    const one = follower(used, 0);
    await Promise.all(numbers(0, 10).map(() => used.append([slice(aStream(), -1, anEvent())])));
    await Promise.all(numbers(0, 10).map(() => used.head()));
    await one.until(10);
    await one.stop();
    await used.close();
    await until(async () => {
      for (const application of ['commits', 'reads', 'listens']) {
        expect(await connections(`kissapi-${application}`)).toBe(0);
      }
    });
  });
});
