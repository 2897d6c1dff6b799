import { execFile } from 'node:child_process';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A file system in memory, small enough to be filled. */
export type SmallDisk = {
  readonly directory: string;
  /** Fills it with ballast, except for this number of bytes. */
  fill(leaveBytes: number): Promise<void>;
  /** Deletes the ballast. */
  clear(): Promise<void>;
  /** Unmounts the file system with its content. */
  unmount(): Promise<void>;
};

/** Fault: the user may not mount file systems, or the system has no tmpfs. */
export class CannotMount extends Error {
  override readonly name = 'CannotMount';
}

const run = promisify(execFile);

/** Needs root and a system with tmpfs; otherwise rejects with CannotMount. */
export const mountSmallDisk = async (directory: string, mebibytes: number): Promise<SmallDisk> => {
  await mkdir(directory, { recursive: true });
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0711`, 'kissapi-small-disk', directory]);
  } catch (cause) {
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : String(cause);
    throw new CannotMount(said.split('\n')[0], { cause });
  }
  const ballast = join(directory, 'ballast');
  return {
    directory,
    fill: async (leaveBytes) => {
      const { bavail, bsize } = await statfs(directory);
      const bytes = Math.max(0, bavail * bsize - leaveBytes);
      // Another process may have used the remaining room meanwhile.
      await writeFile(ballast, Buffer.alloc(bytes)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOSPC') throw error;
      });
    },
    clear: () => rm(ballast, { force: true }),
    unmount: async () => {
      await run('umount', [directory]);
    },
  };
};
