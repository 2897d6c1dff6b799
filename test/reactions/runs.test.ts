import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { READABLE_VERSIONS } from '../../src/eventstore/journal/codec.ts';
import { readableByAll, type ReadableVersions } from '../../src/eventstore/event-versions.ts';
import { UNSTATED_VERSIONS } from '../../src/eventstore/journal/unstated-versions.ts';
import { createRun, type Run } from '../../src/reactions/runs/runs.ts';
import { createMigratedDatabase, type TestDatabase } from '../support/database.ts';
import { SOON } from '../support/soon.ts';
import { query, takeAway, terminateSessions } from '../support/sql.ts';

describe('runs', () => {
  let database: TestDatabase;
  const failures: unknown[] = [];
  const clocksOff: number[] = [];
  const started: Run[] = [];
  beforeAll(async () => {
    database = await createMigratedDatabase();
  });
  afterAll(async () => {
    await Promise.all(started.map((run) => run.close()));
    await database.drop();
  });

  const start = async (id: string, beatMs?: number, wall?: () => number): Promise<Run> => {
    const pace = beatMs === undefined ? {} : { beatMs };
    const told = { failed: (error: unknown) => failures.push(error), clockOff: (ms: number) => clocksOff.push(ms) };
    const run = await createRun({ databaseUrl: database.url, id, ...told, ...pace, ...(wall ? { wall } : {}) });
    started.push(run);
    return run;
  };
  /** As if a run had not been seen for so long. */
  const age = (id: string, interval: string): Promise<unknown> =>
    query(database.url, `insert into runs (id, seen_at) values ($1, now() - $2::interval)`, [id, interval]);
  const listed = async (): Promise<readonly string[]> =>
    (await query<{ id: string }>(database.url, 'select id from runs order by id')).map(({ id }) => id);

  it('are alive from their start, and list each other', async () => {
    const [one, two] = [await start('one'), await start('two')];
    expect((await one.live())?.toSorted()).toEqual(['one', 'two']);
    expect((await two.live())?.toSorted()).toEqual(['one', 'two']);
    await two.close();
    expect(await one.live()).toEqual(['one']);
  });

  it('are dead after three seconds without a heartbeat, by the clock of the database', async () => {
    const [one] = started;
    await age('silent', '3.1 seconds');
    await age('slow', '1.5 seconds');
    expect((await one?.live())?.toSorted()).toEqual(['one', 'slow']);
  });

  it('send heartbeats regularly', async () => {
    const seenAt = async (): Promise<unknown> =>
      (await query<{ seen_at: Date }>(database.url, `select seen_at from runs where id = 'one'`))[0]?.seen_at.getTime();
    const before = await seenAt();
    await expect.poll(seenAt, SOON).not.toBe(before);
  });

  it('detect that the database lost an earlier heartbeat', async () => {
    let losses = 0;
    const run = await createRun({
      ...{ databaseUrl: database.url, id: 'put back', beatMs: 20, clockOff: () => undefined },
      failed: (error) => failures.push(error),
      databaseWentBack: () => void losses++,
    });
    started.push(run);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(losses).toBe(0);
    // Again and again, because a heartbeat at the same moment hides the change.
    const lossesAfter = async (sql: string): Promise<number> => {
      await query(database.url, `${sql} where id = 'put back'`);
      return losses;
    };
    await expect
      .poll(() => lossesAfter(`update runs set seen_at = seen_at - interval '2 seconds'`), SOON)
      .toBeGreaterThan(0);
    losses = 0;
    await expect.poll(() => lossesAfter('delete from runs'), SOON).toBeGreaterThan(0);
    await run.close();
  });

  it('list themselves, and restore their row if it was lost', async () => {
    const [one] = started;
    await query(database.url, `delete from runs where id = 'one'`);
    expect(await one?.live()).toContain('one');
    await expect.poll(listed, SOON).toContain('one');
  });

  it('survive a broken connection', async () => {
    const [one] = started;
    await terminateSessions(database.url, 'kissapi-runs');
    await query(database.url, `delete from runs where id = 'one'`);
    await expect.poll(listed, SOON).toContain('one');
    await expect.poll(async () => one?.live(), SOON).toContain('one');
  });

  it('do not count each other as dead because the database was unreachable', async () => {
    const quick = [await start('quick', 100), await start('quicker', 100)];
    const giveBack = await takeAway(database.url);
    failures.length = 0;
    await expect.poll(() => failures.length, SOON).toBeGreaterThan(10);
    await giveBack();
    const told: (readonly string[])[] = [];
    const askBoth = async (): Promise<number> => {
      const asked = await Promise.all(quick.map((run) => run.live().catch(() => undefined)));
      const telling = asked.filter((live) => live !== undefined);
      told.push(...telling);
      return telling.length;
    };
    await expect.poll(askBoth, SOON).toBe(2);
    // From the first report on, both were reported.
    for (const live of told) expect(live).toEqual(expect.arrayContaining(['quick', 'quicker']));
    for (const run of quick) await run.close();
  });

  it('delete the rows of runs that have long been dead', async () => {
    await age('ancient', '61 minutes');
    await age('old', '59 minutes');
    await start('three');
    expect(await listed()).toContain('old');
    expect(await listed()).not.toContain('ancient');
  });

  it.each([
    ['fast', 3_600_000],
    ['slow', -3_600_000],
  ])('go by the clock of the database, though that of the machine is %s, and say so once', async (id, off) => {
    clocksOff.length = 0;
    const seenAt = async (): Promise<number> =>
      (
        await query<{ seen_at: Date }>(database.url, `select seen_at from runs where id = '${id}'`)
      )[0]?.seen_at.getTime() ?? 0;
    const run = await start(id, 50, () => Date.now() + off);
    const first = await seenAt();
    expect(Math.abs(run.now().getTime() - first)).toBeLessThan(60_000);
    await expect.poll(seenAt, SOON).toBeGreaterThan(first + 100);
    expect(clocksOff).toHaveLength(1);
    expect(Math.abs((clocksOff[0] ?? 0) - off)).toBeLessThan(60_000);
    await run.close();
  });

  it('do not report a correct clock', async () => {
    clocksOff.length = 0;
    const run = await start('well set');
    expect(clocksOff).toEqual([]);
    await run.close();
  });

  it('state what they can read, and report what all live runs can read', async () => {
    await query(database.url, 'delete from runs');
    const seen: ReadableVersions[] = [];
    const [clock, pace] = [{ failed: () => undefined, clockOff: () => undefined }, { beatMs: 50 }];
    const readable = (versions: ReadableVersions): void => void seen.push(versions);
    const run = await createRun({ databaseUrl: database.url, id: 'reader', ...clock, ...pace, readable });
    expect(seen.at(-1)).toEqual(READABLE_VERSIONS);
    const keepAlive = (id: string, reads: string | null): Promise<unknown> =>
      query(database.url, `insert into runs (id, reads, seen_at) values ($1, $2::jsonb, now() + interval '1 hour')`, [
        id,
        reads,
      ]);
    await keepAlive('of the release before', null);
    await expect.poll(() => seen.at(-1), SOON).toEqual(readableByAll([READABLE_VERSIONS, UNSTATED_VERSIONS]));
    await keepAlive('of another release', '{"KeyIssued":1}');
    await expect.poll(() => seen.at(-1), SOON).toEqual({ KeyIssued: 1 });
    await query(database.url, `delete from runs where id <> 'reader'`);
    await expect.poll(() => seen.at(-1), SOON).toEqual(READABLE_VERSIONS);
    await run.close();
  });

  it('end without a row', async () => {
    for (const run of started.splice(0)) if (run.id === 'one' || run.id === 'three') await run.close();
    expect(await listed()).not.toEqual(expect.arrayContaining(['one']));
    expect(await listed()).not.toEqual(expect.arrayContaining(['three']));
  });
});

describe('runs that accept several secrets', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createMigratedDatabase();
  });
  afterAll(() => database.drop());

  it('report which of their secrets every live run accepts', async () => {
    const told: unknown[] = [];
    const accept = (id: string, peppers: readonly string[], masterKeys: readonly string[]): Promise<Run> =>
      createRun({
        ...{ databaseUrl: database.url, id, beatMs: 1000, accepts: { peppers, masterKeys } },
        ...{ failed: () => undefined, clockOff: () => undefined },
        ...(id === 'both' ? { acceptedByAll: (accepted) => told.push(accepted) } : {}),
      });
    const both = await accept('both', ['2', '1'], ['b', 'a']);
    expect(told.at(-1)).toEqual({ peppers: ['2', '1'], masterKeys: ['b', 'a'] });
    const old = await accept('old', ['1'], ['a']);
    await expect.poll(() => told.at(-1), SOON).toEqual({ peppers: ['1'], masterKeys: ['a'] });
    await old.close();
    await expect.poll(() => told.at(-1), SOON).toEqual({ peppers: ['2', '1'], masterKeys: ['b', 'a'] });
    // A run of the release before states nothing, and counts as accepting nothing.
    await query(database.url, `insert into runs (id) values ('before')`);
    await expect.poll(() => told.at(-1), SOON).toEqual({ peppers: [], masterKeys: [] });
    await query(database.url, `delete from runs where id = 'before'`);
    await both.close();
  });
});
