import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { rehashKeys, type OutdatedKey, type RehashKeys } from '../../src/reactions/rehash-keys.ts';

const key = (n: number): OutdatedKey => ({ accountId: 'acc_1', keyId: `key_${n}`, hash: `hash ${n}`, pepperId: '2' });

describe('rehashing of keys', () => {
  let done: string[];
  let failures: unknown[];
  let fail: boolean;
  let keys: RehashKeys;
  beforeEach(() => {
    vi.useFakeTimers();
    [done, failures, fail] = [[], [], false];
    keys = rehashKeys({
      rehash: ({ keyId }) => {
        done.push(keyId);
        return fail ? Promise.reject(new Error('away')) : Promise.resolve();
      },
      failed: (error) => failures.push(error),
      everyMs: 50,
    });
  });
  afterEach(async () => {
    await keys.close();
    vi.useRealTimers();
  });

  it('writes one key at a time, so that thousands of keys do not flood the log', async () => {
    for (let n = 0; n < 5000; n++) keys.add(key(n));
    await vi.advanceTimersByTimeAsync(1000);
    expect(done.length).toBeGreaterThan(10);
    expect(done.length).toBeLessThanOrEqual(21);
  });

  it('queues each key once', async () => {
    for (let n = 0; n < 100; n++) keys.add(key(n % 2));
    await vi.advanceTimersByTimeAsync(1000);
    expect(done).toEqual(['key_0', 'key_1']);
  });

  it('retries a failed key at its next use, and not immediately', async () => {
    fail = true;
    keys.add(key(0));
    keys.add(key(1));
    await vi.advanceTimersByTimeAsync(4000);
    expect(done).toEqual(['key_0']);
    expect(failures).toHaveLength(1);
    fail = false;
    keys.add(key(0));
    await vi.advanceTimersByTimeAsync(6000);
    expect(done).toEqual(['key_0', 'key_1', 'key_0']);
  });

  it('stops when the gateway stops', async () => {
    for (let n = 0; n < 100; n++) keys.add(key(n));
    await vi.advanceTimersByTimeAsync(0);
    await keys.close();
    await vi.advanceTimersByTimeAsync(1000);
    expect(done).toEqual(['key_0']);
  });
});
