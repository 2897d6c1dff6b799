/** A local clock that is further off than this is told of. */
const WELL_SET_WITHIN_MS = 2000;

/** The time of the database, which is one for all nodes, whatever their own clocks say. */
export type DatabaseClock = {
  now(): Date;
  /** What the database said between two moments of `local`. */
  heard(databaseMs: number, sentAt: number, heardAt: number): void;
};

export type DatabaseClockOptions = {
  /** Told once, in ms: how far the machine's clock is ahead of the database's. */
  readonly off: (aheadMs: number) => void;
  /** The machine's own time, in ms since the epoch, which may jump. */
  readonly wall?: () => number;
};

/** Never jumps, but when it is corrected by the database. */
export const local = (): number => performance.timeOrigin + performance.now();

export const createDatabaseClock = ({ off, wall = Date.now }: DatabaseClockOptions): DatabaseClock => {
  let offset = wall() - local();
  let told = false;
  return {
    now: () => new Date(Math.round(local() + offset)),
    heard: (databaseMs, sentAt, heardAt) => {
      // More is not known of the true offset than that it lies between these: an answer that was long under way says little.
      offset = Math.min(Math.max(offset, databaseMs - heardAt), databaseMs - sentAt);
      const ahead = wall() - (local() + offset);
      if (told || Math.abs(ahead) <= WELL_SET_WITHIN_MS) return;
      told = true;
      off(Math.round(ahead));
    },
  };
};
