import { GENESIS } from './integrity/chain.ts';
import type { LogPlace } from './chained-log.ts';

/** The places of the log that a process has seen. All that it has in memory rests on them. */
export type HistorySeen = {
  readonly newest: LogPlace;
  /**
   * The places that the log must still have, oldest first. A newer place replaces an older one only once the log was found
   * to have both: if the log went back in time and grew again in between, the newer place belongs to another history.
   */
  readonly places: readonly LogPlace[];
  /** `after` is a place that the log had at the same moment. */
  saw(place: LogPlace, after?: LogPlace): void;
  /** The log had all `places` at the moment when `head` was its end. */
  compared(places: readonly LogPlace[], head: LogPlace): void;
  forget(): void;
};

export const NOTHING_SEEN: LogPlace = { position: 0, hash: GENESIS };

export const createHistorySeen = (newest: LogPlace = NOTHING_SEEN): HistorySeen => {
  let places: readonly LogPlace[] = newest.position > 0 ? [newest] : [];
  const last = (): LogPlace => places.at(-1) ?? NOTHING_SEEN;
  return {
    get newest() {
      return last();
    },
    get places() {
      return places;
    },
    saw: ({ position, hash }, after) => {
      if (position <= last().position) return;
      const older = after && places.at(-1) === after ? places.slice(0, -1) : places;
      places = [...older, { position, hash }];
    },
    compared: (known, { position, hash }) => {
      const seenSince = places.filter((place) => !known.includes(place));
      const all = [...seenSince, ...(position > 0 ? [{ position, hash }] : [])];
      places = all.toSorted((a, b) => a.position - b.position);
    },
    forget: () => {
      places = [];
    },
  };
};
