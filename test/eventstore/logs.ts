import { randomUUID } from 'node:crypto';
import type { ChainedEvent, ChainedLog } from '../../src/eventstore/chained-log.ts';
import {
  PAGE,
  streamPages,
  type NewEvent,
  type Slice,
  type StoredEvent,
  type StoredFact,
  type EventStore,
} from '../../src/eventstore/event-store.ts';

export const anEvent = (over: Partial<NewEvent> = {}): NewEvent => ({
  id: randomUUID(),
  type: 'SomethingHappened',
  version: 1,
  data: '{"what":"something"}',
  metadata: '{"actor":"test"}',
  ...over,
});
export const someEvents = (count: number): NewEvent[] => Array.from({ length: count }, () => anEvent());
export const aStream = (): string => `test-${randomUUID()}`;
export const slice = (stream: string, expectedRevision: number, ...events: NewEvent[]): Slice => ({
  stream,
  expected: { revision: expectedRevision },
  events,
});
export const idsOf = (events: readonly { readonly id: string }[]): string[] => events.map(({ id }) => id);
export const numbers = (from: number, count: number): number[] => Array.from({ length: count }, (_, n) => from + n);

export const collect = async <T>(values: AsyncIterable<T>): Promise<readonly T[]> => {
  const collected: T[] = [];
  for await (const value of values) collected.push(value);
  return collected;
};

export const readWholeStream = async (
  store: Pick<EventStore, 'readStream'>,
  stream: string,
): Promise<readonly StoredEvent[]> => (await collect(streamPages(store, stream))).flat();

export const readLogAfter = async (store: ChainedLog, position: number): Promise<readonly ChainedEvent[]> => {
  const events: ChainedEvent[] = [];
  for (;;) {
    const page = await store.readAll(events.at(-1)?.position ?? position, PAGE);
    if (page.length === 0) return events;
    events.push(...page);
  }
};

/** Follows until `count` events have arrived, and returns them. */
export const firstToCome = async (
  store: EventStore,
  afterPosition: number,
  count: number,
): Promise<readonly StoredFact[]> => {
  const events: StoredFact[] = [];
  if (count === 0) return events;
  for await (const page of store.follow(afterPosition, new AbortController().signal)) {
    events.push(...page.events);
    if (events.length >= count) break;
  }
  return events;
};

/** Follows until stopped; `seen` grows as events arrive, and `until` resolves once so many have arrived. */
export const follower = (store: EventStore, afterPosition: number) => {
  const stop = new AbortController();
  const seen: StoredFact[] = [];
  const waiting = new Set<{ count: number; resolve: () => void }>();
  const ended = (async () => {
    for await (const page of store.follow(afterPosition, stop.signal)) {
      seen.push(...page.events);
      for (const { count, resolve } of waiting) if (seen.length >= count) resolve();
    }
  })();
  return {
    seen,
    ended,
    until: (count: number): Promise<void> =>
      new Promise((resolve) => {
        if (seen.length >= count) resolve();
        else waiting.add({ count, resolve });
      }),
    stop: (): Promise<void> => {
      stop.abort();
      return ended;
    },
  };
};
