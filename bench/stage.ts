import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess, type Started } from '../test/support/process.ts';

export type Stage = {
  /** As startProcess; what it starts ends with the stage at the latest. */
  start(...how: Parameters<typeof startProcess>): Promise<Started>;
  /** A directory that is removed with the stage. */
  directory(): Promise<string>;
  /** Aborts when the stage begins to close. */
  readonly signal: AbortSignal;
  /** Ends what was started, the newest first, and removes the directories. */
  close(): Promise<void>;
};

/** Everything that a benchmark starts, so that nothing is left of it, however it ends. */
export const createStage = (): Stage => {
  const started: Promise<Started>[] = [];
  const directories: string[] = [];
  let closed: Promise<void> | undefined;
  const closing = new AbortController();
  const close = async (): Promise<void> => {
    closing.abort();
    // One that is only just starting is waited for: nobody else knows of it.
    for (const one of await Promise.allSettled(started.toReversed())) {
      if (one.status === 'fulfilled') await one.value.stop();
    }
    for (const directory of directories) await rm(directory, { recursive: true, force: true });
  };
  return {
    start: (...how) => {
      if (closed) return Promise.reject(new Error('the benchmark is over'));
      const one = startProcess(...how);
      started.push(one);
      return one;
    },
    directory: async () => {
      const directory = await mkdtemp(join(tmpdir(), 'kissapi-bench-'));
      directories.push(directory);
      return directory;
    },
    signal: closing.signal,
    close: () => (closed ??= close()),
  };
};
