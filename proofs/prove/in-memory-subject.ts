import type { ChainedLog } from '../../src/eventstore/chained-log.ts';
import { createInMemoryLog, createInMemoryStore, type InMemoryLog } from '../../src/eventstore/memory/in-memory.ts';
import type { Subject } from './history.ts';

/** A log in memory that can go back in time. `storeOn` creates the store of a process. */
export const inMemorySubject = (storeOn: (log: InMemoryLog) => ChainedLog = createInMemoryStore): Subject => {
  // Each append has another time: with the wall clock, two histories could accidentally be identical, including the
  // last hash.
  let ms = 0;
  const log = createInMemoryLog(() => new Date(++ms));
  return { log, openStore: () => storeOn(log) };
};
