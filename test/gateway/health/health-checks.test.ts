import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StoreFull, StoreUnavailable } from '../../../src/eventstore/event-store.ts';
import { NoRoom, type LogState } from '../../../src/eventstore/postgres/log-probe.ts';
import { healthChecks, type FollowerStanding } from '../../../src/gateway/health/health-checks.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const at = (position: number): FollowerStanding => ({ position, failed: false, keptByOthers: false });

/** A node where all is well, but for what a test changes. */
const node = () => {
  const is = {
    log: { head: 5, readOnly: false, databaseMs: 1000, sentAt: 999, heardAt: 1001 } as LogState,
    look: undefined as (() => Promise<LogState>) | undefined,
    room: () => Promise.resolve(),
    tryAppend: vi.fn(() => Promise.resolve()),
    appends: { fault: undefined as Error | undefined, waitingMs: 0, succeededMs: Infinity },
    rows: at(5),
    lookUps: at(5),
    movedMs: undefined as number | undefined,
  };
  const checks = healthChecks({
    probe: {
      look: () => is.look?.() ?? Promise.resolve(is.log),
      lookForRoom: () => is.room(),
      tryAppend: () => is.tryAppend(),
    },
    appends: () => is.appends,
    rows: () => is.rows,
    lookUps: () => is.lookUps,
    movedMs: () => is.movedMs,
  });
  const found = async (name: string) => checks.find((check) => check.name === name)?.look();
  return { is, found };
};

describe('the check of the log', () => {
  it('succeeds while the database answers and takes writes', async () => {
    expect(await node().found('log')).toEqual({ ok: true });
  });
  it('fails if the database is read-only', async () => {
    const { is, found } = node();
    is.log = { ...is.log, readOnly: true };
    expect(await found('log')).toEqual({ ok: false, reason: 'the database is read-only' });
  });
  it('fails if the database cannot be reached', async () => {
    const { is, found } = node();
    is.look = () => Promise.reject(new Error('ECONNREFUSED secret@host'));
    expect(await found('log')).toEqual({ ok: false, reason: 'the database cannot be reached' });
  });
  it('fails if an append waits for its answer', async () => {
    const { is, found } = node();
    is.appends = { ...is.appends, waitingMs: 3000 };
    expect(await found('log')).toMatchObject({ ok: false, reason: 'appends are not answered' });
  });
  it('fails if there is no room on the disk, unless an append has just succeeded', async () => {
    const { is, found } = node();
    is.room = () => Promise.reject(new NoRoom('full'));
    expect(await found('log')).toMatchObject({ ok: false, reason: 'the disk of the database is full' });
    is.appends = { ...is.appends, succeededMs: 100 };
    expect(await found('log')).toEqual({ ok: true });
  });
  it.each([
    [new StoreFull('full'), 'the disk of the database is full'],
    [new StoreUnavailable('away'), 'the log takes no appends'],
  ])('fails after an append has failed, until one could be made again, without requests: %s', async (fault, reason) => {
    const { is, found } = node();
    is.appends = { ...is.appends, fault };
    is.tryAppend.mockRejectedValueOnce(new Error('still'));
    expect(await found('log')).toMatchObject({ ok: false, reason });
    expect(await found('log')).toEqual({ ok: true });
    expect(await found('log')).toEqual({ ok: true });
    expect(is.tryAppend).toHaveBeenCalledTimes(2);
    is.appends = { ...is.appends, fault: new StoreFull('again') };
    is.tryAppend.mockRejectedValueOnce(new Error('again'));
    expect(await found('log')).toMatchObject({ ok: false });
  });
});

describe('the check of the head', () => {
  it('fails if the log ends before what was read of it, until it does not', async () => {
    const { is, found } = node();
    is.log = { ...is.log, head: 3 };
    expect(await found('head')).toMatchObject({ ok: false, behind: 2 });
    is.lookUps = at(3);
    expect(await found('head')).toEqual({ ok: true });
  });
});

describe.each(['rows', 'look_ups'] as const)('the check of the %s', (name) => {
  const standing = name === 'rows' ? 'rows' : 'lookUps';

  it('counts how many events they are behind', async () => {
    const { is, found } = node();
    is[standing] = at(3);
    expect(await found(name)).toEqual({ ok: true, behind: 2 });
  });
  it('fails if they do not move for 2.5 s while they are behind, and not while they move or have nothing to do', async () => {
    const { is, found } = node();
    for (let head = 6; head < 20; head++) {
      is.log = { ...is.log, head: head + 10 };
      is[standing] = at(head);
      expect(await found(name)).toMatchObject({ ok: true });
      await vi.advanceTimersByTimeAsync(2000);
    }
    await vi.advanceTimersByTimeAsync(1000);
    expect(await found(name)).toMatchObject({ ok: false, reason: 'it does not follow the log', behind: 10 });
    is[standing] = at(29);
    expect(await found(name)).toEqual({ ok: true, behind: 0 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await found(name)).toEqual({ ok: true, behind: 0 });
    is.log = { ...is.log, head: 30 };
    expect(await found(name)).toEqual({ ok: true, behind: 1 });
  });
  it('fails as soon as following fails', async () => {
    const { is, found } = node();
    is[standing] = { ...at(5), failed: true };
    expect(await found(name)).toMatchObject({ ok: false, reason: 'following the log failed' });
  });
});

describe('the check of the rows', () => {
  it('does not fail a node of an older release whose rows are kept by newer nodes', async () => {
    const { is, found } = node();
    is.rows = { ...at(3), keptByOthers: true };
    await found('rows');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await found('rows')).toEqual({ ok: true, behind: 2 });
  });
});

describe('the check of the clock', () => {
  it.each([
    [1000, true, 0],
    [1_000_000, false, -998_999],
    [-60_000, false, 60_999],
    [-20_000, true, 20_999],
  ])('of a database at %s fails if the clock of the machine is far off', async (databaseMs, ok, ahead_ms) => {
    const { is, found } = node();
    is.log = { ...is.log, databaseMs };
    expect(await found('clock')).toMatchObject({ ok, ahead_ms });
  });
  it('states that time is simulated if the clock of the log was moved, and not otherwise', async () => {
    const { is, found } = node();
    expect(await found('clock')).toEqual({ ok: true, ahead_ms: 0 });
    is.movedMs = 14 * 24 * 60 * 60_000;
    expect(await found('clock')).toEqual({
      ...{ ok: true, ahead_ms: 0 },
      ...{ moved_ms: is.movedMs, simulated: 'clock moved forward by 14 days' },
    });
  });
});
