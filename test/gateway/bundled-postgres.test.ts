import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/gateway/bundled-postgres.ts';
import { createTestDatabase } from '../support/database.ts';

let home: string;
// Shared by the tests, each of which leaves it without a server: creating one takes a second.
let dataDir: string;
const lines: string[] = [];
const log = (line: string): void => void lines.push(line);
const running: { stop(): Promise<void> }[] = [];

const start = async (settings: Record<string, string> = {}, at = dataDir): Promise<EmbeddedPostgres> => {
  const postgres = await startEmbeddedPostgres({ dataDir: at, log, settings });
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
  // Where nobody reaps orphans, a process may stay on as a zombie, which runs no more.
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (state !== undefined) return !state.includes(') Z ');
  try {
    return process.kill(pid, 0) && process.platform !== 'linux';
  } catch {
    return false;
  }
};

type Child = { readonly child: ChildProcess; readonly url: Promise<string> };

/** A gateway as far as the server can tell: a process that starts it, and that can be killed. */
const startInChild = (afterwards = 'setInterval(() => {}, 1000)', at = dataDir): Child => {
  const module = new URL('../../src/gateway/bundled-postgres.ts', import.meta.url);
  const script = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(module)});
    const start = startEmbeddedPostgres({ dataDir: ${JSON.stringify(at)}, log: () => {} });
    console.log(await start.then(({ url }) => url, (error) => error.code));
    ${afterwards};`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push({ stop: () => killWithServer(child, at) });
  const url = once(child.stdout, 'data').then(([said]) => String(said).trim());
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
  it('finds again what an earlier start has stored', async () => {
    const { url } = await start();
    expect(await query(url, 'SELECT at FROM kept')).toEqual(['the first start']);
    expect(await query(url, `SELECT lower('É')`)).toEqual(['é']);
    expect((await stat(join(dataDir, 'postgres/kissapi-password'))).mode & 0o777).toBe(0o600);
  });

  it('is durable, local and modest, and lets settings be overridden', async () => {
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

  it('leaves no process once stopped, however often', async () => {
    const postgres = await start();
    const pid = await postmasterPid();
    await Promise.all([postgres.stop(), postgres.stop()]);
    await postgres.stop();
    expect(await isRunning(pid)).toBe(false);
    expect(await readdir(join(dataDir, 'postgres'))).not.toContain('postmaster.pid');
  });

  it('does not wait for sessions when it stops', async () => {
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

describe('a server that ends by itself', () => {
  /** As a client that asks again and again sees it. */
  const untilAnswers = (url: string): Promise<unknown> =>
    vi.waitFor(() => query(url, 'SELECT 1'), { timeout: 20_000, interval: 50 });

  it.each(['SIGKILL', 'SIGQUIT'] as const)('by %s comes back at the same address, and says so', async (signal) => {
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
      expect.stringMatching(/^PostgreSQL ended by itself \((SIGKILL|code 0)\)\. The end of .*postgres\.log:\n.*LOG/s),
      expect.stringContaining(`Starting PostgreSQL again on 127.0.0.1:${port}`),
      `PostgreSQL is back on 127.0.0.1:${port}`,
    ]);
  });

  it('because one of its processes crashed comes back as well, however often', async () => {
    const { url } = await start();
    for (const attempt of [1, 2]) {
      const client = new pg.Client({ connectionString: url });
      const broken = new Promise((resolve) => client.on('error', resolve));
      await client.connect();
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      lines.length = 0;
      process.kill(rows[0]?.pid ?? 0, 'SIGKILL');
      await broken;
      await vi.waitFor(() => expect(lines.join(), `${attempt}`).toMatch(/ended by itself .*terminated by signal 9/s), {
        timeout: 10_000,
      });
      await untilAnswers(url);
    }
  });

  it('is let rest where it was stopped in the meantime', async () => {
    for (const afterMs of [0, 20, 50, 100]) {
      const postgres = await start();
      const pid = await postmasterPid();
      process.kill(pid, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await postgres.stop();
      expect(await isRunning(await postmasterPid().catch(() => pid))).toBe(false);
      // Nobody is there, or by now somebody else's server, which knows another password.
      await expect(query(postgres.url, 'SELECT 1')).rejects.toThrow();
    }
  });

  it('is let rest where it was just starting again', async () => {
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

  it('is tried again for as long as it cannot start', async () => {
    const postgres = await start();
    const { port } = new URL(postgres.url);
    // Somebody takes its port in the moment when it is free, and gives it back later.
    const thief = createServer();
    const steal = (): void => void thief.listen(Number(port), '127.0.0.1');
    thief.on('error', () => setTimeout(steal, 1));
    lines.length = 0;
    process.kill(await postmasterPid(), 'SIGKILL');
    steal();
    await vi.waitFor(() => expect(lines.join()).toMatch(/is still away: .*Address already in use/s), {
      timeout: 20_000,
    });
    thief.close();
    await untilAnswers(postgres.url);
  });
});

describe('a gateway that is gone', () => {
  it('leaves a server behind when killed, which the next start replaces', async () => {
    const { child, url } = startInChild();
    await query(await url, `INSERT INTO kept VALUES ('before the kill')`);
    const orphan = await postmasterPid();
    await kill(child);
    expect(await isRunning(orphan)).toBe(true);

    const postgres = await start();
    expect(await isRunning(orphan)).toBe(false);
    expect(await query(postgres.url, 'SELECT at FROM kept')).toEqual(['the first start', 'before the kill']);
  });

  it('takes its server along when it ends without stopping it, nor is kept from ending', async () => {
    const { child, url } = startInChild('');
    await url;
    const pid = await postmasterPid();
    if (child.exitCode === null) await once(child, 'exit');
    await vi.waitFor(async () => expect(await isRunning(pid)).toBe(false), { timeout: 10_000 });
  });

  it('holds no pipe open after it was killed', async () => {
    const { child, url } = startInChild();
    await url;
    const end = child.stdout ? text(child.stdout) : undefined;
    child.kill('SIGKILL');
    await end;
  });
});

describe('a gateway that lives', () => {
  it('is not robbed of its server', async () => {
    const { child, url } = startInChild();
    await url;
    await expect(start()).rejects.toMatchObject({
      code: 'embedded_postgres_in_use',
      message: expect.stringMatching(/Another gateway is running on .*data.*DATABASE_URL/) as string,
    });
    expect(await query(await url, 'SELECT 1')).toEqual([1]);
    await kill(child);
    await start();
  });

  it('is alone when two start in the same moment', async () => {
    const at = join(home, 'race');
    const started = [startInChild(undefined, at), startInChild(undefined, at)].map(({ url }) => url);
    expect((await Promise.all(started)).toSorted()).toEqual([
      'embedded_postgres_in_use',
      expect.stringMatching(/^postgres:/),
    ]);
  });
});

describe('a start that was interrupted', () => {
  it('is begun afresh', async () => {
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

  it('may leave the pid of a dead process', async () => {
    await leave(2 ** 22 - 1);
    await start();
  });

  it('may leave a pid that another process was given', async () => {
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

  it('may have been copied from under a server, which is let be', async () => {
    const copy = join(home, 'copy');
    await cp(dataDir, copy, { recursive: true });
    const { url } = await start();
    await cp(join(dataDir, 'postgres/postmaster.pid'), join(copy, 'postgres/postmaster.pid'));
    await start({}, copy);
    expect(await query(url, 'SELECT 1')).toEqual([1]);
  });
});

describe('a server that cannot start', () => {
  it('is reported with the end of its log and what to do', async () => {
    await expect(start({ no_such_setting: '1' })).rejects.toMatchObject({
      code: 'embedded_postgres_failed',
      message: expect.stringMatching(
        /unrecognized configuration parameter "no_such_setting"[^]*DATABASE_URL/,
      ) as string,
    });
  });

  it('is given up when its port stays taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    await expect(start({ port: String(port) })).rejects.toThrow('Address already in use');
    taken.close();
  });
});

describe('createTestDatabase', () => {
  it('gives an empty database, and takes it away though it is in use', async () => {
    const { url, drop } = await createTestDatabase();
    const client = new pg.Client({ connectionString: url });
    const ended = new Promise<unknown>((resolve) => client.on('error', resolve));
    await client.connect();
    await drop();
    expect(await ended).toMatchObject({ code: '57P01' });
    await expect(query(url, 'SELECT 1')).rejects.toThrow('does not exist');
  });
});
