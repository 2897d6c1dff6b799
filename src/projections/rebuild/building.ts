import type { ITask } from 'pg-promise';
import type { ChainedLog } from '../../eventstore/chained-log.ts';
import { inTurn } from './single-runner.ts';
import type { Database } from '../database.ts';
import { LIVE, type Projection } from '../projection.ts';
import { readAhead } from '../rows/read-ahead.ts';
import { applyEventsIn, createBareTable, readCheckpoint, rowId, type Checkpoint, type Sql } from '../rows/rows.ts';

/** A projection that is being built in a schema of its own, beside the live one. */
export type Building = {
  readonly database: Database;
  readonly store: Pick<ChainedLog, 'readFacts'>;
  readonly projection: Projection;
  readonly progress: (position: number, target: number) => void;
  readonly schema: string;
};

/** Makes room for the new rows, or finds those of a rebuild that was stopped; tells how far they are. */
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

/** Takes the log in as far as the live rows are, batch by batch; whatever stops it, each batch is there or not. */
export const takeInMost = async ({ database, store, projection, progress, schema }: Building): Promise<void> => {
  const target = (await checkpointOf(database, projection, LIVE)).position;
  const { position: after } = await checkpointOf(database, projection, schema);
  progress(after, target);
  for await (const batch of readAhead(store, projection, { after, upTo: target })) {
    await inTurn(database, projection, async (tx) => {
      // A crash of the server may undo the last batches as a whole, with their checkpoint: the next rebuild goes on there.
      await tx.none('set local synchronous_commit = off');
      await applyEventsIn(tx, projection, schema, batch.events, batch);
    });
    progress(batch.upTo, target);
  }
};

export type Taken = { readonly count: number; readonly keys: readonly (readonly string[])[] };

/** Takes the rest in within a transaction, and tells which rows it touched. */
export const takeIn = async (
  tx: ITask<object>,
  { store, projection, schema }: Building,
  upTo: number,
): Promise<Taken> => {
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
