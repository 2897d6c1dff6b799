import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBundledPostgres } from '../../src/gateway/start/bundled-postgres.ts';
import { isAlive, readPidFile } from '@kissapi/embedded-postgres';
import type { Random } from '../random.ts';
import { freePort } from '../support/free-port.ts';

/** A PostgreSQL that can be killed and returns at the same URL. */
export type Server = {
  readonly url: string;
  /** Kills the postmaster with -9; resolves when it is back and has replayed its log. */
  kill(): Promise<void>;
  stop(): Promise<void>;
};

const PORTS = { lowest: 20_000, highest: 30_000 };

const BACK_WITHIN_MS = 60_000;

export const startServer = async (dataDir: string, random: Random): Promise<Server> => {
  const settings = { port: String(await freePort(random, PORTS)) };
  const { url, stop } = await startBundledPostgres({ dataDir, log: () => undefined, settings });
  /** The pid of the server that is ready, once it differs from `than`. */
  const ready = async (than?: number): Promise<number> => {
    for (const deadline = Date.now() + BACK_WITHIN_MS; ; await sleep(5)) {
      const found = await readPidFile(join(dataDir, 'postgres'));
      if (found?.ready && found.pid !== than && isAlive(found.pid)) return found.pid;
      if (Date.now() > deadline) throw new Error('The server of the torture does not come back.');
    }
  };
  return {
    url,
    kill: async () => {
      // The server may still be restarting after the kill of a backend, which ends all of its processes. It also
      // restarts by itself after this kill.
      const pid = await ready();
      process.kill(pid, 'SIGKILL');
      await ready(pid);
    },
    stop,
  };
};
