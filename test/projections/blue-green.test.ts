import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeFact } from '../../src/eventstore/journal/codec.ts';
import { accountStream } from '../../src/domain/account/account.ts';
import { inTurn } from '../../src/projections/rebuild/single-runner.ts';
import { balances } from '../../src/projections/rows/balances.ts';
import { prepare, catchUp } from '../../src/projections/rebuild/building.ts';
import { createComparison } from '../../src/projections/rebuild/compare.ts';
import { followLog, type Follower } from '../../src/projections/follow.ts';
import { liveProjections } from '../../src/projections/rows/live.ts';
import { LIVE, type Projection } from '../../src/projections/projection.ts';
import { createQueries } from '../../src/projections/queries.ts';
import { bringUpToDate, rebuild, type Rebuilt } from '../../src/projections/rebuild/rebuild.ts';
import { createTable, digest, readCheckpoint } from '../../src/projections/rows/rows.ts';
import { compareAll, takeOver } from '../../src/projections/rebuild/take-over.ts';
import { drawn, registered, reserved, settled, toppedUp } from '../domain/account/examples.ts';
import { nextBalances } from '../support/nodes/next-balances.ts';
import { SOON } from '../support/soon.ts';
import { asProjection, createLog, useDatabases, type Log } from './log.ts';

const databases = useDatabases(3);
const old = asProjection(balances);
const next = nextBalances;
const [OLD, NEW] = [old.version, next.version];
const nobodyListens = (): void => undefined;

let log: Log;
let requests = 0;
const charge = async (account: number, count: number): Promise<void> => {
  const events = Array.from({ length: count }, () => `req_${requests++}`).flatMap((id) => [
    reserved(10n, id),
    settled(6, { held: 10n, charged: 6n, released: 4n, drawn: [drawn(6n)] }, id),
  ]);
  await log.append(accountStream(`acc_${account}`), ...events);
};

type Node = Follower & { readonly failures: readonly unknown[]; readonly kept: readonly unknown[] };
const nodes: Node[] = [];
const startNode = (projection: Projection, database = databases.first): Node => {
  const failures: unknown[] = [];
  const kept: unknown[] = [];
  const consumer = liveProjections(database, log.store, (one) => kept.push(one), [projection]);
  const follower = followLog({
    store: log.store,
    decode: decodeFact,
    consumer,
    gatherMs: 5,
    failed: (_, error) => failures.push(error),
  });
  const node = Object.assign(Object.create(follower) as Follower, { failures, kept });
  nodes.push(node);
  return node;
};

const version = async (): Promise<number | undefined> => (await readCheckpoint(databases.first, old, LIVE))?.version;
const rebuildIt = (projection: Projection, more: Partial<Parameters<typeof rebuild>[0]> = {}): Promise<Rebuilt> =>
  rebuild({ database: databases.first, store: log.store, projection, progress: nobodyListens, ...more });

beforeEach(async () => {
  log = createLog();
  await databases.first.none(`drop schema if exists rebuild_balances cascade; drop table if exists ${LIVE}.balances`);
  await databases.first.none(`delete from ${LIVE}.checkpoints`);
  await createTable(databases.first, old, LIVE);
  for (let account = 0; account < 6; account++) {
    await log.append(accountStream(`acc_${account}`), registered, toppedUp(1_000_000n));
    await charge(account, 100);
  }
});
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.close()));
});

/** Appends without end until told to stop. */
const traffic = (): { stop(): Promise<void> } => {
  const state = { busy: true };
  const done = (async () => {
    for (let n = 0; state.busy; n++) {
      await charge(n % 6, 5);
      await sleep(2);
    }
  })();
  return {
    stop: async () => {
      state.busy = false;
      await done;
    },
  };
};

describe('a new version that starts beside the old one', () => {
  it('takes over while traffic flows, and both nodes go on as if nothing had been', async () => {
    const older = startNode(old);
    await older.reached(await log.store.head());
    const { stop } = traffic();
    const newer = startNode(next, databases.all[1]);
    const tookOver: Rebuilt[] = [];
    await bringUpToDate(databases.all[1] ?? databases.first, log.store, [next], nobodyListens, {
      tookOver: (_, rebuilt) => tookOver.push(rebuilt),
    });
    expect(tookOver).toMatchObject([{ before: OLD, version: NEW, same: true, differing: 0 }]);
    expect(tookOver[0]?.compared).toEqual(Object.keys(balances.columns).slice(1));
    await sleep(100);
    await stop();

    // Nobody has asked for a rebuild; what was appended after the take-over is there nevertheless, on both.
    const head = await log.store.head();
    await Promise.all([older.reached(head), newer.reached(head)]);
    expect([older.position, newer.position]).toEqual([head, head]);
    expect(older.kept).toEqual([{ projection: 'balances', version: NEW, ours: OLD, stalled: false }]);
    expect([...older.failures, ...newer.failures]).toEqual([]);
    const kept = await digest(databases.first, next, LIVE);
    expect(await rebuildIt(next)).toMatchObject({ ...kept, position: head, same: true });
  });

  it('is kept current from the take-over on, though nothing is appended any more', async () => {
    const newer = startNode(next);
    // Nobody keeps the old rows: they are behind what the newer node has read when they are taken over.
    await expect.poll(() => newer.kept.length, SOON).toBe(1);
    await bringUpToDate(databases.first, log.store, [next], nobodyListens);
    await newer.reached(await log.store.head());
    expect(newer.failures).toEqual([]);
    expect(await rebuildIt(next)).toMatchObject({ same: true, position: await log.store.head() });
  });

  it('shows the older node its rows as it knows them', async () => {
    await startNode(old).reached(await log.store.head());
    const queries = createQueries(databases.first);
    const before = await queries.balanceOf('acc_3');
    await rebuildIt(next);
    expect(await queries.balanceOf('acc_3')).toEqual(before);
    const [row] = await databases.first.any<{ events: bigint }>(
      `select * from ${LIVE}.balances where account_id = 'acc_3'`,
    );
    expect(row?.events).toBe(202n);
  });
});

describe('an older node', () => {
  it('never takes a newer version back by itself', async () => {
    await rebuildIt(next);
    const kept = await digest(databases.first, next, LIVE);
    await bringUpToDate(databases.first, log.store, [old], nobodyListens);
    const older = startNode(old);
    await expect
      .poll(() => older.kept, SOON)
      .toEqual([{ projection: 'balances', version: NEW, ours: OLD, stalled: false }]);
    expect(older.failure).toBeUndefined();
    expect([await version(), await digest(databases.first, next, LIVE)]).toEqual([NEW, kept]);
  });

  it('is as far as newer nodes have brought the rows, and says so no sooner', async () => {
    await rebuildIt(next);
    const older = startNode(old);
    const head = await log.store.head();
    await expect.poll(() => older.kept.length, SOON).toBe(1);
    await sleep(200);
    expect(older.position).toBe(0);
    const newer = startNode(next, databases.all[1]);
    await older.reached(head);
    expect(newer.position).toBe(head);
    expect([...older.failures, ...newer.failures]).toEqual([]);
  });

  it('keeps the rows again once somebody has taken them back', async () => {
    await rebuildIt(next);
    const older = startNode(old);
    await expect.poll(() => older.kept.length, SOON).toBe(1);
    expect(await rebuildIt(old)).toMatchObject({ before: NEW, version: OLD, same: true });
    await charge(0, 5);
    await older.reached(await log.store.head());
    expect(await rebuildIt(old)).toMatchObject({ same: true, position: await log.store.head() });
    expect(older.failures).toEqual([]);
  });

  it('starts while a newer one is building, without waiting for it', async () => {
    await startNode(old).reached(await log.store.head());
    let go = (): void => undefined;
    const until = new Promise<void>((resolve) => (go = resolve));
    const slow = {
      readFacts: (...args: Parameters<Log['store']['readFacts']>) => until.then(() => log.store.readFacts(...args)),
    };
    const building = rebuildIt(next, { store: slow });
    await bringUpToDate(databases.all[1] ?? databases.first, log.store, [old], nobodyListens);
    go();
    await building;
  });
});

describe('the comparison of two versions', () => {
  const doubled = {
    ...next,
    evolve: (...args: Parameters<Projection['evolve']>) => ({ ...next.evolve(...args), open_holds: 42 }),
  };
  beforeEach(() => startNode(old).reached(5 * 202));
  beforeEach(async () => nodes[0]?.reached(await log.store.head()));

  it('counts the rows that differ in what both have', async () => {
    expect(await rebuildIt(doubled)).toMatchObject({ before: OLD, same: false, differing: 6 });
  });

  it('leaves out what the new one says that it changed', async () => {
    const rebuilt = await rebuildIt({ ...doubled, changed: ['open_holds'] });
    expect(rebuilt).toMatchObject({ same: true, differing: 0 });
    expect(rebuilt.compared).not.toContain('open_holds');
  });

  it('finds rows of the old version that were wrong, though traffic touches them meanwhile', async () => {
    await databases.first.none(
      `update ${LIVE}.balances set charged = charged + 1 where account_id in ('acc_2', 'acc_4')`,
    );
    const { stop } = traffic();
    const rebuilt = await rebuildIt(next);
    await stop();
    expect(rebuilt).toMatchObject({ same: false, differing: 2 });
  });

  it('goes on with what is touched after all rows were compared, and counts each row once', async () => {
    const head = await log.store.head();
    const late: Projection = {
      ...next,
      evolve: (row, recorded, key) => ({
        ...next.evolve(row, recorded, key),
        ...(recorded.position > head ? { open_holds: 42 } : {}),
      }),
    };
    await databases.first.none(
      `update ${LIVE}.balances set charged = charged + 1 where account_id in ('acc_2', 'acc_4')`,
    );
    const { first: database } = databases;
    const progress = nobodyListens;
    const building = { database, store: log.store, projection: late, progress, schema: 'rebuild_balances' };
    await prepare(building);
    await catchUp(building);
    const comparison = await inTurn(database, late, (tx) => createComparison(tx, late, building.schema));
    await inTurn(database, late, (tx) => compareAll(tx, building, comparison), { snapshot: true });
    await charge(1, 1);
    await charge(2, 1);
    await nodes[0]?.reached(await log.store.head());
    // acc_1 in what is new, acc_2 in both, acc_4 in what was.
    expect(await takeOver(building, comparison)).toMatchObject({ differing: 3, position: head + 4 });
  });

  it('is not made where the key is another', async () => {
    const rekeyed = { ...next, keyLength: 2, columns: { account_id: 'text', part: 'text', ...next.columns } as const };
    const evolve: Projection['evolve'] = (row, ...rest) => ({ ...next.evolve(row, ...rest), part: 'all' });
    const keysOf: Projection['keysOf'] = (recorded) => next.keysOf(recorded).map((key) => [...key, 'all']);
    expect(await rebuildIt({ ...rekeyed, evolve, keysOf })).toMatchObject({ same: undefined, differing: undefined });
  });
});

describe('a reader', () => {
  it('never meets a missing table or an error, however often the rows are taken over', async () => {
    const node = startNode(old);
    await node.reached(await log.store.head());
    const state = { busy: true };
    const read = async (ask: () => Promise<unknown>): Promise<number> => {
      let times = 0;
      for (; state.busy; times++) expect(await ask()).toBe(1);
      return times;
    };
    const text = `select topped_up from ${LIVE}.balances where account_id = $1`;
    const clients = [{ text, name: 'prepared' }, { text }].map((asked) => ({
      asked,
      client: new pg.Client({ connectionString: databases.url(), application_name: 'test' }),
    }));
    await Promise.all(clients.map(({ client }) => client.connect()));
    const queries = createQueries(databases.all[2] ?? databases.first);
    const readers = Promise.all([
      ...clients.map(({ client, asked }) =>
        read(async () => (await client.query({ ...asked, values: ['acc_1'] })).rowCount),
      ),
      read(async () => ((await queries.balanceOf('acc_1')) ? 1 : 0)),
    ]);
    const { stop } = traffic();
    const replaced: Rebuilt[] = [];
    for (let n = 0; n < 6; n++) replaced.push(await rebuildIt(n % 2 === 0 ? next : old));
    state.busy = false;
    await stop();
    const times = await readers.finally(() => Promise.all(clients.map(({ client }) => client.end())));
    expect(Math.min(...times)).toBeGreaterThan(10);
    expect(replaced.map(({ same }) => same)).toEqual([true, true, true, true, true, true]);
  });

  it('who keeps the table for a while is waited for, and lets others through meanwhile', async () => {
    await startNode(old).reached(await log.store.head());
    const client = new pg.Client({ connectionString: databases.url(), application_name: 'test' });
    await client.connect();
    await client.query(`begin; select * from ${LIVE}.balances`);
    const rebuilding = rebuildIt(next);
    const queries = createQueries(databases.all[2] ?? databases.first);
    const until = performance.now() + 700;
    while (performance.now() < until) {
      expect(await queries.balanceOf('acc_1')).toBeDefined();
      expect(await version()).toBe(OLD);
    }
    await client.query('commit');
    await client.end();
    expect(await rebuilding).toMatchObject({ same: true, before: OLD });
  });
});

describe('two rebuilds of one projection at once', () => {
  it('go one after the other, and the second says that it waits', async () => {
    await startNode(old).reached(await log.store.head());
    let waited = 0;
    const waiting = (): void => void waited++;
    const rebuilt = await Promise.all(databases.all.map((database) => rebuildIt(old, { database, waiting })));
    expect(rebuilt.map(({ same }) => same)).toEqual([true, true, true]);
    expect(waited).toBe(2);
  });
});
