import {
  EmbeddedPostgresFault,
  findRunningEmbeddedPostgres,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresFaultCode,
  type EmbeddedPostgresOptions,
} from '@kissapi/embedded-postgres';

export { EmbeddedPostgresFault, type EmbeddedPostgres };

/** Names of the role, the database and the password file are on disk. */
const name = 'kissapi';

const alternatives = {
  embedded_postgres_unavailable: 'Or set DATABASE_URL to a PostgreSQL server of your own.',
  embedded_postgres_failed: 'Or set DATABASE_URL to a PostgreSQL server of your own.',
  embedded_postgres_in_use:
    'To share one database among several nodes, set DATABASE_URL to a PostgreSQL server of your own for each of them.',
} satisfies Record<EmbeddedPostgresFaultCode, string>;

/** Starts the bundled PostgreSQL, used when DATABASE_URL is unset. Rejects with `EmbeddedPostgresFault`. Must be stopped. */
export const startBundledPostgres = async (
  options: Omit<EmbeddedPostgresOptions, 'name'>,
): Promise<EmbeddedPostgres> => {
  try {
    return await startEmbeddedPostgres({ ...options, name });
  } catch (error) {
    if (!(error instanceof EmbeddedPostgresFault)) throw error;
    const message = `${error.message} ${alternatives[error.code]}`;
    throw new EmbeddedPostgresFault(error.code, message, { cause: error });
  }
};

/** The URL of the bundled PostgreSQL that a running gateway has started on `dataDir`; undefined if none runs. */
export const findRunningBundledPostgres = (dataDir: string): Promise<string | undefined> =>
  findRunningEmbeddedPostgres({ dataDir, name });
