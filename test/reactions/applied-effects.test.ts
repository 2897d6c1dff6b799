import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { watchAppliedEffects, type AppliedEffects } from '../../src/reactions/applied-effects.ts';
import { migrateRuns } from '../../src/reactions/runs/runs.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { SOON } from '../support/soon.ts';
import { query } from '../support/sql.ts';

let database: TestDatabase;
let effects: AppliedEffects;
const failures: unknown[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  await migrateRuns(database.url);
  effects = watchAppliedEffects({
    ...{ databaseUrl: database.url, processes: ['erasure', 'people'], everyMs: 10 },
    failed: (error) => failures.push(error),
  });
});
afterAll(async () => {
  await effects.close();
  await database.drop();
});

const reach = (process: string, position: number): Promise<unknown> =>
  query(database.url, `insert into process_checkpoints (process, position, hash) values ($1, $2, '')`, [
    process,
    position,
  ]);

describe('the effects of events beside the log', () => {
  it('are missing until every process has reached the position', async () => {
    expect(await effects.reached()).toBe(0);
    effects.require(20);
    expect(effects.missing).toBe(20);
    await reach('erasure', 25);
    await reach('people', 19);
    expect(await effects.reached()).toBe(19);
    effects.require(10);
    expect(effects.missing).toBe(20);
    await reach('people', 20);
    await expect.poll(() => effects.missing, SOON).toBeUndefined();
    expect(failures).toEqual([]);
  });
});
