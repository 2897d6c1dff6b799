import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess, type Started } from '../../test/support/process.ts';

type Stoppable = { stop(): Promise<unknown> };

export type Stage = {
  /** Like startProcess; the process ends with the stage at the latest. */
  start(...how: Parameters<typeof startProcess>): Promise<Started>;
  /** The same for anything else that can be stopped. */
  keep<One extends Stoppable>(start: () => Promise<One>): Promise<One>;
  /** A directory that is removed with the stage. */
  directory(): Promise<string>;
  /** Aborts when the stage begins to close. */
  readonly signal: AbortSignal;
  /** Stops everything that was started, newest first, and removes the directories. */
  close(): Promise<void>;
};

/** Owns everything that a benchmark starts, so that nothing is left over, however the benchmark ends. */
const createStage = (): Stage => {
  const started: Promise<Stoppable>[] = [];
  const directories: string[] = [];
  let closed: Promise<void> | undefined;
  const closing = new AbortController();
  const close = async (): Promise<void> => {
    closing.abort();
    // A process that is still starting must be waited for, because nothing else refers to it.
    for (const one of await Promise.allSettled(started.toReversed())) {
      if (one.status === 'fulfilled') await one.value.stop();
    }
    for (const directory of directories) await rm(directory, { recursive: true, force: true });
  };
  const isOver = (): Error => new Error('the benchmark is over');
  const keep: Stage['keep'] = (start) => {
    if (closed) return Promise.reject(isOver());
    const one = start();
    started.push(one);
    return one;
  };
  return {
    start: (...how) => keep(() => startProcess(...how)),
    keep,
    directory: async () => {
      if (closed) throw isOver();
      const directory = await mkdtemp(join(tmpdir(), 'kissapi-bench-'));
      directories.push(directory);
      return directory;
    },
    signal: closing.signal,
    close: () => (closed ??= close()),
  };
};

/** Runs a benchmark on a new stage and closes it on a signal, on a closed stdout, and on an error, which goes to stderr. */
export const runOnStage = async (name: string, run: (stage: Stage) => Promise<void>): Promise<void> => {
  const stage = createStage();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stage.close().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143)));
  }
  // EPIPE: the reader has closed the pipe, as in `npm run bench | head`.
  process.stdout.on('error', () => void stage.close().finally(() => process.exit(2)));
  try {
    await run(stage);
  } catch (error) {
    if (!stage.signal.aborted) {
      process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 2;
    }
  } finally {
    await stage.close();
  }
};
