import { parentPort, workerData } from 'node:worker_threads';
import { decodeFact } from '../../eventstore/journal/codec.ts';
import { createPostgresStore } from '../../eventstore/postgres/postgres.ts';
import { createDatabase } from '../database.ts';
import { followLog } from '../follow.ts';
import type { PlainError, Report, Request, Settings } from './keep-rows.ts';
import { liveProjections } from './live.ts';

// The thread that maintains the rows: see keep-rows.ts.
const { databaseUrl, gatherMs } = workerData as Settings;
const send = (report: Report): void => parentPort?.postMessage(report);

const store = createPostgresStore(databaseUrl);
const database = createDatabase(databaseUrl);
const rows = followLog({
  store,
  decode: decodeFact,
  consumer: liveProjections(database, store, (kept) => send({ kind: 'kept_by_others', kept })),
  gatherMs,
  moved: (position, well) => send({ kind: 'moved', position, well }),
  failed: (consumer, error) => send({ kind: 'failed', consumer, error: plain(error) }),
});

/** Errors may have properties that cannot be sent to another thread. */
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

const reach = async (position: number, id: number): Promise<void> => {
  const cancel = new AbortController();
  waiting.set(id, cancel);
  await rows.reached(position, cancel.signal);
  waiting.delete(id);
};

const close = async (): Promise<void> => {
  await rows.close();
  await store.close();
  await database.$pool.end();
  parentPort?.close();
};

parentPort?.on('message', (request: Request) => {
  switch (request.kind) {
    case 'reach':
      return void reach(request.position, request.id);
    case 'cancel':
      waiting.get(request.id)?.abort();
      waiting.delete(request.id);
      return;
    case 'close':
      return void close();
  }
});
