import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startBundledPostgres } from '../../src/gateway/start/bundled-postgres.ts';
import { readPidFile } from '@kissapi/embedded-postgres';
import { createBalancer, type Balancer } from '../../test/support/nodes/balancer.ts';
import { startGatewayOn, type RunningGateway } from '../../test/support/nodes/running-gateway.ts';
import { query } from '../../test/support/sql.ts';
import type { Random } from '../random.ts';

/** What is killed, always with SIGKILL. */
export const KINDS = ['gateway', 'postmaster', 'server', 'session', 'gateway+server'] as const;
export type Kind = (typeof KINDS)[number];

export const kindsInWords: Readonly<Record<Kind, string>> = {
  gateway: 'a gateway',
  postmaster: "PostgreSQL's first process",
  server: 'all processes of PostgreSQL at once',
  session: 'the process of PostgreSQL that appends',
  'gateway+server': 'a gateway and all of PostgreSQL',
};

/** Gateways that share a database, with a way to kill each part. */
export type World = {
  readonly databaseUrl: string;
  /** The balancer in front of all gateways, which clients connect to. */
  readonly balancer: Pick<Balancer, 'url'>;
  /** The gateways that are running. */
  gateways(): readonly RunningGateway[];
  /** Kills, restarts what does not restart itself, and resolves when everything is up. */
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
};

const BACK_WITHIN_MS = 60_000;
const POLL_MS = 10;

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

const forceEnd = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
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
  const startGateway = (): Promise<RunningGateway> =>
    startGatewayOn({ databaseUrl, dataDir: secretsDir }, { KISSAPI_LOG: 'warn' });
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
  /** A gateway opens its connection for appends with its first append. */
  const appending = async (): Promise<number> => {
    let pids: readonly { readonly pid: number }[] = [];
    await until('a gateway appends', async () => {
      pids = await processes(`and application_name = 'kissapi-commits'`);
      return pids.length > 0;
    });
    return random.oneOf(pids).pid;
  };
  const postmaster = async (): Promise<number> => (await readPidFile(join(dataDir, 'postgres')))?.pid ?? 0;
  const killDatabase = async (kind: Exclude<Kind, 'gateway'>): Promise<void> => {
    const { length } = lines;
    const pids =
      kind === 'session'
        ? [await appending()]
        : [await postmaster(), ...(kind === 'postmaster' ? [] : (await processes('')).map(({ pid }) => pid))];
    for (const pid of pids) if (pid > 0) forceEnd(pid);
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
    balancer,
    lines,
    gateways: () => running,
    kill: async (kind) => {
      if (kind === 'gateway') await killGateway();
      else await killDatabase(kind);
      if (kind === 'gateway' || kind === 'gateway+server') await addGateway();
    },
    close: async () => {
      closed = true;
      await endAll();
      await balancer.close();
      await postgres.stop();
    },
  };
};
