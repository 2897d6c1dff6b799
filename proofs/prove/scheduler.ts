import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/** Decides the order of concurrent actions; the same choices give the same order. */
export type Scheduler = {
  /** Makes an action possible. It runs once. */
  may(happen: () => Promise<void> | void): void;
  /** Runs actions one after another until none is left. `next` returns the start of another action, if there is one. */
  run(next: () => (() => void) | undefined): Promise<void>;
};

/** Starting something new is this many times as likely as each pending action, so that many actions are concurrent. */
const EAGERNESS = 6;
/** A longer timer is a timeout, or belongs to other code: a history does not wait for it. */
const SHORT_MS = 50;

export const createScheduler = (turns: readonly number[]): Scheduler => {
  const waiting: (() => Promise<void> | void)[] = [];
  let turn = 0;
  return {
    may: (happen) => void waiting.push(happen),
    run: async (next) => {
      const timers = watchTimers();
      try {
        for (;;) {
          await settle(timers.underWay);
          const begin = next();
          const choices = waiting.length + (begin ? EAGERNESS : 0);
          if (choices === 0) return;
          const chosen = (turns[turn++] ?? 0) % choices;
          const [happen] = waiting.splice(chosen, 1);
          if (happen) await happen();
          else begin?.();
        }
      } finally {
        timers.stop();
      }
    },
  };
};

/** Waits until no promise, immediate or short retry is pending. */
const settle = async (timersUnderWay: () => number): Promise<void> => {
  // Counted in turns, because on a busy machine much time can pass between two of them.
  for (let waited = 0; ;) {
    await nextTurn();
    if (timersUnderWay() > 0 && waited++ < 2 * SHORT_MS) await sleep(1);
    else if (!process.getActiveResourcesInfo().includes('Immediate')) return;
  }
};

/**
 * Counts the short timers that are pending. They run in real time. A history continues when they have fired, so their
 * duration makes no difference.
 */
const watchTimers = (): { underWay(): number; stop(): void } => {
  const real = globalThis.setTimeout;
  const realClear = globalThis.clearTimeout;
  const underWay = new Set<unknown>();
  const watched = (callback: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]): NodeJS.Timeout => {
    if (delayMs > SHORT_MS) return real(callback, delayMs, ...args);
    const come = (): void => {
      underWay.delete(timer);
      callback(...args);
    };
    const timer = real(come, delayMs);
    underWay.add(timer);
    return timer;
  };
  globalThis.setTimeout = Object.assign(watched, real) as typeof setTimeout;
  globalThis.clearTimeout = (timer) => {
    underWay.delete(timer);
    realClear(timer);
  };
  return {
    underWay: () => underWay.size,
    stop: () => {
      globalThis.setTimeout = real;
      globalThis.clearTimeout = realClear;
    },
  };
};
