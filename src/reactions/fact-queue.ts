import type { StoredFact } from '../eventstore/event-store.ts';

type Queued = Pick<StoredFact, 'stream' | 'position'>;

/** `not_yet`: the fact waits for something that ends soon. */
export type Handled = 'done' | 'not_yet';

export type FactQueueOptions<Fact extends Queued> = {
  /** Handles a fact. It is called again until it is done. */
  readonly handle: (fact: Fact) => Promise<Handled>;
  readonly failed: (fact: Fact, error: unknown) => void;
  /** Called after each fact that is done. */
  readonly done: (fact: Fact) => void;
  /** Ends all work: facts that are not done by then stay so. */
  readonly signal: AbortSignal;
  /** How long to wait after the n-th failure of a fact, from 0. */
  readonly retryMs: (failures: number) => number;
};

export type FactQueue<Fact> = {
  add(fact: Fact): void;
  /** The position up to which everything is done, if all facts up to `added` have been added. */
  doneUpTo(added: number): number;
  /** The number of streams whose oldest fact fails. */
  readonly stuck: number;
  /** Resolves when there is room for more facts, or when the signal aborts. */
  room(): Promise<void>;
  /** Resolves when no fact is being handled, after the signal has aborted. */
  settled(): Promise<void>;
};

/** More calls at the same time would only wait for each other at the log. */
const AT_ONCE = 32;
const NOT_YET_MS = 1000;
/** Bounds the memory while a stream is stuck for a long time. Reading then stops until a fact is done. */
const MAX_UNDONE = 20_000;

/** Handles the facts of each stream in order. A fact that fails blocks only its own stream. */
export const createFactQueue = <Fact extends Queued>(options: FactQueueOptions<Fact>): FactQueue<Fact> => {
  const { handle, failed, done, signal, retryMs } = options;
  /** In order of position, because facts are added in order. */
  const undone = new Set<number>();
  const streams = new Map<string, Promise<void>>();
  const stuck = new Set<string>();
  const turns = createTurns(AT_ONCE);
  const wakeups = new Set<() => void>();
  const wake = (): void => {
    for (const one of wakeups) one();
    wakeups.clear();
  };
  signal.addEventListener('abort', wake, { once: true });

  const attempt = async (fact: Fact): Promise<Handled | 'failed'> => {
    await turns.take();
    try {
      return signal.aborted ? 'not_yet' : await handle(fact);
    } catch (error) {
      if (!signal.aborted) failed(fact, error);
      return 'failed';
    } finally {
      turns.giveBack();
    }
  };

  const work = async (fact: Fact): Promise<void> => {
    let failures = 0;
    for (let outcome = await attempt(fact); outcome !== 'done'; outcome = await attempt(fact)) {
      if (signal.aborted) return;
      if (outcome === 'failed') stuck.add(fact.stream);
      else stuck.delete(fact.stream);
      await pause(outcome === 'failed' ? retryMs(failures++) : NOT_YET_MS, signal);
    }
    stuck.delete(fact.stream);
    undone.delete(fact.position);
    done(fact);
    wake();
  };

  return {
    add: (fact) => {
      undone.add(fact.position);
      const last = (streams.get(fact.stream) ?? Promise.resolve()).then(() => work(fact));
      streams.set(fact.stream, last);
      void last.then(() => {
        if (streams.get(fact.stream) === last) streams.delete(fact.stream);
      });
    },
    doneUpTo: (added) => {
      const [first] = undone;
      return first === undefined ? added : first - 1;
    },
    get stuck() {
      return stuck.size;
    },
    room: async () => {
      while (undone.size >= MAX_UNDONE && !signal.aborted) await new Promise<void>((resolve) => wakeups.add(resolve));
    },
    settled: async () => void (await Promise.all(streams.values())),
  };
};

/** At most so many holders at a time; the others wait in order. */
const createTurns = (most: number) => {
  let free = most;
  const waiting: (() => void)[] = [];
  return {
    take: async (): Promise<void> => {
      if (free > 0) return void free--;
      await new Promise<void>((resolve) => waiting.push(resolve));
    },
    giveBack: (): void => {
      const next = waiting.shift();
      if (next) next();
      else free++;
    },
  };
};

/** Resolves after so long, or when the signal aborts. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const awake = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', awake);
      resolve();
    };
    const timer = setTimeout(awake, ms);
    signal.addEventListener('abort', awake);
  });
