import type pg from 'pg';
import { connectClient, createClient } from './database/connections.ts';

/**
 * A session of the database that holds locks for as long as this process is alive and reachable. Behind a pooler it needs
 * session mode, like the rest of the gateway.
 */
export type LockSession = {
  /** False if another session holds the lock. */
  tryLock(name: string): Promise<boolean>;
  unlock(name: string): Promise<void>;
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Aborts when the session is lost. From then on another process may hold its locks. */
  readonly lost: AbortSignal;
  /** Frees all locks. */
  close(): Promise<void>;
};

export type LockSessionOptions = {
  readonly name: string;
  /** The server frees the locks of a process that is silent for so long: it is stopped, or its network failed. */
  readonly silentMs?: number;
};

const SILENT_MS = 5000;
const ANSWER_WITHIN_MS = 5000;
/** Distinguishes these locks from others that hash a name. */
const SEED = 7_241_980;

/** Rejects if the database cannot be reached. Must be closed. */
export const openLockSession = async (
  databaseUrl: string,
  { name, silentMs = SILENT_MS }: LockSessionOptions,
): Promise<LockSession> => {
  const client = createClient(databaseUrl, name, { query_timeout: ANSWER_WITHIN_MS });
  const losing = new AbortController();
  const lose = (): void => losing.abort();
  client.on('error', lose);
  client.on('end', lose);
  await connectClient(client);

  let last: Promise<unknown> = Promise.resolve();
  /** One statement at a time: a client of pg does not accept several. */
  const query = async <Row extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<readonly Row[]> => {
    const result = last.then(() => client.query<Row>(text, [...values]));
    last = result.catch(() => undefined);
    return (await result).rows;
  };
  const lockCall = async (call: string, key: string): Promise<boolean> => {
    const [row] = await query<{ done: boolean }>(`select ${call}(hashtextextended($1, ${SEED})) as done`, [key]);
    return row?.done === true;
  };
  // Servers before version 14 lack the setting; there, a stopped process keeps its locks until it ends.
  const limited = query(
    `select case when current_setting('idle_session_timeout', true) is not null
       then set_config('idle_session_timeout', $1, false) end`,
    [String(silentMs)],
  );
  await limited.catch(async (error: unknown) => {
    await client.end().catch(() => undefined);
    throw error;
  });
  const alive = setInterval(() => void query('select 1').catch(lose), silentMs / 5);

  return {
    tryLock: (key) => lockCall('pg_try_advisory_lock', key),
    unlock: async (key) => void (await lockCall('pg_advisory_unlock', key)),
    query,
    lost: losing.signal,
    close: async () => {
      clearInterval(alive);
      await client.end().catch(() => undefined);
    },
  };
};
