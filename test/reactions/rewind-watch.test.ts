import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { watchForRewinds, type RewindNoticed, type RewindWatch } from '../../src/reactions/rewind-watch.ts';
import { SOON } from '../support/soon.ts';

type Place = { readonly position: number; readonly hash: string };
type Event = { readonly id: string };

class WentBack extends Error {}
class CopyBack extends Error {}

/** The log and the table of rewinds, as far as a watch asks about them. */
const createWorld = () => ({
  head: { position: 10, hash: 'a' } as Place,
  /** What `checkHistory` reports as lost. */
  gone: undefined as Place | undefined,
  /** The head of the copy while it is back in time. */
  copyBackAt: undefined as number | undefined,
  rows: new Map<string, { seen: Place; commonPosition: number; head: Place; acknowledged: boolean; events: Event[] }>(),
  remembered: [{ id: 'kept' }, { id: 'lost' }] as Event[],
  done: [] as string[],
  whileDropping: undefined as (() => void) | undefined,
  noticed: [] as RewindNoticed[],
  acknowledged: [] as string[],
});
let world: ReturnType<typeof createWorld>;
let watch: RewindWatch | undefined;
let ids = 0;

const openRow = () => [...world.rows].find(([, { acknowledged }]) => !acknowledged);
const openId = (): string => {
  const [id] = openRow() ?? [];
  if (id === undefined) throw new Error('No rewind is open.');
  return id;
};
const start = async (): Promise<RewindWatch> =>
  (watch = await watchForRewinds<Event>({
    checkHistory: async () => {
      await Promise.resolve();
      if (world.gone) throw new WentBack();
      if (world.copyBackAt !== undefined) throw new CopyBack();
      return world.head;
    },
    copyBackAt: (error) => (error instanceof CopyBack ? world.copyBackAt : undefined),
    completeCopy: () => Promise.resolve(12),
    copyIsWhole: (from, to) => void world.done.push(`copy whole from ${from} to ${to}`),
    goneOf: (error) => (error instanceof WentBack ? world.gone : undefined),
    dropMemory: () => {
      world.done.push('memory dropped');
      world.whileDropping?.();
      return Promise.resolve();
    },
    forgetHistory: () => {
      world.done.push('history forgotten');
      world.gone = undefined;
    },
    remembered: {
      all: () => world.remembered,
      forget: (lost) => (world.remembered = world.remembered.filter(({ id }) => !lost.has(id))),
    },
    rewinds: {
      open: () => {
        const [id, row] = openRow() ?? [];
        return Promise.resolve(id !== undefined && row ? { id, ...row } : undefined);
      },
      isAcknowledged: (id) => Promise.resolve(world.rows.get(id)?.acknowledged ?? false),
      missing: (events) => Promise.resolve(events.filter(({ id }) => id === 'lost')),
      newestCommon: (places) => Promise.resolve(Math.min(7, ...places.map(({ position }) => position))),
      record: (id, seen, commonPosition) => {
        const [openId = id] = openRow() ?? [];
        const row = world.rows.get(openId) ?? {
          seen,
          commonPosition,
          head: world.head,
          acknowledged: false,
          events: [],
        };
        world.rows.set(openId, row);
        return Promise.resolve({ id: openId, ...row });
      },
      addEvents: (id, events) => Promise.resolve(void world.rows.get(id)?.events.push(...events)),
    },
    newId: () => `rewind ${++ids}`,
    saw: () => Promise.resolve(),
    noticed: (what) => world.noticed.push(what),
    acknowledged: (id) => world.acknowledged.push(id),
    failed: () => undefined,
    everyMs: 5,
  }));

beforeEach(() => {
  world = createWorld();
});
afterEach(() => watch?.close());

describe('a watch for rewinds', () => {
  it('reports nothing while the log only grows', async () => {
    const { open } = await start();
    expect([open, world.noticed, world.rows.size]).toEqual([undefined, [], 0]);
  });

  it('records the lost events and drops memory before it forgets what was seen', async () => {
    await start();
    world.gone = { position: 10, hash: 'a' };
    world.head = { position: 8, hash: 'b' };
    await expect.poll(() => world.noticed.length, SOON).toBe(1);
    expect(world.noticed[0]).toMatchObject({ seen: { position: 10 }, head: { position: 8 }, lostEvents: 1 });
    expect([...world.rows.values()][0]).toMatchObject({ commonPosition: 7, events: [{ id: 'lost' }] });
    expect(world.done).toEqual(['memory dropped', 'history forgotten']);
    expect(watch?.open).toBe(openId());
  });

  it('compares at the start with what an earlier process had seen', async () => {
    world.gone = { position: 10, hash: 'a' };
    const { open } = await start();
    expect(open).toBe(openId());
  });

  it('is open if another node recorded a rewind, and adds its own remembered events', async () => {
    const seen = { position: 12, hash: 'c' };
    world.rows.set('of another', { seen, commonPosition: 3, head: world.head, acknowledged: false, events: [] });
    const { open } = await start();
    expect([open, world.done]).toEqual(['of another', []]);
    expect(world.noticed).toMatchObject([{ rewindId: 'of another', seen, lostEvents: 1 }]);
    expect(world.rows.get('of another')?.events).toEqual([{ id: 'lost' }]);
  });

  it('ends with the acknowledgement, and does not list the same losses again', async () => {
    world.gone = { position: 10, hash: 'a' };
    await start();
    for (const row of world.rows.values()) row.acknowledged = true;
    await expect.poll(() => watch?.open, SOON).toBeUndefined();
    expect(world.remembered).toEqual([{ id: 'kept' }]);
    expect(world.acknowledged).toHaveLength(1);
  });

  it('records the rewind again if the database went back once more and lost the record', async () => {
    world.gone = { position: 10, hash: 'a' };
    await start();
    const id = openId();
    world.rows.clear();
    await expect.poll(() => openRow()?.[0], SOON).toBe(id);
    expect(openRow()?.[1].events).toEqual([{ id: 'lost' }]);
    expect(watch?.open).toBe(id);
  });
});

describe('a copy of the log that went back in time', () => {
  it('is back until it is complete, and everything in memory is dropped then', async () => {
    const started = await start();
    world.copyBackAt = 4;
    await expect.poll(() => started.copyIsBack, SOON).toBe(true);
    expect(world.done).toEqual([]);
    world.copyBackAt = undefined;
    await expect.poll(() => started.copyIsBack, SOON).toBe(false);
    expect(world.done).toEqual(['memory dropped', 'copy whole from 4 to 12']);
    expect(started.open).toBeUndefined();
  });

  it('is treated the same if it was complete again before it was seen', async () => {
    const started = await start();
    started.copyMayBeBack();
    expect(started.copyIsBack).toBe(true);
    await expect.poll(() => started.copyIsBack, SOON).toBe(false);
    expect(world.done).toEqual(['memory dropped', 'copy whole from 0 to 12']);
  });

  it('is compared again if it may have gone back once more during the comparison', async () => {
    const started = await start();
    world.whileDropping = () => {
      world.whileDropping = undefined;
      started.copyMayBeBack();
    };
    started.copyMayBeBack();
    await expect.poll(() => world.done.length, SOON).toBe(4);
    await expect.poll(() => started.copyIsBack, SOON).toBe(false);
  });
});
