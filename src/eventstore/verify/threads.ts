import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { StoreUnavailable } from '../event-store.ts';
import type { RangeReport, Trusted } from './range.ts';

export type Source = { readonly databaseUrl: string } | { readonly file: string };

/** One part of the log: positions of a database, both included, or bytes of a file. */
export type Part = { readonly n: number; readonly from: number; readonly to: number };

export type Answer =
  { readonly n: number; readonly report: RangeReport } | { readonly n: number; readonly failed: string };

/** More threads than cores only wait for one another, and more than these for the database. */
const MAX_THREADS = 8;
/** Parts that are looked at ahead of the first that is still missing. */
const AHEAD_PER_THREAD = 4;

/**
 * Has parts of a log looked at by several threads, and hands over what each found, in order. Ends early once it is told
 * that it was enough.
 */
export const inThreads = (
  source: Source,
  trusted: Trusted,
  parts: Iterator<Omit<Part, 'n'>>,
  handOver: (report: RangeReport) => 'more' | 'enough',
): Promise<void> => {
  const count = Math.min(availableParallelism(), MAX_THREADS);
  const threads = Array.from(
    { length: count },
    () => new Worker(new URL('./worker.ts', import.meta.url), { workerData: { source, trusted } }),
  );
  const idle = [...threads];
  const waiting = new Map<number, RangeReport>();
  let given = 0;
  let handed = 0;
  let exhausted = false;

  const done = new Promise<void>((resolve, reject) => {
    const give = (): void => {
      while (idle.length > 0 && !exhausted && given - handed < count * AHEAD_PER_THREAD) {
        const part = parts.next();
        if (part.done) exhausted = true;
        else idle.pop()?.postMessage({ n: given++, ...part.value });
      }
      if (exhausted && handed === given) resolve();
    };
    for (const thread of threads) {
      thread.on('message', (answer: Answer) => {
        if ('failed' in answer) return reject(new StoreUnavailable(`the log cannot be read: ${answer.failed}`));
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
