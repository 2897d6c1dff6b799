import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { startEmbeddedPostgres, type EmbeddedPostgres } from '@kissapi/embedded-postgres';

let home: string;
// Shared, because creating it takes a second. Each test leaves it without a server.
let dataDir: string;
const lines: string[] = [];
const log = (line: string): void => void lines.push(line);
const running: { stop(): Promise<void> }[] = [];

const start = async (settings: Record<string, string> = {}, at = dataDir): Promise<EmbeddedPostgres> => {
  const postgres = await startEmbeddedPostgres({ dataDir: at, name: 'kissapi', log, settings });
  running.push(postgres);
  return postgres;
};

const stopAll = async (): Promise<void> => {
  for (const postgres of running.splice(0)) await postgres.stop();
};

const query = async (url: string, sql: string): Promise<unknown[]> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<unknown[]>({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
};

const postmasterPid = async (at = dataDir): Promise<number> =>
  Number.parseInt(await readFile(join(at, 'postgres/postmaster.pid'), 'utf8'), 10);

const isRunning = async (pid: number): Promise<boolean> => {
  // In a container without an init process, an orphan stays a zombie after it has exited.
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (state !== undefined) return !state.includes(') Z ');
  try {
    return process.kill(pid, 0) && process.platform !== 'linux';
  } catch {
    return false;
  }
};

type Child = { readonly child: ChildProcess; readonly url: Promise<string> };

/** Starts the server from a child process, which a test can kill. */
const startInChild = (afterwards = 'setInterval(() => {}, 1000)', at = dataDir): Child => {
  const script = `
    const { startEmbeddedPostgres } = await import('@kissapi/embedded-postgres');
    const start = startEmbeddedPostgres({ dataDir: ${JSON.stringify(at)}, name: 'kissapi', log: () => {} });
    console.log(await start.then(({ url }) => url, (error) => error.code));
    ${afterwards};`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push({ stop: () => killWithServer(child, at) });
  const url = once(child.stdout, 'data').then(([output]) => String(output).trim());
  return { child, url };
};

const kill = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
};

const killWithServer = async (child: ChildProcess, at: string): Promise<void> => {
  await kill(child);
  const pid = await postmasterPid(at).catch(() => undefined);
  if (pid === undefined) return;
  process.kill(pid, 'SIGQUIT');
  await vi.waitFor(async () => expect(await isRunning(pid)).toBe(false), { timeout: 10_000 });
};

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kissapi-embedded-'));
  dataDir = join(home, 'data');
  const { url } = await start();
  await query(url, 'CREATE TABLE kept (at text)');
  await query(url, `INSERT INTO kept VALUES ('the first start')`);
  await stopAll();
});

afterEach(stopAll);

afterAll(() => rm(home, { recursive: true, force: true }));

describe('startEmbeddedPostgres', () => {
  it('keeps data between starts', async () => {
    const { url } = await start();
    expect(await query(url, 'SELECT at FROM kept')).toEqual(['the first start']);
    expect(await query(url, `SELECT lower('É')`)).toEqual(['é']);
    expect((await stat(join(dataDir, 'postgres/kissapi-password'))).mode & 0o777).toBe(0o600);
  });

  it('is durable, listens on loopback only, requires the password, and lets settings be overridden', async () => {
    const { url } = await start({ max_connections: '17' });
    const names = ['fsync', 'synchronous_commit', 'listen_addresses', 'unix_socket_directories', 'data_checksums'];
    expect(await query(url, names.map((name) => `SELECT current_setting('${name}')`).join(' UNION ALL '))).toEqual([
      ...['on', 'on', '127.0.0.1', '', 'on'],
    ]);
    expect(await query(url, 'SHOW max_connections')).toEqual(['17']);
    await expect(query(url.replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1')).rejects.toThrow(
      'password authentication failed',
    );
  });

  it('leaves no process after stop, which may be called repeatedly', async () => {
    const postgres = await start();
    const pid = await postmasterPid();
    await Promise.all([postgres.stop(), postgres.stop()]);
    await postgres.stop();
    expect(await isRunning(pid)).toBe(false);
    expect(await readdir(join(dataDir, 'postgres'))).not.toContain('postmaster.pid');
  });

  it('stops without waiting for sessions', async () => {
    const postgres = await start();
    const busy = query(postgres.url, 'SELECT pg_sleep(60)').catch((error: unknown) => error);
    await vi.waitFor(async () =>
      expect(
        await query(postgres.url, `SELECT count(*)::int FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)'`),
      ).toEqual([1]),
    );
    await postgres.stop();
    expect(await busy).toMatchObject({ code: '57P01' });
  });
});

describe('a server that exits by itself', () => {
  const untilAnswers = (url: string): Promise<unknown> =>
    vi.waitFor(() => query(url, 'SELECT 1'), { timeout: 20_000, interval: 50 });

  it.each(['SIGKILL', 'SIGQUIT'] as const)('after %s restarts at the same address and logs it', async (signal) => {
    const { url } = await start();
    await query(url, 'CREATE TABLE IF NOT EXISTS survived (what text)');
    await query(url, `INSERT INTO survived VALUES ('${signal}')`);
    const pid = await postmasterPid();
    lines.length = 0;
    process.kill(pid, signal);
    await vi.waitFor(() => expect(lines.join()).toContain('PostgreSQL is back on'), { timeout: 20_000 });
    expect(await query(url, `SELECT what FROM survived WHERE what = '${signal}'`)).toEqual([signal]);
    expect(await postmasterPid()).not.toBe(pid);
    const { port } = new URL(url);
    expect(lines).toEqual([
      expect.stringMatching(/^PostgreSQL exited by itself \((SIGKILL|code 0)\)\. The end of .*postgres\.log:\n.*LOG/s),
      expect.stringContaining(`Restarting PostgreSQL on 127.0.0.1:${port}`),
      `PostgreSQL is back on 127.0.0.1:${port}`,
    ]);
  });

  it('restarts each time one of its processes crashes', async () => {
    const { url } = await start();
    for (const attempt of [1, 2]) {
      const client = new pg.Client({ connectionString: url });
      const broken = new Promise((resolve) => client.on('error', resolve));
      await client.connect();
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      lines.length = 0;
      process.kill(rows[0]?.pid ?? 0, 'SIGKILL');
      await broken;
      await vi.waitFor(() => expect(lines.join(), `${attempt}`).toMatch(/exited by itself .*terminated by signal 9/s), {
        timeout: 10_000,
      });
      await untilAnswers(url);
    }
  });

  it('is not restarted if stop is called meanwhile', async () => {
    for (const afterMs of [0, 20, 50, 100]) {
      const postgres = await start();
      const pid = await postmasterPid();
      process.kill(pid, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await postgres.stop();
      expect(await isRunning(await postmasterPid().catch(() => pid))).toBe(false);
      // No server is there, or meanwhile another one with another password.
      await expect(query(postgres.url, 'SELECT 1')).rejects.toThrow();
    }
  });

  it('is stopped if stop is called during the restart', async () => {
    const postgres = await start();
    const pid = await postmasterPid();
    process.kill(pid, 'SIGKILL');
    const next = await vi.waitFor(
      async () => {
        const another = await postmasterPid();
        expect(another).not.toBe(pid);
        return another;
      },
      { timeout: 10_000, interval: 2 },
    );
    await postgres.stop();
    expect(await isRunning(next)).toBe(false);
    expect(await readdir(join(dataDir, 'postgres'))).not.toContain('postmaster.pid');
  });

  it('is retried until it starts', async () => {
    const postgres = await start();
    const { port } = new URL(postgres.url);
    // Takes its port when it becomes free, and releases it later.
    const thief = createServer();
    const steal = (): void => void thief.listen(Number(port), '127.0.0.1');
    thief.on('error', () => setTimeout(steal, 1));
    lines.length = 0;
    process.kill(await postmasterPid(), 'SIGKILL');
    steal();
    await vi.waitFor(() => expect(lines.join()).toMatch(/is still down: .*Address already in use/s), {
      timeout: 20_000,
    });
    thief.close();
    await untilAnswers(postgres.url);
  });
});

describe('after the process of the application', () => {
  it('was killed, the next start replaces its server', async () => {
    const { child, url } = startInChild();
    await query(await url, `INSERT INTO kept VALUES ('before the kill')`);
    const orphan = await postmasterPid();
    await kill(child);
    expect(await isRunning(orphan)).toBe(true);

    const postgres = await start();
    expect(await isRunning(orphan)).toBe(false);
    expect(await query(postgres.url, 'SELECT at FROM kept')).toEqual(['the first start', 'before the kill']);
  });

  it('exits without stop, its server stops; the server does not keep the process alive', async () => {
    const { child, url } = startInChild('');
    await url;
    const pid = await postmasterPid();
    if (child.exitCode === null) await once(child, 'exit');
    await vi.waitFor(async () => expect(await isRunning(pid)).toBe(false), { timeout: 10_000 });
  });

  it('was killed, its server holds no pipe open', async () => {
    const { child, url } = startInChild();
    await url;
    const end = child.stdout ? text(child.stdout) : undefined;
    child.kill('SIGKILL');
    await end;
  });
});

describe('while the process of the application runs', () => {
  it('a second start on its data is refused', async () => {
    const { child, url } = startInChild();
    await url;
    await expect(start()).rejects.toMatchObject({
      code: 'embedded_postgres_in_use',
      message: expect.stringMatching(/Another process is running on .*data/) as string,
    });
    expect(await query(await url, 'SELECT 1')).toEqual([1]);
    await kill(child);
    await start();
  });

  it('starts once if two processes start at the same moment', async () => {
    const at = join(home, 'race');
    const started = [startInChild(undefined, at), startInChild(undefined, at)].map(({ url }) => url);
    expect((await Promise.all(started)).toSorted()).toEqual([
      'embedded_postgres_in_use',
      expect.stringMatching(/^postgres:/),
    ]);
  });
});

describe('an interrupted start', () => {
  it('is retried from the beginning', async () => {
    const at = join(home, 'interrupted');
    await mkdir(at);
    const { child } = startInChild(undefined, at);
    await vi.waitFor(async () => expect((await readdir(at)).join()).toContain('postgres.init-'), {
      interval: 10,
      timeout: 30_000,
    });
    await kill(child);
    const { url } = await start({}, at);
    expect(await query(url, 'SELECT 1')).toEqual([1]);
    expect((await readdir(at)).toSorted()).toEqual(['postgres', 'postgres.log']);
  });

  const leave = (pid: number): Promise<void> =>
    writeFile(
      join(dataDir, 'postgres/postmaster.pid'),
      [pid, join(dataDir, 'postgres'), 1_700_000_000, 5432, '', '127.0.0.1', '', 'ready   ', ''].join('\n'),
    );

  it('may leave the pid of a process that no longer exists', async () => {
    await leave(2 ** 22 - 1);
    await start();
  });

  it('may leave a pid that another process now has', async () => {
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    running.push({ stop: () => kill(stranger) });
    await leave(stranger.pid ?? 0);
    await start();
    expect(stranger.exitCode ?? stranger.signalCode).toBe(null);
  });

  it('may leave an empty pid file', async () => {
    await writeFile(join(dataDir, 'postgres/postmaster.pid'), '');
    await start();
  });

  it('leaves the server alone that a copied pid file names', async () => {
    const copy = join(home, 'copy');
    await cp(dataDir, copy, { recursive: true });
    const { url } = await start();
    await cp(join(dataDir, 'postgres/postmaster.pid'), join(copy, 'postgres/postmaster.pid'));
    await start({}, copy);
    expect(await query(url, 'SELECT 1')).toEqual([1]);
  });
});

describe('a server that cannot start', () => {
  it('is reported with the end of its log', async () => {
    await expect(start({ no_such_setting: '1' })).rejects.toMatchObject({
      code: 'embedded_postgres_failed',
      message: expect.stringMatching(
        /unrecognized configuration parameter "no_such_setting"[^]*Fix what it reports/,
      ) as string,
    });
  });

  it('is not retried forever if its port stays taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    await expect(start({ port: String(port) })).rejects.toThrow('Address already in use');
    taken.close();
  });
});

it('rejects a name that is unsafe in SQL', async () => {
  const start = startEmbeddedPostgres({ dataDir, name: 'a"; DROP', log });
  await expect(start).rejects.toThrow(TypeError);
});
