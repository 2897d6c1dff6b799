import { migrate } from '../eventstore/migrate.ts';
import { balances } from './balances.ts';
import { dailyUsage } from './daily-usage.ts';
import type { Database } from './database.ts';
import { together, type Consumer } from './follow.ts';
import { LIVE, type Projection } from './projection.ts';
import { requests } from './requests.ts';
import { applyEvents } from './rows.ts';

/** Every projection that keeps rows. */
export const projections = [balances, requests, dailyUsage] as unknown as readonly Projection[];

export const migrateProjections = (databaseUrl: string): Promise<void> =>
  migrate(databaseUrl, 'projections', new URL('./sql/', import.meta.url));

/** A projection as a consumer of the log; its checkpoint is in the database, and may be moved by other nodes. */
const liveProjection = (database: Database, projection: Projection): Consumer => ({
  name: projection.name,
  position: async () => {
    const { position } = await database.one<{ position: bigint }>(
      `select position from ${LIVE}.checkpoints where name = $1`,
      [projection.name],
    );
    return Number(position);
  },
  apply: (events) => applyEvents(database, projection, LIVE, events),
});

export const liveProjections = (database: Database): Consumer =>
  together(
    'projections',
    projections.map((projection) => liveProjection(database, projection)),
  );
