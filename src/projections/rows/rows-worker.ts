import { parentPort, workerData } from 'node:worker_threads';
import { decodeFact } from '../../eventstore/journal/codec.ts';
import { createPostgresStore } from '../../eventstore/postgres/postgres.ts';
import { createDatabase } from '../database.ts';
import { followLog } from '../follow.ts';
import type { Asked, PlainError, Settings, Told } from './keep-rows.ts';
import { liveProjections } from './live.ts';

// The thread that keeps the rows: see keep-rows.ts.
const { databaseUrl, gatherMs } = workerData as Settings;
const tell = (told: Told): void => parentPort?.postMessage(told);

const store = createPostgresStore(databaseUrl);
const database = createDatabase(databaseUrl);
const rows = followLog({
  store,
  decode: decodeFact,
  consumer: liveProjections(database, store, (kept) => tell({ kept })),
  gatherMs,
  moved: (position, well) => tell({ position, well }),
  failed: (consumer, error) => {
    tell({ failed: { consumer, error: plain(error) } });
  },
});

/** Errors carry what no thread can hand to another. */
const plain = (thrown: unknown): PlainError => {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { name, message, stack = '', cause } = error;
  const { code } = error as { readonly code?: unknown };
  return {
    ...{ name, message, stack },
    ...(typeof code === 'string' ? { code } : {}),
    ...(cause === undefined ? {} : { cause: plain(cause) }),
  };
};

const waiting = new Map<number, AbortController>();

const close = async (): Promise<void> => {
  await rows.close();
  await store.close();
  await database.$pool.end();
  parentPort?.close();
};

parentPort?.on('message', (asked: Asked) => {
  if ('close' in asked) return void close();
  if ('forget' in asked) {
    waiting.get(asked.forget)?.abort();
    waiting.delete(asked.forget);
    return;
  }
  const patience = new AbortController();
  waiting.set(asked.id, patience);
  void rows.reached(asked.reach, patience.signal).finally(() => waiting.delete(asked.id));
});
