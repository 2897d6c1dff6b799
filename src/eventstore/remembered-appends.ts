import type { Slice, SliceResult, StoredFact } from './event-store.ts';

/** An event that this process appended and that was acknowledged as durable. */
export type RememberedEvent = StoredFact;

/** The recent appends of this process, so that it can list the lost ones if the log goes back in time. */
export type RememberedAppends = {
  add(slices: readonly Slice[], results: readonly SliceResult[]): void;
  /** In order of position. */
  all(): readonly RememberedEvent[];
  /** Lost events that an operator has acknowledged are not listed again. */
  forget(ids: ReadonlySet<string>): void;
};

const MAX_BYTES = 8 * 1024 * 1024;
/** The approximate size of an event without its data. */
const BYTES_BESIDE_DATA = 300;

/**
 * Remembers the newest events up to `maxBytes` for each of two kinds: the `frequent` types, and the others, so that the
 * many events of completions do not displace the few of keys, limits and grants.
 */
export const createRememberedAppends = (frequent: ReadonlySet<string>, maxBytes = MAX_BYTES): RememberedAppends => {
  const ofCompletions = createRing(maxBytes);
  const others = createRing(maxBytes);
  return {
    add: (slices, results) => {
      slices.forEach(({ stream, expected, events }, n) => {
        const result = results[n];
        if (result?.kind !== 'appended') return;
        const { written, time } = result;
        events.forEach(({ id, type, version, data }, i) => {
          const place = { position: written[i]?.position ?? 0, stream, revision: expected.revision + 1 + i, time };
          (frequent.has(type) ? ofCompletions : others).push({ ...place, id, type, version, data });
        });
      });
    },
    all: () => [...ofCompletions.all(), ...others.all()].sort((a, b) => a.position - b.position),
    forget: (ids) => {
      ofCompletions.forget(ids);
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
