import { createLog, type Log, type LogOptions } from '../../../src/eventstore/create-log.ts';
import { storeEnv } from './store-env.ts';

/** The log of a database, in the store that the suite runs on. Must be closed. */
export const openLog = (databaseUrl: string, options?: LogOptions): Log =>
  createLog({ databaseUrl, eventStoreUrl: storeEnv()['EVENT_STORE_URL'] }, options);
