import { ServerCredentials } from '@grpc/grpc-js';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { noFaults } from './faults.ts';
import type { AppendRefusal } from './faults.ts';
import { createFront } from './front.ts';
import { consumerTooSlow, shutDown } from './grpc/errors.ts';
import type { ServerState } from './grpc/server-state.ts';
import { createGrpcServer } from './grpc/services.ts';
import { createLog } from './log/log.ts';

export type EventStoreDbStandInOptions = {
  /** The port on 127.0.0.1. A free one unless stated. */
  readonly port?: number;
  /** Milliseconds since 1970, for the time of events. The clock of this machine unless stated. */
  readonly now?: () => number;
  /** The most bytes of data in one append; 1 MiB unless stated. */
  readonly maxAppendSize?: number;
  /** Messages that may wait for the consumer of a live subscription before it is dropped; 128 unless stated. */
  readonly liveBuffer?: number;
};

export type EventStoreDbStandIn = {
  /** The connection string, for example `esdb://127.0.0.1:4321?tls=false`. */
  readonly url: string;
  /** The milliseconds by which everything that the server sends is late. */
  delayMs: number;
  /** Accepts connections and answers nothing, like a process that got SIGSTOP. Requests wait. */
  silence(): void;
  /** Ends the silence: requests that waited are served. */
  resume(): void;
  /** Destroys all connections. New ones are accepted. */
  cut(): void;
  /**
   * Refuses connections, and destroys those that exist. The log stays. `shut_down` resets all calls before that, as a
   * server does that got SIGTERM (but the real one serves its connections for 5 more seconds first).
   */
  stop(how?: 'killed' | 'shut_down'): Promise<void>;
  /** Listens again at the same port. */
  start(): Promise<void>;
  /** Ends all subscriptions and batched appends with status OK. */
  endPolitely(): void;
  /** Drops all subscriptions as if their consumers were too slow. */
  dropSubscriptions(): void;
  /**
   * Forgets all events after a position, as if the server was restored from a backup, and destroys all connections.
   * The next events use the positions of the forgotten ones again.
   */
  goBackTo(commitPosition: bigint): void;
  /** Refuses appends and deletions until it is called without a reason. */
  refuseAppends(refusal?: AppendRefusal): void;
  /** Performs the next appends and never answers them. */
  loseAnswers(count: number): void;
  /** Performs the next appends and answers that they timed out. */
  reportTimeouts(count: number): void;
  close(): Promise<void>;
};

const MAX_APPEND_SIZE = 1024 * 1024;
const LIVE_BUFFER = 128;
/** What the last messages of a server that shuts down need to arrive. */
const SHUT_DOWN_MS = 50;

export const startEventStoreDbStandIn = async (
  options: EventStoreDbStandInOptions = {},
): Promise<EventStoreDbStandIn> => {
  if (process.env['NODE_ENV'] === 'production') {
    throw new Error('The stand-in for EventStoreDB keeps events in memory only: it does not start in production.');
  }
  const now = options.now ?? Date.now;
  const state: ServerState = {
    log: createLog(now),
    faults: noFaults(),
    now,
    maxAppendSize: options.maxAppendSize ?? MAX_APPEND_SIZE,
    liveBuffer: options.liveBuffer ?? LIVE_BUFFER,
    batches: new Set(),
    subscriptions: new Set(),
  };
  const { log, faults } = state;
  const server = createGrpcServer(state);
  const bind = promisify(server.bindAsync.bind(server));
  const front = createFront(await bind('127.0.0.1:0', ServerCredentials.createInsecure()));
  const port = await front.open(options.port ?? 0);
  let isOpen = true;
  const openCalls = () => [...state.batches, ...state.subscriptions];
  faults.leader = { host: '127.0.0.1', port };
  const shut = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await front.shut();
  };
  faults.endServer = () => void sleep(SHUT_DOWN_MS).then(shut);

  return {
    url: `esdb://127.0.0.1:${port}?tls=false`,
    get delayMs() {
      return front.delayMs;
    },
    set delayMs(delayMs) {
      front.delayMs = delayMs;
    },
    silence: front.silence,
    resume: front.resume,
    cut: front.cut,
    stop: async (how = 'killed') => {
      if (how === 'shut_down') {
        for (const call of openCalls()) call.fail(shutDown());
        await sleep(SHUT_DOWN_MS);
      }
      await shut();
    },
    start: async () => {
      if (!isOpen) await front.open(port);
      isOpen = true;
    },
    endPolitely: () => {
      for (const call of openCalls()) call.end();
    },
    dropSubscriptions: () => {
      for (const subscription of [...state.subscriptions]) subscription.fail(consumerTooSlow());
    },
    goBackTo: (commitPosition) => {
      log.goBackTo(Number(commitPosition));
      front.cut();
    },
    refuseAppends: (refusal) => {
      faults.refusal = refusal;
    },
    loseAnswers: (count) => {
      faults.answersToLose = count;
    },
    reportTimeouts: (count) => {
      faults.timeoutsToReport = count;
    },
    close: async () => {
      await shut();
      server.forceShutdown();
    },
  };
};
