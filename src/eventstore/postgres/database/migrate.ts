import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type pg from 'pg';
import { openClient } from './connections.ts';
import { UnfitDatabase } from './database-faults.ts';

/** An arbitrary number that all nodes share. */
const MIGRATION_LOCK = 7_241_977;
const LOCK_NOT_AVAILABLE = '55P03';

export type MigrateOptions = {
  /** Called repeatedly while another session blocks a migration. */
  readonly waiting?: ((reason: string) => void) | undefined;
  /** How long to wait for locks, over all attempts. */
  readonly waitMs?: number | undefined;
};

/** Short, because a statement that waits for a table blocks later readers of that table. */
const LOCK_TIMEOUT_MS = 2000;
const WAIT_MS = 30_000;
/** A node that is stopped inside a migration must not block the others. */
const SILENT_MS = 10_000;

/**
 * Runs the SQL files of a folder and its subfolders that were not run on this database, each in a transaction of its own. The
 * order is that of their names, whatever subfolder they are in. Nodes that start at the same time wait for each other. `room` distinguishes folders whose files have the same names.
 */
export const migrate = async (
  databaseUrl: string,
  room: string,
  folder: URL,
  { waiting = () => undefined, waitMs = WAIT_MS }: MigrateOptions = {},
): Promise<void> => {
  const client = await openClient(databaseUrl, 'kissapi-migrate');
  try {
    const end = performance.now() + waitMs;
    const paths = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith('.sql'));
    const pathOf = new Map(paths.map((path) => [basename(path), path]));
    for (const file of await unseen(client, room, [...pathOf.keys()].sort())) {
      const sql = await readFile(new URL(pathOf.get(file) ?? file, folder), 'utf8');
      while (!(await apply(client, { room, file, sql }))) {
        const reason = `${file} waits for ${await holder(client)}`;
        if (performance.now() > end) {
          const within = `${Math.round(waitMs / 1000)} s`;
          throw new UnfitDatabase(
            `The database could not be migrated within ${within}: ${reason}. Let that end, or end it with ` +
              'select pg_terminate_backend(<pid>), and start the gateway again.',
          );
        }
        waiting(reason);
      }
    }
  } finally {
    await client.end();
  }
};

const unseen = async (client: pg.Client, room: string, files: readonly string[]): Promise<readonly string[]> => {
  const { rows: found } = await client.query<{ there: boolean }>(
    `select to_regclass('migrations') is not null as there`,
  );
  if (!found[0]?.there) return files;
  const { rows } = await client.query<{ file: string }>('select file from migrations where room = $1', [room]);
  const seen = new Set(rows.map(({ file }) => file));
  return files.filter((file) => !seen.has(file));
};

type File = { readonly room: string; readonly file: string; readonly sql: string };

/** False if a lock was not free. The lock ends with the transaction, so a node that dies here leaves nothing locked. */
const apply = async (client: pg.Client, { room, file, sql }: File): Promise<boolean> => {
  try {
    await client.query(
      `begin; set local lock_timeout = ${LOCK_TIMEOUT_MS};
       set local idle_in_transaction_session_timeout = ${SILENT_MS}`,
    );
    await client.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await client.query(
      `create table if not exists migrations (
         room text, file text, applied_at timestamptz not null default now(), primary key (room, file))`,
    );
    // Another node may have run it meanwhile.
    if ((await unseen(client, room, [file])).length > 0) {
      await client.query(sql);
      await client.query('insert into migrations (room, file) values ($1, $2)', [room, file]);
    }
    await client.query('commit');
    return true;
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== LOCK_NOT_AVAILABLE) throw error;
    await client.query('rollback');
    return false;
  }
};

/** Describes the session that holds the migration lock. If there is none, a table is in use. */
const holder = async (client: pg.Client): Promise<string> => {
  const { rows } = await client.query<{ pid: number; name: string; state: string | null }>(
    `select l.pid, a.application_name as name, a.state from pg_locks l left join pg_stat_activity a using (pid)
     where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.classid = 0 and l.objid = ${MIGRATION_LOCK}
       and l.database = (select oid from pg_database where datname = current_database())`,
  );
  const [one] = rows;
  if (!one) return 'a table that another session has locked';
  return `another session, which holds the lock of migrations (pid ${one.pid}, ${one.name || 'no name'}, ${one.state ?? 'state unknown'})`;
};
