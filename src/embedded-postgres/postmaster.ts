import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

export type PidFile = {
  readonly pid: number;
  /** In seconds since 1970. Tells a server from an earlier one that bore the same pid, as is common in containers. */
  readonly startedAtS: number;
  readonly port: number;
  readonly ready: boolean;
};

/**
 * postmaster.pid, whose lines are those of LOCK_FILE_LINE_* in PostgreSQL's pidfile.h; filled in line by line as a server starts. The pid
 * is 0 in a file that a power loss left empty, and negative for a server that an operator runs in single-user mode.
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

/** Empty for a process that is gone, and for one that is dead but that nobody has waited for. */
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
 * Whether `pid` is a postmaster of this very directory, not a stranger that was given a recycled pid, nor the server of a directory that
 * this one was copied from. One whose directory is no longer where it was started was moved here as it ran. Reads the end of the
 * command line, where `postmasterArguments` puts the directory.
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

// Fast shutdown, which loses nothing; then immediate, after which the log is replayed at the next start; force comes last.
const ESCALATION = [
  { signal: 'SIGINT', patienceMs: 30_000 },
  { signal: 'SIGQUIT', patienceMs: 10_000 },
  { signal: 'SIGKILL', patienceMs: 10_000 },
] as const;

/** Returns once `isGone`; throws where not even SIGKILL ended the process. */
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
