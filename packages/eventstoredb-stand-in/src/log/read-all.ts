import type { StoredEvent } from './event.ts';
import type { Log } from './log.ts';

/** The index of the first record at or after a position. */
export const indexAt = (log: Log, position: number): number => {
  const { records } = log;
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((records[middle]?.position ?? 0) < position) low = middle + 1;
    else high = middle;
  }
  return low;
};

const startsRecord = (log: Log, position: number): boolean =>
  position === 0 || log.records[indexAt(log, position)]?.position === position;

/**
 * Where a read forwards begins, as an index into the records; undefined if the position is inside a record. A position
 * after the last record is its end: there is nothing to read yet.
 */
export const forwardsFrom = (log: Log, position: number): number | undefined => {
  const last = log.records.at(-1)?.position ?? 0;
  return position > last || startsRecord(log, position) ? indexAt(log, position) : undefined;
};

/** The same for a read backwards, which also refuses positions after the end of the log. */
export const backwardsFrom = (log: Log, position: number): number | undefined =>
  position === log.end() || startsRecord(log, position) ? indexAt(log, position) : undefined;

export type Filter = (event: StoredEvent) => boolean;

export type Page = {
  readonly events: readonly StoredEvent[];
  /** Events that the filter saw. */
  readonly considered: number;
  /** The index of the record that the next page begins with. */
  readonly next: number;
  /** Whether the log ended before the page was full. */
  readonly isEnd: boolean;
};

const PAGE_SIZE = 32;

/** A page of a subscription to $all: up to 32 events that pass the filter, among up to `window` events. */
export const readPage = (log: Log, from: number, filter: Filter, window: number): Page => {
  const { records } = log;
  const events: StoredEvent[] = [];
  let considered = 0;
  let next = from;
  while (events.length < PAGE_SIZE && considered < window) {
    const record = records[next];
    if (!record) return { events, considered, next, isEnd: true };
    next += 1;
    if (!record.event) continue;
    considered += 1;
    if (filter(record.event)) events.push(record.event);
  }
  return { events, considered, next, isEnd: false };
};
