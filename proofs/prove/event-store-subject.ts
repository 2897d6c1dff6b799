import type { ChainedLog } from '../../src/eventstore/chained-log.ts';
import { createLog, type LogAddress } from '../../src/eventstore/create-log.ts';
import { emptyLog } from '../../test/support/sql.ts';
import type { Subject } from './history.ts';

/** A new log in EventStoreDB. Each process has its own store, with its own memory and sequencer. */
export const eventStoreSubject = async (address: LogAddress): Promise<Subject> => {
  await emptyLog(address.databaseUrl);
  const stores: ChainedLog[] = [];
  return {
    openStore: () => {
      const store = createLog(address);
      stores.push(store);
      return store;
    },
    close: async () => {
      await Promise.all(stores.map((store) => store.close()));
    },
  };
};
