import { setTimeout as sleep } from 'node:timers/promises';
import { writerOf } from './workers/append-by-hand.ts';
import type { Random } from '../random.ts';
import type { StoreName } from '../support/event-store.ts';
import { eventStoreTrouble, eventStoreWeights, type EventStoreScene } from './event-store-trouble.ts';
import type { Server } from './server.ts';
import { ask } from './sessions.ts';
import type { Wire } from './wire.ts';
import type { Worker } from './workers/workers.ts';

/** The relative frequencies. After a crash the server replays its log, which takes a second. */
const weights = {
  'writers stopped': 3,
  'writers stopped at the head of the log': 3,
  'writers killed': 3,
  'followers killed': 4,
  'connections cut': 8,
  'replies lost': 8,
  'backends killed': 2,
  'servers killed': 2,
  ...eventStoreWeights,
} as const;
export type Kind = keyof typeof weights;
export type Tally = Record<Kind, number>;

const everyKind = Object.keys(weights) as readonly Kind[];
/** Only writers that append by hand stop while they hold the head of the log. */
const ONLY_ON_POSTGRES: ReadonlySet<Kind> = new Set(['writers stopped at the head of the log']);
export const kindsOn = (store: StoreName): readonly Kind[] =>
  everyKind.filter((kind) => (store === 'postgres' ? !(kind in eventStoreWeights) : !ONLY_ON_POSTGRES.has(kind)));
export const noTrouble = (): Tally => Object.fromEntries(everyKind.map((kind) => [kind, 0])) as Tally;

export type Scene = {
  readonly databaseUrl: string;
  readonly writers: readonly Worker[];
  readonly followers: readonly Worker[];
  /** Undefined if the server is shared with others and must not be killed. */
  readonly server: Server | undefined;
  /** Between the store's writers and the server. */
  readonly wires: readonly Wire[];
  /** Set if EventStoreDB commits the log. */
  readonly eventStore?: EventStoreScene | undefined;
};

export type TroubleOptions = {
  readonly scene: Scene;
  readonly random: Random;
  readonly kinds: readonly Kind[];
  /** The longest pause between two kinds of trouble. */
  readonly maxQuietMs: number;
  /** How long a writer is stopped; occasionally it is eight times as long. */
  readonly maxStopMs: number;
  /** Counts the trouble that took effect. */
  readonly tally: Tally;
  readonly durationMs: number;
  /** Ends the trouble at once. */
  readonly signal: AbortSignal;
};

/**
 * Causes each kind of trouble once, then random ones until the time is over. Resolves when all stopped processes run
 * again and the server is up.
 */
export const makeTrouble = async (options: TroubleOptions): Promise<void> => {
  const { random, tally, maxQuietMs, maxStopMs, signal } = options;
  const { databaseUrl, writers, followers, server, wires, eventStore } = options.scene;
  const stops = new Set<Promise<void>>();

  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);

  const stop = (writer: Worker | undefined): void => {
    const goOn = writer?.freeze();
    if (!goOn) return;
    // Sometimes longer than a store waits for an append: 10 s, with the default of maxStopMs.
    const longest = random.between(1, 10) === 1 ? 8 * maxStopMs : maxStopMs;
    const stopped = pause(random.between(Math.floor(longest / 2), longest)).then(goOn);
    stops.add(stopped);
    void stopped.then(() => stops.delete(stopped));
  };

  /** The session of a transaction that has appended but neither committed nor rolled back. */
  const atTheHead = async (): Promise<string | undefined> => {
    const [found] = await ask<{ session: string }>(
      databaseUrl,
      `select application_name as session from pg_stat_activity
       where datname = current_database() and state = 'idle in transaction' and query like '%append%'`,
    );
    return found?.session;
  };

  /** A backend that appends or follows, preferably a busy one. */
  const someBackend = async (): Promise<number | undefined> => {
    const rows = await ask<{ pid: number; active: boolean }>(
      databaseUrl,
      `select pid, state = 'active' as active from pg_stat_activity
       where datname = current_database() and (application_name like 'kissapi-%' or application_name like 'torture-%')`,
    );
    const active = rows.filter((row) => row.active);
    return random.pick(active.length > 0 && random.between(1, 3) > 1 ? active : rows)?.pid;
  };

  /** Each returns whether it took effect. */
  const make: Readonly<Partial<Record<Kind, () => Promise<boolean> | boolean>>> = {
    'writers stopped': () => {
      stop(random.pick(writers));
      return true;
    },
    'writers stopped at the head of the log': async () => {
      const session = await atTheHead();
      const writer = writers.find(({ name }) => session !== undefined && name === writerOf(session));
      stop(writer);
      return writer !== undefined && (await atTheHead()) === session; // Otherwise it had continued just before.
    },
    'writers killed': async () => {
      await random.pick(writers)?.kill();
      return true;
    },
    'followers killed': async () => {
      await random.pick(followers)?.kill();
      return true;
    },
    'connections cut': async () => {
      const pid = await someBackend();
      return pid !== undefined && (await ask(databaseUrl, 'select pg_terminate_backend($1)', [pid])).length > 0;
    },
    'replies lost': () => {
      const of = random.between(1, 4) > 1 ? 'reply' : 'request';
      const afterBytes = random.between(0, 200);
      const application = eventStore ? 'kissapi-copy' : 'kissapi-commits';
      const cut = random.pick(wires)?.cut({ of, afterBytes, application, then: 'close' });
      void cut?.then(() => tally['replies lost']++); // With the next append that passes.
      return false;
    },
    'backends killed': async () => {
      const pid = await someBackend();
      try {
        return pid !== undefined && process.kill(pid, 'SIGKILL');
      } catch {
        return false; // The process had already ended.
      }
    },
    'servers killed': async () => {
      await server?.kill();
      return true;
    },
    ...(eventStore
      ? eventStoreTrouble({
          ...{ databaseUrl, writers, scene: eventStore, random, maxStopMs, signal, stop },
          happened: (kind) => tally[kind]++,
        })
      : {}),
  };

  const needServer: ReadonlySet<Kind> = new Set(['backends killed', 'servers killed']);
  const possible = options.kinds.filter((kind) => server || !needServer.has(kind));
  const lots = possible.flatMap((kind) => Array.from({ length: weights[kind] }, () => kind));
  const onceEach = [...possible];
  for (const end = performance.now() + options.durationMs; onceEach.length > 0 || performance.now() < end;) {
    await pause(random.between(1, maxQuietMs));
    const [first] = onceEach.length > 0 ? onceEach.splice(random.between(0, onceEach.length - 1), 1) : [];
    const kind = first ?? random.pick(lots);
    if (signal.aborted) break;
    if (kind && (await make[kind]?.())) tally[kind]++;
  }
  await Promise.all(stops);
};
