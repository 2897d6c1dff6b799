import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openKeyNetworks, type KeyNetworks } from '../../src/reactions/key-networks.ts';
import { migrateRuns } from '../../src/reactions/runs/runs.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { SOON } from '../support/soon.ts';
import { query } from '../support/sql.ts';

const DAY_MS = 24 * 3_600_000;
const TODAY = Date.parse('2026-01-31T10:30:00.000Z');
let database: TestDatabase;
let time = TODAY;
let networks: KeyNetworks;
const failures: unknown[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await migrateRuns(database.url);
  networks = openKeyNetworks({
    ...{ databaseUrl: database.url, now: () => new Date(time), failed: (error) => failures.push(error) },
    writeEveryMs: 10,
  });
});
afterAll(async () => {
  await networks.close();
  await database.drop();
  expect(failures).toEqual([]);
});
beforeEach(() => query(database.url, 'delete from key_networks'));

/** Uses a key from `count` networks that differ for each `day` (0: today, 1: the day before). */
const use = (keyId: string, day: number, count: number, account = 'acc_1'): void => {
  for (let n = 0; n < count; n++) networks.add(account, keyId, `10.${day}.${n}.0/24`, TODAY - day * DAY_MS);
};
const rows = async (): Promise<number> =>
  Number((await query<{ n: string }>(database.url, 'select count(*) as n from key_networks'))[0]?.n);
const written = (count: number) => expect.poll(rows, SOON).toBe(count);
const keys = async (account?: string) =>
  (await networks.spreads('2026-01-31', account)).map(({ key_id, networks: count, median }) => [key_id, count, median]);

describe('the networks of keys', () => {
  it('show a key with ten new networks in a day, and not one with nine', async () => {
    use('key_10', 0, 10);
    use('key_9', 0, 9);
    await written(19);
    expect(await networks.spreads('2026-01-31')).toEqual([
      {
        ...{ account_id: 'acc_1', key_id: 'key_10', networks: 10, median: 0 },
        since: new Date('2026-01-31T10:00:00Z'),
      },
    ]);
    expect(await networks.spreads('2026-01-30')).toEqual([]);
  });

  it('do not show a key that has as many new networks every day, until it has three times as many', async () => {
    for (let day = 1; day <= 14; day++) use('key_busy', day, 10);
    use('key_busy', 0, 29);
    await written(14 * 10 + 29);
    expect(await keys()).toEqual([]);
    use('key_busy', 0, 30);
    await written(14 * 10 + 30);
    expect(await keys()).toEqual([['key_busy', 30, 10]]);
  });

  it('count a network once: known ones are not new', async () => {
    for (let day = 1; day <= 2; day++) {
      for (let n = 0; n < 12; n++) networks.add('acc_1', 'key_1', `10.9.${n}.0/24`, TODAY - day * DAY_MS);
    }
    for (let n = 0; n < 12; n++) networks.add('acc_1', 'key_1', `10.9.${n}.0/24`, TODAY);
    await written(36);
    expect(await keys()).toEqual([]);
  });

  it('are those of one account if it is named, and go with its erasure', async () => {
    use('key_1', 0, 10, 'acc_2');
    use('key_2', 0, 10, 'acc_3');
    await written(20);
    expect(await keys('acc_3')).toEqual([['key_2', 10, 0]]);
    await networks.forget('acc_3');
    expect(await rows()).toBe(10);
  });

  it('are kept for 30 days', async () => {
    use('key_old', 29, 1);
    await written(1);
    time = TODAY + 2 * DAY_MS;
    await written(0);
    time = TODAY;
  });
});
