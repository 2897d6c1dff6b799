import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/** Decides in which order things happen that could happen in any, and always in the same for the same choices. */
export type Scheduler = {
  /** From now on it may happen, once. */
  may(happen: () => Promise<void> | void): void;
  /** Lets one thing happen after another, until there is nothing left that may. `next` begins another thing, if there is one. */
  run(next: () => (() => void) | undefined): Promise<void>;
};

/** Beginning something new is so many times as likely as any one thing that is under way, so that much is under way at once. */
const EAGERNESS = 3;
/** A timer that has not come by then is not one that a history waits for. */
const LONGEST_WAIT_MS = 60;

export const createScheduler = (turns: readonly number[]): Scheduler => {
  const waiting: (() => Promise<void> | void)[] = [];
  const idle = count('Timeout');
  let turn = 0;
  return {
    may: (happen) => void waiting.push(happen),
    run: async (next) => {
      for (;;) {
        await settle(idle);
        const begin = next();
        const choices = waiting.length + (begin ? EAGERNESS : 0);
        if (choices === 0) return;
        const chosen = (turns[turn++] ?? 0) % choices;
        const [happen] = waiting.splice(chosen, 1);
        if (happen) await happen();
        else begin?.();
      }
    },
  };
};

/**
 * Waits until nothing goes on by itself any more: no promise, no immediate, no timer of a retry. Timers run in real time;
 * they are waited for, so that it makes no difference how long they take.
 */
const settle = async (idleTimers: number): Promise<void> => {
  const until = performance.now() + LONGEST_WAIT_MS;
  do {
    await nextTurn();
    if (count('Timeout') > idleTimers && performance.now() < until) await sleep(1);
  } while (count('Immediate') > 0 || (count('Timeout') > idleTimers && performance.now() < until));
};

const count = (kind: 'Timeout' | 'Immediate'): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === kind).length;
