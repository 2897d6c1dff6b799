import type { EventEmitter } from 'node:events';

const ENDINGS = ['drain', 'cancelled', 'close'] as const;

/** Resolves once a call has room for more messages, or is over. */
export const drained = (call: EventEmitter): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      for (const ending of ENDINGS) call.off(ending, done);
      resolve();
    };
    for (const ending of ENDINGS) call.on(ending, done);
  });
