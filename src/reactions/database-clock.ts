/** A larger deviation of the local clock is reported. */
const WELL_SET_WITHIN_MS = 2000;

/** What one answer of the database states about time. */
export type HeardTime = {
  /** The real time of the database in ms since the epoch, taken between two moments of `local`. */
  readonly databaseMs: number;
  readonly sentAt: number;
  readonly heardAt: number;
  /** How far the clock of the log is ahead of real time; undefined if it was never moved. See eventstore/postgres/log-clock.ts. */
  readonly movedMs: number | undefined;
};

/** The clock of the log as this process follows it: the time of the database, and what the clock was moved by. */
export type DatabaseClock = {
  now(): Date;
  /** How far the clock is ahead of real time, in ms; undefined if it was never moved. */
  readonly movedMs: number | undefined;
  heard(time: HeardTime): void;
};

export type DatabaseClockOptions = {
  /** Called once, with how far the clock of this machine is ahead of the database, in ms. */
  readonly off: (aheadMs: number) => void;
  /** Called when the clock is found to have been moved, and again after each further move. */
  readonly moved?: ((movedMs: number) => void) | undefined;
  /** The time of this machine in ms since the epoch, which may jump. */
  readonly wall?: () => number;
};

/** The monotonic time of this process, in ms since the epoch. */
export const local = (): number => performance.timeOrigin + performance.now();

export const createDatabaseClock = ({ off, moved, wall = Date.now }: DatabaseClockOptions): DatabaseClock => {
  let offset = wall() - local();
  let reported = false;
  let movedMs: number | undefined;
  return {
    now: () => new Date(Math.round(local() + offset + (movedMs ?? 0))),
    get movedMs() {
      return movedMs;
    },
    heard: (time) => {
      // The true offset is between these bounds: the longer the round trip, the less it is known.
      offset = Math.min(Math.max(offset, time.databaseMs - time.heardAt), time.databaseMs - time.sentAt);
      if (time.movedMs !== movedMs) {
        movedMs = time.movedMs;
        if (movedMs !== undefined) moved?.(movedMs);
      }
      // Compared with the machine in real time: a clock that was moved is not a clock that is wrong.
      const ahead = wall() - (local() + offset);
      if (reported || Math.abs(ahead) <= WELL_SET_WITHIN_MS) return;
      reported = true;
      off(Math.round(ahead));
    },
  };
};
