import { describe, expect, it } from 'vitest';
import { createDatabaseClock, local } from '../../src/reactions/database-clock.ts';

describe('the clock of the database', () => {
  const open = (aheadMs = 0) => {
    const told: number[] = [];
    const clock = createDatabaseClock({ off: (ms) => told.push(ms), wall: () => local() + aheadMs });
    return { ...clock, told, ahead: () => clock.now().getTime() - local() };
  };
  const NEARLY = 1000;

  it('is that of the machine until the database is heard', () =>
    expect(Math.abs(open(50_000).ahead() - 50_000)).toBeLessThan(NEARLY));
  it('is what the database says, as far as the way of the answer lets know', () => {
    const clock = open(50_000);
    clock.heard(local(), local() - 5, local() + 5);
    expect(Math.abs(clock.ahead())).toBeLessThan(NEARLY);
    expect(clock.told).toHaveLength(1);
  });
  it('is not moved by an answer that was long under way', () => {
    const clock = open();
    const at = local();
    clock.heard(at, at - 60_000, at);
    clock.heard(at, at, at + 60_000);
    expect(Math.abs(clock.ahead())).toBeLessThan(NEARLY);
    expect(clock.told).toEqual([]);
  });
  it('follows the database, to and fro', () => {
    const clock = open();
    clock.heard(local() + 100_000, local(), local());
    expect(Math.abs(clock.ahead() - 100_000)).toBeLessThan(NEARLY);
    clock.heard(local() - 100_000, local(), local());
    expect(Math.abs(clock.ahead() + 100_000)).toBeLessThan(NEARLY);
    expect(clock.told).toHaveLength(1);
  });
});
