import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchReadiness, type Check, type Finding } from '../../../src/gateway/health/readiness.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const well: Finding = { ok: true };
const ill: Finding = { ok: false, reason: 'ill' };

const watch = async (...checks: readonly Check[]) => {
  const changes: unknown[] = [];
  const starting = watchReadiness({ checks, changed: (name, finding) => changes.push([name, finding]) });
  await vi.advanceTimersByTimeAsync(2000);
  return { ...(await starting), changes };
};

describe('readiness', () => {
  it('is the sum of the checks, with the finding of each', async () => {
    const one = await watch({ name: 'a', look: () => well }, { name: 'b', look: () => Promise.resolve(ill) });
    expect(one.now()).toEqual({ ready: false, status: 'not ready', checks: { a: well, b: ill } });
    const other = await watch({ name: 'a', look: () => well });
    expect(other.now()).toEqual({ ready: true, status: 'ok', checks: { a: well } });
  });

  it('looks once a second, however often it is asked, and reports each change once', async () => {
    let [looks, finding] = [0, well];
    const look = (): Finding => (looks++, finding);
    const { now, changes, close } = await watch({ name: 'a', look });
    const before = looks;
    for (let n = 0; n < 100; n++) now();
    await vi.advanceTimersByTimeAsync(3000);
    expect(looks).toBe(before + 3);
    finding = ill;
    await vi.advanceTimersByTimeAsync(3000);
    expect(now().ready).toBe(false);
    finding = well;
    await vi.advanceTimersByTimeAsync(3000);
    expect(now().ready).toBe(true);
    expect(changes).toEqual([
      ['a', ill],
      ['a', well],
    ]);
    await close();
    await vi.advanceTimersByTimeAsync(3000);
    expect(looks).toBe(before + 9);
  });

  it('counts a check that hangs as failed within 3 s, does not start it again, and waits for it nowhere', async () => {
    let [looks, hangs] = [0, false];
    const hung = Promise.withResolvers<Finding>();
    const { now, close } = await watch(
      { name: 'hangs', look: () => (looks++, hangs ? hung.promise : well) },
      { name: 'well', look: () => well },
    );
    hangs = true;
    await vi.advanceTimersByTimeAsync(3000);
    expect(now()).toMatchObject({ ready: false, checks: { hangs: { reason: 'no answer in time' }, well } });
    const before = looks;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(looks).toBe(before);
    hangs = false;
    hung.resolve(well);
    await vi.advanceTimersByTimeAsync(4000);
    expect(now().ready).toBe(true);
    await close();
  });

  it('counts a check that throws as failed, without the text of the error', async () => {
    const { now } = await watch({ name: 'a', look: () => Promise.reject(new Error('secret')) });
    expect(now().checks).toEqual({ a: { ok: false, reason: 'the check failed' } });
  });

  it('does not trust old findings after a pause of the process', async () => {
    const { now } = await watch({ name: 'a', look: () => well });
    vi.setSystemTime(Date.now() + 3_600_000); // The local clock may jump; only the monotonic one counts.
    expect(now().ready).toBe(true);
    const later = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 6000);
    expect(now().ready).toBe(false);
    later.mockRestore();
  });
});
