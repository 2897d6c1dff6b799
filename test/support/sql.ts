import pg from 'pg';
import { usesEventStoreDb } from './stores/store-env.ts';

// Taken before any test replaces the timers.
const { setTimeout } = globalThis;

const IDLE_MS = 2000;

/**
 * A new session costs the server far more than a short query, so idle connections are used again. They end after a short
 * while, so that no test waits for them.
 */
const idle = new Map<string, pg.Client[]>();

/** Statements that change a session. A connection that ran one is not used again. */
const CHANGES_SESSION = /\b(set|begin|lock|listen|advisory)\b/i;

type Lease = { readonly client: pg.Client; readonly reused: boolean };

const lease = async (databaseUrl: string): Promise<Lease> => {
  const kept = idle.get(databaseUrl)?.pop();
  if (kept) return { client: kept, reused: true };
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'test' });
  // A session that a test ends while it is idle.
  client.on('error', () => forget(databaseUrl, client));
  await client.connect();
  return { client, reused: false };
};

const forget = (databaseUrl: string, client: pg.Client): void => {
  const kept = idle.get(databaseUrl) ?? [];
  idle.set(
    databaseUrl,
    kept.filter((one) => one !== client),
  );
};

const giveBack = (databaseUrl: string, client: pg.Client): void => {
  const kept = idle.get(databaseUrl) ?? [];
  idle.set(databaseUrl, [...kept, client]);
  setTimeout(() => {
    if (!idle.get(databaseUrl)?.includes(client)) return;
    forget(databaseUrl, client);
    void client.end();
  }, IDLE_MS).unref();
};

/** A session that a test ended: the server names itself the cause, or the socket is gone. */
const sessionEnded = (error: unknown): boolean => {
  const { code } = error as { readonly code?: string };
  return code === undefined || code.startsWith('57P') || code === 'ECONNRESET' || code === 'EPIPE';
};

/** Runs a query outside the gateway. Rows are as PostgreSQL sends them, with bigint as a string. */
export const query = async <Row extends pg.QueryResultRow>(
  databaseUrl: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> => {
  const asked = [{ text, values: [...values] }];
  if (usesEventStoreDb() && OF_THE_LOG.test(text)) await untilCopied(databaseUrl);
  return (await queries<Row>(databaseUrl, asked)).flat();
};

const OF_THE_LOG = /^\s*select\b[^]*\b(events|log_head)\b/i;

/** These tables are a copy then. A query must find what was appended before it, as it does in PostgreSQL. */
const untilCopied = async (databaseUrl: string): Promise<void> => {
  const [[head]] = (await queries<{ store: string }>(databaseUrl, [
    { text: `select store from log_head where position > 0` },
  ])) as [{ store: string }[]];
  if (head?.store !== 'eventstoredb') return;
  const { openLog } = await import('./stores/log.ts');
  const log = openLog(databaseUrl);
  // A test may have taken a store away: the tables are then as they are.
  await log.head().catch(() => undefined);
  await log.close();
};

/** Runs several queries over one connection, one after another. */
export const queries = async <Row extends pg.QueryResultRow>(
  databaseUrl: string,
  asked: readonly pg.QueryConfig[],
): Promise<readonly Row[][]> => {
  const { client, reused } = await lease(databaseUrl);
  const results: Row[][] = [];
  try {
    for (const one of asked) results.push((await client.query<Row>(one)).rows);
  } catch (error) {
    await client.end().catch(() => undefined);
    if (reused && results.length === 0 && sessionEnded(error)) return queries(databaseUrl, asked);
    throw error;
  }
  if (asked.some(({ text }) => CHANGES_SESSION.test(text))) await client.end();
  else giveBack(databaseUrl, client);
  return results;
};

/** Ends every session of gateways on this database that has one of these names. Returns their number. */
export const terminateSessions = async (databaseUrl: string, ...names: readonly string[]): Promise<number> => {
  const rows = await query(
    databaseUrl,
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and application_name = any($1)`,
    [names],
  );
  return rows.length;
};

/** The server's own database, from which others are created, dropped and closed. */
export const serverUrl = (databaseUrl: string): string => {
  const server = new URL(databaseUrl);
  server.pathname = '/postgres';
  return server.href;
};

/** Refuses connections to a database and ends its sessions, as a failover does. The returned function opens it again. */
export const takeAway = async (databaseUrl: string): Promise<() => Promise<void>> => {
  const server = serverUrl(databaseUrl);
  const name = new URL(databaseUrl).pathname.slice(1);
  const allow = (whether: boolean): Promise<unknown> =>
    query(server, `alter database ${name} allow_connections ${whether}`);
  await allow(false);
  await query(server, 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
  return async () => void (await allow(true));
};

/** Removes all rows of the log and of what belongs to it. The log is then a new one, which can begin in either store. */
export const emptyLog = async (databaseUrl: string): Promise<void> => {
  await query(
    databaseUrl,
    `do $$
     declare name text;
     begin
       for name in select tablename from pg_tables where schemaname = 'public' and tablename not in ('migrations', 'log_head') loop
         execute format('alter table %I disable trigger user', name);
         execute format('delete from %I', name);
         execute format('alter table %I enable trigger user', name);
       end loop;
       update log_head set position = 0, time = '-infinity', hash = decode(repeat('00', 32), 'hex'),
         log_id = gen_random_uuid(), store = 'postgres', store_streams = null, store_marker = null, store_position = null;
     end $$`,
  );
};
