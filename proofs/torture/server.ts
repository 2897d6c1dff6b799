import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/embedded-postgres.ts';
import { isAlive, readPidFile } from '../../src/embedded-postgres/postmaster.ts';
import type { Random } from '../random.ts';

/** A PostgreSQL that can be killed, and is at the same URL when it comes back. */
export type Server = {
  readonly url: string;
  /** Kills the postmaster with -9 and starts it again; resolves when its log has been replayed. */
  kill(): Promise<void>;
  stop(): Promise<void>;
};

// Below those that systems lend to outgoing connections: while the server is away, nobody may get its port, nor connect to it from it.
const [LOWEST_PORT, HIGHEST_PORT] = [20_000, 30_000];

const isFree = async (port: number): Promise<boolean> => {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
};

const freePort = async (random: Random): Promise<number> => {
  for (;;) {
    const port = random.between(LOWEST_PORT, HIGHEST_PORT);
    if (await isFree(port)) return port;
  }
};

export const startServer = async (dataDir: string, random: Random): Promise<Server> => {
  const port = await freePort(random);
  const start = (): Promise<EmbeddedPostgres> =>
    startEmbeddedPostgres({ dataDir, log: () => undefined, settings: { port: String(port) } });
  let running = await start();
  let starting: Promise<unknown> = Promise.resolve();
  return {
    url: running.url,
    kill: async () => {
      const { pid } = (await readPidFile(join(dataDir, 'postgres'))) ?? {};
      if (!pid) throw new Error('The server of the torture is not there.');
      process.kill(pid, 'SIGKILL');
      while (isAlive(pid)) await sleep(5);
      const started = start();
      starting = started.catch(() => undefined);
      running = await started;
    },
    stop: async () => {
      await starting;
      await running.stop();
    },
  };
};
