import type pg from 'pg';

/** A network that dies without a word while a connection is idle is noticed in seconds, not after the two hours of systems. */
export const NEVER_HANG = { keepAlive: true, keepAliveInitialDelayMillis: 10_000, connectionTimeoutMillis: 5000 };

/** One that dies under a query is not noticed by the system for many minutes, and others wait behind that query. */
export const READ_WITHIN = { query_timeout: 30_000 };

/**
 * For `verify` of a pool: the server ends a transaction that lasts longer, and its connection, whoever fell silent in it.
 * Not before PostgreSQL 17, which knows no such limit.
 */
export const endTransactionsAfter =
  (ms: number): NonNullable<pg.PoolConfig['verify']> =>
  (client, done) =>
    void client
      .query("select set_config(name, $1, false) from pg_settings where name = 'transaction_timeout'", [ms])
      .then(() => done(), done);

/**
 * A connection that breaks while nobody uses it is no error: the next query opens another. Clients that have left the
 * pool are covered too, for one that is being ended may still be told that its server stops.
 */
export const surviveLoss = <Pool extends Pick<pg.Pool, 'on'>>(pool: Pool): Pool => {
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
};
