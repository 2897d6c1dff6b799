import type { Logger } from 'pino';
import type { Config } from '../../config/config.ts';
import { createPatience } from '../../eventstore/postgres/database/patience.ts';
import { createOutageLog } from './outage.ts';

export type DatabaseWaitOptions = { readonly config: Pick<Config, 'databaseWaitMs'>; readonly log: Logger };

/** How the steps of the start treat an unreachable or busy database: they wait for a bounded time and log it. */
export const startOnDatabase = ({ config, log }: DatabaseWaitOptions) => {
  const waitMs = config.databaseWaitMs;
  return {
    log,
    outage: createOutageLog(log),
    migration: { waitMs, waiting: (reason: string) => log.warn({ reason }, 'a migration of the database waits') },
    patiently: createPatience({
      waitMs,
      waiting: (reason, leftMs) =>
        log.warn({ reason }, `the database does not respond: retrying for ${Math.ceil(leftMs / 1000)} s`),
      answered: () => log.warn('the database responds'),
    }),
  };
};
