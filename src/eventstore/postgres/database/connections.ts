import pg from 'pg';

/** Detects within seconds a network that fails silently under an idle connection; the operating system needs two hours. */
const NEVER_HANG = { keepAlive: true, keepAliveInitialDelayMillis: 10_000, connectionTimeoutMillis: 5000 };

/** The operating system detects a connection that fails under a query after many minutes, and other queries wait behind it. */
export const READ_WITHIN = { query_timeout: 30_000 };

/** Behind a pooler a connection opens immediately, and its first statement waits for a free connection to the server. */
const FIRST_ANSWER_WITHIN_MS = 5000;

/** Limits that the server enforces, in milliseconds. */
export type ServerLimits = {
  /** How long a statement may wait for a lock. */
  readonly lockTimeoutMs?: number;
  /** The server ends a longer transaction and its connection. Needs PostgreSQL 17. */
  readonly transactionTimeoutMs?: number;
};

/** A lock that is not released must not hang a gateway without an error. */
const LOCK_TIMEOUT_MS = 30_000;
/** A process that is stopped inside a transaction must not keep its locks. An audit may compute for minutes between statements. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 600_000;

/**
 * The settings that our statements and parsers depend on. A role, a database, the server or the URL may set other values,
 * so every connection sets them before its first use. `default_transaction_read_only` is left alone: a database that is set
 * read-only may have been demoted, and must not be written to.
 */
const REQUIRED_SETTINGS = {
  // Values are read from their text form.
  client_encoding: 'UTF8',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '1',
  bytea_output: 'hex',
  // pg-promise escapes values for standard strings.
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  quote_all_identifiers: 'off',
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  // If off, a row that a policy hides is an error. If on, it would be missing from the log without an error.
  row_security: 'off',
  // The code bounds its waits itself, some of them with `set local`.
  statement_timeout: '0',
  idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION_TIMEOUT_MS),
  // Compiling costs more than short statements save.
  jit: 'off',
  plan_cache_mode: 'auto',
} as const;

const setting = (name: string, value: string): string => `set_config('${name}', '${value}', false)`;
/** For a setting that older servers lack. */
const settingIfKnown = (name: string, value: string): string =>
  `case when current_setting('${name}', true) is not null then ${setting(name, value)} end`;

/**
 * An append must be on disk when it is acknowledged. A SET clause of the function that appends has no effect, because it
 * ends before the commit. `remote_apply` is stricter, so it is kept.
 */
const DURABLE = `case when current_setting('synchronous_commit') <> 'remote_apply' then ${setting('synchronous_commit', 'on')} end`;

/** Puts the schema of the log first in `search_path`. Another path would not find the log, and migrations would create a second one. */
const IN_SCHEMA_OF_LOG = `set_config('search_path', concat_ws(', ',
  (select relnamespace::regnamespace::text from pg_catalog.pg_class
   where relname = 'log_head' and relkind = 'r' order by pg_catalog.pg_table_is_visible(oid) desc, relnamespace limit 1),
  nullif(current_setting('search_path'), '')), false)`;

const settingsSql = ({ lockTimeoutMs = LOCK_TIMEOUT_MS, transactionTimeoutMs = 0 }: ServerLimits): string =>
  `select ${[
    ...Object.entries(REQUIRED_SETTINGS).map(([name, value]) => setting(name, value)),
    setting('lock_timeout', String(lockTimeoutMs)),
    settingIfKnown('transaction_timeout', String(transactionTimeoutMs)),
    settingIfKnown('idle_session_timeout', '0'),
    DURABLE,
    IN_SCHEMA_OF_LOG,
  ].join(', ')}`;

/** Sent after the connection is open, because PgBouncer refuses startup parameters that it does not know. */
const applySettings = async (client: pg.ClientBase, limits: ServerLimits): Promise<void> => {
  const query = { text: settingsSql(limits), query_timeout: FIRST_ANSWER_WITHIN_MS };
  await client.query(query);
};

export type PoolOptions = {
  readonly application_name: string;
  readonly max: number;
  readonly idleTimeoutMillis?: number;
  readonly connectionTimeoutMillis?: number;
  readonly query_timeout?: number;
  readonly limits?: ServerLimits;
};

/** For pg, and for pg-promise, which creates its own pool. */
export const poolConfig = (databaseUrl: string, { limits = {}, ...options }: PoolOptions) => ({
  connectionString: databaseUrl,
  ...NEVER_HANG,
  ...options,
  verify: (client: pg.PoolClient, done: (error?: Error) => void): void =>
    void applySettings(client, limits).then(() => done(), done),
});

/** Every pool of this program is created here or from `poolConfig`. */
export const createPool = (databaseUrl: string, options: PoolOptions): pg.Pool =>
  surviveLoss(new pg.Pool(poolConfig(databaseUrl, options)));

/** A single connection. The caller must end it. */
export const openClient = async (databaseUrl: string, application_name: string): Promise<pg.Client> => {
  const client = createClient(databaseUrl, application_name);
  client.on('error', () => undefined); // The next query reports it.
  await connectClient(client);
  return client;
};

/** Not connected yet, for callers that add listeners first. */
export const createClient = (
  databaseUrl: string,
  application_name: string,
  timeouts: Pick<pg.ClientConfig, 'connectionTimeoutMillis' | 'query_timeout'> = {},
): pg.Client => new pg.Client({ connectionString: databaseUrl, ...NEVER_HANG, application_name, ...timeouts });

/** Ends the client if it cannot be used. */
export const connectClient = async (client: pg.Client): Promise<void> => {
  try {
    await client.connect();
    await applySettings(client, {});
  } catch (error) {
    client.end().catch(() => undefined);
    throw error;
  }
};

/**
 * Ignores errors of idle connections: the next query opens another one. Clients outside the pool are included, because a
 * client that is being ended may still receive an error when its server stops.
 */
export const surviveLoss = <Pool extends Pick<pg.Pool, 'on'>>(pool: Pool): Pool => {
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
};
