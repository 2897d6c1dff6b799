import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';

/** Any one number, as long as all nodes lock the same. */
const MIGRATION_LOCK = 7_241_977;

/**
 * Runs the SQL files of a folder that this database has not seen, in order of name, each in a transaction of its own.
 * Nodes that start together wait for one another. `room` tells apart folders whose files have the same names.
 */
export const migrate = async (databaseUrl: string, room: string, folder: URL): Promise<void> => {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'kissapi-migrate' });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await client.query(
      `create table if not exists migrations (
         room text, file text, applied_at timestamptz not null default now(), primary key (room, file))`,
    );
    const { rows } = await client.query<{ file: string }>('select file from migrations where room = $1', [room]);
    const applied = new Set(rows.map(({ file }) => file));
    const files = (await readdir(folder)).filter((file) => file.endsWith('.sql') && !applied.has(file)).sort();
    for (const file of files) {
      const sql = await readFile(new URL(file, folder), 'utf8');
      await client.query('begin');
      await client.query(sql);
      await client.query('insert into migrations (room, file) values ($1, $2)', [room, file]);
      await client.query('commit');
    }
  } finally {
    await client.end(); // Ends the transaction of a file that failed, and gives the lock back.
  }
};
