import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { openCluster, readPassword } from './cluster.ts';
import { EmbeddedPostgresFault, reason } from './fault.ts';
import { keepUp } from './keep-up.ts';
import { isPostmasterOf, readPidFile } from './postmaster.ts';
import { findPrograms, type Invocation } from './programs.ts';
import { startServer, stopServer, type Place, type Server } from './server.ts';
import { findServerUser } from './server-user.ts';
import { openSession } from './session.ts';

export { EmbeddedPostgresFault, type EmbeddedPostgresFaultCode } from './fault.ts';
export { isAlive, readPidFile, type PidFile } from './postmaster.ts';

export type EmbeddedPostgres = {
  /**
   * The connection string of the application's database, password included: do not log it. It stays valid until `stop`,
   * because a server that exits is restarted at the same address. The port differs from start to start.
   */
  readonly url: string;
  /** Fast shutdown. Resolves once the server process has exited. May be called more than once. */
  stop(): Promise<void>;
};

export type EmbeddedPostgresOptions = {
  /** Holds the data directory `postgres` and the log `postgres.log`. Created if it does not exist. */
  readonly dataDir: string;
  /**
   * The application: the name of the role, of the database, of the password file (`<name>-password`), and the prefix of
   * the `application_name` of all its sessions. Lower-case letters, digits and underscores.
   */
  readonly name: string;
  readonly log: (line: string) => void;
  /** Receives lines that an operator should act on. Default: `log`. */
  readonly alarm?: (line: string) => void;
  /** PostgreSQL settings; they override the defaults of this package. */
  readonly settings?: Readonly<Record<string, string>>;
};

const POLL_MS = 20;

const urlOf = (name: string, port: number, password: string): string =>
  `postgres://${name}:${password}@127.0.0.1:${port}/${name}`;

/** The name becomes part of SQL and of file names. */
const assertName = (name: string): void => {
  if (!/^[a-z][a-z0-9_]{0,39}$/.test(name)) throw new TypeError(`Invalid name of an embedded PostgreSQL: ${name}`);
};

/** Keeps one session open while the application runs, so that a second start on the same data sees that it is in use. */
const openPresence = async (name: string, port: number, password: string): Promise<void> => {
  const session = await openSession({ port, role: name, password, applicationName: `${name}-embedded-postgres` });
  try {
    const existing = await session.query(`SELECT FROM pg_database WHERE datname = '${name}'`);
    if (existing.length === 0) await session.query(`CREATE DATABASE ${name}`);
  } catch (error) {
    await session.end();
    throw error;
  }
  session.unref();
};

const prepare = async ({ dataDir: wanted, name, log }: EmbeddedPostgresOptions): Promise<Place> => {
  const programs = await findPrograms();
  // If we run as root, the server runs as another user, which must be able to enter; PostgreSQL closes its own directory.
  await mkdir(wanted, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  const dataDir = await realpath(wanted);
  const dataDirectory = join(dataDir, 'postgres');
  const user = await findServerUser(programs, dataDir, dataDirectory);
  const password = await openCluster({ dataDir, dataDirectory, name, programs, user, log });
  const invoke = (args: readonly string[]): Invocation => user.invoke(programs.postgres, args);
  return { dataDirectory, logFile: join(dataDir, 'postgres.log'), role: name, password, invoke };
};

const start = async (options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> => {
  const { name, log, alarm = log, settings = {} } = options;
  const place = await prepare(options);
  const first = await startServer({ place, log, settings, signal: new AbortController().signal });
  try {
    await openPresence(name, first.port, place.password);
  } catch (error) {
    await stopServer(first.child, log);
    throw error;
  }
  log(`PostgreSQL listens on 127.0.0.1:${first.port}, its data in ${place.dataDirectory}`);
  const startAgain = async (signal: AbortSignal): Promise<Server> => {
    const server = await startServer({ place, log, settings: { ...settings, port: String(first.port) }, signal });
    // If this fails because the server has exited again, the exit itself is reported.
    await openPresence(name, server.port, place.password).catch(() => undefined);
    return server;
  };
  const { stop } = keepUp({ first, place, startAgain, log, alarm });
  return { url: urlOf(name, first.port, place.password), stop };
};

/**
 * Runs PostgreSQL on `<dataDir>/postgres`, which the first start creates. It listens on a free port of 127.0.0.1 only.
 * A server left running by a killed process is stopped and replaced. Rejects with `EmbeddedPostgresFault`, whose message
 * names the remedy, and with `TypeError` for an invalid name.
 */
export const startEmbeddedPostgres = async (options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> => {
  assertName(options.name);
  try {
    return await start(options);
  } catch (error) {
    if (error instanceof EmbeddedPostgresFault) throw error;
    const message = `PostgreSQL could not be started in ${options.dataDir}: ${reason(error)}.`;
    throw new EmbeddedPostgresFault('embedded_postgres_failed', message, { cause: error });
  }
};

/**
 * The connection string of the server that another process runs on `dataDir`, once it accepts connections; undefined if no
 * server runs there.
 */
export const findRunningEmbeddedPostgres = async ({
  dataDir,
  name,
}: Pick<EmbeddedPostgresOptions, 'dataDir' | 'name'>): Promise<string | undefined> => {
  assertName(name);
  const dataDirectory = join(dataDir, 'postgres');
  for (;;) {
    const found = await readPidFile(dataDirectory);
    if (!found || !(await isPostmasterOf(dataDirectory, found.pid))) return undefined;
    const password = await readPassword(dataDirectory, name);
    if (password === undefined) return undefined;
    if (found.ready) return urlOf(name, found.port, password);
    await sleep(POLL_MS);
  }
};
