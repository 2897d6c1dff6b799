import { describe, expect, it } from 'vitest';
import { createOutageLog } from '../../../src/gateway/health/outage.ts';

const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

const watched = () => {
  const lines: string[] = [];
  let now = 0;
  const write = (_: unknown, line?: string): void => void lines.push(line ?? '');
  const outage = createOutageLog({ error: write, warn: write }, () => now);
  return { lines, outage, after: (ms: number) => void (now += ms) };
};

describe('an outage of the database', () => {
  it('is one line when it begins and one when it ends, however much fails in it', () => {
    const { lines, outage, after } = watched();
    for (let n = 0; n < 100; n++, after(100)) expect(outage.covers(refused)).toBe(true);
    expect(lines).toEqual(['the database does not answer']);
    after(2000);
    outage.answered();
    outage.answered();
    expect(lines).toEqual(['the database does not answer', 'the database answers again, after 12 s']);
  });

  it('is a line again every 30 s while it lasts', () => {
    const { lines, outage, after } = watched();
    for (let n = 0; n <= 65; n++, after(1000)) outage.covers(refused);
    expect(lines).toEqual([
      'the database does not answer',
      'the database does not answer, for 30 s now',
      'the database does not answer, for 60 s now',
    ]);
  });

  it('does not begin again with a failure that was in progress when it ended', () => {
    const { lines, outage, after } = watched();
    outage.covers(refused);
    after(500);
    outage.answered();
    outage.covers(refused);
    expect(lines).toHaveLength(1);
  });

  it('does not cover another failure', () => {
    const { lines, outage } = watched();
    expect(outage.covers(new TypeError('a fault of ours'))).toBe(false);
    expect(lines).toEqual([]);
  });
});
