import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { openCluster, readPassword, ROLE } from '../embedded-postgres/cluster.ts';
import { EmbeddedPostgresFault, reason } from '../embedded-postgres/fault.ts';
import { keepUp } from '../embedded-postgres/keep-up.ts';
import { isPostmasterOf, readPidFile } from '../embedded-postgres/postmaster.ts';
import { findPrograms, type Invocation } from '../embedded-postgres/programs.ts';
import { startServer, stopServer, type Place, type Server } from '../embedded-postgres/server.ts';
import { findServerUser } from '../embedded-postgres/server-user.ts';
import { openSession } from '../embedded-postgres/session.ts';

export { EmbeddedPostgresFault };

export type EmbeddedPostgres = {
  /**
   * Of the database `kissapi`, password included: not to be logged. Good until `stop`, for a server that ends by itself comes
   * back at the same address; the port differs from start to start.
   */
  readonly url: string;
  /** A fast shutdown. Returns when the process has ended, however often it is called. */
  stop(): Promise<void>;
};

type Options = {
  readonly dataDir: string;
  readonly log: (line: string) => void;
  /** For what somebody should look at; else it is logged like the rest. */
  readonly alarm?: (line: string) => void;
  readonly settings?: Readonly<Record<string, string>>;
};

const DATABASE = 'kissapi';

const urlOf = (port: number, password: string): string =>
  `postgres://${ROLE}:${password}@127.0.0.1:${port}/${DATABASE}`;

const POLL_MS = 20;

/** Stays open for the gateway's life: by it, another gateway started on the same data can tell that this one lives. */
const openPresence = async (port: number, password: string): Promise<void> => {
  const session = await openSession(port, password, 'kissapi-embedded-postgres');
  try {
    const existing = await session.query(`SELECT FROM pg_database WHERE datname = '${DATABASE}'`);
    if (existing.length === 0) await session.query(`CREATE DATABASE ${DATABASE}`);
  } catch (error) {
    await session.end();
    throw error;
  }
  session.unref();
};

const prepare = async ({ dataDir: wanted, log }: Options): Promise<Place> => {
  const programs = await findPrograms();
  // Root's server runs as another user, who must pass through; what lies within is closed to all others by itself.
  await mkdir(wanted, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  const dataDir = await realpath(wanted);
  const dataDirectory = join(dataDir, 'postgres');
  const user = await findServerUser(programs, dataDir, dataDirectory);
  const password = await openCluster({ dataDir, dataDirectory, programs, user, log });
  const invoke = (args: readonly string[]): Invocation => user.invoke(programs.postgres, args);
  return { dataDirectory, logFile: join(dataDir, 'postgres.log'), password, invoke };
};

/**
 * Runs PostgreSQL on `<dataDir>/postgres`, creating it at the first start, and logs to `<dataDir>/postgres.log`. It listens on a free
 * port of 127.0.0.1 only. `settings` are PostgreSQL's own and go before ours. Takes over from a gateway that was killed; fails with an
 * `EmbeddedPostgresFault` whose message tells the operator what to do.
 */
export const startEmbeddedPostgres = async (options: Options): Promise<EmbeddedPostgres> => {
  const { log, alarm = log, settings = {} } = options;
  try {
    const place = await prepare(options);
    const first = await startServer({ place, log, settings, signal: new AbortController().signal });
    try {
      await openPresence(first.port, place.password);
    } catch (error) {
      await stopServer(first.child, log);
      throw error;
    }
    log(`PostgreSQL listens on 127.0.0.1:${first.port}, its data in ${place.dataDirectory}`);
    const startAgain = async (signal: AbortSignal): Promise<Server> => {
      const server = await startServer({ place, log, settings: { ...settings, port: String(first.port) }, signal });
      // Where that fails because the server has ended again, its end will be told.
      await openPresence(server.port, place.password).catch(() => undefined);
      return server;
    };
    const { stop } = keepUp({ first, place, startAgain, log, alarm });
    return { url: urlOf(first.port, place.password), stop };
  } catch (error) {
    if (error instanceof EmbeddedPostgresFault) throw error;
    throw new EmbeddedPostgresFault(
      'embedded_postgres_failed',
      `PostgreSQL could not be started in ${options.dataDir}: ${reason(error)}. ` +
        `Mend that, or set DATABASE_URL to a PostgreSQL server of your own.`,
      { cause: error },
    );
  }
};

/** The URL of the server that runs on `dataDir` for somebody else, as soon as it is ready; undefined where none does. */
export const findRunningEmbeddedPostgres = async (dataDir: string): Promise<string | undefined> => {
  const dataDirectory = join(dataDir, 'postgres');
  for (;;) {
    const found = await readPidFile(dataDirectory);
    if (!found || !(await isPostmasterOf(dataDirectory, found.pid))) return undefined;
    const password = await readPassword(dataDirectory);
    if (password === undefined) return undefined;
    if (found.ready) return urlOf(found.port, password);
    await sleep(POLL_MS);
  }
};
