import { setTimeout as sleep } from 'node:timers/promises';
import type { ChainedLog } from '../../eventstore/chained-log.ts';
import { migrate, type MigrateOptions } from '../../eventstore/postgres/migrate.ts';
import { balances } from './balances.ts';
import { checkpointOf } from '../rebuild/building.ts';
import { dailyUsage } from './daily-usage.ts';
import type { Database } from '../database.ts';
import { together, type Consumer } from '../follow.ts';
import { LIVE, type Projection } from '../projection.ts';
import { readAhead, type Batch } from './read-ahead.ts';
import { requests } from './requests.ts';
import { applyEvents, EventsLeftOut, OtherVersion, readCheckpoint, type Checkpoint } from './rows.ts';

/** Every projection that keeps rows. */
export const projections = [balances, requests, dailyUsage] as unknown as readonly Projection[];

export const migrateProjections = (databaseUrl: string, options?: MigrateOptions): Promise<void> =>
  migrate(databaseUrl, 'projections', new URL('./sql/', import.meta.url), options);

/**
 * Called where a projection turns out to be at another version than this software makes, once for each version; and once
 * more where nobody has moved it on for a while, though there is more in the log.
 */
export type KeptByOthers = (kept: {
  readonly projection: string;
  readonly version: number;
  readonly ours: number;
  readonly stalled: boolean;
}) => void;

const STALLED_MS = 10_000;

type Store = Pick<ChainedLog, 'readFacts'>;

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
  const others = { version: projection.version, position: 0, movedAt: 0, stalled: false };

  const keep = async (batch: Batch): Promise<number> => {
    try {
      const position = await applyEvents(database, projection, LIVE, batch.events, batch);
      others.version = projection.version;
      return position;
    } catch (error) {
      if (error instanceof OtherVersion) return leave(error.checkpoint, batch.upTo);
      if (!(error instanceof EventsLeftOut)) throw error;
      // Others kept it until now, and less far than this node has read meanwhile.
      let position = error.checkpoint.position;
      for await (const missed of readAhead(store, projection, { after: position, upTo: batch.upTo })) {
        position = await keep(missed);
      }
      return position;
    }
  };

  const leave = ({ version, position }: Checkpoint, upTo: number): number => {
    const told = (stalled: boolean): void =>
      keptByOthers({ projection: projection.name, version, ours: projection.version, stalled });
    if (version !== others.version) told(false);
    if (version !== others.version || position !== others.position || position >= upTo) {
      Object.assign(others, { version, position, movedAt: performance.now(), stalled: false });
    } else if (!others.stalled && performance.now() - others.movedAt > STALLED_MS) {
      others.stalled = true;
      told(true);
    }
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

const LOOK_AGAIN_MS = 100;

/** Resolves once the rows of one projection, whoever keeps them, have everything up to a position; or when told to stop. */
export const rowsReached = async (
  database: Database,
  projection: Pick<Projection, 'name'>,
  position: number,
  signal: AbortSignal,
): Promise<void> => {
  while (!signal.aborted) {
    await sleep(LOOK_AGAIN_MS);
    // A database that does not answer has not reached anything; what is wrong with it is for others to say.
    const checkpoint = await readCheckpoint(database, projection, LIVE).catch(() => undefined);
    if ((checkpoint?.position ?? 0) >= position) return;
  }
};
