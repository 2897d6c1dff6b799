import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, rename, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { EmbeddedPostgresFault, logTail } from './fault.ts';
import { postmasterArguments, readPidFile, stopPostmaster, type PidFile } from './postmaster.ts';
import { settlePredecessor } from './predecessor.ts';
import { SERVER_ENVIRONMENT, type Invocation } from './programs.ts';

/** Where a server keeps its data, and how it is started there. */
export type Place = {
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly role: string;
  readonly password: string;
  readonly invoke: (args: readonly string[]) => Invocation;
};

/** A server that accepts connections. Its part of the log begins at byte `logStart`. */
export type Server = { readonly child: ChildProcess; readonly port: number; readonly logStart: number };

type StartOptions = {
  readonly place: Place;
  readonly log: (line: string) => void;
  /** They override `SETTINGS`. */
  readonly settings: Readonly<Record<string, string>>;
  /** Aborts the start and stops the process. */
  readonly signal: AbortSignal;
};

// Sized for a laptop. Durability is stated, although it is PostgreSQL's default.
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
  // A server that crashed exits, so that we restart it and report why.
  restart_after_crash: 'off',
  // Compiling short statements costs more than it saves.
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

const POLL_MS = 20;
const REPORT_EVERY_MS = 10_000;
const LOG_KEEP_BYTES = 16 * 1024 * 1024;
// Another process took the port since we found it free.
const PORT_TAKEN = /Address already in use/;
const PORT_ATTEMPTS = 5;
// Another process has just started, or the children of a killed postmaster have not exited yet.
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

/** The server writes to the file itself, so that it does not depend on a pipe of ours. One older log is kept. */
const openLog = async (logFile: string) => {
  const size = await stat(logFile).then(
    (stats) => stats.size,
    () => 0,
  );
  if (size > LOG_KEEP_BYTES) await rename(logFile, `${logFile}.old`);
  return open(logFile, 'a', 0o600);
};

const hasExited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

const spawnPostmaster = async ({ file, args, identity }: Invocation, logFile: string) => {
  const log = await openLog(logFile);
  try {
    const logStart = (await log.stat()).size;
    // Detached, so that Ctrl-C does not reach it: the application needs the database until it has drained.
    const stdio = ['ignore', log.fd, log.fd] as const;
    const child = spawn(file, args, {
      ...identity,
      cwd: '/',
      env: SERVER_ENVIRONMENT,
      detached: true,
      stdio: [...stdio],
    });
    await once(child, 'spawn');
    // Stops the server if our process exits without `stop`, for example on an uncaught error.
    const onExit = (): void => void child.kill('SIGINT');
    process.on('exit', onExit);
    child.once('exit', () => process.off('exit', onExit));
    child.unref();
    return { child, logStart };
  } finally {
    await log.close();
  }
};

/** Waits without a time-out, because recovery can take long. Undefined if the server exited. */
const untilReady = async (
  child: ChildProcess,
  previous: PidFile | undefined,
  { place: { dataDirectory }, log, signal }: StartOptions,
): Promise<PidFile | undefined> => {
  let nextReport = Date.now() + REPORT_EVERY_MS;
  while (!hasExited(child)) {
    if (signal.aborted) await stopServer(child, log);
    signal.throwIfAborted();
    const pidFile = await readPidFile(dataDirectory);
    // The file of the previous server may still be there. It can share the pid or the second with ours, but not both.
    const isOld = pidFile?.pid === previous?.pid && pidFile?.startedAtS === previous?.startedAtS;
    if (pidFile?.ready && pidFile.pid === child.pid && !isOld) return pidFile;
    if (Date.now() > nextReport) {
      log('PostgreSQL is not ready yet: after a crash it first replays its write-ahead log');
      nextReport = Date.now() + REPORT_EVERY_MS;
    }
    await sleep(POLL_MS);
  }
  return undefined;
};

/** Rejects with `EmbeddedPostgresFault`, or with the reason of the signal. */
export const startServer = async (options: StartOptions): Promise<Server> => {
  const { place, log, settings, signal } = options;
  const { dataDirectory, logFile, role, password, invoke } = place;
  const deadline = Date.now() + PREDECESSOR_GONE_WITHIN_MS;
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    await settlePredecessor({ dataDirectory, role, password, log });
    const chosen = { ...SETTINGS, port: String(await freePort()), ...settings };
    const previous = await readPidFile(dataDirectory);
    const { child, logStart } = await spawnPostmaster(invoke(postmasterArguments(dataDirectory, chosen)), logFile);
    const ready = await untilReady(child, previous, options);
    if (ready) return { child, port: ready.port, logStart };
    const tail = await logTail(logFile, logStart);
    const canRetry = PORT_TAKEN.test(tail) ? attempt < PORT_ATTEMPTS : PREDECESSOR.test(tail) && Date.now() < deadline;
    if (canRetry) {
      await sleep(RETRY_AFTER_MS);
      continue;
    }
    throw new EmbeddedPostgresFault(
      'embedded_postgres_failed',
      `PostgreSQL did not start on ${dataDirectory}. The end of ${logFile}:\n${tail}\nFix what it reports.`,
    );
  }
};

export const stopServer = async (child: ChildProcess, log: (line: string) => void): Promise<void> => {
  if (hasExited(child) || child.pid === undefined) return;
  child.ref();
  await stopPostmaster(child.pid, () => hasExited(child), log);
};

/** Resolves with the signal or the exit code once the server has exited. Does not keep our process alive. */
export const untilExited = async (child: ChildProcess): Promise<string> => {
  if (!hasExited(child)) await once(child, 'exit');
  return child.signalCode ?? `code ${child.exitCode}`;
};
