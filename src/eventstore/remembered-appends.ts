import type { Slice, SliceResult } from './event-store.ts';

/** An event that this process appended and that was acknowledged as durable. */
export type RememberedEvent = {
  readonly position: number;
  readonly id: string;
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly version: number;
  readonly data: string;
  readonly time: Date;
};

/** What this process appended lately, so that it can name what is gone if the log goes back in time. */
export type RememberedAppends = {
  add(slices: readonly Slice[], results: readonly SliceResult[]): void;
  /** In order of their positions. */
  all(): readonly RememberedEvent[];
  /** Those that are gone have been acknowledged, and need not be named again. */
  forget(ids: ReadonlySet<string>): void;
};

/** Events of requests are many; they must not push out the few that keys, limits and grants leave. */
const EVENTS_OF_REQUESTS: ReadonlySet<string> = new Set([
  'CreditsReserved',
  'HoldExtended',
  'HoldSettled',
  'HoldReleased',
  'LateUsageCharged',
  'UsageWrittenOff',
]);
const MAX_BYTES = 8 * 1024 * 1024;
/** Of an event without its data, roughly. */
const BYTES_BESIDE_DATA = 300;

/** Keeps the newest events of each of the two kinds, up to so many bytes. */
export const createRememberedAppends = (maxBytes = MAX_BYTES): RememberedAppends => {
  const ofRequests = createRing(maxBytes);
  const others = createRing(maxBytes);
  return {
    add: (slices, results) => {
      slices.forEach(({ stream, expected, events }, n) => {
        const result = results[n];
        if (!result?.appended) return;
        events.forEach(({ id, type, version, data }, i) => {
          const revision = expected.revision + 1 + i;
          const event = {
            position: result.firstPosition + i,
            id,
            stream,
            revision,
            type,
            version,
            data,
            time: result.time,
          };
          (EVENTS_OF_REQUESTS.has(type) ? ofRequests : others).push(event);
        });
      });
    },
    all: () => [...ofRequests.all(), ...others.all()].sort((a, b) => a.position - b.position),
    forget: (ids) => {
      ofRequests.forget(ids);
      others.forget(ids);
    },
  };
};

const createRing = (maxBytes: number) => {
  let events: RememberedEvent[] = [];
  let first = 0;
  let bytes = 0;
  const sizeOf = ({ data }: RememberedEvent): number => BYTES_BESIDE_DATA + data.length;
  const shift = (): void => {
    const oldest = events[first++];
    if (oldest) bytes -= sizeOf(oldest);
    if (first < 1024 || first * 2 < events.length) return;
    events = events.slice(first);
    first = 0;
  };
  return {
    push: (event: RememberedEvent): void => {
      events.push(event);
      bytes += sizeOf(event);
      while (bytes > maxBytes) shift();
    },
    all: (): readonly RememberedEvent[] => events.slice(first),
    forget: (ids: ReadonlySet<string>): void => {
      events = events.slice(first).filter(({ id }) => !ids.has(id));
      first = 0;
      bytes = events.reduce((sum, event) => sum + sizeOf(event), 0);
    },
  };
};
