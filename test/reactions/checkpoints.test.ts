import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { signCheckpoints, type CheckpointsOptions } from '../../src/reactions/checkpoints.ts';

type Sign = CheckpointsOptions<number>['sign'];

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const start = (sign: Sign) => {
  const signed: number[] = [];
  const alarms: unknown[] = [];
  const failures: unknown[] = [];
  const reaction = signCheckpoints<number>({
    sign,
    signed: (checkpoint) => signed.push(checkpoint),
    alarmed: (flaw) => alarms.push(flaw),
    failed: (error) => failures.push(error),
  });
  return { signed, alarms, failures, reaction };
};

describe('the head of the log', () => {
  it('is checked every second, and signed when the process stops at the latest', async () => {
    const asked: { events: number; ms: number }[] = [];
    const { signed, reaction } = start((due) => Promise.resolve({ kind: 'signed', checkpoint: asked.push(due) }));
    await vi.advanceTimersByTimeAsync(3500);
    expect(signed).toEqual([1, 2, 3, 4]);
    expect(asked[0]).toEqual({ events: 10_000, ms: 10_000 });
    await reaction.close();
    expect(asked.at(-1)).toEqual({ events: 1, ms: 0 });
    expect(signed).toHaveLength(5);
    await vi.advanceTimersByTimeAsync(5000);
    expect(signed).toHaveLength(5);
  });

  it('is checked again after a failure', async () => {
    let down = true;
    const { signed, failures, reaction } = start(() =>
      down ? Promise.reject(new Error('down')) : Promise.resolve({ kind: 'signed', checkpoint: 1 }),
    );
    await vi.advanceTimersByTimeAsync(2500);
    expect(failures).toHaveLength(3);
    down = false;
    await vi.advanceTimersByTimeAsync(1000);
    expect(signed).toEqual([1]);
    down = true;
    await reaction.close(); // Also where the last cannot be signed.
    expect(failures).toHaveLength(4);
  });

  it('raises an alarm while it differs from what was signed', async () => {
    const flaw = { position: 7, what: 'gone' };
    const { alarms, reaction } = start(() => Promise.resolve({ kind: 'tampered', ...flaw }));
    await vi.advanceTimersByTimeAsync(25_000);
    expect(alarms).toEqual([flaw, flaw, flaw]);
    await reaction.close();
  });
});
