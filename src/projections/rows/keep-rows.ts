import { Worker } from 'node:worker_threads';
import type { Follower } from '../follow.ts';
import type { KeptByOthers } from './live.ts';

export type Settings = { readonly databaseUrl: string; readonly gatherMs: number };

/** What the thread is asked: to hurry to a position, for somebody waits for it; no longer to; to end. */
export type Asked =
  { readonly reach: number; readonly id: number } | { readonly forget: number } | { readonly close: true };

export type PlainError = {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly code?: string;
  readonly cause?: PlainError;
};

export type Told =
  | { readonly position: number; readonly well: boolean }
  | { readonly failed: { readonly consumer: string; readonly error: PlainError } }
  | { readonly kept: Parameters<KeptByOthers>[0] };

export type KeepRowsOptions = Settings & {
  readonly keptByOthers: KeptByOthers;
  readonly failed: (consumer: string, error: unknown) => void;
  /** The file that the thread runs. */
  readonly thread?: URL;
};

export type RowsKeeper = Follower & {
  /** Begins anew where the tables are, for the log is not what it was. */
  restart(): void;
};

const START_AGAIN_MS = 1000;
/** A database that does not answer must not keep a process from its end. */
const CLOSE_WITHIN_MS = 8000;

/**
 * Follows the log with every projection that keeps rows, in a thread of its own: a batch of them is read, decoded and
 * written in one go, and requests under way must not wait for that. A thread that ends by itself is started again.
 */
export const keepRows = (options: KeepRowsOptions): RowsKeeper => {
  const { databaseUrl, gatherMs, keptByOthers, failed } = options;
  const { thread = new URL('./rows-worker.ts', import.meta.url) } = options;
  const settings: Settings = { databaseUrl, gatherMs };
  const waiting = new Map<number, { readonly reach: number; readonly done: () => void }>();
  let position = -1;
  let failure: Error | undefined;
  let next = 0;
  let worker: Worker | undefined;
  let again: NodeJS.Timeout | undefined;
  const ended = Promise.withResolvers<void>();
  let closed: Promise<void> | undefined;
  let restarting = false;

  const moved = (to: number, well: boolean): void => {
    position = to;
    if (well) failure = undefined;
    for (const { reach, done } of waiting.values()) if (reach <= to) done();
  };

  const fail = (consumer: string, error: Error): void => {
    failure = error;
    failed(consumer, error);
  };

  const start = (): void => {
    const own = new Worker(thread, { workerData: settings });
    worker = own;
    let cause: unknown;
    own.on('message', (told: Told) => {
      if ('position' in told) moved(told.position, told.well);
      else if ('kept' in told) keptByOthers(told.kept);
      else fail(told.failed.consumer, asError(told.failed.error));
    });
    own.on('error', (error) => (cause = error));
    own.on('exit', () => {
      worker = undefined;
      if (closed) return ended.resolve();
      if (restarting) {
        restarting = false;
        return start();
      }
      fail('projections', new Error('the thread that keeps the rows ended: it is started again', { cause }));
      again = setTimeout(start, START_AGAIN_MS);
    });
    for (const [id, { reach }] of waiting) ask({ reach, id });
  };

  const close = async (): Promise<void> => {
    clearTimeout(again);
    for (const { done } of waiting.values()) done();
    if (!worker) return;
    ask({ close: true });
    const grace = setTimeout(() => void worker?.terminate(), CLOSE_WITHIN_MS);
    await ended.promise;
    clearTimeout(grace);
  };

  const ask = (asked: Asked): void => worker?.postMessage(asked);
  start();

  return {
    reached: (reach, signal) =>
      new Promise((resolve) => {
        if (closed || reach <= position || signal?.aborted) return resolve();
        const id = next++;
        const done = (): void => {
          waiting.delete(id);
          signal?.removeEventListener('abort', done);
          ask({ forget: id });
          resolve();
        };
        waiting.set(id, { reach, done });
        signal?.addEventListener('abort', done);
        ask({ reach, id });
      }),
    get position() {
      return position;
    },
    get failure() {
      return failure;
    },
    restart: () => {
      if (closed || !worker) return;
      restarting = true;
      position = -1;
      void worker.terminate();
    },
    close: () => (closed ??= close()),
  };
};

const asError = ({ message, cause, ...more }: PlainError): Error =>
  Object.assign(new Error(message, cause && { cause: asError(cause) }), more);
