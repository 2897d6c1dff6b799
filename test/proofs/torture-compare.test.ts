import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  compareAcknowledged,
  compareDeliveries,
  compareWithdrawn,
  imageOfLog,
  type LogImage,
} from '../../proofs/torture/compare.ts';
import { openRecords, readRecords, readTail, recordOf, RECORD_BYTES } from '../../proofs/torture/records.ts';
import type { ChainedEvent } from '../../src/eventstore/chained-log.ts';
import { createInMemoryStore } from '../../src/eventstore/memory/in-memory.ts';
import { anEvent, collect, numbers, slice, someEvents } from '../eventstore/logs.ts';

const EVENTS = 9;
let log: readonly ChainedEvent[];
let image: LogImage;

beforeAll(async () => {
  const store = createInMemoryStore();
  await store.append([slice('a', -1, ...someEvents(EVENTS - 3)), slice('b', -1, ...someEvents(3))]);
  log = await store.readAll(0, 100);
  image = await imageOfLog([log.slice(0, 4), log.slice(4)]);
});

/** The events of the log at these positions, as a follower wrote them down. */
const records = (...positions: readonly number[]): Buffer[] =>
  positions.map((position) => {
    const event = log[position - 1];
    if (!event) throw new Error(`there is no event ${position}`);
    return recordOf(event);
  });

const right = { losses: 0, duplicates: 0, reorderings: 0, strangers: 0 };

describe('what a follower was given', () => {
  it('is as it should be where it is the log', async () => {
    expect(await compareDeliveries(image, records(...numbers(1, EVENTS)))).toEqual({ ...right, deliveries: EVENTS });
    expect(await compareDeliveries(image, [Buffer.concat(records(...numbers(1, EVENTS)))])).toMatchObject(right);
  });

  it.each([
    ['nothing at all', [], { losses: 9 }],
    ['all but one in the middle', [1, 2, 3, 5, 6, 7, 8, 9], { losses: 1 }],
    ['all but the first', [2, 3, 4, 5, 6, 7, 8, 9], { losses: 1 }],
    ['all but the last ones', [1, 2, 3, 4, 5, 6, 7], { losses: 2 }],
    ['one twice in a row', [1, 2, 2, 3, 4, 5, 6, 7, 8, 9], { duplicates: 1 }],
    ['a page again', [1, 2, 3, 4, 2, 3, 4, 5, 6, 7, 8, 9], { duplicates: 3 }],
    ['one late', [1, 3, 4, 2, 5, 6, 7, 8, 9], { reorderings: 1 }],
    ['two that changed places', [1, 2, 3, 4, 6, 5, 7, 8, 9], { reorderings: 1 }],
    ['one late, one twice, and one never', [2, 1, 2, 3, 4, 5, 7, 8, 9], { reorderings: 1, duplicates: 1, losses: 1 }],
  ])('is found out: %s', async (_, positions, wrong) => {
    expect(await compareDeliveries(image, records(...positions))).toEqual({
      ...right,
      deliveries: positions.length,
      ...wrong,
    });
  });

  it.each<[string, (event: ChainedEvent) => Pick<ChainedEvent, 'position' | 'id' | 'stream'>]>([
    ['an event that was never written', (event) => ({ ...event, id: anEvent().id })],
    ['an event at another position', (event) => ({ ...event, position: event.position + 1 })],
    ['an event of another stream', (event) => ({ ...event, stream: 'c' })],
  ])('is found out: %s', async (_, change) => {
    const given = log.map((event) => recordOf(event.position === 5 ? change(event) : event));
    expect(await compareDeliveries(image, given)).toEqual({ ...right, deliveries: EVENTS, losses: 1, strangers: 1 });
  });
});

describe('what a writer was told', () => {
  it('is found in the log, in whatever order', async () => {
    expect(await compareAcknowledged(image, records(7, 1, 5))).toEqual({ acknowledged: 3, lost: 0 });
  });

  it('is missed where it is not there, or not in its place', async () => {
    const gone = recordOf({ position: 3, id: anEvent().id, stream: 'a' });
    const [moved = gone] = log.slice(4, 5).map((event) => recordOf({ ...event, position: 6 }));
    expect(await compareAcknowledged(image, [...records(1), gone, moved])).toEqual({ acknowledged: 3, lost: 2 });
  });

  it('must not be there where it was taken back', async () => {
    const gone = recordOf({ position: 3, id: anEvent().id, stream: 'a' });
    expect(await compareWithdrawn(image, [gone, ...records(2)])).toEqual({ withdrawn: 2, kept: 1 });
  });
});

describe('the log itself', () => {
  const imageWith = (change: (event: ChainedEvent) => ChainedEvent[]): Promise<LogImage> =>
    imageOfLog([log.flatMap((event) => (event.position === 5 ? change(event) : [event]))]);

  it('is well', () => expect(image).toMatchObject({ events: EVENTS, outOfPlace: 0, brokenLinks: 0, idsTwice: 0 }));

  it('is not where one is missing', async () =>
    expect(await imageWith(() => [])).toMatchObject({ events: EVENTS - 1, outOfPlace: 1, brokenLinks: 1 }));

  it('is not where one was changed', async () =>
    expect(await imageWith((event) => [{ ...event, data: '{}' }])).toMatchObject({ outOfPlace: 0, brokenLinks: 1 }));

  it('is not where one is there twice', async () =>
    expect(await imageWith((event) => [event, event])).toMatchObject({ outOfPlace: 1, brokenLinks: 1, idsTwice: 1 }));
});

describe('a file of records', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kissapi-records-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('goes on after whoever wrote it was killed in the middle of a record', async () => {
    const path = join(directory, 'records');
    expect(readTail(path)).toEqual({ count: 0, position: 0 });
    openRecords(path).append(log.slice(0, 4));
    expect(readTail(path)).toEqual({ count: 4, position: 4 });
    await truncate(path, 4 * RECORD_BYTES - 1);
    expect(readTail(path)).toEqual({ count: 3, position: 3 });
    const next = openRecords(path);
    expect(next.position).toBe(3);
    next.append(log.slice(3));
    expect(Buffer.concat(await collect(readRecords(path)))).toEqual(Buffer.concat(log.map(recordOf)));
  });
});
