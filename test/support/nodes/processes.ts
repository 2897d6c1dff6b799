import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder in which processes are registered; undefined outside the test runner. */
const folder = (): string | undefined => process.env['TEST_PROCESSES'];

/** Registers a process that a test started. It is killed after the last test, unless it has ended. */
export const register = (pid: number): void => {
  const where = folder();
  if (where !== undefined) writeFileSync(join(where, String(pid)), '');
};

export const unregister = (pid: number): void => {
  const where = folder();
  if (where === undefined) return;
  try {
    unlinkSync(join(where, String(pid)));
  } catch {
    // The run is over and the folder is gone.
  }
};

const killRegistered = (where: string): void => {
  for (const pid of readdirSync(where)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended in the meantime.
    }
  }
};

/**
 * Before the tests with processes: loads the gateway's modules once in a process that exits normally, because only such a
 * process writes the compile cache. After them: kills what still runs.
 */
const setUp = (): (() => void) => {
  const env = { ...process.env, PORT: 'none' };
  spawnSync(process.execPath, ['src/main.ts'], { env, stdio: 'ignore' });
  return () => {
    const where = folder();
    if (where === undefined) return;
    killRegistered(where);
    rmSync(where, { recursive: true, force: true });
  };
};

export default setUp;
