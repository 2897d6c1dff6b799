import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

export type PidFile = {
  /** 0 in a file that a power loss left empty, negative for a server in single-user mode. */
  readonly pid: number;
  /** Seconds since 1970. Distinguishes servers that had the same pid, which is common in containers. */
  readonly startedAtS: number;
  readonly port: number;
  readonly ready: boolean;
};

/**
 * Reads postmaster.pid, which a starting server fills line by line; undefined if it does not exist. The lines are
 * LOCK_FILE_LINE_* in PostgreSQL's pidfile.h.
 */
export const readPidFile = async (dataDirectory: string): Promise<PidFile | undefined> => {
  const text = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = text.split('\n');
  return {
    pid: Number.parseInt(lines[0] ?? '', 10) || 0,
    startedAtS: Number(lines[2]),
    port: Number(lines[3]),
    ready: lines[7]?.trim() === 'ready',
  };
};

export const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

/** Empty for a process that does not exist and for a zombie. */
const commandLine = async (pid: number): Promise<string> => {
  try {
    if (process.platform === 'linux') {
      return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trimEnd();
    }
    return (await promisify(execFile)('ps', ['-ww', '-o', 'args=', '-p', String(pid)])).stdout.trimEnd();
  } catch {
    return '';
  }
};

/**
 * Whether `pid` is a postmaster of this data directory: not another process with a recycled pid, and not the server of
 * the directory that this one was copied from. If the directory on its command line no longer exists, it was moved here
 * while the server ran. Reads the end of the command line, where `postmasterArguments` puts the directory.
 */
export const isPostmasterOf = async (dataDirectory: string, pid: number): Promise<boolean> => {
  const [, started] = /^\S.*postgres .*-D (.+)$/s.exec(await commandLine(pid)) ?? [];
  if (started === undefined) return false;
  const actual = await realpath(started).catch(() => undefined);
  return actual === undefined || actual === (await realpath(dataDirectory));
};

export const postmasterArguments = (dataDirectory: string, settings: Readonly<Record<string, string>>): string[] => [
  ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ...['-D', dataDirectory],
];

const POLL_MS = 20;

// Fast shutdown, then immediate shutdown (the next start replays the write-ahead log), then force. None loses data.
const ESCALATION = [
  { signal: 'SIGINT', patienceMs: 30_000 },
  { signal: 'SIGQUIT', patienceMs: 10_000 },
  { signal: 'SIGKILL', patienceMs: 10_000 },
] as const;

/** Resolves once `isGone`. Rejects if not even SIGKILL ended the process. */
export const stopPostmaster = async (
  pid: number,
  isGone: () => boolean | Promise<boolean>,
  log: (line: string) => void,
): Promise<void> => {
  for (const { signal, patienceMs } of ESCALATION) {
    if (signal !== 'SIGINT') log(`PostgreSQL (process ${pid}) has not stopped: sending ${signal}`);
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
    for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(POLL_MS)) {
      if (await isGone()) return;
    }
  }
  throw new Error(`PostgreSQL (process ${pid}) could not be stopped.`);
};
