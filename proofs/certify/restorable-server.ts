import { execFile } from 'node:child_process';
import { chmod, mkdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { openCluster } from '../../packages/embedded-postgres/src/cluster.ts';
import { findPrograms } from '../../packages/embedded-postgres/src/programs.ts';
import { startServer, stopServer, untilExited, type Server } from '../../packages/embedded-postgres/src/server.ts';
import { findServerUser } from '../../packages/embedded-postgres/src/server-user.ts';
import { query } from '../../test/support/sql.ts';
import { until } from './world.ts';

/** A PostgreSQL that can be restored from a copy of itself, or replaced by a standby, at the same address. */
export type RestorableServer = {
  /** The URL of the gateways' database. */
  readonly url: string;
  /** Copies the data directory of the running server. */
  copy(): Promise<string>;
  /** Starts a standby on a copy, lets it follow for this time, and disconnects it. */
  follow(copy: string, forMs: number): Promise<void>;
  /**
   * Kills all processes of the server. Calls `lost` with the URL of the former database and `left` with that of the
   * copy; neither is at the address of the gateways yet.
   */
  replace(copy: string, how: 'restored' | 'promoted', look: Look): Promise<void>;
  stop(): Promise<void>;
};

export type Look = {
  readonly lost: (url: string) => Promise<void>;
  readonly left: (url: string) => Promise<void>;
};

const DATABASE = 'kissapi';
/** A copy needs the write-ahead log since the copy began, and so does a standby. */
const SETTINGS = { wal_keep_size: '1GB', max_wal_senders: '4', hot_standby: 'on' };
/** Files of the running server that a copy must not have, or gets separately. */
const NOT_COPIED = ['postmaster.pid', 'postmaster.opts', 'pg_wal'];

const copyTree = async (from: string, to: string): Promise<void> => {
  // Files may vanish during the copy; the write-ahead log contains what is missing.
  await promisify(execFile)('cp', ['-a', from, to]).catch(() => undefined);
  await stat(to);
};

export const openRestorableServer = async (home: string): Promise<RestorableServer> => {
  const wanted = join(home, 'database');
  await mkdir(wanted, { recursive: true, mode: 0o711 });
  const dataDir = await realpath(wanted);
  const main = join(dataDir, 'postgres');
  const log = (): void => undefined;
  const programs = await findPrograms();
  const user = await findServerUser(programs, dataDir, main);
  const password = await openCluster({ dataDir, dataDirectory: main, name: DATABASE, programs, user, log });
  const { signal } = new AbortController();
  const start = (dataDirectory: string, settings: Readonly<Record<string, string>> = {}): Promise<Server> => {
    const place = {
      ...{ dataDirectory, role: DATABASE, password, logFile: join(dataDir, 'postgres.log') },
      invoke: (args: readonly string[]) => user.invoke(programs.postgres, args),
    };
    return startServer({ place, log, settings: { ...SETTINGS, ...settings }, signal });
  };
  const urlAt = (port: number, database = DATABASE): string =>
    `postgres://${DATABASE}:${password}@127.0.0.1:${port}/${database}`;
  /** Starts a server at another address while `look` runs. */
  const lookInto = async (dataDirectory: string, look: (url: string) => Promise<void>): Promise<void> => {
    const server = await start(dataDirectory);
    await look(urlAt(server.port)).finally(() => stopServer(server.child, log));
  };

  let server = await start(main);
  const { port } = server;
  let copies = 0;
  await query(urlAt(port, 'postgres'), `create database ${DATABASE}`);

  const killAll = async (): Promise<void> => {
    const children = await query<{ pid: number }>(
      urlAt(port, 'postgres'),
      'select pid from pg_stat_activity where pid <> pg_backend_pid()',
    );
    for (const pid of [server.child.pid ?? 0, ...children.map((child) => child.pid)]) {
      try {
        if (pid > 0) process.kill(pid, 'SIGKILL');
      } catch {
        // The process has already ended.
      }
    }
    await untilExited(server.child);
  };

  return {
    url: urlAt(port),
    copy: async () => {
      const copy = join(dataDir, `copy-${++copies}`);
      const client = new pg.Client({ connectionString: urlAt(port, 'postgres') });
      await client.connect();
      try {
        await client.query(`select pg_backup_start('certify', true)`);
        await copyTree(main, copy);
        for (const name of NOT_COPIED) await rm(join(copy, name), { recursive: true, force: true });
        const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)');
        const label = join(copy, 'backup_label');
        await writeFile(label, rows[0]?.labelfile ?? '', { mode: 0o600, flush: true });
        await user.own(label);
        await copyTree(join(main, 'pg_wal'), join(copy, 'pg_wal'));
      } finally {
        await client.end();
      }
      await chmod(copy, 0o700);
      return copy;
    },
    follow: async (copy, forMs) => {
      const signalFile = join(copy, 'standby.signal');
      await writeFile(signalFile, '');
      await user.own(signalFile);
      const primary = `host=127.0.0.1 port=${port} user=${DATABASE} password=${password}`;
      const standby = await start(copy, { primary_conninfo: primary });
      try {
        await until('the standby follows', async () => {
          const rows = await query(urlAt(standby.port), `select from pg_stat_wal_receiver where status = 'streaming'`);
          return rows.length > 0;
        });
        await new Promise((resolve) => setTimeout(resolve, forMs));
      } finally {
        await stopServer(standby.child, log);
      }
    },
    replace: async (copy, how, { lost, left }) => {
      await killAll();
      const former = join(dataDir, `lost-${copies}`);
      await rename(main, former);
      await lookInto(former, lost);
      await lookInto(copy, left);
      await rename(copy, main);
      server = await start(main, { port: String(port) });
      if (how === 'promoted') await query(urlAt(port, 'postgres'), 'select pg_promote()');
      await rm(former, { recursive: true, force: true });
    },
    stop: () => stopServer(server.child, log),
  };
};
