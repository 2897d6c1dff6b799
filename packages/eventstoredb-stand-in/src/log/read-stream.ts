import type { StoredEvent } from './event.ts';
import type { Log } from './log.ts';

/** The first revision that the metadata of a stream leaves readable. */
const firstReadable = (log: Log, stream: string, now: number): number => {
  const events = log.eventsOf(stream);
  const { truncateBefore, maxCount, maxAgeMs } = log.metadataOf(stream);
  const byCount = maxCount === undefined ? 0 : events.length - maxCount;
  const young = maxAgeMs === undefined ? 0 : events.findIndex(({ createdMs }) => createdMs >= now - maxAgeMs);
  return Math.max(0, truncateBefore, byCount, young < 0 ? events.length : young);
};

export type StreamRead =
  | { readonly kind: 'events'; readonly events: readonly StoredEvent[] }
  | { readonly kind: 'stream_not_found' }
  | { readonly kind: 'stream_deleted' };

export type StreamRange = {
  readonly direction: 'forwards' | 'backwards';
  readonly from: number | 'end';
  readonly count: number;
};

export const readStream = (log: Log, stream: string, range: StreamRange, now: number): StreamRead => {
  const { direction, from, count } = range;
  if (log.isTombstoned(stream)) return { kind: 'stream_deleted' };
  const events = log.eventsOf(stream);
  if (events.length === 0 || log.metadataOf(stream).isSoftDeleted) return { kind: 'stream_not_found' };
  const first = firstReadable(log, stream, now);
  if (direction === 'forwards') {
    const start = Math.max(first, from === 'end' ? events.length : from);
    return { kind: 'events', events: events.slice(start, start + count) };
  }
  const last = from === 'end' ? events.length - 1 : Math.min(from, events.length - 1);
  return { kind: 'events', events: events.slice(Math.max(first, last + 1 - count), last + 1).reverse() };
};
