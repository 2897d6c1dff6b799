import { decode } from '../eventstore/codec.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { Database } from './database.ts';
import { LIVE, type Projection } from './projection.ts';
import { applyEvents, applyEventsIn, createTable, digest, lockCheckpoint } from './rows.ts';

const BATCH = 5000;

export type Rebuilt = {
  readonly position: number;
  readonly rows: number;
  readonly md5: string;
  /** Whether the live rows were the same, byte for byte; undefined where the versions differ and so may they. */
  readonly same: boolean | undefined;
};

export type RebuildOptions = {
  readonly database: Database;
  readonly store: Pick<EventStore, 'readAll'>;
  readonly projection: Projection;
  readonly progress: (position: number, target: number) => void;
};

/**
 * Builds a projection from nothing beside the live one, while that goes on; compares the two at the same position where
 * their versions are the same, and takes over in one transaction. A rebuild that was stopped half way goes on from there.
 */
export const rebuild = (options: RebuildOptions): Promise<Rebuilt> =>
  alone(options.database, options.projection, () => build(options));

const build = async ({ database, store, projection, progress }: RebuildOptions): Promise<Rebuilt> => {
  const schema = `rebuild_${projection.name}`;
  await prepare(database, projection, schema);

  const applyUpTo = async (target: number, apply: typeof applyEvents): Promise<void> => {
    let position = await positionOf(database, projection, schema);
    progress(position, target);
    while (position < target) {
      const page = await store.readAll(position, Math.min(BATCH, target - position));
      position = await apply(database, projection, schema, page.map(decode));
      progress(position, target);
    }
  };

  // Twice: what was appended during the first pass is little, and the second leaves next to nothing for the take-over.
  await applyUpTo(await positionOf(database, projection, LIVE), applyEvents);
  await applyUpTo(await positionOf(database, projection, LIVE), applyEvents);

  return database.tx(async (tx) => {
    const live = await lockCheckpoint(tx, projection, LIVE);
    await applyUpTo(live.position, (_, ...args) => applyEventsIn(tx, ...args));
    const built = await digest(tx, projection, schema);
    const same =
      live.version === projection.version ? built.md5 === (await digest(tx, projection, LIVE)).md5 : undefined;
    await tx.none(
      `drop table ${LIVE}.${projection.name};
       alter table ${schema}.${projection.name} set schema ${LIVE};
       drop schema ${schema} cascade;`,
    );
    await tx.none(`update ${LIVE}.checkpoints set version = $2 where name = $1`, [projection.name, projection.version]);
    return { position: live.position, ...built, same };
  });
};

/** The tables of all projections, where they are missing; and a rebuild of those whose version has changed. */
export const bringUpToDate = async (
  database: Database,
  store: Pick<EventStore, 'readAll'>,
  projections: readonly Projection[],
  progress: (projection: string, position: number, target: number) => void,
): Promise<void> => {
  for (const projection of projections) {
    await alone(database, projection, async () => {
      const checkpoint = await database.oneOrNone<{ version: number }>(
        `select version from ${LIVE}.checkpoints where name = $1`,
        [projection.name],
      );
      if (!checkpoint) await createTable(database, projection, LIVE);
      else if (checkpoint.version !== projection.version) {
        await build({ database, store, projection, progress: (at, target) => progress(projection.name, at, target) });
      }
    });
  }
};

/** Any one number, as long as all nodes lock the same. */
const TABLE_LOCK = 7_241_978;

/** One node at a time makes the table of a projection; nodes that start together wait for one another, and find it made. */
const alone = <T>(database: Database, { name }: Projection, work: () => Promise<T>): Promise<T> =>
  database.task(async (session) => {
    await session.one('select pg_advisory_lock($1, hashtext($2))', [TABLE_LOCK, name]);
    try {
      return await work();
    } finally {
      await session.one('select pg_advisory_unlock($1, hashtext($2))', [TABLE_LOCK, name]);
    }
  });

const prepare = async (database: Database, projection: Projection, schema: string): Promise<void> => {
  const begun = await database.oneOrNone(`select 1 from pg_namespace where nspname = $1`, [schema]);
  if (begun) {
    const same = await database.oneOrNone(`select 1 from ${schema}.checkpoints where name = $1 and version = $2`, [
      projection.name,
      projection.version,
    ]);
    if (same) return;
  }
  await database.tx(async (tx) => {
    await tx.none(`drop schema if exists ${schema} cascade; create schema ${schema};`);
    await tx.none(`create table ${schema}.checkpoints (like ${LIVE}.checkpoints including all)`);
    await createTable(tx, projection, schema);
  });
};

const positionOf = async (database: Database, { name }: Projection, schema: string): Promise<number> => {
  const { position } = await database.one<{ position: bigint }>(
    `select position from ${schema}.checkpoints where name = $1`,
    [name],
  );
  return Number(position);
};
