import { GENESIS } from './chain.ts';
import type { LogPlace } from './event-store.ts';

/** The newest place of the log that a process has seen: what everything in its memory rests on. */
export type HistorySeen = {
  readonly newest: LogPlace;
  saw(place: LogPlace): void;
  forget(): void;
};

export const NOTHING_SEEN: LogPlace = { position: 0, hash: GENESIS };

export const createHistorySeen = (newest: LogPlace = NOTHING_SEEN): HistorySeen => ({
  get newest() {
    return newest;
  },
  saw: ({ position, hash }) => {
    if (position > newest.position) newest = { position, hash };
  },
  forget: () => {
    newest = NOTHING_SEEN;
  },
});
