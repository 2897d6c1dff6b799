import type { ChainedLog } from '../../../src/eventstore/chained-log.ts';
import type { Slice, SliceResult } from '../../../src/eventstore/event-store.ts';

export type HeldAppend = {
  readonly slices: readonly Slice[];
  /** Accepts every slice, but for those of the streams named. */
  accept(...clashing: string[]): void;
  fail(error: Error): void;
};

export type HeldStore = Pick<ChainedLog, 'append'> & {
  readonly appends: readonly HeldAppend[];
  /** Resolves with the n-th append, counted from 0, once it has been asked for. */
  nth(n: number): Promise<HeldAppend>;
};

/** A store that believes all that it is told about revisions, and answers an append only when the test lets it. */
export const createHeldStore = (): HeldStore => {
  const appends: HeldAppend[] = [];
  const waiting = new Map<number, (append: HeldAppend) => void>();
  let position = 0;
  return {
    appends,
    nth: (n) =>
      new Promise((resolve) => {
        const append = appends[n];
        if (append) resolve(append);
        else waiting.set(n, resolve);
      }),
    append: (slices) =>
      new Promise((resolve, reject) => {
        const accept = (...clashing: string[]): void =>
          resolve(
            slices.map(({ stream, events }): SliceResult => {
              if (clashing.includes(stream)) return { kind: 'clash' };
              const written = events.map(() => ({ position: ++position, token: `token ${position}` }));
              return { kind: 'appended', written, time: new Date(0) };
            }),
          );
        const append = { slices, accept, fail: reject };
        appends.push(append);
        waiting.get(appends.length - 1)?.(append);
      }),
  };
};
