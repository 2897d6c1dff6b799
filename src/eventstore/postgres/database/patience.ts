import { setTimeout as sleep } from 'node:timers/promises';
import { mayPass, reasonOf } from './database-faults.ts';

/** Repeats a step of the start while the database is unreachable. A step may run several times. */
export type Patiently = <T>(step: () => Promise<T>) => Promise<T>;

export type PatienceOptions = {
  /** For each step; then the error of the step is thrown. */
  readonly waitMs: number;
  /** Called immediately, and again every few seconds. */
  readonly waiting: (reason: string, leftMs: number) => void;
  readonly answered: () => void;
};

const TRY_AGAIN_MS = 250;
const REMIND_MS = 5000;

/** A server that restarts, or starts at the same time as the gateway, needs seconds. */
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
