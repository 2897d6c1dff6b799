import { GENESIS } from './integrity/chain.ts';
import type { LogPlace } from './event-store.ts';

/** What a process has seen of the log: everything in its memory rests on that. */
export type HistorySeen = {
  /** The newest place of all. */
  readonly newest: LogPlace;
  /**
   * What the log must still have, oldest first. A newer place does not replace an older one until the log was found to have
   * both: if the log went back in time and grew again in between, the newer one belongs to another history.
   */
  readonly places: readonly LogPlace[];
  /** `after`: a place that the log had in the same moment. */
  saw(place: LogPlace, after?: LogPlace): void;
  /** The log had all these places in the moment when it ended there. */
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
