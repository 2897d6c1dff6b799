import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { accountStream } from '../../../src/domain/account/account.ts';
import { balances } from '../../../src/projections/rows/balances.ts';
import type { Database } from '../../../src/projections/database.ts';
import { projections } from '../../../src/projections/rows/live.ts';
import { LIVE, type Projection } from '../../../src/projections/projection.ts';
import { bringUpToDate, rebuild, type Rebuilt } from '../../../src/projections/rebuild/rebuild.ts';
import { applyEvents, createTable, digest } from '../../../src/projections/rows/rows.ts';
import { drawn, registered, reserved, settled, toppedUp } from '../../domain/account/examples.ts';
import { query } from '../../support/sql.ts';
import { asProjection, createLog, useDatabases } from '../log.ts';

const databases = useDatabases(3);
const live = asProjection(balances);
const nobodyListens = (): void => undefined;

const log = createLog();
let requests = 0;

const charge = async (account: number, count: number): Promise<void> => {
  const events = Array.from({ length: count }, () => `req_${requests++}`).flatMap((id) => [
    reserved(10n, id),
    settled(6, { held: 10n, charged: 6n, released: 4n, drawn: [drawn(6n)] }, id),
  ]);
  await log.append(accountStream(`acc_${account}`), ...events);
};

/** Some 12,000 events, which is more than one batch of a rebuild. Each test adds to them. */
beforeAll(async () => {
  for (let account = 0; account < 6; account++) {
    await log.append(accountStream(`acc_${account}`), registered, toppedUp(1_000_000n));
    await charge(account, 1000);
  }
});

const follow = async (projection = live, database = databases.first): Promise<void> => {
  const [row] = await database.any<{ position: bigint }>(
    `select position from ${LIVE}.checkpoints where name = '${projection.name}'`,
  );
  await applyEvents(database, projection, LIVE, await log.recorded(Number(row?.position)));
};

const rebuildIt = (
  projection: Projection = live,
  progress: (position: number, target: number) => void = nobodyListens,
  database: Database = databases.first,
): Promise<Rebuilt> => rebuild({ database, store: log.store, projection, progress });

const schemas = async (): Promise<readonly string[]> =>
  (
    await query<{ nspname: string }>(databases.url(), `select nspname from pg_namespace where nspname like 'rebuild%'`)
  ).map(({ nspname }) => nspname);

beforeEach(async () => {
  await databases.first.none(`drop schema if exists rebuild_balances cascade; drop table if exists ${LIVE}.balances`);
  await databases.first.none(`delete from ${LIVE}.checkpoints`);
  await createTable(databases.first, live, LIVE);
});

describe('a rebuild', () => {
  it('makes the same rows, byte for byte, and takes over', async () => {
    await follow();
    const before = await digest(databases.first, live, LIVE);
    expect(await rebuildIt()).toMatchObject({ ...before, position: await log.store.head(), same: true, differing: 0 });
    expect(await digest(databases.first, live, LIVE)).toEqual(before);
    expect(await schemas()).toEqual([]);

    // The live projection goes on from there.
    await charge(1, 5);
    await follow();
    expect(await rebuildIt()).toMatchObject({ same: true, position: await log.store.head() });
  });

  it('finds rows that are wrong, missing or too many, and puts them right', async () => {
    await follow();
    const right = await digest(databases.first, live, LIVE);
    for (const wrong of [
      `update ${LIVE}.balances set charged = charged + 1 where account_id = 'acc_3'`,
      `delete from ${LIVE}.balances where account_id = 'acc_0'`,
      `insert into ${LIVE}.balances select 'acc_9', topped_up, charged, expired, written_off, held, open_holds, revision from ${LIVE}.balances limit 1`,
    ]) {
      await databases.first.none(wrong);
      expect(await rebuildIt()).toMatchObject({ same: false, differing: 1, ...right });
      expect(await digest(databases.first, live, LIVE)).toEqual(right);
    }
  });

  it('loses nothing that comes while it runs', async () => {
    await follow();
    let busy = true;
    const traffic = (async () => {
      for (let n = 0; busy; n++) {
        await charge(n % 6, 20);
        await follow(live, databases.all[1]);
      }
    })();
    const rebuilt = [await rebuildIt(), await rebuildIt(), await rebuildIt()];
    busy = false;
    await traffic;
    expect(rebuilt.map(({ same }) => same)).toEqual([true, true, true]);
    await follow();
    expect(await rebuildIt()).toMatchObject({ same: true, position: await log.store.head() });
  });

  it('that was stopped half way goes on from there', async () => {
    await follow();
    const before = await digest(databases.first, live, LIVE);
    const stopAt = (position: number) => (at: number) => {
      if (at >= position) throw new Error('stopped');
    };
    await expect(rebuildIt(live, stopAt(10_000))).rejects.toThrow('stopped');
    expect(await digest(databases.first, live, LIVE)).toEqual(before);
    await charge(2, 10);
    await follow();

    const seen: number[] = [];
    expect(await rebuildIt(live, (at) => seen.push(at))).toMatchObject({ same: true });
    expect(seen[0]).toBe(10_000);
    expect(await schemas()).toEqual([]);
  });

  it('that was stopped half way in another version begins anew', async () => {
    await follow();
    const stop = (at: number): void => {
      if (at > 0) throw new Error('stopped');
    };
    await expect(rebuildIt({ ...live, version: 7 }, stop)).rejects.toThrow('stopped');
    const seen: number[] = [];
    expect(await rebuildIt(live, (at) => seen.push(at))).toMatchObject({ same: true });
    expect(seen[0]).toBe(0);
  });

  it('may be asked of several nodes at once', async () => {
    await follow();
    const rebuilt = await Promise.all(databases.all.map((database) => rebuildIt(live, nobodyListens, database)));
    for (const one of rebuilt) expect(one).toMatchObject({ same: true });
    expect(await schemas()).toEqual([]);
  });
});

describe('a new version of a projection', () => {
  /** As `balances`, but with sums doubled: whatever is not a fold of this version shows. */
  const next: Projection = asProjection({
    ...balances,
    version: balances.version + 1,
    evolve: (...args: Parameters<typeof balances.evolve>) => ({ ...balances.evolve(...args), open_holds: 42 }),
  });

  it('takes over at the start, and software of the version before is refused', async () => {
    await follow();
    const progress: unknown[] = [];
    await bringUpToDate(databases.first, log.store, [next], (...told) => progress.push(told));
    const head = await log.store.head();
    expect(progress.at(-1)).toEqual(['balances', head, head]);
    const rows = await databases.first.any<{ open_holds: number }>(`select * from ${LIVE}.balances`);
    expect(rows.map(({ open_holds }) => open_holds)).toEqual([42, 42, 42, 42, 42, 42]);

    await charge(0, 1);
    await expect(follow()).rejects.toThrow(
      `at version ${next.version} in the database, and this software makes version ${balances.version}`,
    );
    await follow(next);
    expect(await rebuildIt(next)).toMatchObject({ same: true });
  });

  it('takes over once, however many nodes start with it at once', async () => {
    await follow();
    await Promise.all(databases.all.map((database) => bringUpToDate(database, log.store, [next], nobodyListens)));
    expect(await rebuildIt(next)).toMatchObject({ same: true, position: await log.store.head() });
  });
});

describe('the first start', () => {
  it('creates the tables of all projections once, even if several nodes do it at once', async () => {
    const empty = createLog();
    for (let n = 0; n < 5; n++) {
      for (const { name } of projections) await databases.first.none(`drop table if exists ${LIVE}.${name}`);
      await databases.first.none(`delete from ${LIVE}.checkpoints`);
      await Promise.all(
        databases.all.map((database) => bringUpToDate(database, empty.store, projections, nobodyListens)),
      );
      const made = await databases.first.any<{ name: string }>(`select name from ${LIVE}.checkpoints order by name`);
      expect(made.map(({ name }) => name)).toEqual(projections.map(({ name }) => name).toSorted());
    }
  });
});
