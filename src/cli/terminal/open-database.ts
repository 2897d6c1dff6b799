import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { findRunningBundledPostgres, startBundledPostgres } from '../../gateway/start/bundled-postgres.ts';
import { checkSessions } from '../../eventstore/postgres/database/database-check.ts';
import { addressIn, databaseFaultInWords } from '../../eventstore/postgres/database/database-faults.ts';
import { checkLogOwner, createLog, type Log, type LogAddress } from '../../eventstore/create-log.ts';
import { createDatabase, type Database } from '../../projections/database.ts';
import { CliFault } from './fault.ts';

/** The log of a gateway and the rows of its projections. */
export type OpenDatabase = {
  readonly url: string;
  readonly store: Log;
  readonly rows: Database;
  /** Also stops the server if it was started for the command. */
  close(): Promise<void>;
};

export type Server = { readonly url: string; stop(): Promise<void> };

export type OpenDatabaseOptions = {
  readonly databaseUrl: string | undefined;
  /** EventStoreDB, if it commits the log. */
  readonly eventStoreUrl?: string | undefined;
  readonly dataDir: string;
  /** For messages to the user; never includes the URL, which contains the password. */
  readonly log: (line: string) => void;
};

/**
 * The database of the gateway: the configured one, else the bundled one of a running gateway, else the bundled one,
 * started for the command. Never creates anything. Must be closed.
 */
export const openDatabase = async ({
  databaseUrl,
  eventStoreUrl,
  dataDir,
  log,
}: OpenDatabaseOptions): Promise<OpenDatabase> => {
  const server = await openServer({ databaseUrl, dataDir, log });
  const { url } = server;
  await expectServer({ databaseUrl: url, eventStoreUrl }).catch((error: unknown) =>
    server.stop().finally(() => Promise.reject(error as Error)),
  );
  const store = createLog({ databaseUrl: url, eventStoreUrl });
  const rows = createDatabase(url);
  const close = async (): Promise<void> => {
    await store.close();
    await rows.$pool.end();
    await server.stop();
  };
  try {
    await expectLog(rows);
    // Waits until the copy has what was appended before. Without EventStoreDB, commands read the copy as it is.
    if (eventStoreUrl !== undefined) await store.head().catch(() => undefined);
    return { url, store, rows, close };
  } catch (error) {
    await close();
    throw error;
  }
};

/** Only the server, whichever store commits the log. Must be stopped. */
export const openServer = async ({
  databaseUrl,
  dataDir,
  log,
}: Omit<OpenDatabaseOptions, 'eventStoreUrl'>): Promise<Server> => {
  const found = databaseUrl ?? (await findRunningBundledPostgres(dataDir));
  return found === undefined ? start(dataDir, log) : { url: found, stop: () => Promise.resolve() };
};

const start = async (dataDir: string, log: (line: string) => void): Promise<Server> => {
  const version = join(dataDir, 'postgres', 'PG_VERSION');
  await access(version).catch((cause: unknown) => {
    throw new CliFault(
      `There is no gateway's database in ${dataDir}. Start the gateway there once, name another directory with ` +
        'KISSAPI_DATA, or set DATABASE_URL.',
      { cause },
    );
  });
  log('No gateway is running: starting its database for this command.');
  const postgres = await startBundledPostgres({ dataDir, log: () => undefined });
  // Ctrl-C must not leave the server running.
  const interrupted = (): void => void postgres.stop().finally(() => process.exit(130));
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  return {
    url: postgres.url,
    stop: async () => {
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', interrupted);
      await postgres.stop();
    },
  };
};

/** Rejects with a message for a mistyped DATABASE_URL, a pooler in the wrong mode, and a log in another store. */
const expectServer = (address: LogAddress): Promise<void> =>
  inWords(address.databaseUrl, async () => {
    await checkSessions(address.databaseUrl);
    await checkLogOwner(address);
  });

/** The same, whichever store commits the log. */
export const expectSessions = (databaseUrl: string): Promise<void> =>
  inWords(databaseUrl, () => checkSessions(databaseUrl));

const inWords = async (databaseUrl: string, check: () => Promise<unknown>): Promise<void> => {
  try {
    await check();
  } catch (cause) {
    const words = databaseFaultInWords(cause, databaseUrl, `The database at ${addressIn(databaseUrl)}`);
    if (words === undefined) throw cause;
    throw new CliFault(words, { cause });
  }
};

const expectLog = async (rows: Database): Promise<void> => {
  const { there } = await rows.one<{ there: boolean }>(
    `select to_regclass('events') is not null and to_regclass('projections.checkpoints') is not null as there`,
  );
  if (!there) {
    throw new CliFault('This database has no KissAPI log yet. Start the gateway on it once, or check DATABASE_URL.');
  }
};
