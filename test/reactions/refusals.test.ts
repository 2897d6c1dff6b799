import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRefusals, type Refusal, type Refusals } from '../../src/reactions/refusals.ts';
import { migrateRuns } from '../../src/reactions/runs/runs.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { SOON } from '../support/soon.ts';
import { query } from '../support/sql.ts';

describe('refusals', () => {
  let database: TestDatabase;
  let time = Date.parse('2026-01-31T10:00:00.000Z');
  const failures: unknown[] = [];
  const opened: Refusals[] = [];
  const open = (): Refusals => {
    const refusals = openRefusals({
      ...{ databaseUrl: database.url, now: () => new Date(time), failed: (error) => failures.push(error) },
      writeEveryMs: 10,
    });
    opened.push(refusals);
    return refusals;
  };
  beforeAll(async () => {
    database = await createTestDatabase();
    await migrateRuns(database.url);
  });
  afterAll(async () => {
    await Promise.all(opened.map((one) => one.close()));
    await database.drop();
  });

  const refusal = (accountId: string, over: Partial<Refusal> = {}): Refusal => ({
    ...{ accountId, keyId: 'key_1', code: 'insufficient_credits', status: 402, requestId: `req_${randomUUID()}` },
    ...{ figures: 'Needed: $1', at: new Date(time), ...over },
  });

  it('can be looked up by the request id and by the account', async () => {
    const refusals = open();
    const one = refusal('acc_1');
    refusals.add(one);
    await expect
      .poll(() => refusals.byRequest(one.requestId), SOON)
      .toMatchObject([
        {
          account_id: 'acc_1',
          key_id: 'key_1',
          code: 'insufficient_credits',
          status: 402,
          count: 1,
          figures: 'Needed: $1',
        },
      ]);
    expect(await refusals.byRequest('req_unknown')).toEqual([]);
    expect(await refusals.ofAccount('acc_1', 10)).toHaveLength(1);
    expect(await refusals.ofAccount('acc_9', 10)).toEqual([]);
  });

  it('are added up by the minute, on all nodes together', async () => {
    const nodes = [open(), open()];
    for (let n = 0; n < 50; n++) for (const node of nodes) node.add(refusal('acc_2', { figures: `Needed: $${n}` }));
    const kept = () => opened[0]?.ofAccount('acc_2', 10);
    await expect.poll(kept, SOON).toMatchObject([{ count: 100, figures: 'Needed: $49' }]);
    expect((await kept())?.[0]?.request_ids).toHaveLength(20);
    opened[0]?.add(refusal('acc_2', { at: new Date(time + 60_000) }));
    await expect.poll(kept, SOON).toMatchObject([{ count: 1 }, { count: 100 }]);
    expect(await opened[0]?.ofAccount('acc_2', 10, new Date(time + 60_000))).toMatchObject([{ count: 100 }]);
  });

  it('show a key that hit a limit of requests in twelve hours of a day', async () => {
    const refusals = open();
    const day = Date.parse('2026-02-03T00:30:00.000Z');
    const limited = (accountId: string, hours: number, code: string): void => {
      for (let hour = 0; hour < hours; hour++) {
        for (const minute of [0, 1]) {
          const at = new Date(day + hour * 3_600_000 + minute * 60_000);
          refusals.add(refusal(accountId, { code, status: 429, at }));
        }
      }
    };
    limited('acc_7', 12, 'rate_limit_exceeded');
    limited('acc_8', 11, 'concurrency_limit_exceeded');
    limited('acc_9', 13, 'insufficient_credits');
    await expect.poll(() => refusals.ofAccount('acc_9', 100), SOON).toHaveLength(26);
    const shown = { account_id: 'acc_7', key_id: 'key_1', hours: 12, since: new Date(day) };
    expect(await refusals.limitedAllDay('2026-02-03')).toEqual([shown]);
    expect(await refusals.limitedAllDay('2026-02-03', 'acc_8')).toEqual([]);
    expect(await refusals.limitedAllDay('2026-02-04')).toEqual([]);
    await query(database.url, `delete from refusals where account_id in ('acc_7', 'acc_8', 'acc_9')`);
  });

  it('are listed in pages that end with a whole minute', async () => {
    const refusals = open();
    for (const keyId of ['key_1', 'key_2', 'key_3']) refusals.add(refusal('acc_6', { keyId }));
    refusals.add(refusal('acc_6', { at: new Date(time - 60_000) }));
    await expect.poll(() => refusals.ofAccount('acc_6', 10), SOON).toHaveLength(4);
    const page = await refusals.ofAccount('acc_6', 1);
    expect(page).toHaveLength(3);
    expect(await refusals.ofAccount('acc_6', 10, page.at(-1)?.minute)).toHaveLength(1);
  });

  it('are written when they are closed', async () => {
    const refusals = openRefusals({
      ...{ databaseUrl: database.url, now: () => new Date(time), failed: (error) => failures.push(error) },
      writeEveryMs: 3_600_000,
    });
    refusals.add(refusal('acc_3'));
    await refusals.close();
    expect(await opened[0]?.ofAccount('acc_3', 10)).toHaveLength(1);
  });

  it('are kept for 30 days', async () => {
    time += 31 * 86_400_000;
    const refusals = open();
    refusals.add(refusal('acc_4'));
    const left = () => query<{ account_id: string }>(database.url, 'select distinct account_id from refusals');
    await expect.poll(left, SOON).toEqual([{ account_id: 'acc_4' }]);
  });

  it('that cannot be written are kept in memory until they can', async () => {
    const refusals = open();
    await query(database.url, 'alter table refusals rename to refusals_away');
    refusals.add(refusal('acc_5'));
    await expect.poll(() => failures.length, SOON).toBeGreaterThan(0);
    refusals.add(refusal('acc_5'));
    await query(database.url, 'alter table refusals_away rename to refusals');
    await expect.poll(() => refusals.ofAccount('acc_5', 10), SOON).toMatchObject([{ count: 2 }]);
  });
});
