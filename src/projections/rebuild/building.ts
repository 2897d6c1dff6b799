import type { ITask } from 'pg-promise';
import type { ChainedLog } from '../../eventstore/chained-log.ts';
import { inTurn } from './single-runner.ts';
import type { Database } from '../database.ts';
import { LIVE, type Projection } from '../projection.ts';
import { readAhead } from '../rows/read-ahead.ts';
import { applyEventsIn, createBareTable, readCheckpoint, rowId, type Checkpoint, type Sql } from '../rows/rows.ts';

/** A projection that is built in its own schema while the live one is in use. */
export type Building = {
  readonly database: Database;
  readonly store: Pick<ChainedLog, 'readFacts'>;
  readonly projection: Projection;
  readonly progress: (position: number, target: number) => void;
  readonly schema: string;
};

/** Creates the tables for the new rows, or finds those of an interrupted rebuild; resolves to their position. */
export const prepare = async ({ database, projection, schema }: Building): Promise<number> => {
  const begun = await database.oneOrNone(`select 1 from pg_namespace where nspname = $1`, [schema]);
  if (begun) {
    const found = await readCheckpoint(database, projection, schema);
    if (found?.version === projection.version) return found.position;
  }
  await inTurn(database, projection, async (tx) => {
    await tx.none(`drop schema if exists ${schema} cascade; create schema ${schema};`);
    await tx.none(`create table ${schema}.checkpoints (like ${LIVE}.checkpoints including all)`);
    await createBareTable(tx, projection, schema);
  });
  return 0;
};

/** Applies the log up to the position of the live rows, batch by batch. Each batch is applied completely or not at all. */
export const catchUp = async ({ database, store, projection, progress, schema }: Building): Promise<void> => {
  const target = (await checkpointOf(database, projection, LIVE)).position;
  const { position: after } = await checkpointOf(database, projection, schema);
  progress(after, target);
  for await (const batch of readAhead(store, projection, { after, upTo: target })) {
    await inTurn(database, projection, async (tx) => {
      // A server crash may undo the last batches with their checkpoint. The next rebuild continues from there.
      await tx.none('set local synchronous_commit = off');
      await applyEventsIn(tx, projection, schema, batch.events, batch);
    });
    progress(batch.upTo, target);
  }
};

export type CaughtUp = { readonly count: number; readonly keys: readonly (readonly string[])[] };

/** Applies the rest in one transaction; resolves to the number of events and the keys of the changed rows. */
export const catchUpIn = async (
  tx: ITask<object>,
  { store, projection, schema }: Building,
  upTo: number,
): Promise<CaughtUp> => {
  const { position: after } = await checkpointOf(tx, projection, schema);
  const keys = new Map<string, readonly string[]>();
  for await (const batch of readAhead(store, projection, { after, upTo })) {
    await applyEventsIn(tx, projection, schema, batch.events, batch);
    for (const event of batch.events) for (const key of projection.keysOf(event)) keys.set(rowId(key), key);
  }
  return { count: upTo - after, keys: [...keys.values()] };
};

export const checkpointOf = async (sql: Sql, projection: Projection, schema: string): Promise<Checkpoint> => {
  const checkpoint = await readCheckpoint(sql, projection, schema);
  if (!checkpoint) throw new Error(`projection ${projection.name} has no checkpoint in ${schema}`);
  return checkpoint;
};
