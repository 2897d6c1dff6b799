import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { EventStoreServers } from '../support/event-store-servers.ts';
import { ask } from './sessions.ts';
import type { Wire } from './wire.ts';
import type { Worker } from './workers/workers.ts';

/** The relative frequencies of trouble that exists only on EventStoreDB. */
export const eventStoreWeights = {
  'EventStoreDB killed': 2,
  'EventStoreDB stopped': 3,
  'connections to EventStoreDB cut': 8,
  'copying processes stopped': 3,
  'copying processes killed': 2,
} as const;
export type EventStoreKind = keyof typeof eventStoreWeights;

export type EventStoreScene = {
  readonly servers: EventStoreServers;
  /** Between the writers and EventStoreDB. */
  readonly wire: Wire;
  /** Between each writer and PostgreSQL, by the name of the writer. */
  readonly wires: ReadonlyMap<string, Wire>;
};

type Options = {
  readonly databaseUrl: string;
  readonly writers: readonly Worker[];
  readonly scene: EventStoreScene;
  readonly random: Random;
  readonly maxStopMs: number;
  readonly signal: AbortSignal;
  readonly stop: (writer: Worker | undefined) => void;
  readonly happened: (kind: EventStoreKind) => void;
};

/** A connection of HTTP/2 is cut within its first frames, within an append, or within the answers to several. */
const CUT_WITHIN_BYTES = 3000;

export const eventStoreTrouble = (options: Options) => {
  const { databaseUrl, writers, scene, random, maxStopMs, signal, stop, happened } = options;
  const [server] = scene.servers.nodes;

  /** The writer that copies from EventStoreDB to PostgreSQL now. */
  const copying = async (): Promise<Worker | undefined> => {
    const found = await ask<{ port: number }>(
      databaseUrl,
      `select client_port as port from pg_stat_activity join pg_locks using (pid)
       where locktype = 'advisory' and granted and application_name = 'kissapi-sequencer'`,
    );
    return writers.find(({ name }) => found.some(({ port }) => scene.wires.get(name)?.comesFrom(port)));
  };

  /** Each returns whether it took effect. */
  return {
    'EventStoreDB killed': async () => {
      await server?.kill();
      server?.start();
      await scene.servers.ready();
      return true;
    },
    'EventStoreDB stopped': async () => {
      const goOn = server?.freeze();
      const longest = random.between(1, 10) === 1 ? 8 * maxStopMs : maxStopMs;
      await sleep(random.between(Math.floor(longest / 2), longest), undefined, { signal }).catch(() => undefined);
      goOn?.();
      return true;
    },
    'connections to EventStoreDB cut': () => {
      const of = random.between(1, 2) > 1 ? 'reply' : 'request';
      const then = random.between(1, 4) > 1 ? 'close' : 'hang';
      const cut = scene.wire.cut({ of, afterBytes: random.between(0, CUT_WITHIN_BYTES), then });
      void cut.then(() => happened('connections to EventStoreDB cut'));
      return false;
    },
    'copying processes stopped': async () => {
      const writer = await copying();
      stop(writer);
      return writer !== undefined;
    },
    'copying processes killed': async () => {
      const writer = await copying();
      await writer?.kill();
      return writer !== undefined;
    },
  } satisfies Readonly<Record<EventStoreKind, () => Promise<boolean> | boolean>>;
};
