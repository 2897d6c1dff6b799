import {
  BehaviorSubject,
  defer,
  filter,
  firstValueFrom,
  from,
  fromEvent,
  NEVER,
  retry,
  Subject,
  takeUntil,
  timer,
} from 'rxjs';
import type { Fact } from '../eventstore/journal/codec.ts';
import type { ChainedLog } from '../eventstore/chained-log.ts';
import { PAGE, type StoredFact } from '../eventstore/event-store.ts';

/** Processes the log batch by batch. */
export type Consumer = {
  readonly name: string;
  /** The event types that it reads, if not all of them. Other events are not decoded. */
  readonly types?: ReadonlySet<string>;
  /** The position up to which it has processed events. Called at the start and after each failure. */
  position(): Promise<number> | number;
  /**
   * Processes a batch: all events of its types after the position `after`, up to and including `upTo`. Resolves to its
   * position afterwards. A batch may contain events that were processed before. If other nodes process events for it,
   * its position may be less than `upTo`; it is then called again.
   */
  apply(events: readonly Fact[], upTo: number, after: number): Promise<number> | number;
};

export type Follower = {
  /** Resolves once every event up to a position has been processed, or when the signal aborts. */
  reached(position: number, signal?: AbortSignal): Promise<void>;
  readonly position: number;
  /** The last failure, until the next success. */
  readonly failure: Error | undefined;
  close(): Promise<void>;
};

export type FollowOptions = {
  /** Reads only the types of the consumer, if the store has an index of them: for rare events. */
  readonly skim?: boolean;
  readonly store: Pick<ChainedLog, 'follow' | 'head'>;
  /** Decodes an event of the types that the consumer reads. */
  readonly decode: (stored: StoredFact) => Fact;
  readonly consumer: Consumer;
  /**
   * How long to wait after a batch for more events if no caller waits for them: transactions become fewer and larger.
   * With 0 each event is processed as soon as it arrives.
   */
  readonly gatherMs: number;
  readonly failed: (consumer: string, error: unknown) => void;
  /** Called with each new position. `well` is false if the position was only reread after a failure. */
  readonly moved?: (position: number, well: boolean) => void;
};

/** Combines several consumers into one, so that they share one read of the log. */
export const together = (name: string, consumers: readonly Consumer[]): Consumer => {
  const selective = consumers.every(({ types }) => types);
  return {
    name,
    ...(selective ? { types: new Set(consumers.flatMap(({ types }) => [...(types ?? [])])) } : {}),
    position: async () => Math.min(...(await Promise.all(consumers.map(async (consumer) => consumer.position())))),
    apply: async (events, upTo, after) =>
      Math.min(...(await Promise.all(consumers.map(async (consumer) => consumer.apply(events, upTo, after))))),
  };
};

const RETRY_MS = [100, 500, 2000, 5000] as const;
/**
 * How soon a consumer whose events other nodes process is called again. The interval doubles while its position does
 * not change.
 */
const ASK_AGAIN_MS = { first: 50, last: 1000 } as const;
const CLOSE_WITHIN_MS = 5000;

/**
 * The only pipeline from the log to its consumers: catches up, then follows. After a failure it restarts at its
 * position.
 */
export const followLog = (options: FollowOptions): Follower => {
  const { consumer, gatherMs, failed, moved = () => undefined } = options;
  const stopping = new AbortController();
  const stopped = new Subject<void>();
  const reached = new BehaviorSubject(-1);
  const gathering = createGathering(gatherMs, stopping.signal);
  let failure: Error | undefined;

  const started = (position: number): void => {
    reached.next(position);
    moved(position, false);
  };
  const process = {
    ...options,
    started,
    reached: () => reached.value,
    gather: gathering.gather,
    stopping: stopping.signal,
  };

  const done = new Promise<void>((resolve) =>
    defer(() => from(positions(process)))
      .pipe(
        retry({
          delay: (error: unknown, count) => {
            failure = error instanceof Error ? error : new Error(String(error));
            failed(consumer.name, error);
            return timer(RETRY_MS[Math.min(count, RETRY_MS.length) - 1] ?? 0);
          },
          resetOnSuccess: true,
        }),
        takeUntil(stopped),
      )
      .subscribe({
        next: (position) => {
          failure = undefined;
          reached.next(position);
          moved(position, true);
        },
        complete: resolve,
        error: resolve,
      }),
  );

  return {
    reached: async (position, signal) => {
      if (signal?.aborted) return;
      const there = reached.pipe(
        filter((at) => at >= position),
        takeUntil(signal ? fromEvent(signal, 'abort') : NEVER),
      );
      await gathering.hurryWhile(firstValueFrom(there, { defaultValue: undefined }));
    },
    get position() {
      return reached.value;
    },
    get failure() {
      return failure;
    },
    close: async () => {
      stopping.abort();
      gathering.hurry();
      const grace = setTimeout(() => stopped.next(), CLOSE_WITHIN_MS);
      await done;
      clearTimeout(grace);
      reached.complete();
    },
  };
};

/** Pauses between batches, and skips the pauses while a caller waits. */
const createGathering = (gatherMs: number, stopping: AbortSignal) => {
  let waiting = 0;
  let hurry = (): void => undefined;
  return {
    gather: (): Promise<void> =>
      new Promise((resolve) => {
        if (waiting > 0 || gatherMs === 0 || stopping.aborted) return resolve();
        const timeout = setTimeout(resolve, gatherMs);
        hurry = () => {
          clearTimeout(timeout);
          resolve();
        };
      }),
    hurry: (): void => hurry(),
    hurryWhile: async (waited: Promise<unknown>): Promise<void> => {
      waiting++;
      hurry();
      await waited.finally(() => waiting--);
    },
  };
};

type Process = FollowOptions & {
  readonly started: (position: number) => void;
  readonly reached: () => number;
  readonly gather: () => Promise<void>;
  readonly stopping: AbortSignal;
};

/** Runs the consumer, and yields its position after each success. */
async function* positions(process: Process): AsyncGenerator<number> {
  const { store, consumer, decode, skim = false } = process;
  const start = await consumer.position();
  process.started(start);
  // A restart counts as a success only if no event is due; otherwise the next batch decides.
  if ((await store.head()) <= start) yield start;
  const reading = new AbortController();
  const signal = AbortSignal.any([process.stopping, reading.signal]);
  const types = skim && consumer.types ? [...consumer.types] : undefined;
  const pages = store.follow(start, signal, types)[Symbol.asyncIterator]();
  try {
    let after = start;
    for (let next = pages.next(); ;) {
      yield* untilAt(process, after, next);
      const page = await next;
      if (page.done) return;
      const { events, upTo } = page.value;
      const wanted = consumer.types ? events.filter(({ type }) => consumer.types?.has(type)) : events;
      yield await consumer.apply(wanted.map(decode), upTo, after);
      after = upTo;
      // After a full page there usually is another one.
      if (events.length < PAGE) await process.gather();
      next = pages.next();
    }
  } finally {
    reading.abort();
    await pages.return?.();
  }
}

/** Calls a consumer that has not reached `after` again, until it has or the next page arrives. */
async function* untilAt({ consumer, reached }: Process, after: number, more: Promise<unknown>): AsyncGenerator<number> {
  let [position, waitMs]: [number, number] = [reached(), ASK_AGAIN_MS.first];
  while (position < after && (await isSlower(more, waitMs))) {
    const now = await consumer.apply([], after, after);
    waitMs = now > position ? ASK_AGAIN_MS.first : Math.min(waitMs * 2, ASK_AGAIN_MS.last);
    position = now;
    yield position;
  }
}

/** Whether the promise is still pending after so long. */
const isSlower = async (promise: Promise<unknown>, ms: number): Promise<boolean> => {
  let timeout: NodeJS.Timeout | undefined;
  const late = new Promise<true>((resolve) => (timeout = setTimeout(resolve, ms, true)));
  const sooner = promise.then(() => false);
  return Promise.race([late, sooner]).finally(() => clearTimeout(timeout));
};
