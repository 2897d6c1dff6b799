import { setTimeout as sleep } from 'node:timers/promises';
import type { ChainedLog } from '../../eventstore/chained-log.ts';
import { migrate, type MigrateOptions } from '../../eventstore/postgres/database/migrate.ts';
import { balances } from './balances.ts';
import { checkpointOf } from '../rebuild/building.ts';
import { dailyUsage } from './daily-usage.ts';
import type { Database } from '../database.ts';
import { together, type Consumer } from '../follow.ts';
import { LIVE, type Projection } from '../projection.ts';
import { notices } from './notices.ts';
import { payments } from './payments.ts';
import { readAhead, type Batch } from './read-ahead.ts';
import { requests } from './requests.ts';
import { applyEvents, EventsLeftOut, OtherVersion, passOver, readCheckpoint, type Checkpoint } from './rows.ts';
import { transactions } from './transactions.ts';

/** Every projection that has rows. */
export const projections = [
  ...[balances, requests, dailyUsage, payments, transactions, notices],
] as unknown as readonly Projection[];

export const migrateProjections = (databaseUrl: string, options?: MigrateOptions): Promise<void> =>
  migrate(databaseUrl, 'projections', new URL('./sql/', import.meta.url), options);

/**
 * Called once for each other version than `ours` that a projection is found at, and again if its position has not moved for a
 * while although the log has more events.
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
 * A projection as a consumer of the log. Its checkpoint is in the database, and other nodes may move it. While they maintain
 * another version of its rows, this node writes none, and its position is theirs.
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
      const isConcerned = batch.events.some((event) => projection.keysOf(event).length > 0);
      const passed = isConcerned ? undefined : await passOver(database, projection, LIVE, batch);
      const position = passed ?? (await applyEvents(database, projection, LIVE, batch.events, batch));
      others.version = projection.version;
      return position;
    } catch (error) {
      if (error instanceof OtherVersion) return leave(error.checkpoint, batch.upTo);
      if (!(error instanceof EventsLeftOut)) throw error;
      // Other nodes maintained the rows until now, and this node has read further.
      let position = error.checkpoint.position;
      for await (const missed of readAhead(store, projection, { after: position, upTo: batch.upTo })) {
        position = await keep(missed);
      }
      return position;
    }
  };

  const leave = ({ version, position }: Checkpoint, upTo: number): number => {
    const report = (stalled: boolean): void =>
      keptByOthers({ projection: projection.name, version, ours: projection.version, stalled });
    if (version !== others.version) report(false);
    if (version !== others.version || position !== others.position || position >= upTo) {
      Object.assign(others, { version, position, movedAt: performance.now(), stalled: false });
    } else if (!others.stalled && performance.now() - others.movedAt > STALLED_MS) {
      others.stalled = true;
      report(true);
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

/**
 * Resolves once the rows of a projection include everything up to a position, whichever node maintains them, or when
 * the signal aborts.
 */
export const rowsReached = async (
  database: Database,
  projection: Pick<Projection, 'name'>,
  position: number,
  signal: AbortSignal,
): Promise<void> => {
  while (!signal.aborted) {
    await sleep(LOOK_AGAIN_MS);
    // A failing database is reported elsewhere.
    const checkpoint = await readCheckpoint(database, projection, LIVE).catch(() => undefined);
    if ((checkpoint?.position ?? 0) >= position) return;
  }
};
