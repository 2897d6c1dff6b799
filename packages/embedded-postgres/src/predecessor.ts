import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { EmbeddedPostgresFault, reason } from './fault.ts';
import { isAlive, isPostmasterOf, readPidFile, stopPostmaster, type PidFile } from './postmaster.ts';
import { openSession, type Session } from './session.ts';

type Predecessor = {
  readonly dataDirectory: string;
  /** Prefix of the application name of every session of the application. */
  readonly role: string;
  readonly password: string;
  readonly log: (line: string) => void;
};

const LOOK_EVERY_MS = 250;
// A process that has just started its server needs a moment to connect to it.
const EMPTY_LOOKS = 3;
// Sessions of a killed process end within milliseconds, unless one is executing a statement.
const OCCUPIED_FOR_MS = 2_000;
const REACHABLE_WITHIN_MS = 60_000;

const countSessions = async (session: Session, role: string): Promise<number> => {
  const rows = await session.query(
    `SELECT pid FROM pg_stat_activity WHERE starts_with(application_name, '${role}') AND pid <> pg_backend_pid()`,
  );
  return rows.length;
};

const isInUse = async (session: Session, role: string): Promise<boolean> => {
  let empty = 0;
  for (const deadline = Date.now() + OCCUPIED_FOR_MS; Date.now() < deadline; await sleep(LOOK_EVERY_MS)) {
    empty = (await countSessions(session, role)) === 0 ? empty + 1 : 0;
    if (empty === EMPTY_LOOKS) return false;
  }
  return true;
};

type Use =
  { readonly kind: 'used' } | { readonly kind: 'unused' } | { readonly kind: 'unknown'; readonly error: unknown };

/** Unknown if the server is not ready yet, or stops meanwhile. */
const readUse = async (port: number, { role, password }: Predecessor): Promise<Use> => {
  let session: Session | undefined;
  try {
    // Named differently from the application: two takeovers at once must not take each other for a running application.
    session = await openSession({ port, role, password, applicationName: '(takeover)' });
    return { kind: (await isInUse(session, role)) ? 'used' : 'unused' };
  } catch (error) {
    return { kind: 'unknown', error };
  } finally {
    await session?.end().catch(() => {});
  }
};

/** PostgreSQL detects a dead pid itself, and then makes sure that no child of that server still writes. */
const isDead = ({ pid }: PidFile): boolean => pid < 0 || (pid > 0 && !isAlive(pid));

/** Removes a pid file that PostgreSQL takes for a live server: its pid was recycled, or a power loss left it empty. */
const removeStale = async ({ dataDirectory, log }: Predecessor, pid: number): Promise<boolean> => {
  await sleep(LOOK_EVERY_MS);
  if ((await readPidFile(dataDirectory))?.pid !== pid) return false;
  log(`Removing the postmaster.pid of a PostgreSQL that no longer runs from ${dataDirectory}`);
  await rm(join(dataDirectory, 'postmaster.pid'), { force: true });
  return true;
};

/**
 * Makes sure that no server runs on the data directory: one that outlived its application is stopped. Rejects with
 * `embedded_postgres_in_use` if another process uses it.
 */
export const settlePredecessor = async (predecessor: Predecessor): Promise<void> => {
  const { dataDirectory, log } = predecessor;
  for (const deadline = Date.now() + REACHABLE_WITHIN_MS; ; await sleep(LOOK_EVERY_MS)) {
    const found = await readPidFile(dataDirectory);
    if (!found || isDead(found)) return;
    const { pid, port } = found;
    if (pid === 0 || !(await isPostmasterOf(dataDirectory, pid))) {
      if (await removeStale(predecessor, pid)) return;
      continue;
    }
    const use = await readUse(port, predecessor);
    if (use.kind === 'used') {
      throw new EmbeddedPostgresFault(
        'embedded_postgres_in_use',
        `Another process is running on ${dataDirectory} (PostgreSQL is process ${pid}): stop it first.`,
      );
    }
    if (use.kind === 'unused') {
      log(`Stopping the PostgreSQL (process ${pid}) left on ${dataDirectory} by a process that was killed`);
      await stopPostmaster(pid, async () => !(await isPostmasterOf(dataDirectory, pid)), log);
    } else if (Date.now() > deadline) {
      throw new EmbeddedPostgresFault(
        'embedded_postgres_failed',
        `A PostgreSQL (process ${pid}) is running on ${dataDirectory}, but its sessions cannot be read: ` +
          `${reason(use.error)}. If nothing uses it, stop it with "kill -INT ${pid}" and start again.`,
        { cause: use.error },
      );
    }
  }
};
