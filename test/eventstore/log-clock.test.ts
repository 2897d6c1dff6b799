import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { generateKeyPairSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChainedLog } from '../../src/eventstore/chained-log.ts';
import { createCheckpointLog } from '../../src/eventstore/integrity/checkpoint-log.ts';
import {
  beginLogClockAt,
  keepClockReal,
  moveLogClockForward,
  movedInWords,
  readLogClock,
} from '../../src/eventstore/postgres/log-clock.ts';
import { migrate } from '../../src/eventstore/postgres/database/migrate.ts';
import { createPostgresStore } from '../../src/eventstore/postgres/postgres.ts';
import { createMigratedDatabase, createTestDatabase, type TestDatabase } from '../support/database.ts';
import { query } from '../support/sql.ts';
import { anEvent, aStream, slice } from './logs.ts';

const DAY_MS = 24 * 60 * 60_000;
/** Longer than a test takes on a busy machine, and far shorter than what the clock is moved by. */
const ABOUT_MS = 10 * 60_000;
const AUGUST = new Date('2026-08-01T00:00:00Z');

let database: TestDatabase;
const stores: ChainedLog[] = [];
beforeEach(async () => {
  database = await createMigratedDatabase();
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await database.drop();
});

const open = (): ChainedLog => {
  const store = createPostgresStore(database.url);
  stores.push(store);
  return store;
};
const append = async (store: ChainedLog): Promise<number> => {
  const [result] = await store.append([slice(aStream(), -1, anEvent())]);
  if (result?.kind !== 'appended' || !result.time) throw new Error('not appended');
  return result.time.getTime();
};
/** Whole days from real time, whatever the machine takes. */
const daysAhead = (ms: number): number => {
  const ahead = ms - Date.now();
  expect(Math.abs(ahead - Math.round(ahead / DAY_MS) * DAY_MS)).toBeLessThan(ABOUT_MS);
  return Math.round(ahead / DAY_MS) + 0; // Not -0.
};
const refusalOf = (asked: Promise<unknown>): Promise<{ name: string; message: string }> =>
  asked.then(
    () => expect.unreachable('it was accepted'),
    (error: unknown) => error as Error,
  );

describe('the clock of a log', () => {
  it('is in real time unless it was moved', async () => {
    const { now, movedMs } = await readLogClock(database.url);
    expect([daysAhead(now.getTime()), movedMs]).toEqual([0, undefined]);
    expect(daysAhead(await append(open()))).toBe(0);
  });

  it('begins an empty log at a time in the past, and runs on from there', async () => {
    await beginLogClockAt(database.url, AUGUST);
    const store = open();
    const first = await append(store);
    const second = await append(store);
    expect(first).toBeGreaterThanOrEqual(AUGUST.getTime());
    expect(second).toBeGreaterThanOrEqual(first);
    expect(second - AUGUST.getTime()).toBeLessThan(ABOUT_MS);
    expect((await readLogClock(database.url)).now.getTime()).toBeGreaterThanOrEqual(second);
  });

  it('does not begin again in a log that has events', async () => {
    const store = open();
    const before = await append(store);
    const { name, message } = await refusalOf(beginLogClockAt(database.url, AUGUST));
    expect(name).toBe('ClockNotMoved');
    expect(message).toMatch(/has events already.*its clock is at \d{4}-.*--forward 14d.*KISSAPI_DATA/);
    expect(await append(store)).toBeGreaterThanOrEqual(before);
  });

  it.each([
    ['in the future', () => new Date(Date.now() + DAY_MS)],
    ['before the year 2000', () => new Date('1999-12-31T23:59:59Z')],
  ])('does not begin %s', async (_, at) => {
    expect((await refusalOf(beginLogClockAt(database.url, at()))).message).toMatch(/must be in the past/);
    expect((await readLogClock(database.url)).movedMs).toBeUndefined();
  });

  it('is used by the next append of every node when it is moved forward', async () => {
    const [one, two] = [open(), open()];
    await append(one);
    await append(two);
    await moveLogClockForward(database.url, 14 * DAY_MS);
    expect(daysAhead(await append(one))).toBe(14);
    expect(daysAhead(await append(two))).toBe(14);
    const { now, movedMs } = await moveLogClockForward(database.url, DAY_MS);
    expect([daysAhead(now.getTime()), movedMs]).toEqual([15, 15 * DAY_MS]);
    expect(daysAhead(await append(two))).toBe(15);
  });

  it('is used by gateways of the release before that, which append with another function', async () => {
    await moveLogClockForward(database.url, 14 * DAY_MS);
    const none = `'{}'::text[]`;
    const [row] = await query<{ appended_at: Date }>(
      database.url,
      `select appended_at from append_slices('writer', ${none}, '{}', '{}', ${none}, '{}', '{}', ${none}, '{}', '{}', ${none}, ${none})`,
    );
    expect(daysAhead(row?.appended_at.getTime() ?? 0)).toBe(14);
  });

  it.each([0, -1, -DAY_MS, Number.NaN])('does not move by %s ms', async (ms) => {
    expect((await refusalOf(moveLogClockForward(database.url, ms))).message).toContain('forward only');
    expect((await readLogClock(database.url)).movedMs).toBeUndefined();
  });

  it('does not move to a year that the log cannot write', async () => {
    const { message } = await refusalOf(moveLogClockForward(database.url, 100_000 * DAY_MS));
    expect(message).toContain('beyond 2200-01-01');
  });

  it('adds up moves that are made at the same time', async () => {
    await Promise.all(Array.from({ length: 5 }, () => moveLogClockForward(database.url, DAY_MS)));
    expect((await readLogClock(database.url)).movedMs).toBe(5 * DAY_MS);
  });

  it('is the time of signed checkpoints, which become due as it moves', async () => {
    const store = open();
    const checkpoints = createCheckpointLog(database.url, generateKeyPairSync('ed25519').privateKey);
    const due = { events: 1000, ms: DAY_MS };
    await append(store);
    expect(await checkpoints.sign(due)).toMatchObject({ kind: 'signed' });
    await append(store);
    expect(await checkpoints.sign(due)).toEqual({ kind: 'nothing' });
    await moveLogClockForward(database.url, 2 * DAY_MS);
    const signed = await checkpoints.sign(due);
    expect(signed.kind === 'signed' && daysAhead(signed.checkpoint.time.getTime())).toBe(2);
    await checkpoints.close();
  });
});

describe('the clock of a log in production', () => {
  it('is never moved from the first start on', async () => {
    await keepClockReal(database.url);
    await keepClockReal(database.url);
    for (const move of [() => moveLogClockForward(database.url, DAY_MS), () => beginLogClockAt(database.url, AUGUST)]) {
      expect(await refusalOf(move())).toMatchObject({
        name: 'ClockNotMoved',
        message: expect.stringMatching(/production gateway was started on this database.*DATABASE_URL/) as string,
      });
    }
    await expect(query(database.url, 'update log_head set clock_moved_ms = 1')).rejects.toThrow('log_head_real_clock');
    expect(daysAhead(await append(open()))).toBe(0);
  });

  it.each([
    ['forward', () => moveLogClockForward(database.url, 14 * DAY_MS), 'clock moved forward by 14 days'],
    ['back', () => beginLogClockAt(database.url, AUGUST), 'behind real time'],
  ])('is refused if it was moved %s before, with the cause and the remedy', async (_, move, cause) => {
    await move();
    const { name, message } = await refusalOf(keepClockReal(database.url));
    expect(name).toBe('UnfitDatabase');
    expect(message).toContain(cause);
    expect(message).toMatch(/Let DATABASE_URL name a database whose clock was never moved/);
  });

  it('is either moved or kept, if both are asked for at once', async () => {
    for (let round = 0; round < 5; round++) {
      await query(database.url, 'update log_head set clock_moved_ms = null, clock_is_real = false');
      const outcomes = await Promise.allSettled([
        keepClockReal(database.url),
        moveLogClockForward(database.url, DAY_MS),
      ]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    }
  });
});

describe('the clock of a database that no gateway of this release has migrated', () => {
  const folder = mkdtemp(join(tmpdir(), 'kissapi-before-'));
  afterAll(async () => rm(await folder, { recursive: true }));

  it('is real for commands that only read it, and is not moved', async () => {
    const sql = new URL('../../src/eventstore/postgres/sql/', import.meta.url);
    for (const file of await readdir(sql, { recursive: true })) {
      const isOlder = file.endsWith('.sql') && basename(file) < '000050';
      if (isOlder) await cp(new URL(file, sql), join(await folder, basename(file)));
    }
    const before = await createTestDatabase();
    await migrate(before.url, 'eventstore', pathToFileURL(`${await folder}/`));
    const { now, movedMs } = await readLogClock(before.url);
    expect([daysAhead(now.getTime()), movedMs]).toEqual([0, undefined]);
    expect((await refusalOf(moveLogClockForward(before.url, DAY_MS))).message).toContain(
      'start a gateway of this release',
    );
    await before.drop();
  });
});

describe('how far a clock was moved', () => {
  it.each([
    [undefined, 'clock in real time'],
    [14 * DAY_MS, 'clock moved forward by 14 days'],
    [DAY_MS + 3_600_000 + 60_000, 'clock moved forward by 1 day 1 hour'],
    [90 * 60_000, 'clock moved forward by 1 hour 30 minutes'],
    [DAY_MS - 1, 'clock moved forward by 1 day'],
    [0, 'clock moved forward by 0 seconds'],
    [-121 * DAY_MS - 5000, 'clock set 121 days 5 seconds behind real time'],
  ])('is stated in words: %s', (movedMs, words) => expect(movedInWords(movedMs)).toBe(words));
});
