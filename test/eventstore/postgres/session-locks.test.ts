import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLockSession } from '../../../src/eventstore/postgres/session-locks.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { SOON } from '../../support/soon.ts';
import { terminateSessions } from '../../support/sql.ts';

let database: TestDatabase;
beforeAll(async () => void (database = await createTestDatabase()));
afterAll(() => database.drop());

const open = (name: string) => openLockSession(database.url, { name });

describe('a lock of a session', () => {
  it('is held by one session, until it is unlocked or the session is closed', async () => {
    const [one, other] = [await open('one'), await open('other')];
    expect([await one.tryLock('a'), await other.tryLock('a'), await other.tryLock('b')]).toEqual([true, false, true]);
    await one.unlock('a');
    expect(await other.tryLock('a')).toBe(true);
    await other.close();
    await expect.poll(() => one.tryLock('a'), SOON).toBe(true);
    await one.close();
  });

  it('is free when the server ends the session, which the holder notices', async () => {
    const [one, other] = [await open('ended'), await open('other')];
    await one.tryLock('c');
    expect(one.lost.aborted).toBe(false);
    expect(await terminateSessions(database.url, 'ended')).toBe(1);
    await expect.poll(() => other.tryLock('c'), SOON).toBe(true);
    await expect.poll(() => one.lost.aborted, SOON).toBe(true);
    await expect(one.tryLock('c')).rejects.toThrow();
    for (const session of [one, other]) await session.close();
  });

  it('accepts several statements at the same time', async () => {
    const one = await open('several');
    const answers = await Promise.all([1, 2, 3].map((n) => one.query<{ n: number }>('select $1::int as n', [n])));
    expect(answers.flat().map(({ n }) => n)).toEqual([1, 2, 3]);
    await one.close();
  });
});
