import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { EmbeddedPostgresFault, reason } from './fault.ts';
import { isAlive, isPostmasterOf, readPidFile, stopPostmaster } from './postmaster.ts';
import { openSession, type Session } from './session.ts';

type Predecessor = {
  readonly dataDirectory: string;
  readonly password: string;
  readonly log: (line: string) => void;
};

const LOOK_EVERY_MS = 250;
// A gateway that has only just started its server needs a moment to connect to it.
const EMPTY_LOOKS = 3;
// The sessions of a killed gateway vanish within milliseconds, save where one is in the midst of a statement.
const OCCUPIED_FOR_MS = 2_000;
const REACHABLE_WITHIN_MS = 60_000;

const countGateways = async (session: Session): Promise<number> => {
  const rows = await session.query(
    `SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'kissapi%' AND pid <> pg_backend_pid()`,
  );
  return rows.length;
};

const isOccupied = async (session: Session): Promise<boolean> => {
  let empty = 0;
  for (const deadline = Date.now() + OCCUPIED_FOR_MS; Date.now() < deadline; await sleep(LOOK_EVERY_MS)) {
    empty = (await countGateways(session)) === 0 ? empty + 1 : 0;
    if (empty === EMPTY_LOOKS) return false;
  }
  return true;
};

/** An error where the postmaster is not yet ready to be asked, or goes away meanwhile. */
const ask = async (port: number, password: string): Promise<{ occupied: boolean } | { error: unknown }> => {
  let session: Session | undefined;
  try {
    // Not named like a gateway: two that take over at once must not each mistake the other for one.
    session = await openSession(port, password, 'takeover');
    return { occupied: await isOccupied(session) };
  } catch (error) {
    return { error };
  } finally {
    await session?.end().catch(() => {});
  }
};

/**
 * Leaves the data directory without a server, so that ours may start: one that outlived its gateway is stopped. Fails with
 * `embedded_postgres_in_use` where another gateway lives on it.
 */
export const settlePredecessor = async ({ dataDirectory, password, log }: Predecessor): Promise<void> => {
  for (const deadline = Date.now() + REACHABLE_WITHIN_MS; ; await sleep(LOOK_EVERY_MS)) {
    const found = await readPidFile(dataDirectory);
    // PostgreSQL sees through a dead pid by itself, and then makes sure that no child of that server still writes.
    if (!found || found.pid < 0 || (found.pid > 0 && !isAlive(found.pid))) return;
    const { pid, port } = found;
    if (pid === 0 || !(await isPostmasterOf(dataDirectory, pid))) {
      // What it does not see through is a pid that another process now bears, or a file that a power loss left empty.
      await sleep(LOOK_EVERY_MS);
      if ((await readPidFile(dataDirectory))?.pid !== pid) continue;
      log(`Removing the postmaster.pid of a PostgreSQL that is gone from ${dataDirectory}`);
      await rm(join(dataDirectory, 'postmaster.pid'), { force: true });
      return;
    }

    const answer = await ask(port, password);
    if ('occupied' in answer && answer.occupied) {
      throw new EmbeddedPostgresFault(
        'embedded_postgres_in_use',
        `Another gateway is running on ${dataDirectory} (PostgreSQL is process ${pid}): stop it first. To share one database ` +
          `among several nodes, set DATABASE_URL to a PostgreSQL server of your own for each of them.`,
      );
    }
    if ('occupied' in answer) {
      log(`Stopping the PostgreSQL (process ${pid}) that outlived its gateway on ${dataDirectory}`);
      await stopPostmaster(pid, async () => !(await isPostmasterOf(dataDirectory, pid)), log);
    } else if (Date.now() > deadline) {
      throw new EmbeddedPostgresFault(
        'embedded_postgres_failed',
        `A PostgreSQL (process ${pid}) is running on ${dataDirectory} but cannot be asked who uses it: ${reason(answer.error)}. ` +
          `If no gateway does, stop it with "kill -INT ${pid}" and start again.`,
        { cause: answer.error },
      );
    }
  }
};
