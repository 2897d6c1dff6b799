import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { StoreUnavailable } from '../../event-store.ts';
import { createPartCheck } from './part.ts';
import type { RangeReport, Trusted } from './range.ts';

export type Source = { readonly databaseUrl: string } | { readonly file: string };

/** One part of the log: positions of a database, both included, or bytes of a file. */
export type Part = { readonly n: number; readonly from: number; readonly to: number };

/** An array, or an object that computes its elements. */
export type Parts = { readonly length: number; at(n: number): Omit<Part, 'n'> | undefined };

export type Answer =
  { readonly n: number; readonly report: RangeReport } | { readonly n: number; readonly failed: string };

/** More threads than cores would wait for each other, and more than these for the database. */
const MAX_THREADS = 8;
/** How many parts are checked ahead of the first one without a report. */
const AHEAD_PER_THREAD = 4;

type HandOver = (report: RangeReport) => 'more' | 'enough';

export type ThreadsOptions = {
  readonly source: Source;
  readonly trusted: Trusted;
  readonly parts: Parts;
  /** By default the number of cores. */
  readonly threads?: number | undefined;
};

const unreadable = (why: string): StoreUnavailable => new StoreUnavailable(`the log cannot be read: ${why}`);

/** Checks the parts of a log in several threads, and passes on their reports in order. Ends early on 'enough'. */
export const inThreads = async (options: ThreadsOptions, handOver: HandOver): Promise<void> => {
  const { threads = Math.min(availableParallelism(), MAX_THREADS), parts } = options;
  const count = Math.min(threads, parts.length);
  // A single part is checked sooner than a thread starts.
  if (count > 1) await inSeveral(options, count, handOver);
  else if (count === 1) await inThisOne(options, handOver);
};

const inThisOne = async ({ source, trusted, parts }: ThreadsOptions, handOver: HandOver): Promise<void> => {
  try {
    const part = await createPartCheck(source, trusted);
    try {
      for (let n = 0, one = parts.at(0); n < parts.length && one; one = parts.at(++n)) {
        if (handOver(await part.check({ n, ...one })) === 'enough') return;
      }
    } finally {
      await part.close();
    }
  } catch (cause) {
    throw unreadable(cause instanceof Error ? cause.message : String(cause));
  }
};

const inSeveral = ({ source, trusted, parts }: ThreadsOptions, count: number, handOver: HandOver): Promise<void> => {
  const threads = Array.from(
    { length: count },
    () => new Worker(new URL('./worker.ts', import.meta.url), { workerData: { source, trusted } }),
  );
  const idle = [...threads];
  const waiting = new Map<number, RangeReport>();
  let given = 0;
  let handed = 0;

  const done = new Promise<void>((resolve, reject) => {
    const give = (): void => {
      while (idle.length > 0 && given < parts.length && given - handed < count * AHEAD_PER_THREAD) {
        idle.pop()?.postMessage({ n: given, ...parts.at(given++) });
      }
      if (handed === parts.length) resolve();
    };
    for (const thread of threads) {
      thread.on('message', (answer: Answer) => {
        if ('failed' in answer) return reject(unreadable(answer.failed));
        waiting.set(answer.n, answer.report);
        idle.push(thread);
        for (let next = waiting.get(handed); next; next = waiting.get(handed)) {
          waiting.delete(handed++);
          if (handOver(next) === 'enough') return resolve();
        }
        give();
      });
      thread.on('error', reject);
    }
    give();
  });
  return done.finally(() => Promise.all(threads.map((thread) => thread.terminate())));
};
