import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/** Decides in which order things happen that could happen in any, and always in the same for the same choices. */
export type Scheduler = {
  /** From now on it may happen, once. */
  may(happen: () => Promise<void> | void): void;
  /** Lets one thing happen after another, until there is nothing left that may. `next` begins another thing, if there is one. */
  run(next: () => (() => void) | undefined): Promise<void>;
};

/** Beginning something new is so many times as likely as any one thing that is under way, so that much is under way at once. */
const EAGERNESS = 6;
/** A timer of more is a time-out or belongs to somebody else: a history does not wait for it. */
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

/** Waits until nothing goes on by itself any more: no promise, no immediate, no retry after a few milliseconds. */
const settle = async (timersUnderWay: () => number): Promise<void> => {
  // Counted in turns and not in time, for a busy machine may let a lot of it pass between two of them.
  for (let waited = 0; ;) {
    await nextTurn();
    if (timersUnderWay() > 0 && waited++ < 2 * SHORT_MS) await sleep(1);
    else if (!process.getActiveResourcesInfo().includes('Immediate')) return;
  }
};

/**
 * Counts the short timers that have not come yet. They run in real time and as ever; a history goes on when they have
 * come, so that it makes no difference how long they take.
 */
const watchTimers = (): { underWay(): number; stop(): void } => {
  const real = globalThis.setTimeout;
  let underWay = 0;
  const watched = (callback: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]): NodeJS.Timeout => {
    if (delayMs > SHORT_MS) return real(callback, delayMs, ...args);
    underWay++;
    const come = (): void => {
      underWay--;
      callback(...args);
    };
    return real(come, delayMs);
  };
  globalThis.setTimeout = Object.assign(watched, real) as typeof setTimeout;
  return {
    underWay: () => underWay,
    stop: () => {
      globalThis.setTimeout = real;
    },
  };
};
