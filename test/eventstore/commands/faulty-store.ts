import type { ChainedLog } from '../../../src/eventstore/chained-log.ts';
import { StoreUnavailable, type Slice } from '../../../src/eventstore/event-store.ts';

export type Fault = {
  /** Before the write, after it (so that nobody can know), or not at all. */
  readonly breaks?: 'before' | 'after';
  /** What another node does to the log just before the write. */
  readonly meanwhile?: (slices: readonly Slice[]) => Promise<void>;
  /** For how many turns of the queue of microtasks the write, and then the answer, is on its way. */
  readonly turnsBefore?: number;
  readonly turnsAfter?: number;
};

/** A store whose appends fail as told, one fault for each append; when there are no more, it works. */
export const createFaultyStore = (store: ChainedLog, faults: Iterable<Fault>): ChainedLog => {
  const next = faults[Symbol.iterator]();
  return {
    ...store,
    append: async (slices) => {
      const { breaks, meanwhile, turnsBefore = 0, turnsAfter = 0 } = (next.next().value as Fault | undefined) ?? {};
      await turns(turnsBefore);
      if (breaks === 'before') throw new StoreUnavailable('nothing was written');
      await meanwhile?.(slices);
      const results = await store.append(slices);
      await turns(turnsAfter);
      if (breaks === 'after') throw new StoreUnavailable('all was written');
      return results;
    },
  };
};

export const turns = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n++) await Promise.resolve();
};
