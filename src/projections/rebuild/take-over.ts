import { setTimeout as sleep } from 'node:timers/promises';
import type { ITask } from 'pg-promise';
import { inTurn } from './single-runner.ts';
import { checkpointOf, takeIn, type Building } from './building.ts';
import type { Comparison } from './compare.ts';
import { LIVE, type Projection } from '../projection.ts';
import { digest, lockCheckpoint, type Checkpoint } from '../rows/rows.ts';

/** What is left to take in while the live rows are held: some milliseconds' worth. */
const LITTLE = 500;
/** Traffic that outruns so many rounds will not be caught up with; it is held for as long as the rest takes. */
const ROUNDS = 20;
/** How long the take-over waits for who uses the table, and readers behind it; then it lets them through and tries again. */
const LOCK_WAITS_MS = [50, 100, 250, 500, 1000, 2000, 2000, 2000, 2000, 2000] as const;

/** In one snapshot, the new rows can be brought to where the live ones are in it, though these move on meanwhile. */
export const compareAll = async (tx: ITask<object>, building: Building, comparison: Comparison | undefined) => {
  const { projection, schema } = building;
  const { position } = await checkpointOf(tx, projection, LIVE);
  await takeIn(tx, building, position);
  await comparison?.compare(tx);
  return { position, ...(await digest(tx, projection, schema)) };
};

/** As `compareAll`, of the rows that were touched since; tells how many events did. */
const compareTouched = async (
  tx: ITask<object>,
  building: Building,
  comparison: Comparison | undefined,
  position: number,
): Promise<number> => {
  const { count, keys } = await takeIn(tx, building, position);
  await comparison?.compare(tx, keys);
  return count;
};

type TakenOver = {
  readonly before: Checkpoint;
  readonly position: number;
  readonly differing: number | undefined;
  readonly heldMs: number;
};

/** A process that is stopped here would keep everybody from the table; what it does between two statements takes less. */
const SILENT_MS = 10_000;

export const takeOver = async (building: Building, comparison: Comparison | undefined): Promise<TakenOver> => {
  const { database, projection } = building;
  const catchUp = async (): Promise<void> => {
    for (let round = 0; round < ROUNDS; round++) {
      const count = await inTurn(
        database,
        projection,
        async (tx) => compareTouched(tx, building, comparison, (await checkpointOf(tx, projection, LIVE)).position),
        { snapshot: true },
      );
      if (count <= LITTLE) return;
    }
  };

  for (const waitMs of LOCK_WAITS_MS) {
    await catchUp();
    try {
      let since = 0;
      const taken = await inTurn(database, projection, async (tx) => {
        await tx.none(
          `set local lock_timeout = ${waitMs}; set local idle_in_transaction_session_timeout = ${SILENT_MS}`,
        );
        const before = await lockCheckpoint(tx, projection, LIVE);
        since = performance.now();
        await compareTouched(tx, building, comparison, before.position);
        const differing = await comparison?.differing(tx);
        await moveIn(tx, building);
        return { before, position: before.position, differing };
      });
      return { ...taken, heldMs: performance.now() - since };
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      await sleep(waitMs);
    }
  }
  throw new TableInUse(projection);
};

/** Queries that wait for the table find the new one under its name. */
const moveIn = async (tx: ITask<object>, { projection: { name, version }, schema }: Building): Promise<void> => {
  await tx.none(
    `drop table ${LIVE}.${name};
     alter table ${schema}.${name} set schema ${LIVE};
     drop schema ${schema} cascade;`,
  );
  await tx.none(`update ${LIVE}.checkpoints set version = $2 where name = $1`, [name, version]);
};

const LOCK_NOT_AVAILABLE = '55P03';
const isLockTimeout = (error: unknown): boolean => (error as { readonly code?: unknown }).code === LOCK_NOT_AVAILABLE;

/** Fault: somebody reads the live table for longer than can be waited for, such as a dump. */
export class TableInUse extends Error {
  override readonly name = 'TableInUse';
  readonly code = 'table_in_use';

  constructor({ name }: Projection) {
    super(
      `The new rows of ${name} are ready and could not take over, because somebody keeps the table locked. Let that end ` +
        `and start the rebuild again: it goes on from here.`,
    );
  }
}
