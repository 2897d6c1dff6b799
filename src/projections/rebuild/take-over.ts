import { setTimeout as sleep } from 'node:timers/promises';
import type { ITask } from 'pg-promise';
import { inTurn } from './single-runner.ts';
import { catchUpIn, checkpointOf, type Building } from './building.ts';
import type { Comparison } from './compare.ts';
import { LIVE, type Projection } from '../projection.ts';
import { digest, lockCheckpoint, type Checkpoint } from '../rows/rows.ts';

/** At most so many events are left for the take-over, which holds the lock while it applies them: some milliseconds. */
const FEW_EVENTS = 500;
/**
 * After so many rounds the traffic is too fast to catch up with, and the lock is held for as long as the rest takes.
 */
const ROUNDS = 20;
/** How long each attempt waits for the lock. Readers queue behind it, so the attempt is abandoned and repeated. */
const LOCK_WAITS_MS = [50, 100, 250, 500, 1000, 2000, 2000, 2000, 2000, 2000] as const;

/** Brings the new rows to the position of the live ones in the snapshot of `tx`, and compares all of them. */
export const compareAll = async (tx: ITask<object>, building: Building, comparison: Comparison | undefined) => {
  const { projection, schema } = building;
  const { position } = await checkpointOf(tx, projection, LIVE);
  await catchUpIn(tx, building, position);
  await comparison?.compare(tx);
  return { position, ...(await digest(tx, projection, schema)) };
};

/** Like `compareAll`, for the rows that changed since; resolves to the number of events. */
const compareChanged = async (
  tx: ITask<object>,
  building: Building,
  comparison: Comparison | undefined,
  position: number,
): Promise<number> => {
  const { count, keys } = await catchUpIn(tx, building, position);
  await comparison?.compare(tx, keys);
  return count;
};

type TakenOver = {
  readonly before: Checkpoint;
  readonly position: number;
  readonly differing: number | undefined;
  readonly heldMs: number;
};

/**
 * A process that is stopped here would block all access to the table. The pause between two statements is normally
 * shorter.
 */
const SILENT_MS = 10_000;

export const takeOver = async (building: Building, comparison: Comparison | undefined): Promise<TakenOver> => {
  const { database, projection } = building;
  const catchUp = async (): Promise<void> => {
    for (let round = 0; round < ROUNDS; round++) {
      const count = await inTurn(
        database,
        projection,
        async (tx) => compareChanged(tx, building, comparison, (await checkpointOf(tx, projection, LIVE)).position),
        { snapshot: true },
      );
      if (count <= FEW_EVENTS) return;
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
        await compareChanged(tx, building, comparison, before.position);
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

/** Queries that wait for the table then use the new one, because it has the same name. */
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

/** Fault: another session, such as a dump, reads the live table for too long. */
export class TableInUse extends Error {
  override readonly name = 'TableInUse';
  readonly code = 'table_in_use';

  constructor({ name }: Projection) {
    super(
      `The new rows of ${name} are ready and could not take over, because another session keeps the table locked. Let that end ` +
        `and start the rebuild again: it continues from here.`,
    );
  }
}
