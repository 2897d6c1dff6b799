import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, rename, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { EmbeddedPostgresFault, logTail } from './fault.ts';
import { postmasterArguments, readPidFile, stopPostmaster, type PidFile } from './postmaster.ts';
import { settlePredecessor } from './predecessor.ts';
import { SERVER_ENVIRONMENT, type Invocation } from './programs.ts';

/** Where a server keeps its data, and how it is run there. */
export type Place = {
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly password: string;
  readonly invoke: (args: readonly string[]) => Invocation;
};

/** A server that is ready. What it writes to its log begins at byte `logStart`. */
export type Server = { readonly child: ChildProcess; readonly port: number; readonly logStart: number };

type StartOptions = {
  readonly place: Place;
  readonly log: (line: string) => void;
  /** PostgreSQL's own; they go before ours. */
  readonly settings: Readonly<Record<string, string>>;
  /** Breaks the start off, and leaves nothing behind. */
  readonly signal: AbortSignal;
};

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
  // A server that crashed ends, and is started again by us, who tell the operator why.
  restart_after_crash: 'off',
  // Short statements never earn back what compiling them costs.
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

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
    // A process that ends without having stopped its server, on an uncaught error, still takes it along.
    const onExit = (): void => void child.kill('SIGINT');
    process.on('exit', onExit);
    child.once('exit', () => process.off('exit', onExit));
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
  { place: { dataDirectory }, log, signal }: StartOptions,
): Promise<PidFile | undefined> => {
  let nextSaying = Date.now() + SAY_AGAIN_AFTER_MS;
  while (!hasEnded(child)) {
    if (signal.aborted) await stopServer(child, log);
    signal.throwIfAborted();
    const pidFile = await readPidFile(dataDirectory);
    // The file of a predecessor lies there still: it may be of the same second, or bear the same pid, but not both.
    const isOld = pidFile?.pid === previous?.pid && pidFile?.startedAtS === previous?.startedAtS;
    if (pidFile?.ready && pidFile.pid === child.pid && !isOld) return pidFile;
    if (Date.now() > nextSaying) {
      log('PostgreSQL is not ready yet: after a crash it first replays its log');
      nextSaying = Date.now() + SAY_AGAIN_AFTER_MS;
    }
    await sleep(POLL_MS);
  }
  return undefined;
};

export const startServer = async (options: StartOptions): Promise<Server> => {
  const { place, log, settings, signal } = options;
  const { dataDirectory, logFile, password, invoke } = place;
  const deadline = Date.now() + PREDECESSOR_GONE_WITHIN_MS;
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    await settlePredecessor({ dataDirectory, password, log });
    const chosen = { ...SETTINGS, port: String(await freePort()), ...settings };
    const previous = await readPidFile(dataDirectory);
    const { child, logStart } = await spawnPostmaster(invoke(postmasterArguments(dataDirectory, chosen)), logFile);
    const ready = await untilReady(child, previous, options);
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

export const stopServer = async (child: ChildProcess, log: (line: string) => void): Promise<void> => {
  if (hasEnded(child) || child.pid === undefined) return;
  child.ref();
  await stopPostmaster(child.pid, () => hasEnded(child), log);
};

/** Why the server ended, once it has. Keeps nobody waiting who has nothing else to do. */
export const untilEnded = async (child: ChildProcess): Promise<string> => {
  if (!hasEnded(child)) await once(child, 'exit');
  return child.signalCode ?? `code ${child.exitCode}`;
};
