import { setTimeout as sleep } from 'node:timers/promises';
import { mayPass, reasonOf } from './database-faults.ts';

/** Repeats a step of the start while the database is away. A step may be carried out several times. */
export type Patiently = <T>(step: () => Promise<T>) => Promise<T>;

export type PatienceOptions = {
  /** For each step. Then its error is thrown. */
  readonly waitMs: number;
  /** Called at once, and again every few seconds. */
  readonly waiting: (reason: string, leftMs: number) => void;
  readonly answered: () => void;
};

const TRY_AGAIN_MS = 250;
const REMIND_MS = 5000;

/** A server that restarts, or starts together with the gateway, needs seconds. */
export const createPatience = ({ waitMs, waiting, answered }: PatienceOptions): Patiently => {
  return async (step) => {
    const end = performance.now() + waitMs;
    let remindAt = 0;
    for (;;) {
      try {
        const result = await step();
        if (remindAt > 0) answered();
        return result;
      } catch (error) {
        const now = performance.now();
        if (!mayPass(error) || now >= end) throw error;
        if (now >= remindAt) {
          waiting(reasonOf(error), Math.round(end - now));
          remindAt = now + REMIND_MS;
        }
        await sleep(Math.min(TRY_AGAIN_MS, end - now));
      }
    }
  };
};
