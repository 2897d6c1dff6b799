import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** Runs a query on its own connection; returns no rows if the server is away. */
export const ask = async <Row extends pg.QueryResultRow>(
  databaseUrl: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> => {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: 'trouble',
    connectionTimeoutMillis: 5000,
    query_timeout: 5000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Row>(text, [...values])).rows;
  } catch {
    return [];
  } finally {
    client.end().catch(() => undefined);
  }
};

/**
 * Keeps a transaction open that has written and never ends. A store that reads only up to the oldest running
 * transaction would make no progress meanwhile. The transaction is reopened if the connection is lost.
 */
export const keepIdleTransaction = (databaseUrl: string, signal: AbortSignal): void => {
  const open = async (): Promise<void> => {
    const client = new pg.Client({ connectionString: databaseUrl, application_name: 'idle' });
    const lost = new Promise<void>((resolve) => client.on('error', () => resolve()).on('end', resolve));
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    try {
      await client.connect();
      await client.query('begin isolation level repeatable read');
      await client.query('select pg_current_xact_id()');
      await Promise.race([lost, aborted]);
    } catch {
      // The transaction is reopened.
    }
    client.end().catch(() => undefined);
  };
  void (async () => {
    while (!signal.aborted) {
      await open();
      if (!signal.aborted) await sleep(200);
    }
  })();
};
