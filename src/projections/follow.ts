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

/** Something that takes the whole log in, batch by batch. */
export type Consumer = {
  readonly name: string;
  /** The event types that it looks at, where it is not all: the others are not even decoded. */
  readonly types?: ReadonlySet<string>;
  /** The position up to which it has taken events in already; asked at the start and after each failure. */
  position(): Promise<number> | number;
  /**
   * Takes in a batch, all of its types after one position and up to another, and says how far it is now. A batch may begin
   * before that. Where others take events in for it, it may be less far than the batch; it is then asked again.
   */
  apply(events: readonly Fact[], upTo: number, after: number): Promise<number> | number;
};

export type Follower = {
  /** Resolves once every event up to a position has been taken in; or when told to wait no longer. */
  reached(position: number, signal?: AbortSignal): Promise<void>;
  readonly position: number;
  /** The last failure, until the next success. */
  readonly failure: Error | undefined;
  close(): Promise<void>;
};

export type FollowOptions = {
  /** Whether to read only what is of the consumer's types, where the store has an index of them: for rare events. */
  readonly skim?: boolean;
  readonly store: Pick<ChainedLog, 'follow' | 'head'>;
  /** Decodes an event of the types that the consumer reads. */
  readonly decode: (stored: StoredFact) => Fact;
  readonly consumer: Consumer;
  /**
   * How long to let events gather after a batch, where nobody waits for them: fewer and larger transactions. 0 takes
   * each event in as soon as it is there.
   */
  readonly gatherMs: number;
  readonly failed: (consumer: string, error: unknown) => void;
  /** Told how far it is: `well` where that is a success, and not only where it starts again after a failure. */
  readonly moved?: (position: number, well: boolean) => void;
};

/** Several consumers of the same pace as one, so that the log is read for them once. */
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
/** How soon a consumer that others take events in for is asked again; less and less often while they do not get on. */
const ASK_AGAIN_MS = { first: 50, last: 1000 } as const;

/** The one pipeline from the log to whoever looks at it: catch up, then keep up; on a failure, start again where it is. */
export const followLog = ({
  store,
  decode,
  consumer,
  gatherMs,
  failed,
  moved = () => undefined,
  skim = false,
}: FollowOptions): Follower => {
  const stopping = new AbortController();
  const stopped = new Subject<void>();
  const reached = new BehaviorSubject(-1);
  const state: { failure: Error | undefined; waiting: number; hurry: () => void } = {
    failure: undefined,
    waiting: 0,
    hurry: () => undefined,
  };

  const gather = (): Promise<void> =>
    new Promise((resolve) => {
      if (state.waiting > 0 || gatherMs === 0 || stopping.signal.aborted) return resolve();
      const timeout = setTimeout(resolve, gatherMs);
      state.hurry = () => {
        clearTimeout(timeout);
        resolve();
      };
    });

  async function* positions(): AsyncGenerator<number> {
    const start = await consumer.position();
    reached.next(start);
    moved(start, false);
    // Only where nothing is due is it a success to be here; else the next batch will tell.
    if ((await store.head()) <= start) yield start;
    const reading = new AbortController();
    const signal = AbortSignal.any([stopping.signal, reading.signal]);
    const types = skim && consumer.types ? [...consumer.types] : undefined;
    const pages = store.follow(start, signal, types)[Symbol.asyncIterator]();
    try {
      let after = start;
      for (let next = pages.next(); ;) {
        yield* untilThere(after, next);
        const page = await next;
        if (page.done) return;
        const { events, upTo } = page.value;
        const wanted = consumer.types ? events.filter(({ type }) => consumer.types?.has(type)) : events;
        yield await consumer.apply(wanted.map(decode), upTo, after);
        after = upTo;
        // A full page is seldom the last: who is behind has nothing to wait for.
        if (events.length < PAGE) await gather();
        next = pages.next();
      }
    } finally {
      reading.abort();
      await pages.return?.();
    }
  }

  /** Asks a consumer that is not where it was brought, until it is there or there is more to bring. */
  async function* untilThere(after: number, more: Promise<unknown>): AsyncGenerator<number> {
    let [position, waitMs]: [number, number] = [reached.value, ASK_AGAIN_MS.first];
    while (position < after && (await isSlower(more, waitMs))) {
      const now = await consumer.apply([], after, after);
      waitMs = now > position ? ASK_AGAIN_MS.first : Math.min(waitMs * 2, ASK_AGAIN_MS.last);
      position = now;
      yield position;
    }
  }

  const done = new Promise<void>((resolve) =>
    defer(() => from(positions()))
      .pipe(
        retry({
          delay: (error: unknown, count) => {
            state.failure = error instanceof Error ? error : new Error(String(error));
            failed(consumer.name, error);
            return timer(RETRY_MS[Math.min(count, RETRY_MS.length) - 1] ?? 0);
          },
          resetOnSuccess: true,
        }),
        takeUntil(stopped),
      )
      .subscribe({
        next: (position) => {
          state.failure = undefined;
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
      state.waiting++;
      state.hurry();
      try {
        const there = reached.pipe(
          filter((at) => at >= position),
          takeUntil(signal ? fromEvent(signal, 'abort') : NEVER),
        );
        await firstValueFrom(there, { defaultValue: undefined });
      } finally {
        state.waiting--;
      }
    },
    get position() {
      return reached.value;
    },
    get failure() {
      return state.failure;
    },
    close: async () => {
      stopping.abort();
      state.hurry();
      const grace = setTimeout(() => stopped.next(), 5000);
      await done;
      clearTimeout(grace);
      reached.complete();
    },
  };
};

/** Whether something takes longer than that. */
const isSlower = async (something: Promise<unknown>, ms: number): Promise<boolean> => {
  let timeout: NodeJS.Timeout | undefined;
  const late = new Promise<true>((resolve) => (timeout = setTimeout(resolve, ms, true)));
  const sooner = something.then(() => false);
  return Promise.race([late, sooner]).finally(() => clearTimeout(timeout));
};
