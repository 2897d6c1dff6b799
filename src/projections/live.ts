import { migrate } from '../eventstore/migrate.ts';
import { balances } from './balances.ts';
import { dailyUsage } from './daily-usage.ts';
import type { Database } from './database.ts';
import type { Consumer } from './follow.ts';
import { LIVE, type Projection } from './projection.ts';
import { requests } from './requests.ts';
import { applyEvents } from './rows.ts';

/** Every projection that keeps rows. */
export const projections = [balances, requests, dailyUsage] as unknown as readonly Projection[];

export const migrateProjections = (databaseUrl: string): Promise<void> =>
  migrate(databaseUrl, 'projections', new URL('./sql/', import.meta.url));

/**
 * All projections as one consumer of the log, so that the log is read and decoded once. Each keeps its own checkpoint;
 * one that is further than the others leaves out what it has.
 */
export const liveProjections = (database: Database): Consumer => ({
  name: 'projections',
  position: async () => {
    const { position } = await database.one<{ position: bigint | null }>(
      `select min(position) as position from ${LIVE}.checkpoints where name = any($1)`,
      [projections.map(({ name }) => name)],
    );
    return Number(position ?? 0n);
  },
  apply: async (events) => {
    const positions = await Promise.all(
      projections.map((projection) => applyEvents(database, projection, LIVE, events)),
    );
    return Math.min(...positions);
  },
});
