import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, realpath, rename, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { openCluster, readPassword, ROLE } from './embedded-postgres/cluster.ts';
import { EmbeddedPostgresFault, logTail, reason } from './embedded-postgres/fault.ts';
import {
  isPostmasterOf,
  postmasterArguments,
  readPidFile,
  stopPostmaster,
  type PidFile,
} from './embedded-postgres/postmaster.ts';
import { settlePredecessor } from './embedded-postgres/predecessor.ts';
import { findPrograms, SERVER_ENVIRONMENT, type Invocation } from './embedded-postgres/programs.ts';
import { findServerUser } from './embedded-postgres/server-user.ts';
import { openSession, type Session } from './embedded-postgres/session.ts';

export { EmbeddedPostgresFault };

export type EmbeddedPostgres = {
  /** Of the database `kissapi`, password included: not to be logged. Good until `stop`; the port differs from start to start. */
  readonly url: string;
  /** A fast shutdown. Returns when the process has ended, however often it is called. */
  stop(): Promise<void>;
};

type Options = {
  readonly dataDir: string;
  readonly log: (line: string) => void;
  readonly settings?: Record<string, string>;
};

const DATABASE = 'kissapi';

// Sized for a laptop. What a ledger must not lose is spelled out, although it is PostgreSQL's default.
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '256MB',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  max_wal_size: '4GB',
  wal_compression: 'off',
  // Short statements never earn back what compiling them costs.
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

const urlOf = (port: number, password: string): string =>
  `postgres://${ROLE}:${password}@127.0.0.1:${port}/${DATABASE}`;

const POLL_MS = 20;
const SAY_AGAIN_AFTER_MS = 10_000;
const LOG_KEEP_BYTES = 16 * 1024 * 1024;
// Somebody took the port since we found it free.
const PORT_TAKEN = /Address already in use/;
const PORT_ATTEMPTS = 5;
// Another gateway is a moment ahead of us, or the children of a killed postmaster have not yet seen that it is gone.
const PREDECESSOR = /lock file "postmaster\.pid" already exists|shared memory block .* is still in use/;
const PREDECESSOR_GONE_WITHIN_MS = 30_000;
const RETRY_AFTER_MS = 250;

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

/** The server writes here by itself, so that it holds no pipe of ours. The log of the previous 16 MiB is kept. */
const openLog = async (logFile: string) => {
  const size = await stat(logFile).then(
    (stats) => stats.size,
    () => 0,
  );
  if (size > LOG_KEEP_BYTES) await rename(logFile, `${logFile}.old`);
  return open(logFile, 'a', 0o600);
};

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

const spawnPostmaster = async ({ file, args, identity }: Invocation, logFile: string) => {
  const log = await openLog(logFile);
  try {
    const logStart = (await log.stat()).size;
    // In a session of its own: Ctrl-C is for the gateway, which needs the database until it has drained.
    const stdio = ['ignore', log.fd, log.fd] as const;
    const child = spawn(file, args, {
      ...identity,
      cwd: '/',
      env: SERVER_ENVIRONMENT,
      detached: true,
      stdio: [...stdio],
    });
    await once(child, 'spawn');
    child.unref();
    return { child, logStart };
  } finally {
    await log.close();
  }
};

/** Waits for as long as the server lives, for a recovery takes what it takes. Undefined where the server ended instead. */
const untilReady = async (
  child: ChildProcess,
  previous: PidFile | undefined,
  dataDirectory: string,
  log: Options['log'],
): Promise<PidFile | undefined> => {
  let nextSaying = Date.now() + SAY_AGAIN_AFTER_MS;
  while (!hasEnded(child)) {
    const pidFile = await readPidFile(dataDirectory);
    // A killed server leaves its file behind, which may be of this very second, or of this very pid.
    const isOld = pidFile?.pid === previous?.pid && pidFile?.startedAtS === previous?.startedAtS;
    if (!isOld && pidFile?.pid === child.pid && pidFile?.ready) return pidFile;
    if (Date.now() > nextSaying) {
      log('PostgreSQL is not ready yet: after a crash it first replays its log');
      nextSaying = Date.now() + SAY_AGAIN_AFTER_MS;
    }
    await sleep(POLL_MS);
  }
  return undefined;
};

/** Stays open for the gateway's life: by it, another gateway started on the same data can tell that this one lives. */
const openPresence = async (port: number, password: string): Promise<Session> => {
  const session = await openSession(port, password, 'kissapi-embedded-postgres');
  try {
    const existing = await session.query(`SELECT FROM pg_database WHERE datname = '${DATABASE}'`);
    if (existing.length === 0) await session.query(`CREATE DATABASE ${DATABASE}`);
  } catch (error) {
    await session.end();
    throw error;
  }
  session.unref();
  return session;
};

type Postmaster = { readonly child: ChildProcess; readonly port: number; readonly logStart: number };

const start = async (
  { log, settings }: Options,
  { dataDirectory, logFile, password, invoke }: Place,
): Promise<Postmaster> => {
  const deadline = Date.now() + PREDECESSOR_GONE_WITHIN_MS;
  for (let attempt = 1; ; attempt += 1) {
    await settlePredecessor({ dataDirectory, password, log });
    const chosen = { ...SETTINGS, port: String(await freePort()), ...settings };
    const previous = await readPidFile(dataDirectory);
    const { child, logStart } = await spawnPostmaster(invoke(postmasterArguments(dataDirectory, chosen)), logFile);
    const ready = await untilReady(child, previous, dataDirectory, log);
    if (ready) return { child, port: ready.port, logStart };
    const said = await logTail(logFile, logStart);
    const mayPass = PORT_TAKEN.test(said) ? attempt < PORT_ATTEMPTS : PREDECESSOR.test(said) && Date.now() < deadline;
    if (mayPass) {
      await sleep(RETRY_AFTER_MS);
      continue;
    }
    throw new EmbeddedPostgresFault(
      'embedded_postgres_failed',
      `PostgreSQL did not start on ${dataDirectory}. The end of ${logFile}:\n${said}\n` +
        `Mend what it names, or set DATABASE_URL to a PostgreSQL server of your own.`,
    );
  }
};

type Place = {
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly password: string;
  readonly invoke: (args: readonly string[]) => Invocation;
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

/** The server as others see it, once it is up. */
const attend = async (
  { child, port, logStart }: Postmaster,
  { password, logFile }: Place,
  log: Options['log'],
): Promise<EmbeddedPostgres> => {
  const pid = child.pid;
  if (pid === undefined) throw new Error('A postmaster that has started has a pid.');
  let stopping: Promise<void> | undefined;
  // A process that ends without having called stop, on an uncaught error, still takes its server along.
  const onExit = (): void => void child.kill('SIGINT');
  process.on('exit', onExit);
  child.once('exit', (code, signal) => {
    process.off('exit', onExit);
    if (stopping) return;
    void logTail(logFile, logStart)
      .catch(reason)
      .then((said) => log(`PostgreSQL ended by itself (${signal ?? `code ${code}`}). The end of ${logFile}:\n${said}`));
  });
  const shutDown = async (): Promise<void> => {
    if (hasEnded(child)) return;
    child.ref();
    await stopPostmaster(pid, () => hasEnded(child), log);
  };
  const stop = (): Promise<void> => (stopping ??= shutDown());

  try {
    await openPresence(port, password);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: urlOf(port, password), stop };
};

/**
 * Runs PostgreSQL on `<dataDir>/postgres`, creating it at the first start, and logs to `<dataDir>/postgres.log`. It listens on a free
 * port of 127.0.0.1 only. `settings` are PostgreSQL's own and go before ours. Takes over from a gateway that was killed; fails with an
 * `EmbeddedPostgresFault` whose message tells the operator what to do.
 */
export const startEmbeddedPostgres = async (options: Options): Promise<EmbeddedPostgres> => {
  try {
    const place = await prepare(options);
    const postmaster = await start(options, place);
    const postgres = await attend(postmaster, place, options.log);
    options.log(`PostgreSQL listens on 127.0.0.1:${postmaster.port}, its data in ${place.dataDirectory}`);
    return postgres;
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
