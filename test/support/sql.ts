import pg from 'pg';

/** Asks a database from outside the gateway; the rows as PostgreSQL tells them, bigint as a string. */
export const query = async <Row extends pg.QueryResultRow>(
  databaseUrl: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> => (await queries<Row>(databaseUrl, [{ text, values: [...values] }])).flat();

/** Several questions over one connection, one after another. */
export const queries = async <Row extends pg.QueryResultRow>(
  databaseUrl: string,
  asked: readonly pg.QueryConfig[],
): Promise<readonly Row[][]> => {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'test' });
  await client.connect();
  try {
    const answers: Row[][] = [];
    for (const one of asked) answers.push((await client.query<Row>(one)).rows);
    return answers;
  } finally {
    await client.end();
  }
};

/** Ends every session of gateways on this database whose name is like one of these; tells how many there were. */
export const terminateSessions = async (databaseUrl: string, ...names: readonly string[]): Promise<number> => {
  const rows = await query(
    databaseUrl,
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and application_name = any($1)`,
    [names],
  );
  return rows.length;
};

/** Takes a database away from everybody, as a server that fails over does, and gives it back when the returned is called. */
export const takeAway = async (databaseUrl: string): Promise<() => Promise<void>> => {
  const elsewhere = new URL(databaseUrl);
  const name = elsewhere.pathname.slice(1);
  elsewhere.pathname = '/postgres';
  const allow = (whether: boolean): Promise<unknown> =>
    query(elsewhere.href, `alter database ${name} allow_connections ${whether}`);
  await allow(false);
  await query(elsewhere.href, 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
  return async () => void (await allow(true));
};
