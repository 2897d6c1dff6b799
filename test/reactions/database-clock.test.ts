import { describe, expect, it } from 'vitest';
import { createDatabaseClock, local } from '../../src/reactions/database-clock.ts';

describe('the clock of the database', () => {
  const open = (aheadMs = 0) => {
    const told: number[] = [];
    const clock = createDatabaseClock({ off: (ms) => told.push(ms), wall: () => local() + aheadMs });
    return { ...clock, told, ahead: () => clock.now().getTime() - local() };
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
});
