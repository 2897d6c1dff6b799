import type pg from 'pg';
import { createClient, openClient } from './connections.ts';
import { DatabaseNotReady, UnfitDatabase } from './database-faults.ts';

export type DatabaseCheck = {
  readonly databaseUrl: string;
  /** In production, a server that may lose confirmed writes is refused. */
  readonly production: boolean;
  /** The log is in EventStoreDB, and the database has a copy. */
  readonly copy?: boolean;
  readonly warn: (message: string) => void;
};

/** The most that one gateway opens: all pools of this process and of the thread that maintains the rows. */
export const CONNECTIONS_OF_A_GATEWAY = 54;
/** Those that copy the log from EventStoreDB. */
const CONNECTIONS_OF_THE_COPY = 5;

const ANSWER_WITHIN_MS = 3000;
const NAME = 'kissapi-check';

/**
 * Refuses a database that cannot keep the log safely: a pooler that shares sessions, a server that does not sync to disk, an
 * encoding that cannot represent every text, tables that a crash empties. Rejects with UnfitDatabase, or with
 * DatabaseNotReady if waiting may help.
 */
export const checkDatabase = async (check: DatabaseCheck): Promise<void> => {
  await checkSessions(check.databaseUrl, CONNECTIONS_OF_A_GATEWAY + (check.copy ? CONNECTIONS_OF_THE_COPY : 0));
  const client = await openClient(check.databaseUrl, NAME);
  try {
    await checkServer(client, check);
    await checkTables(client);
  } finally {
    await client.end();
  }
};

const POOLERS =
  'LISTEN, prepared statements and settings need a connection of their own: set pool_mode = session for this database ' +
  'in PgBouncer, or let DATABASE_URL name PostgreSQL itself.';
const SHARED = `A connection pooler in transaction mode (or statement mode) is between the gateway and PostgreSQL. ${POOLERS}`;

/**
 * Detects a pooler in transaction mode, which assigns any free server connection to each transaction, and a pooler with too
 * few connections. Sets nothing on the connections, because a pooler passes them on to other clients.
 */
export const checkSessions = async (databaseUrl: string, connections = 2): Promise<void> => {
  const clients: pg.Client[] = [];
  let pooled = false;
  const open = async (): Promise<pg.Client> => {
    const client = createClient(databaseUrl, NAME);
    client.on('error', () => undefined);
    clients.push(client);
    await client.connect();
    return client;
  };
  try {
    const one = await open();
    const pid = await serverPid(one);
    // The pid that PgBouncer sends to its clients is not that of the server.
    pooled = (one as { readonly processID?: unknown }).processID !== pid;
    const other = await open();
    await ask(other, 'begin');
    // `other` now occupies a server connection: if sessions are shared, `one` gets a different one.
    for (let n = 0; n < 3; n++) if ((await serverPid(one)) !== pid) throw new UnfitDatabase(SHARED);
    await ask(other, 'commit');
    for (let n = 0; n < 3; n++) if ((await serverPid(one)) !== pid) throw new UnfitDatabase(SHARED);
    while (pooled && clients.length < connections) await serverPid(await open());
  } catch (error) {
    if (/transaction blocks not allowed/.test(messageOf(error))) throw new UnfitDatabase(SHARED, { cause: error });
    if (pooled && /read timeout|timeout expired|max_client_conn/.test(messageOf(error))) {
      throw new UnfitDatabase(tooFew(clients.length - 1, connections), { cause: error });
    }
    if (!/read timeout/.test(messageOf(error))) throw error;
    const within = `${ANSWER_WITHIN_MS / 1000} s`;
    throw new DatabaseNotReady(
      `a connection opened, but a statement was not answered within ${within} (a stalled server, or a pooler without a free connection)`,
      { cause: error },
    );
  } finally {
    // Not awaited: a pooler without a free connection does not answer.
    for (const client of clients) client.end().catch(() => undefined);
  }
};

const tooFew = (count: number, needed: number): string =>
  `The connection pooler between the gateway and PostgreSQL gives this gateway ${count} ` +
  `${count === 1 ? 'connection' : 'connections'}, and a gateway needs up to ${needed}. ${POOLERS} In session ` +
  `mode, allow ${needed} connections for each gateway: default_pool_size (or pool_size) and max_client_conn of ` +
  'PgBouncer, and max_connections of PostgreSQL.';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const ask = <Row extends pg.QueryResultRow>(client: pg.Client, text: string): Promise<pg.QueryResult<Row>> => {
  const query = { text, query_timeout: ANSWER_WITHIN_MS };
  return client.query<Row>(query);
};

const serverPid = async (client: pg.Client): Promise<number | undefined> =>
  (await ask<{ pid: number }>(client, 'select pg_backend_pid() as pid')).rows[0]?.pid;

type Server = { readonly standby: boolean; readonly encoding: string; readonly fsync: string; readonly pages: string };

const checkServer = async (client: pg.Client, { production, warn }: DatabaseCheck): Promise<void> => {
  const { rows } = await client.query<Server>(
    `select pg_is_in_recovery() as standby, current_setting('server_encoding') as encoding,
       current_setting('fsync') as fsync, current_setting('full_page_writes') as pages`,
  );
  const [{ standby, encoding, fsync, pages }] = rows as [Server];
  if (standby) throw new DatabaseNotReady('the server is a standby, which takes no writes until it is promoted');
  if (encoding !== 'UTF8') {
    throw new UnfitDatabase(
      `The encoding of the database is ${encoding}, which cannot hold every text. Create a database with encoding 'UTF8', ` +
        'and let DATABASE_URL name it.',
    );
  }
  for (const [name, value] of Object.entries({ fsync, full_page_writes: pages })) {
    if (value === 'on') continue;
    const message = `PostgreSQL runs with ${name} = ${value}: a crash of its machine can lose or damage the log. Set ${name} = on.`;
    if (production) throw new UnfitDatabase(message);
    warn(message);
  }
};

/** Tables that must survive a crash. `turns` need not, and is unlogged. */
const LOGGED = ['events', 'log_head', 'log_checkpoints', 'data_keys', 'log_rewinds', 'migrations'];

const checkTables = async (client: pg.Client): Promise<void> => {
  const { rows } = await client.query<{ name: string }>(
    `with recursive tables as (
       select to_regclass(name)::oid as oid from unnest($1::text[]) as name
       union select i.inhrelid from pg_inherits i join tables t on t.oid = i.inhparent)
     select c.relname as name from tables t join pg_class c using (oid) where c.relpersistence <> 'p' order by 1`,
    [LOGGED],
  );
  const names = rows.map(({ name }) => name);
  if (names.length === 0) return;
  throw new UnfitDatabase(
    `PostgreSQL empties an unlogged table after a crash, and these are unlogged: ${names.join(', ')}. ` +
      `Make each of them safe with: alter table <name> set logged.`,
  );
};
