import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createBodyMemory, leastBodyMemory, type BodyShare } from '../../../src/http/server/body-memory.ts';

const MIB = 1024 * 1024;
const LIMIT = leastBodyMemory(10 * MIB);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const open = () => createBodyMemory({ limitBytes: LIMIT, waitMs: 2000 });
const given = async (asked: Promise<BodyShare | undefined>): Promise<BodyShare> =>
  (await asked) ?? expect.fail('there is no room');

/** What a promise has come to by now. */
const now = async <T>(asked: Promise<T>): Promise<T | 'waits'> =>
  Promise.race([asked, new Promise<'waits'>((resolve) => void process.nextTick(() => resolve('waits')))]);

describe('the memory of bodies', () => {
  it('has room for one body of the most bytes, and gives it back once', async () => {
    const memory = open();
    const share = await given(memory.share(10 * MIB));
    expect(memory.usedBytes).toBeGreaterThanOrEqual(10 * MIB);
    expect(memory.usedBytes).toBeLessThanOrEqual(LIMIT);
    share.release();
    share.release();
    expect(memory.usedBytes).toBe(0);
  });

  it('lets a body wait for room, in the order of arrival, and no longer than it may', async () => {
    const memory = open();
    const first = await given(memory.share(10 * MIB));
    const second = memory.share(9 * MIB);
    const third = memory.share(MIB);
    await vi.advanceTimersByTimeAsync(1999);
    expect([await now(second), await now(third)]).toEqual(['waits', 'waits']);
    first.release();
    (await given(second)).release();
    (await given(third)).release();
    expect(memory.usedBytes).toBe(0);

    const all = await given(memory.share(10 * MIB));
    const late = memory.share(MIB);
    await vi.advanceTimersByTimeAsync(2000);
    expect(await late).toBeUndefined();
    all.release();
    expect(memory.usedBytes).toBe(0);
  });

  it('keeps room for small bodies while large ones fill the rest', async () => {
    const memory = open();
    await given(memory.share(10 * MIB));
    expect(await now(memory.share(100_000))).toBe('waits');
    await given(memory.share(60_000));
  });

  it('counts a body of unknown length as it comes, and refuses what does not fit', async () => {
    const memory = open();
    const share = await given(memory.share(0));
    expect(share.addBody(9 * MIB)).toBe(true);
    expect(share.addBody(9 * MIB)).toBe(false);
    expect(share.addMemory(MIB)).toBe(true);
    expect(share.addMemory(LIMIT)).toBe(false);
    share.release();
    expect(memory.usedBytes).toBe(0);
  });

  it('needs less while an answer streams', async () => {
    const memory = open();
    const share = await given(memory.share(10 * MIB));
    const peak = memory.usedBytes;
    share.streaming();
    share.streaming();
    expect(memory.usedBytes).toBe(peak / 2);
    share.release();
    expect(memory.usedBytes).toBe(0);
  });
});
