import { setTimeout as sleep } from 'node:timers/promises';
import type { ITask } from 'pg-promise';
import type { Database } from '../database.ts';
import type { Projection } from '../projection.ts';

/** Arbitrary numbers that all nodes share. */
const TABLE_LOCK = 7_241_978;
const TURN_LOCK = 7_241_979;

const TRY_AGAIN_MS = 250;
const REMIND_MS = 10_000;
/** A process that is stopped inside a transaction must not block the others. */
const SILENT_MS = 60_000;

/** Called with a description of the session that holds the lock, for an operator who may want to end it. */
export type Waiting = (holder: string) => void;

/**
 * Runs `work` in one process at a time per projection. The others wait without a limit, and `waiting` is called
 * repeatedly. Also waits for statements that the server still executes for a killed process.
 */
export const alone = <T>(
  database: Database,
  { name }: Projection,
  waiting: Waiting,
  work: () => Promise<T>,
): Promise<T> =>
  database.task(async (session) => {
    await taken(session, TABLE_LOCK, name, waiting);
    try {
      await taken(session, TURN_LOCK, name, waiting);
      await session.one('select pg_advisory_unlock($1, hashtext($2))', [TURN_LOCK, name]);
      return await work();
    } finally {
      await session.one('select pg_advisory_unlock($1, hashtext($2))', [TABLE_LOCK, name]);
    }
  });

/** Polls instead of waiting in the server, so that the holder can be reported. */
const taken = async (session: ITask<object>, lock: number, name: string, waiting: Waiting): Promise<void> => {
  let remindAt = 0;
  for (;;) {
    const sql = 'select pg_try_advisory_lock($1, hashtext($2)) as free';
    if ((await session.one<{ free: boolean }>(sql, [lock, name])).free) return;
    if (performance.now() >= remindAt) {
      waiting(await holderOf(session, lock, name));
      remindAt = performance.now() + REMIND_MS;
    }
    await sleep(TRY_AGAIN_MS);
  }
};

const holderOf = async (session: ITask<object>, lock: number, name: string): Promise<string> => {
  const [one] = await session.any<{ pid: number; application: string; since: Date }>(
    `select a.pid, a.application_name as application, a.backend_start as since
     from pg_locks l join pg_stat_activity a using (pid)
     where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.classid = $1
       and l.objid::bigint = hashtext($2)::bigint & 4294967295`,
    [lock, name],
  );
  return one ? `pid ${one.pid} (${one.application}), connected since ${one.since.toISOString()}` : 'another session';
};

/** A transaction of the process that runs `alone`. With `snapshot` all its reads are from one snapshot. */
export const inTurn = <T>(
  database: Database,
  { name }: Projection,
  work: (tx: ITask<object>) => Promise<T>,
  { snapshot = false } = {},
): Promise<T> =>
  database.tx(async (tx) => {
    if (snapshot) await tx.none('set transaction isolation level repeatable read');
    await tx.none(`set local idle_in_transaction_session_timeout = ${SILENT_MS}`);
    await tx.one('select pg_advisory_xact_lock($1, hashtext($2))', [TURN_LOCK, name]);
    return work(tx);
  });
