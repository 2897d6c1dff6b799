import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRun, migrateRuns, type Run } from '../../src/reactions/runs.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { SOON } from '../support/soon.ts';
import { query, terminateSessions } from '../support/sql.ts';

describe('runs', () => {
  let database: TestDatabase;
  const failures: unknown[] = [];
  const started: Run[] = [];
  beforeAll(async () => {
    database = await createTestDatabase();
    await migrateRuns(database.url);
  });
  afterAll(async () => {
    await Promise.all(started.map((run) => run.close()));
    await database.drop();
  });

  const start = async (id: string): Promise<Run> => {
    const run = await createRun({ databaseUrl: database.url, id, failed: (error) => failures.push(error) });
    started.push(run);
    return run;
  };
  /** As if a run had not been seen for so long. */
  const age = (id: string, interval: string): Promise<unknown> =>
    query(database.url, `insert into runs (id, seen_at) values ($1, now() - $2::interval)`, [id, interval]);
  const listed = async (): Promise<readonly string[]> =>
    (await query<{ id: string }>(database.url, 'select id from runs order by id')).map(({ id }) => id);

  it('are live from the moment they begin, and know of one another', async () => {
    const [one, two] = [await start('one'), await start('two')];
    expect((await one.live()).toSorted()).toEqual(['one', 'two']);
    expect((await two.live()).toSorted()).toEqual(['one', 'two']);
    await two.close();
    expect(await one.live()).toEqual(['one']);
  });

  it('are dead after three seconds of silence, by the clock of the database', async () => {
    const [one] = started;
    await age('silent', '3.1 seconds');
    await age('slow', '1.5 seconds');
    expect((await one?.live())?.toSorted()).toEqual(['one', 'slow']);
  });

  it('prove their life again and again', async () => {
    const seenAt = async (): Promise<unknown> =>
      (await query<{ seen_at: Date }>(database.url, `select seen_at from runs where id = 'one'`))[0]?.seen_at.getTime();
    const before = await seenAt();
    await expect.poll(seenAt, SOON).not.toBe(before);
  });

  it('count themselves among the living, and come back, where their row was lost', async () => {
    const [one] = started;
    await query(database.url, `delete from runs where id = 'one'`);
    expect(await one?.live()).toContain('one');
    await expect.poll(listed, SOON).toContain('one');
  });

  it('outlive a broken connection', async () => {
    const [one] = started;
    await terminateSessions(database.url, 'kissapi-runs');
    await query(database.url, `delete from runs where id = 'one'`);
    await expect.poll(listed, SOON).toContain('one');
    expect(await one?.live()).toContain('one');
  });

  it('forget those that have long been dead', async () => {
    await age('ancient', '61 minutes');
    await age('old', '59 minutes');
    await start('three');
    expect(await listed()).toContain('old');
    expect(await listed()).not.toContain('ancient');
  });

  it('end without a row', async () => {
    for (const run of started.splice(0)) if (run.id !== 'two') await run.close();
    expect(await listed()).not.toEqual(expect.arrayContaining(['one']));
    expect(await listed()).not.toEqual(expect.arrayContaining(['three']));
  });
});
