import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { expireLots, type DueAccount } from '../../src/reactions/expire-lots.ts';

const ends = (accountId: string, endedAt: number): DueAccount => ({
  accountId,
  endedAt: new Date(endedAt),
  revision: 3,
});

/** Accounts that tests add; what has been recorded is due no more. */
const createWorld = (expire?: (account: DueAccount) => Promise<void>) => {
  const world = { now: 0, ending: [] as DueAccount[], expired: [] as string[], failures: [] as unknown[] };
  const reaction = expireLots({
    now: () => new Date(world.now),
    due: (at) => Promise.resolve(world.ending.filter(({ endedAt }) => endedAt <= at)),
    expire: async (account, at) => {
      await expire?.(account);
      world.ending = world.ending.filter((one) => one !== account);
      world.expired.push(`${account.accountId} at ${at.getTime()}`);
    },
    failed: (error) => world.failures.push(error),
  });
  return { world, reaction };
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('lots with an end', () => {
  it('end when their time comes, also if the clock jumps', async () => {
    const { world, reaction } = createWorld();
    world.ending = [ends('acc_1', 10), ends('acc_2', 11), ends('acc_3', 90_000_000)];
    await vi.advanceTimersByTimeAsync(2000);
    expect(world.expired).toEqual([]);
    world.now = 10;
    await vi.advanceTimersByTimeAsync(1000);
    expect(world.expired).toEqual(['acc_1 at 10']);
    world.now = 90_000_000;
    await vi.advanceTimersByTimeAsync(1000);
    expect(world.expired).toEqual(['acc_1 at 10', 'acc_2 at 90000000', 'acc_3 at 90000000']);
    expect(world.ending).toEqual([]);
    await reaction.close();
  });

  it('end although the end of another one cannot be recorded, which is tried again less often', async () => {
    let isBroken = true;
    let tries = 0;
    const { world, reaction } = createWorld((account) => {
      if (account.accountId !== 'acc_1') return Promise.resolve();
      tries++;
      return isBroken ? Promise.reject(new Error('no database')) : Promise.resolve();
    });
    world.ending = [ends('acc_1', 0), ends('acc_2', 0)];
    await vi.advanceTimersByTimeAsync(9000);
    expect(world.expired).toEqual(['acc_2 at 0']);
    expect(world.failures).toEqual([new Error('no database')]);
    expect(tries).toBe(1);
    isBroken = false;
    await vi.advanceTimersByTimeAsync(2000);
    expect(world.expired).toEqual(['acc_2 at 0', 'acc_1 at 0']);
    await reaction.close();
  });
});
