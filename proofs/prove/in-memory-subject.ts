import type { ChainedLog } from '../../src/eventstore/chained-log.ts';
import { createInMemoryLog, createInMemoryStore, type InMemoryLog } from '../../src/eventstore/memory/in-memory.ts';
import type { Subject } from './history.ts';

/** A log in memory that can go back in time. `storeOn` makes of it what a process sees. */
export const inMemorySubject = (storeOn: (log: InMemoryLog) => ChainedLog = createInMemoryStore): Subject => {
  // Another time for each append: with the wall clock, two histories could be the same by chance, to the last hash.
  let ms = 0;
  const log = createInMemoryLog(() => new Date(++ms));
  return { log, openStore: () => storeOn(log) };
};
