import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startBundledPostgres } from '../../src/gateway/start/bundled-postgres.ts';
import { readPidFile } from '@kissapi/embedded-postgres';
import { createBalancer, type Balancer } from '../../test/support/nodes/balancer.ts';
import { startGatewayOn, type RunningGateway } from '../../test/support/nodes/running-gateway.ts';
import { query } from '../../test/support/sql.ts';
import type { Random } from '../random.ts';
import type { EventStoreServers } from '../support/event-store-servers.ts';
import { openEventStoreWorld, type EventStoreKind } from './event-store-kills.ts';

/** What is killed with SIGKILL, or stopped with SIGSTOP for some seconds. */
export const KINDS = ['gateway', 'postmaster', 'server', 'session', 'gateway+server'] as const;
export const STOPS = ['gateway-stopped', 'server-stopped'] as const;
export type Kind = (typeof KINDS)[number] | (typeof STOPS)[number] | EventStoreKind;

export const kindsInWords: Readonly<Record<Kind, string>> = {
  gateway: 'a gateway',
  postmaster: "PostgreSQL's first process",
  server: 'all processes of PostgreSQL at once',
  session: 'the process of PostgreSQL that appends',
  'gateway+server': 'a gateway and all of PostgreSQL',
  'gateway-stopped': 'a gateway, stopped',
  'server-stopped': 'all processes of PostgreSQL, stopped',
  'event-store': 'EventStoreDB',
  'event-store-stopped': 'EventStoreDB, stopped',
  'event-store-leader': 'the leader of EventStoreDB',
  'event-store-connections': 'connections to EventStoreDB, cut',
};

/** Gateways that share a database, with a way to kill each part. */
export type World = {
  readonly databaseUrl: string;
  /** The address of EventStoreDB itself, if it commits the log. */
  readonly eventStoreUrl: string | undefined;
  /** The balancer in front of all gateways, which clients connect to. */
  readonly balancer: Pick<Balancer, 'url'>;
  /** The gateways that are running. */
  gateways(): readonly RunningGateway[];
  /** Kills or stops, restarts what does not restart itself, and resolves when everything is up. */
  kill(kind: Kind): Promise<void>;
  /** The messages about the PostgreSQL process, line by line. */
  readonly lines: readonly string[];
  close(): Promise<void>;
};

export type WorldOptions = {
  /** For the secrets of the gateways, and for the database unless it has its own folder. */
  readonly home: string;
  readonly databaseDir?: string;
  readonly random: Random;
  readonly gateways: number;
  readonly settings?: Readonly<Record<string, string>>;
  /** EventStoreDB, if it commits the log. */
  readonly eventStore?: EventStoreServers | undefined;
};

const BACK_WITHIN_MS = 60_000;
const POLL_MS = 10;
const LONGEST_STOP_MS = 8000;

/** Waits for a condition; rejects with an error that names it. */
export const until = async (
  what: string,
  isSo: () => Promise<boolean> | boolean,
  withinMs = BACK_WITHIN_MS,
): Promise<number> => {
  const start = performance.now();
  while (!(await isSo())) {
    if (performance.now() - start > withinMs) throw new Error(`waited ${withinMs / 1000} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return performance.now() - start;
};

const signalTo = (pid: number, signal: NodeJS.Signals): void => {
  try {
    if (pid > 0) process.kill(pid, signal);
  } catch {
    // The process has already ended.
  }
};

export const openWorld = async (options: WorldOptions): Promise<World> => {
  const { home, random, settings = {} } = options;
  const dataDir = options.databaseDir ?? join(home, 'database');
  const secretsDir = join(home, 'gateways');
  await mkdir(secretsDir, { recursive: true });
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const postgres = await startBundledPostgres({ dataDir, log, settings });
  const { url: databaseUrl } = postgres;
  const eventStore = options.eventStore && (await openEventStoreWorld(options.eventStore, random));
  const env = { KISSAPI_LOG: 'warn', ...(eventStore ? { EVENT_STORE_URL: eventStore.url } : {}) };
  const startGateway = (): Promise<RunningGateway> => startGatewayOn({ databaseUrl, dataDir: secretsDir }, env);
  const balancer = await createBalancer();
  let closed = false;
  let running: RunningGateway[] = [];
  const endAll = (): Promise<unknown> => Promise.all(running.map((gateway) => gateway.process.stop('SIGKILL')));

  const killGateway = async (): Promise<void> => {
    const victim = random.oneOf(running);
    running = running.filter((one) => one !== victim);
    await victim.process.stop('SIGKILL');
  };
  const addGateway = async (): Promise<void> => {
    const next = await startGateway();
    running = [...running, next];
    balancer.add(next.url);
    if (closed) await endAll();
  };

  const processes = (condition: string): Promise<readonly { readonly pid: number }[]> =>
    query<{ pid: number }>(databaseUrl, `select pid from pg_stat_activity where pid <> pg_backend_pid() ${condition}`);
  /** A gateway opens its connection for appends with its first append, and the one for copies with the first copy. */
  const appending = async (): Promise<number> => {
    let pids: readonly { readonly pid: number }[] = [];
    await until('a gateway appends', async () => {
      pids = await processes(`and application_name = '${eventStore ? 'kissapi-copy' : 'kissapi-commits'}'`);
      return pids.length > 0;
    });
    return random.oneOf(pids).pid;
  };
  const postmaster = async (): Promise<number> => (await readPidFile(join(dataDir, 'postgres')))?.pid ?? 0;
  /** The one that clients are connected to accepts their connections, and answers once it goes on. */
  const stop = async (pids: readonly number[]): Promise<void> => {
    for (const pid of pids) signalTo(pid, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, random.between(500, LONGEST_STOP_MS)));
    for (const pid of pids) signalTo(pid, 'SIGCONT');
  };
  const killDatabase = async (kind: Exclude<(typeof KINDS)[number], 'gateway'>): Promise<void> => {
    const { length } = lines;
    const pids =
      kind === 'session'
        ? [await appending()]
        : [await postmaster(), ...(kind === 'postmaster' ? [] : (await processes('')).map(({ pid }) => pid))];
    for (const pid of pids) signalTo(pid, 'SIGKILL');
    if (kind === 'gateway+server') await killGateway();
    await until('PostgreSQL comes back', () =>
      lines.slice(length).some((line) => line.startsWith('PostgreSQL is back')),
    );
  };

  try {
    // Started one after another, because each would otherwise create its own key for the demo account.
    while (running.length < options.gateways) await addGateway();
  } catch (error) {
    await endAll();
    await balancer.close();
    await postgres.stop();
    throw error;
  }
  return {
    databaseUrl,
    eventStoreUrl: options.eventStore?.url,
    balancer,
    lines,
    gateways: () => running,
    kill: async (kind) => {
      switch (kind) {
        case 'gateway':
          await killGateway();
          return addGateway();
        case 'gateway-stopped':
          return stop([random.oneOf(running).process.pid]);
        case 'server-stopped':
          return stop([await postmaster(), ...(await processes('')).map(({ pid }) => pid)]);
        case 'postmaster':
        case 'server':
        case 'session':
          return killDatabase(kind);
        case 'gateway+server':
          await killDatabase(kind);
          return addGateway();
        case 'event-store':
        case 'event-store-stopped':
        case 'event-store-leader':
        case 'event-store-connections':
          return eventStore?.make(kind);
      }
    },
    close: async () => {
      closed = true;
      await endAll();
      await balancer.close();
      await eventStore?.close();
      await postgres.stop();
    },
  };
};
