import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createWire, type Cut, type Wire } from '../../proofs/torture/wire.ts';
import type { AccountEvent } from '../../src/domain/account/events.ts';
import { createCommitter } from '../../src/eventstore/committer.ts';
import type { ChainedLog } from '../../src/eventstore/chained-log.ts';
import { StoreUnavailable } from '../../src/eventstore/event-store.ts';
import { createPostgresStore, migratePostgresStore } from '../../src/eventstore/postgres/postgres.ts';
import { audit } from '../reference/audit-history.ts';
import { customer, toppedUp, topUp } from '../domain/account/examples.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startProcess } from '../support/process.ts';
import { SOON } from '../support/soon.ts';
import { anEvent, aStream, idsOf, readWholeStream, slice } from './logs.ts';
import { createNode, happen, historyOf } from './nodes.ts';

const COMMITS = 'kissapi-commits';

let database: TestDatabase;
let wire: Wire;
/** Of a process whose way to PostgreSQL breaks. */
let store: ChainedLog;
/** The log as it is. */
let log: ChainedLog;

beforeAll(async () => {
  database = await createTestDatabase();
  await migratePostgresStore(database.url);
});
afterAll(() => database.drop());
beforeEach(async () => {
  wire = await createWire(database.url);
  store = createPostgresStore(wire.url);
  log = createPostgresStore(database.url);
});
afterEach(async () => {
  await store.close();
  await log.close();
  await wire.close();
});

const cut = (of: Cut['of'], afterBytes: number, then: Cut['then'] = 'close'): Promise<void> =>
  wire.cut({ of, afterBytes, application: COMMITS, then });

/** With an open connection, so that the next bytes on it are those of an append. */
const warmUp = (): Promise<unknown> => store.append([slice(aStream(), -1, anEvent())]);

const retryingOn = (on: ChainedLog) => createCommitter({ store: on, maxRetries: 20, retryMs: 5 });
const retrying = () => createNode(store, { committer: retryingOn(store) });

let accounts = 0;
const anAccount = async (): Promise<string> => {
  const account = `ada-${++accounts}`;
  await happen(log, account, ...customer);
  return account;
};

/** What was asked of it beyond its opening. */
const grantsTo = async (account: string): Promise<readonly AccountEvent[]> => {
  const history = await historyOf(log, account);
  audit(history);
  return history.slice(customer.length);
};

describe('an append whose reply was lost', () => {
  it('rejects with an unknown outcome, is in the log, and is not written again', async () => {
    await warmUp();
    const stream = aStream();
    const event = anEvent();
    const lost = cut('reply', 0);
    await expect(store.append([slice(stream, -1, event)])).rejects.toBeInstanceOf(StoreUnavailable);
    await lost;
    expect(idsOf(await readWholeStream(log, stream))).toEqual([event.id]);
    expect(await store.append([slice(stream, -1, event)])).toMatchObject([{ kind: 'clash' }]);
    expect(await store.append([slice(stream, 0, event)])).toMatchObject([{ kind: 'duplicate' }]);
    expect(idsOf(await readWholeStream(log, stream))).toEqual([event.id]);
  });

  it('is found by the retry of the process', async () => {
    await warmUp();
    const account = await anAccount();
    const node = retrying();
    const lost = cut('reply', 0);
    const outcome = await node.execute(account, topUp(5n, 'lot'), `${account}/command`);
    await lost;
    expect(outcome).toMatchObject({ kind: 'accepted', repeated: true, events: [toppedUp(5n, 'lot')], revision: 3 });
    expect(await grantsTo(account)).toEqual([toppedUp(5n, 'lot')]);
  });

  it('does not affect other appends of the batch, nor later ones', async () => {
    await warmUp();
    const account = await anAccount();
    const node = retrying();
    await node.execute(account, topUp(1n, 'lot 0'));
    const lost = cut('reply', 0);
    const lots = Array.from({ length: 20 }, (_, n) => `lot ${n + 1}`);
    const outcomes = await Promise.all(lots.map((lot) => node.execute(account, topUp(1n, lot), `${account}/${lot}`)));
    await lost;
    expect(outcomes).toMatchObject(lots.map((lot) => ({ kind: 'accepted', events: [toppedUp(1n, lot)] })));
    expect(await node.execute(account, topUp(1n, 'last'))).toMatchObject({ kind: 'accepted', revision: 24 });
    expect(await grantsTo(account)).toEqual(['lot 0', ...lots, 'last'].map((lot) => toppedUp(1n, lot)));
  });
});

describe('an append of the largest batch, whose reply does not fit into one message', () => {
  it.each([0, 4_000, 8_500])(
    'is written whole or not at all when the reply is cut after %i bytes',
    async (afterBytes) => {
      await warmUp();
      const slices = Array.from({ length: 2000 }, () => slice(aStream(), -1, anEvent()));
      const lost = cut('reply', afterBytes);
      await expect(store.append(slices)).rejects.toBeInstanceOf(StoreUnavailable);
      await lost;
      const again = await store.append(slices);
      expect(new Set(again.map(({ kind }) => kind)).size, 'all fit, or none does').toBe(1);
      const { length } = slices;
      const written = await log.readAll((await log.head()) - length, length + 1);
      expect(idsOf(written)).toEqual(slices.flatMap(({ events }) => idsOf(events)));
    },
  );
});

describe('an append that did not arrive', () => {
  it('rejects with an unknown outcome, and is written by a repetition', async () => {
    await warmUp();
    const stream = aStream();
    const event = anEvent();
    const lost = cut('request', 100);
    await expect(store.append([slice(stream, -1, event)])).rejects.toBeInstanceOf(StoreUnavailable);
    await lost;
    expect(await readWholeStream(log, stream)).toEqual([]);
    expect(await store.append([slice(stream, -1, event)])).toMatchObject([{ kind: 'appended' }]);
    expect(idsOf(await readWholeStream(log, stream))).toEqual([event.id]);
  });

  it('is written by the retry of the process', async () => {
    await warmUp();
    const account = await anAccount();
    const lost = cut('request', 0);
    const outcome = await retrying().execute(account, topUp(5n, 'lot'), `${account}/command`);
    await lost;
    expect(outcome).toMatchObject({ kind: 'accepted', repeated: false, events: [toppedUp(5n, 'lot')] });
    expect(await grantsTo(account)).toEqual([toppedUp(5n, 'lot')]);
  });
});

describe('a process that dies before the answer', () => {
  const ask = (url: string, account: string) => ['test/eventstore/asks-once.ts', url, account, `${account}/command`];

  /** What a second process is told, after the first was killed when it had sent, or been sent, so much. */
  const askedAgain = async (account: string, of: Cut['of'], afterBytes: number): Promise<string> => {
    const hangs = cut(of, afterBytes, 'hang');
    const first = spawn(process.execPath, ask(wire.url, account), { stdio: 'ignore' });
    const ended = once(first, 'exit');
    await Promise.race([hangs, ended.then(() => expect.unreachable('it ended before the cut'))]);
    if (of === 'reply') await expect.poll(() => grantsTo(account), SOON).toHaveLength(1);
    first.kill('SIGKILL');
    await ended;
    const [file = '', ...args] = ask(database.url, account);
    const second = await startProcess(file, args, {}, /told (.*)\n/);
    return second.said;
  };

  /** After so many bytes a first append is under way: what opens a connection, and an append of nothing. */
  const opening = async (): Promise<{ readonly request: number; readonly reply: number }> => {
    await store.append([]);
    return wire.passed(COMMITS);
  };

  it('has executed the command if the reply was under way: a repetition returns its outcome', async () => {
    const account = await anAccount();
    const { reply } = await opening();
    expect(await askedAgain(account, 'reply', reply)).toMatch(/kind: 'accepted'.*repeated: true/);
    expect(await grantsTo(account)).toMatchObject([{ type: 'CreditsToppedUp', amount: 7n }]);
  });

  it('has not executed it if the request was under way: a repetition executes it', async () => {
    const account = await anAccount();
    const { request } = await opening();
    expect(await askedAgain(account, 'request', request)).toMatch(/kind: 'accepted'.*repeated: false/);
    expect(await grantsTo(account)).toMatchObject([{ type: 'CreditsToppedUp', amount: 7n }]);
  });
});

describe('a connection that breaks at any byte', () => {
  it('executes a command once and returns its outcome', async () => {
    const account = await anAccount();
    const node = retrying();
    // What one command takes in either direction, with a connection that is opened for it, and with one that is there.
    await node.execute(account, topUp(1n, 'cold'));
    const cold = wire.passed(COMMITS);
    await node.execute(account, topUp(1n, 'warm'));
    const both = wire.passed(COMMITS);
    const warm = { request: both.request - cold.request, reply: both.reply - cold.reply };
    const expected = [toppedUp(1n, 'cold'), toppedUp(1n, 'warm')];

    const aCut = fc.record({ of: fc.constantFrom<Cut['of']>('request', 'reply'), isWarm: fc.boolean() }).chain((kind) =>
      // The commands below are no shorter than those above, so each cut happens within one.
      fc.nat({ max: (kind.isWarm ? warm : cold)[kind.of] - 1 }).map((afterBytes) => ({ ...kind, afterBytes })),
    );
    let count = 0;
    await fc.assert(
      fc.asyncProperty(aCut, async ({ of, isWarm, afterBytes }) => {
        const own = createPostgresStore(wire.url);
        const asking = isWarm ? node : createNode(own, { committer: retryingOn(own) });
        // Refused, and so nothing is written; but the connection is there.
        if (isWarm) await node.execute(account, topUp(0n, 'none'));
        const happened = cut(of, afterBytes);
        const lot = `lot ${++count}`;
        const outcome = await asking.execute(account, topUp(1n, lot), `${account}/${lot}`);
        await happened;
        await own.close();
        expected.push(toppedUp(1n, lot));
        const revision = customer.length + expected.length - 1;
        expect(outcome).toMatchObject({ kind: 'accepted', events: [toppedUp(1n, lot)], revision });
        expect(await grantsTo(account)).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });
});
