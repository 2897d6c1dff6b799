import { describe, expect, it } from 'vitest';
import { createInMemoryLog, createInMemoryStore } from '../../../src/eventstore/memory/in-memory.ts';
import { chainedLogContract } from '../chained-log.contract.ts';
import { anEvent, aStream, slice } from '../logs.ts';

const log = createInMemoryLog();
chainedLogContract('the log in memory', {
  create: () => Promise.resolve(createInMemoryStore(log)),
  goBackTo: (position) => Promise.resolve(log.goBackTo(position)),
});

describe('the time of events in memory', () => {
  it('never decreases, even if the clock does', async () => {
    const start = Date.UTC(2026, 0, 1);
    const ticks = [5, 3, 8, 8, 1, 9, 2].map((n) => new Date(start + n));
    const told = ticks.values();
    const backwards = createInMemoryStore(createInMemoryLog(() => told.next().value ?? new Date(start)));
    for (let n = 0; n < ticks.length; n++) await backwards.append([slice(aStream(), -1, anEvent(), anEvent())]);
    const times = (await backwards.readAll(0, 100)).map(({ time }) => time.getTime() - start);
    expect(times).toEqual([5, 5, 8, 8, 8, 9, 9].flatMap((n) => [n, n]));
  });
});
