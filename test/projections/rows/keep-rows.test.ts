import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openLog } from '../../support/stores/log.ts';
import type { ChainedLog } from '../../../src/eventstore/chained-log.ts';
import { createDatabase, type Database } from '../../../src/projections/database.ts';
import type { Follower } from '../../../src/projections/follow.ts';
import { keepRows, type KeepRowsOptions } from '../../../src/projections/rows/keep-rows.ts';
import { projections } from '../../../src/projections/rows/live.ts';
import { createMissingTables } from '../../../src/projections/rebuild/rebuild.ts';
import { acceptTerms, register, topUp } from '../../domain/account/examples.ts';
import { createNode } from '../../eventstore/nodes.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';
import { SOON } from '../../support/soon.ts';

/** Long enough that rows move only for a caller that waits. */
const FOR_EVER_MS = 1_000_000;

let test: TestDatabase;
let store: ChainedLog;
let database: Database;
let node: ReturnType<typeof createNode>;
let rows: Follower | undefined;
let failures: string[];
beforeAll(async () => {
  test = await createMigratedDatabase();
  store = openLog(test.url);
  database = createDatabase(test.url);
  await createMissingTables(database, projections);
  node = createNode(store);
});
afterAll(async () => {
  await node.committer.close();
  await store.close();
  await database.$pool.end();
  await test.drop();
});
beforeEach(() => {
  failures = [];
});
afterEach(async () => {
  await rows?.close();
  rows = undefined;
});

const keep = (over: Partial<KeepRowsOptions> = {}): Follower =>
  (rows = keepRows({
    databaseUrl: test.url,
    gatherMs: FOR_EVER_MS,
    keptByOthers: () => undefined,
    failed: (consumer, error) => failures.push(`${consumer}: ${String(error)}`),
    ...over,
  }));
const open = async (): Promise<string> => {
  const account = `acc_${randomUUID()}`;
  for (const command of [register(), acceptTerms(), topUp(7n)]) await node.execute(account, command);
  return account;
};
const toppedUp = async (account: string): Promise<bigint | undefined> =>
  (
    await database.oneOrNone<{ topped_up: bigint }>(
      'select topped_up from projections.balances where account_id = $1',
      [account],
    )
  )?.topped_up;

describe('the thread that keeps the rows', () => {
  it('takes in at once what somebody waits for', async () => {
    const follower = keep();
    for (let n = 0; n < 3; n++) {
      const account = await open();
      await follower.reached(await store.head());
      expect(await toppedUp(account)).toBe(7n);
    }
    expect(follower.position).toBe(await store.head());
    expect(failures).toEqual([]);
  });

  it('forgets who waits no longer', async () => {
    const follower = keep();
    await follower.reached(await store.head());
    const patience = new AbortController();
    const waited = follower.reached(Number.MAX_SAFE_INTEGER, patience.signal);
    patience.abort();
    await waited;
    await follower.reached(Number.MAX_SAFE_INTEGER, AbortSignal.abort());
    // No caller waits any more: at most one batch later, what is new waits to gather. Once may be mere slowness.
    const left = new Set<string>();
    const isLeft = async (): Promise<number> => {
      const account = await open();
      await sleep(300);
      if ((await toppedUp(account)) !== undefined) left.clear();
      else left.add(account);
      return left.size;
    };
    await expect.poll(isLeft, SOON).toBe(2);
    await follower.reached(await store.head());
    for (const account of left) expect(await toppedUp(account)).toBe(7n);
  });

  it('reports what prevents it from following, and when it follows again', async () => {
    const follower = keep({ gatherMs: 10 });
    await follower.reached(await store.head());
    await database.none('alter table projections.balances rename to elsewhere');
    const account = await open();
    await expect.poll(() => follower.failure?.message, SOON).toContain('balances');
    expect(failures[0]).toMatch(/^projections: .*balances/);
    await database.none('alter table projections.elsewhere rename to balances');
    await expect.poll(() => toppedUp(account), SOON).toBe(7n);
    await expect.poll(() => follower.failure, SOON).toBeUndefined();
  });

  it('is started again where it ended by itself, for those who wait as well', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kissapi-thread-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const thread = join(folder, 'thread.mjs');
    const worker = new URL('../../../src/projections/rows/rows-worker.ts', import.meta.url).href;
    const marked = `${thread}.once`;
    await writeFile(
      thread,
      `import { existsSync, writeFileSync } from 'node:fs';
       if (existsSync(${JSON.stringify(marked)})) await import(${JSON.stringify(worker)});
       else { writeFileSync(${JSON.stringify(marked)}, ''); throw new Error('the first time'); }`,
    );
    const account = await open();
    const follower = keep({ thread: pathToFileURL(thread) });
    await follower.reached(await store.head());
    expect(failures).toEqual(['projections: Error: the thread that keeps the rows ended: it is started again']);
    expect(await toppedUp(account)).toBe(7n);
    expect(follower.failure).toBeUndefined();
  });

  it('lets those go who wait when it is closed, also before it has started', async () => {
    const follower = keep();
    const waited = follower.reached(Number.MAX_SAFE_INTEGER);
    await follower.close();
    await waited;
  });
});
