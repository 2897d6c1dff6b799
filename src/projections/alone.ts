import type { ITask } from 'pg-promise';
import type { Database } from './database.ts';
import type { Projection } from './projection.ts';

/** Any two numbers, as long as all nodes lock the same. */
const TABLE_LOCK = 7_241_978;
const TURN_LOCK = 7_241_979;

/**
 * One process at a time makes the table of a projection; others that want to wait for it, and are told so. Also waits for
 * what the server is still doing for one that was killed.
 */
export const alone = <T>(
  database: Database,
  { name }: Projection,
  waiting: () => void,
  work: () => Promise<T>,
): Promise<T> =>
  database.task(async (session) => {
    const { free } = await session.one<{ free: boolean }>('select pg_try_advisory_lock($1, hashtext($2)) as free', [
      TABLE_LOCK,
      name,
    ]);
    if (!free) {
      waiting();
      await session.one('select pg_advisory_lock($1, hashtext($2))', [TABLE_LOCK, name]);
    }
    try {
      await session.one('select pg_advisory_xact_lock($1, hashtext($2))', [TURN_LOCK, name]);
      return await work();
    } finally {
      await session.one('select pg_advisory_unlock($1, hashtext($2))', [TABLE_LOCK, name]);
    }
  });

/** A transaction of who is `alone`. `snapshot`: all that it reads is as it was at one moment. */
export const inTurn = <T>(
  database: Database,
  { name }: Projection,
  work: (tx: ITask<object>) => Promise<T>,
  { snapshot = false } = {},
): Promise<T> =>
  database.tx(async (tx) => {
    if (snapshot) await tx.none('set transaction isolation level repeatable read');
    await tx.one('select pg_advisory_xact_lock($1, hashtext($2))', [TURN_LOCK, name]);
    return work(tx);
  });
