import { decode, type Recorded } from '../../src/eventstore/journal/codec.ts';
import type { ChainedLog } from '../../src/eventstore/chained-log.ts';
import type { InMemoryLog } from '../../src/eventstore/memory/in-memory.ts';
import { readWholeStream } from '../../test/eventstore/logs.ts';

/** A history of the log, up to a rewind, or up to the end. */
export type Era = {
  /** Up to this position the log is the same as in the previous era. */
  readonly since: number;
  /** The streams of the accounts. */
  readonly logs: readonly (readonly Recorded[])[];
};

/** A point in time: the era, and the position that the log had reached in it. */
export type Moment = { readonly era: number; readonly position: number };

export type Eras = {
  now(): Moment;
  /** Must be called after each append. */
  appended(): Promise<void>;
  /** Undoes the last transactions. Returns the new end of the log; undefined if nothing was undone. */
  goBack(transactions: number): number | undefined;
  /** All eras; the last one is the current log. */
  all(): Promise<readonly Era[]>;
};

/** Keeps the states of the log before each rewind. Without `log` there are no rewinds. */
export const keepEras = async (
  store: ChainedLog,
  streams: readonly string[],
  log: InMemoryLog | undefined,
): Promise<Eras> => {
  const past: Era[] = [];
  let since = 0;
  /** The ends of transactions: a database can go back only to one of these. */
  let ends = [await store.head()];
  const head = (): number => ends.at(-1) ?? 0;
  return {
    now: () => ({ era: past.length, position: head() }),
    appended: async () => {
      const position = await store.head();
      if (position !== head()) ends.push(position);
    },
    goBack: (transactions) => {
      const left = ends.slice(0, Math.max(1, ends.length - transactions));
      if (!log || left.length === ends.length) return undefined;
      past.push({ since, logs: streams.map((stream) => log.stream(stream).map(decode)) });
      ends = left;
      since = head();
      log.goBackTo(since);
      return since;
    },
    all: async () => {
      const logs: Recorded[][] = [];
      for (const stream of streams) logs.push((await readWholeStream(store, stream)).map(decode));
      return [...past, { since, logs }];
    },
  };
};
