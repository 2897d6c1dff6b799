import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChainedEvent } from '../../src/eventstore/chained-log.ts';
import { PAGE } from '../../src/eventstore/event-store.ts';
import { createPostgresStore, migratePostgresStore } from '../../src/eventstore/postgres/postgres.ts';
import { query } from '../../test/support/sql.ts';
import { imageOfLog, type LogImage } from './compare.ts';
import type { EventStoreServers } from '../support/event-store-servers.ts';
import { differencesOfStores, untilCopied } from '../support/stores-agree.ts';
import { openAccounts } from './customers.ts';
import { createRandom } from '../random.ts';
import { readTail } from './records.ts';
import type { Server } from './server.ts';
import { ask, keepIdleTransaction } from './sessions.ts';
import { kindsOn, makeTrouble, noTrouble, type Kind, type Tally } from './trouble.ts';
import { judge, type FileOf, type Verdict } from './verdict.ts';
import { createWire, type Wire } from './wire.ts';
import { startWorker, type Worker } from './workers/workers.ts';

export type TortureOptions = {
  /** An empty database. */
  readonly databaseUrl: string;
  /** The server of the database, if it may be killed. */
  readonly server?: Server;
  /** EventStoreDB, if it commits the log. All writers then append through the store. */
  readonly eventStore?: EventStoreServers;
  /** An empty directory for the records. */
  readonly directory: string;
  readonly seed: string;
  readonly durationMs: number;
  readonly writers: number;
  readonly followers: number;
  /**
   * How the log assigns positions: from its locked head, as in production, or from a sequence, as is common elsewhere.
   */
  readonly log?: 'head' | 'sequence';
  readonly kinds?: readonly Kind[];
  readonly maxQuietMs?: number;
  readonly maxStopMs?: number;
  readonly signal?: AbortSignal;
  readonly progress?: (progress: Progress) => void;
};

export type Progress = {
  readonly doing: 'starting' | 'torturing' | 'waiting for the followers' | 'reading the log';
  readonly elapsedMs: number;
  /** The position of the most advanced follower. */
  readonly position: number;
  readonly tally: Tally;
};

const CUSTOMERS = 32;
const DAWDLE_MS = 20;
const LOOK_EVERY_MS = 250;
const FINISH_WITHIN_MS = 30_000;
/** A follower without progress for this time counts as stuck. */
const PATIENCE_MS = 30_000;

const numbered = (name: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${name}-${n + 1}`);

/**
 * Runs writers and followers in their own processes, causes trouble for all of them, and compares the log with their
 * records.
 */
export const torture = async (options: TortureOptions): Promise<Verdict> => {
  const { databaseUrl, server, eventStore, directory, seed, durationMs, log = 'head', progress } = options;
  const store = eventStore ? 'eventstoredb' : 'postgres';
  let started = performance.now();
  const tally = noTrouble();
  const complaints: string[] = [];
  const complain = (what: string): void =>
    void complaints.push(`after ${((performance.now() - started) / 1000).toFixed(1)} s: ${what}`);
  const over = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, over.signal]) : over.signal;
  const throughStore = eventStore ? options.writers : log === 'head' ? Math.ceil(options.writers / 2) : 0;
  const storeWriters = numbered('store', throughStore);
  const handWriters = numbered('hand', options.writers - storeWriters.length);
  const followerNames = numbered('follower', options.followers);
  const fileOf: FileOf = (name, kind) => join(directory, `${name}.${kind}`);

  await migratePostgresStore(databaseUrl);
  if (log === 'sequence') {
    await query(databaseUrl, await readFile(new URL('workers/append-by-sequence.sql', import.meta.url), 'utf8'));
  }
  const shared = numbered('shared', 2);
  const accountsOf = (name: string): string[] => [...shared, ...numbered(name, 6)];
  await openAccounts({ databaseUrl, eventStoreUrl: eventStore?.url }, [...new Set(storeWriters.flatMap(accountsOf))]);

  const wires = new Map<string, Wire>();
  for (const name of storeWriters) wires.set(name, await createWire(databaseUrl));
  const eventWire = eventStore && (await createWire(eventStore.url));
  const workers: Worker[] = [];
  const start = (name: string, file: string, settings: object): Worker => {
    const worker = startWorker({ name, file, settings: { directory, ...settings }, failed: complain });
    workers.push(worker);
    return worker;
  };
  const look = (doing: Progress['doing'], tails = followerNames.map((name) => readTail(fileOf(name, 'delivered')))) =>
    progress?.({
      doing,
      elapsedMs: performance.now() - started,
      position: Math.max(0, ...tails.map(({ position }) => position)),
      tally,
    });

  try {
    const elsewhere = new URL(databaseUrl);
    elsewhere.pathname = '/postgres';
    for (const url of [databaseUrl, elsewhere.href]) keepIdleTransaction(url, signal);
    const followers = followerNames.map((name) => start(name, 'follower.ts', { databaseUrl }));
    const writers = [
      ...storeWriters.map((name) =>
        start(name, 'store-writer.ts', {
          databaseUrl: wires.get(name)?.url,
          eventStoreUrl: eventWire?.url,
          accounts: accountsOf(name),
          customers: CUSTOMERS,
        }),
      ),
      ...handWriters.map((name) =>
        start(name, 'hand-writer.ts', {
          databaseUrl,
          seed,
          log,
          maxPauseMs: DAWDLE_MS,
        }),
      ),
    ];

    const files = [
      ...followerNames.map((name) => fileOf(name, 'delivered')),
      ...writers.map(({ name }) => fileOf(name, 'acknowledged')),
    ];
    // Otherwise a short torture could end before all processes have started.
    while (files.some((file) => readTail(file).count === 0) && complaints.length === 0) {
      look('starting');
      await sleep(LOOK_EVERY_MS, undefined, { signal });
    }
    started = performance.now();
    let troubled = true;
    const trouble = makeTrouble({
      scene: {
        ...{ databaseUrl, writers, followers, server, wires: [...wires.values()] },
        eventStore: eventStore && eventWire && { servers: eventStore, wire: eventWire, wires },
      },
      random: createRandom(seed),
      kinds: options.kinds ?? kindsOn(store),
      maxQuietMs: options.maxQuietMs ?? 500,
      maxStopMs: options.maxStopMs ?? 1500,
      tally,
      durationMs,
      signal,
    }).finally(() => (troubled = false));
    trouble.catch(() => undefined); // Awaited below.
    const suspects = new Set(followerNames);
    while (troubled) {
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
      look('torturing');
      // Positions are dense: a follower whose number of events equals its position has missed none so far.
      for (const name of suspects) {
        const { count, position } = readTail(fileOf(name, 'delivered'));
        if (count === position || log === 'sequence') continue;
        suspects.delete(name);
        complain(`${name} was given ${count} events up to position ${position}`);
      }
    }
    await trouble;
    signal.throwIfAborted();
    await Promise.all(writers.map((writer) => writer.finish(FINISH_WITHIN_MS)));
    if (eventStore) await untilCopied({ databaseUrl, eventStoreUrl: eventStore.url });
    await untilThere(
      databaseUrl,
      followerNames.map((name) => fileOf(name, 'delivered')),
      signal,
      () => look('waiting for the followers'),
    );
    await Promise.all(followers.map((follower) => follower.finish(FINISH_WITHIN_MS)));

    const image = await readLog(databaseUrl, signal, () => look('reading the log'));
    const writerNames = writers.map(({ name }) => name);
    if (eventStore) complaints.push(...(await differencesOfStores({ databaseUrl, eventStoreUrl: eventStore.url })));
    return await judge({ image, fileOf, followers: followerNames, writers: writerNames, complaints, tally });
  } finally {
    over.abort();
    await Promise.all(workers.map((worker) => worker.abandon()));
    await Promise.all([...wires.values(), ...(eventWire ? [eventWire] : [])].map((wire) => wire.close()));
  }
};

/** Resolves when every follower is at the end of the log, or none has moved for long. */
const untilThere = async (
  databaseUrl: string,
  files: readonly string[],
  signal: AbortSignal,
  look: () => void,
): Promise<void> => {
  let last = { sum: -1, at: performance.now() };
  for (;;) {
    signal.throwIfAborted();
    look();
    const [row] = await ask<{ head: string }>(databaseUrl, 'select coalesce(max(position), 0) as head from events');
    const positions = files.map((file) => readTail(file).position);
    if (row && positions.every((position) => position >= Number(row.head))) return;
    const sum = positions.reduce((a, b) => a + b, 0);
    if (sum !== last.sum) last = { sum, at: performance.now() };
    else if (performance.now() - last.at > PATIENCE_MS) return;
    await sleep(LOOK_EVERY_MS);
  }
};

const readLog = async (databaseUrl: string, signal: AbortSignal, look: () => void): Promise<LogImage> => {
  const store = createPostgresStore(databaseUrl);
  async function* pages(): AsyncGenerator<readonly ChainedEvent[]> {
    for (let position = 0; ;) {
      signal.throwIfAborted();
      const page = await store.readAll(position, PAGE);
      if (page.length > 0) yield page;
      if (page.length < PAGE) return;
      position = page.at(-1)?.position ?? position;
      look();
    }
  }
  try {
    return await imageOfLog(pages());
  } finally {
    await store.close();
  }
};
