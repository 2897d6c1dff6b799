/** A larger deviation of the local clock is reported. */
const WELL_SET_WITHIN_MS = 2000;

/** The time of the database, which is the same for all nodes. */
export type DatabaseClock = {
  now(): Date;
  /** Adds a measurement: the time of the database, taken between two moments of `local`. */
  heard(databaseMs: number, sentAt: number, heardAt: number): void;
};

export type DatabaseClockOptions = {
  /** Called once, with how far the clock of this machine is ahead of the database, in ms. */
  readonly off: (aheadMs: number) => void;
  /** The time of this machine in ms since the epoch, which may jump. */
  readonly wall?: () => number;
};

/** The monotonic time of this process, in ms since the epoch. */
export const local = (): number => performance.timeOrigin + performance.now();

export const createDatabaseClock = ({ off, wall = Date.now }: DatabaseClockOptions): DatabaseClock => {
  let offset = wall() - local();
  let reported = false;
  return {
    now: () => new Date(Math.round(local() + offset)),
    heard: (databaseMs, sentAt, heardAt) => {
      // The true offset is between these bounds: the longer the round trip, the less it is known.
      offset = Math.min(Math.max(offset, databaseMs - heardAt), databaseMs - sentAt);
      const ahead = wall() - (local() + offset);
      if (reported || Math.abs(ahead) <= WELL_SET_WITHIN_MS) return;
      reported = true;
      off(Math.round(ahead));
    },
  };
};
