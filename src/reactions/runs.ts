import pg from 'pg';
import { migrate } from '../eventstore/migrate.ts';

const BEAT_MS = 1000;
/** Three missed beats. A run that was only slow loses its holds, and charges what it learns later as late usage. */
const DEAD_AFTER_MS = 3000;
const FORGET_AFTER = '1 hour';

export type Run = {
  readonly id: string;
  /** The runs that proved life lately, by the database's clock; this one always among them. */
  live(): Promise<readonly string[]>;
  /** Stops the heart and takes the run off the list: its holds must have ended. */
  close(): Promise<void>;
};

export type RunOptions = {
  readonly databaseUrl: string;
  readonly id: string;
  readonly failed: (error: unknown) => void;
};

export const migrateRuns = (databaseUrl: string): Promise<void> =>
  migrate(databaseUrl, 'reactions', new URL('./sql/', import.meta.url));

/** Puts this process on the list of runs, before it can hold anything, and proves its life once a second. */
export const createRun = async ({ databaseUrl, id, failed }: RunOptions): Promise<Run> => {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 2,
    application_name: 'kissapi-runs',
    // A beat that hangs, as on a connection that is gone without a word, must not keep the next ones from being tried.
    connectionTimeoutMillis: DEAD_AFTER_MS,
    query_timeout: DEAD_AFTER_MS,
  });
  pool.on('error', failed);

  const beat = (): Promise<unknown> =>
    pool.query(`insert into runs (id) values ($1) on conflict (id) do update set seen_at = clock_timestamp()`, [id]);
  await beat();
  await pool.query(`delete from runs where seen_at < clock_timestamp() - interval '${FORGET_AFTER}'`);
  let beating = false;
  const heart = setInterval(() => {
    if (beating) return;
    beating = true;
    beat()
      .catch(failed)
      .finally(() => (beating = false));
  }, BEAT_MS);

  return {
    id,
    live: async () => {
      const { rows } = await pool.query<{ id: string }>(
        `select id from runs where id <> $1 and seen_at > clock_timestamp() - $2 * interval '1 millisecond'`,
        [id, DEAD_AFTER_MS],
      );
      return [id, ...rows.map((row) => row.id)];
    },
    close: async () => {
      clearInterval(heart);
      await pool.query('delete from runs where id = $1', [id]).catch(failed);
      await pool.end();
    },
  };
};
