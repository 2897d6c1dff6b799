import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  releaseOrphanedHolds,
  type OpenHold,
  type OrphanedHoldsOptions,
} from '../../src/reactions/runs/orphaned-holds.ts';

const hold = (requestId: string, runId: string): OpenHold => ({ requestId, accountId: 'acc_1', runId });

const PAGE = 3;

/** Holds and runs that tests change; what is released is open no more. */
const createWorld = (over: Partial<OrphanedHoldsOptions> = {}) => {
  const world = {
    live: ['run_1'],
    open: [] as OpenHold[],
    released: [] as string[],
    failures: [] as unknown[],
  };
  const options: OrphanedHoldsOptions = {
    liveRuns: () => Promise.resolve(world.live),
    openHoldsOfOtherRuns: (runs, afterId) =>
      Promise.resolve(
        world.open.filter(({ runId, requestId }) => !runs.includes(runId) && requestId > afterId).slice(0, PAGE),
      ),
    isUnderWay: () => false,
    release: ({ requestId }) => {
      const before = world.open.length;
      world.open = world.open.filter((one) => one.requestId !== requestId);
      return Promise.resolve(world.open.length < before);
    },
    released: ({ requestId }) => world.released.push(requestId),
    failed: (error) => world.failures.push(error),
    ...over,
  };
  const reaction = releaseOrphanedHolds(options);
  return { world, reaction };
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Several looks. */
const later = (): Promise<unknown> => vi.advanceTimersByTimeAsync(2000);

describe('orphaned holds', () => {
  it('are released, unless their run is alive', async () => {
    const { world, reaction } = createWorld();
    world.live.push('run_2');
    world.open = [hold('a', 'run_1'), hold('b', 'run_2'), hold('c', 'run_3'), hold('d', 'run_4')];
    await later();
    expect(world.released).toEqual(['c', 'd']);

    world.live = ['run_1'];
    await later();
    expect(world.released).toEqual(['c', 'd', 'b']);
    expect(world.open).toEqual([hold('a', 'run_1')]);
    await reaction.close();
  });

  it('do not include holds of a run that started during the search', async () => {
    const { world, reaction } = createWorld({
      openHoldsOfOtherRuns: (runs, afterId) => {
        // This process was paused between its two questions.
        world.live = ['run_1', 'run_2'];
        const open = [hold('a', 'run_2'), hold('b', 'run_3')];
        return Promise.resolve(open.filter(({ runId, requestId }) => !runs.includes(runId) && requestId > afterId));
      },
      release: ({ requestId }) => Promise.resolve(requestId > ''),
    });
    await vi.advanceTimersByTimeAsync(0);
    expect(world.released).toEqual(['b']);
    await reaction.close();
  });

  it('are searched for immediately at the start', async () => {
    const { world, reaction } = createWorld();
    world.open = [hold('a', 'run_9')];
    await vi.advanceTimersByTimeAsync(0);
    expect(world.released).toEqual(['a']);
    await reaction.close();
  });

  it('are reported only by the process that released them', async () => {
    const { world, reaction } = createWorld({ release: () => Promise.resolve(false) });
    world.open = [hold('a', 'run_3')];
    await later();
    expect(world.released).toEqual([]);
    await reaction.close();
  });

  it('are released even if one fails, which is tried again', async () => {
    let broken = true;
    const ended: string[] = [];
    const { world, reaction } = createWorld({
      release: ({ requestId }) => {
        if (requestId === 'b' && broken) return Promise.reject(new Error('not now'));
        if (ended.includes(requestId)) return Promise.resolve(false);
        ended.push(requestId);
        return Promise.resolve(true);
      },
    });
    world.open = [hold('a', 'run_3'), hold('b', 'run_3'), hold('c', 'run_3')];
    await later();
    expect(world.released).toEqual(['a', 'c']);
    expect(world.failures.length).toBeGreaterThan(1);
    broken = false;
    await later();
    expect(world.released).toEqual(['a', 'c', 'b']);
    await reaction.close();
  });

  it('are released even if one or more pages fail', async () => {
    const stuck = ['a', 'b', 'c', 'd'];
    const { world, reaction } = createWorld({
      release: ({ requestId }) =>
        stuck.includes(requestId) ? Promise.reject(new Error('never')) : Promise.resolve(true),
    });
    world.open = [...stuck, 'e', 'f', 'g', 'h'].map((id) => hold(id, 'run_3'));
    await vi.advanceTimersByTimeAsync(0);
    expect(world.released).toEqual(['e', 'f', 'g', 'h']);
    // One for each page that had some, however many.
    expect(world.failures).toHaveLength(2);
    await reaction.close();
  });

  it('do not include holds of a run that started while others were released', async () => {
    const { world, reaction } = createWorld({
      release: ({ requestId }) => {
        if (requestId !== 'c') return Promise.resolve(true);
        world.live = ['run_1', 'run_4'];
        world.open.push(hold('d', 'run_4'), hold('e', 'run_3'));
        return Promise.resolve(true);
      },
    });
    world.open = ['a', 'b', 'c'].map((id) => hold(id, 'run_3'));
    await vi.advanceTimersByTimeAsync(0);
    expect(world.released).toEqual(['a', 'b', 'c', 'e']);
    await reaction.close();
  });

  it('are released only once the database answers again', async () => {
    let down = true;
    const { world, reaction } = createWorld({
      liveRuns: () => (down ? Promise.reject(new Error('down')) : Promise.resolve(['run_1'])),
    });
    world.open = [hold('a', 'run_3')];
    await later();
    expect(world.released).toEqual([]);
    expect(world.failures.length).toBeGreaterThan(1);
    down = false;
    await later();
    expect(world.released).toEqual(['a']);
    await reaction.close();
  });

  it('are not released while the live runs are unknown', async () => {
    let known = false;
    const { world, reaction } = createWorld({ liveRuns: () => Promise.resolve(known ? ['run_1'] : undefined) });
    world.open = [hold('a', 'run_3')];
    await later();
    expect(world.released).toEqual([]);
    known = true;
    await later();
    expect(world.released).toEqual(['a']);
    await reaction.close();
  });

  it('are not released after close, which waits for a search under way', async () => {
    let finish = (): void => undefined;
    const { world, reaction } = createWorld({
      release: () => new Promise((resolve) => (finish = () => resolve(true))),
    });
    world.open = [hold('a', 'run_3')];
    await later();
    const closed = vi.fn();
    const closing = reaction.close().then(closed);
    await later();
    expect(closed).not.toHaveBeenCalled();
    finish();
    await later();
    await closing;
    expect(world.released).toEqual(['a']);
    world.open = [hold('b', 'run_3')];
    await later();
    expect(world.released).toEqual(['a']);
  });
});
