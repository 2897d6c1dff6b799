import { Worker } from 'node:worker_threads';
import type { Follower } from '../follow.ts';
import type { KeptByOthers } from './live.ts';

export type Settings = { readonly databaseUrl: string; readonly gatherMs: number };

/** A request to the thread: to process events up to a position without pauses, to cancel that request, or to end. */
export type Request =
  | { readonly kind: 'reach'; readonly position: number; readonly id: number }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'close' };

export type PlainError = {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly code?: string;
  readonly cause?: PlainError;
};

/** A message from the thread. */
export type Report =
  | { readonly kind: 'moved'; readonly position: number; readonly well: boolean }
  | { readonly kind: 'failed'; readonly consumer: string; readonly error: PlainError }
  | { readonly kind: 'kept_by_others'; readonly kept: Parameters<KeptByOthers>[0] };

export type KeepRowsOptions = Settings & {
  readonly keptByOthers: KeptByOthers;
  readonly failed: (consumer: string, error: unknown) => void;
  /** The file that the thread runs. */
  readonly thread?: URL;
};

export type RowsKeeper = Follower & {
  /** Restarts the thread at the positions of the tables: the log went back in time. */
  restart(): void;
};

const START_AGAIN_MS = 1000;
/** A database that does not answer must not block the end of the process. */
const CLOSE_WITHIN_MS = 8000;

/**
 * Follows the log with every projection that has rows, in its own thread: a batch is read, decoded and written in one
 * step, which must not delay requests. A thread that ends unexpectedly is restarted.
 */
export const keepRows = (options: KeepRowsOptions): RowsKeeper => {
  const waiting = new Map<number, { readonly position: number; readonly done: () => void }>();
  let position = -1;
  let failure: Error | undefined;
  let nextId = 0;

  const receive = (report: Report): void => {
    switch (report.kind) {
      case 'moved':
        position = report.position;
        if (report.well) failure = undefined;
        for (const { position: wanted, done } of waiting.values()) if (wanted <= position) done();
        return;
      case 'failed':
        return fail(report.consumer, asError(report.error));
      case 'kept_by_others':
        return options.keptByOthers(report.kept);
    }
  };
  const fail = (consumer: string, error: Error): void => {
    failure = error;
    options.failed(consumer, error);
  };
  const thread = runThread(options, {
    started: () => waiting.forEach(({ position: wanted }, id) => thread.send({ kind: 'reach', position: wanted, id })),
    receive,
    ended: (cause) =>
      fail('projections', new Error('the thread that keeps the rows ended: it is started again', { cause })),
  });

  return {
    reached: (wanted, signal) =>
      new Promise((resolve) => {
        if (thread.isClosed() || wanted <= position || signal?.aborted) return resolve();
        const id = nextId++;
        const done = (): void => {
          waiting.delete(id);
          signal?.removeEventListener('abort', done);
          thread.send({ kind: 'cancel', id });
          resolve();
        };
        waiting.set(id, { position: wanted, done });
        signal?.addEventListener('abort', done);
        thread.send({ kind: 'reach', position: wanted, id });
      }),
    get position() {
      return position;
    },
    get failure() {
      return failure;
    },
    restart: () => {
      if (thread.restart()) position = -1;
    },
    close: () => {
      const closing = thread.close();
      for (const { done } of waiting.values()) done();
      return closing;
    },
  };
};

type ThreadEvents = {
  /** Called after each start but the first, to repeat the open requests. */
  readonly started: () => void;
  readonly receive: (report: Report) => void;
  /** Called if the thread ends unexpectedly; it is then restarted. */
  readonly ended: (cause: unknown) => void;
};

/** Runs the thread until it is closed, and restarts it if it ends. */
const runThread = ({ databaseUrl, gatherMs, thread }: KeepRowsOptions, events: ThreadEvents) => {
  const file = thread ?? new URL('./rows-worker.ts', import.meta.url);
  const settings: Settings = { databaseUrl, gatherMs };
  const ended = Promise.withResolvers<void>();
  let worker: Worker | undefined;
  let again: NodeJS.Timeout | undefined;
  let closed: Promise<void> | undefined;
  let restarting = false;

  const start = (): void => {
    let cause: unknown;
    worker = new Worker(file, { workerData: settings })
      .on('message', events.receive)
      .on('error', (error) => (cause = error))
      .on('exit', () => {
        worker = undefined;
        if (closed) return ended.resolve();
        if (!restarting) {
          events.ended(cause);
          again = setTimeout(startAgain, START_AGAIN_MS);
          return;
        }
        restarting = false;
        startAgain();
      });
  };
  const startAgain = (): void => {
    start();
    events.started();
  };
  const send = (request: Request): void => worker?.postMessage(request);
  const close = async (): Promise<void> => {
    clearTimeout(again);
    if (!worker) return;
    send({ kind: 'close' });
    const grace = setTimeout(() => void worker?.terminate(), CLOSE_WITHIN_MS);
    await ended.promise;
    clearTimeout(grace);
  };
  start();

  return {
    send,
    isClosed: (): boolean => closed !== undefined,
    /** False if there is no thread to restart. */
    restart: (): boolean => {
      if (closed || !worker) return false;
      restarting = true;
      void worker.terminate();
      return true;
    },
    close: (): Promise<void> => (closed ??= close()),
  };
};

const asError = ({ message, cause, ...more }: PlainError): Error =>
  Object.assign(new Error(message, cause && { cause: asError(cause) }), more);
