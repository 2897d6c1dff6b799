import { describe, expect, it } from 'vitest';
import { createDatabaseClock, local } from '../../src/reactions/database-clock.ts';

describe('the clock of the database', () => {
  const open = (aheadMs = 0) => {
    const told: number[] = [];
    const moves: number[] = [];
    const wall = (): number => local() + aheadMs;
    const clock = createDatabaseClock({ off: (ms) => told.push(ms), moved: (ms) => moves.push(ms), wall });
    const heard = (databaseMs: number, sentAt: number, heardAt: number, movedMs?: number): void =>
      clock.heard({ databaseMs, sentAt, heardAt, movedMs });
    return { told, moves, heard, ahead: () => clock.now().getTime() - local(), movedMs: () => clock.movedMs };
  };
  const NEARLY = 1000;

  it('is that of the machine until the first answer of the database', () =>
    expect(Math.abs(open(50_000).ahead() - 50_000)).toBeLessThan(NEARLY));
  it('is the time of the database, within the round trip of the answer', () => {
    const clock = open(50_000);
    clock.heard(local(), local() - 5, local() + 5);
    expect(Math.abs(clock.ahead())).toBeLessThan(NEARLY);
    expect(clock.told).toHaveLength(1);
  });
  it('ignores an answer with a long round trip', () => {
    const clock = open();
    const at = local();
    clock.heard(at, at - 60_000, at);
    clock.heard(at, at, at + 60_000);
    expect(Math.abs(clock.ahead())).toBeLessThan(NEARLY);
    expect(clock.told).toEqual([]);
  });
  it('follows the database forwards and backwards', () => {
    const clock = open();
    clock.heard(local() + 100_000, local(), local());
    expect(Math.abs(clock.ahead() - 100_000)).toBeLessThan(NEARLY);
    clock.heard(local() - 100_000, local(), local());
    expect(Math.abs(clock.ahead() + 100_000)).toBeLessThan(NEARLY);
    expect(clock.told).toHaveLength(1);
  });

  it('is ahead by what the clock of the log was moved by, and reports each move once', () => {
    const clock = open();
    const hear = (movedMs?: number): void => clock.heard(local(), local() - 5, local() + 5, movedMs);
    hear();
    expect(clock.movedMs()).toBeUndefined();
    for (const movedMs of [-5_000_000, -5_000_000, 0, 7_000_000]) {
      hear(movedMs);
      expect(Math.abs(clock.ahead() - movedMs)).toBeLessThan(NEARLY);
      expect(clock.movedMs()).toBe(movedMs);
    }
    expect(clock.moves).toEqual([-5_000_000, 0, 7_000_000]);
  });
  it('is not reported as wrong because it was moved', () => {
    const clock = open();
    clock.heard(local(), local() - 5, local() + 5, 100_000_000);
    expect(clock.told).toEqual([]);
  });
});
