import type { EventStore } from '../eventstore/event-store.ts';
import { migrate } from '../eventstore/migrate.ts';
import { balances } from './balances.ts';
import { checkpointOf } from './building.ts';
import { dailyUsage } from './daily-usage.ts';
import type { Database } from './database.ts';
import { together, type Consumer } from './follow.ts';
import { LIVE, type Projection } from './projection.ts';
import { readAhead, type Batch } from './read-ahead.ts';
import { requests } from './requests.ts';
import { applyEvents, EventsLeftOut, OtherVersion } from './rows.ts';

/** Every projection that keeps rows. */
export const projections = [balances, requests, dailyUsage] as unknown as readonly Projection[];

export const migrateProjections = (databaseUrl: string): Promise<void> =>
  migrate(databaseUrl, 'projections', new URL('./sql/', import.meta.url));

/** Called where nodes of another version have come to keep a projection, once for each version. */
export type KeptByOthers = (kept: {
  readonly projection: string;
  /** What its rows are made by. */
  readonly version: number;
  readonly ours: number;
}) => void;

type Store = Pick<EventStore, 'readAll'>;

/**
 * A projection as a consumer of the log; its checkpoint is in the database, and may be moved by other nodes. While they
 * make another version of its rows than this software does, they alone keep it, and this consumer is where they are.
 */
const liveProjection = (
  database: Database,
  store: Store,
  projection: Projection,
  keptByOthers: KeptByOthers,
): Consumer => {
  let keptAt = projection.version;

  const keep = async (batch: Batch): Promise<number> => {
    try {
      const position = await applyEvents(database, projection, LIVE, batch.events, batch);
      keptAt = projection.version;
      return position;
    } catch (error) {
      if (error instanceof OtherVersion) return left(error);
      if (!(error instanceof EventsLeftOut)) throw error;
      // Others kept it until now, and less far than this node has read meanwhile.
      let position = error.checkpoint.position;
      for await (const missed of readAhead(store, projection, { after: position, upTo: batch.upTo })) {
        position = await keep(missed);
      }
      return position;
    }
  };

  const left = ({ checkpoint: { version, position } }: OtherVersion): number => {
    if (version !== keptAt) keptByOthers({ projection: projection.name, version, ours: projection.version });
    keptAt = version;
    return position;
  };

  return {
    name: projection.name,
    ...(projection.types ? { types: projection.types } : {}),
    position: async () => (await checkpointOf(database, projection, LIVE)).position,
    apply: (events, upTo, after) => keep({ events, after, upTo }),
  };
};

export const liveProjections = (
  database: Database,
  store: Store,
  keptByOthers: KeptByOthers,
  kept: readonly Projection[] = projections,
): Consumer =>
  together(
    'projections',
    kept.map((projection) => liveProjection(database, store, projection, keptByOthers)),
  );
