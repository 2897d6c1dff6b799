import { createPool, openClient } from '../../eventstore/postgres/database/connections.ts';
import type { ReadableVersions } from '../../eventstore/event-versions.ts';
import { migrate, type MigrateOptions } from '../../eventstore/postgres/database/migrate.ts';
import { createDatabaseClock, type DatabaseClockOptions } from '../database-clock.ts';
import { createHeartbeat, readableWith, UNSTATED_SECRETS, type AcceptedSecrets } from './heartbeat.ts';

export type { AcceptedSecrets } from './heartbeat.ts';

const BEAT_MS = 1000;
/** A run that was only slow loses its holds, and charges usage that is reported later as late usage. */
const DEAD_AFTER_BEATS = 3;
/** A connection that fails silently must not block the next beats. */
const ANSWER_WITHIN_MS = DEAD_AFTER_BEATS * BEAT_MS;
const FORGET_AFTER = '1 hour';

export type Run = {
  /** Changes when the run is renewed. */
  readonly id: string;
  /**
   * The runs that sent a heartbeat recently, by the clock of the database, always including this one. Undefined while it is
   * unknown: if the database was unreachable, the other runs could not send heartbeats either.
   */
  live(): Promise<readonly string[] | undefined>;
  /** By the clock of the log, as of the last beats, so that all nodes decide by one time. */
  now(): Date;
  /** How far that clock is ahead of real time, in ms; undefined if it was never moved. */
  readonly movedMs: number | undefined;
  /**
   * Continues as a run with another id, because the memory of the former one is void. Other nodes keep holds of the former id
   * alive until it is retired; this node counts it as dead from now on.
   */
  renew(id: string): void;
  /** Whether the last beat failed, or none succeeded since `doubt`: it is unknown what the database has become. */
  readonly missed: boolean;
  /** A connection to the database broke: only the next beat shows what it has become. */
  doubt(): void;
  /** The former ids that are not retired yet. */
  readonly former: readonly string[];
  /** No request of that former id is under way any more: removes it from the list. */
  retire(id: string): Promise<void>;
  /** Stops the heartbeat and removes the run from the list. Its holds must have ended. */
  close(): Promise<void>;
};

export type RunOptions = {
  readonly databaseUrl: string;
  readonly id: string;
  readonly failed: (error: unknown) => void;
  /** Called after each beat that the database has answered. */
  readonly answered?: () => void;
  /** Called once if the clock of this machine is too far ahead of that of the database; in ms. */
  readonly clockOff: DatabaseClockOptions['off'];
  /** Called if the clock of the log was moved, and after each further move, with how far it is ahead of real time, in ms. */
  readonly clockMoved?: DatabaseClockOptions['moved'];
  /** Called with what all live runs can read, when a run that can read other versions has started or ended. */
  readonly readable?: (versions: ReadableVersions) => void;
  /** The secrets that this run accepts, by their ids, the newest first. */
  readonly accepts?: AcceptedSecrets;
  /** Called with the secrets of this run that all live runs accept, when a run that accepts others has started or ended. */
  readonly acceptedByAll?: (accepted: AcceptedSecrets) => void;
  /** Called if the database was put back to an earlier state. */
  readonly databaseWentBack?: () => void;
  readonly wall?: DatabaseClockOptions['wall'];
  readonly beatMs?: number;
};

export const migrateRuns = (databaseUrl: string, options?: MigrateOptions): Promise<void> =>
  migrate(databaseUrl, 'reactions', new URL('../sql/', import.meta.url), options);

/** What all live runs can read, for a command-line tool that appends while they are running. */
export const readableByLiveRuns = async (databaseUrl: string): Promise<ReadableVersions> => {
  const client = await openClient(databaseUrl, 'kissapi-runs');
  try {
    const { rows } = await client.query<{ reads: ReadableVersions | null }>(
      `select reads from runs where seen_at > clock_timestamp() - $1 * interval '1 millisecond'`,
      [DEAD_AFTER_BEATS * BEAT_MS],
    );
    return readableWith(rows.map(({ reads }) => reads));
  } finally {
    await client.end();
  }
};

/** Adds this process to the list of runs, before it can place holds, and sends a heartbeat once a second. */
export const createRun = async (options: RunOptions): Promise<Run> => {
  const { failed, clockOff, clockMoved, wall = Date.now, beatMs = BEAT_MS, answered = ignore } = options;
  const { readable = ignore, accepts = UNSTATED_SECRETS, acceptedByAll = ignore, databaseWentBack = ignore } = options;
  let { id } = options;
  let former: readonly string[] = [];
  const clock = createDatabaseClock({ off: clockOff, moved: clockMoved, wall });
  const deadAfterMs = DEAD_AFTER_BEATS * beatMs;
  const timeouts = { connectionTimeoutMillis: ANSWER_WITHIN_MS, query_timeout: ANSWER_WITHIN_MS };
  const pool = createPool(options.databaseUrl, { max: 2, application_name: 'kissapi-runs', ...timeouts });
  const beat = createHeartbeat(pool, {
    deadAfterMs,
    accepts,
    heard: clock.heard,
    readable,
    acceptedByAll,
    databaseWentBack,
  });
  try {
    await beat([id]);
    await pool.query(`delete from runs where seen_at < clock_timestamp() - interval '${FORGET_AFTER}'`);
  } catch (error) {
    await pool.end();
    throw error;
  }
  const heart = startHeart(() => beat([id, ...former]), { beatMs, deadAfterMs, answered, failed });

  return {
    get id() {
      return id;
    },
    now: clock.now,
    get movedMs() {
      return clock.movedMs;
    },
    renew: (renewed) => {
      former = [...former, id];
      id = renewed;
    },
    get missed() {
      return heart.missed();
    },
    doubt: heart.doubt,
    get former() {
      return former;
    },
    retire: async (retired) => {
      former = former.filter((one) => one !== retired);
      await pool.query('delete from runs where id = $1', [retired]);
    },
    live: async () => {
      if (!heart.isCertain()) return undefined;
      const { rows } = await pool.query<{ id: string }>(
        `select id from runs where id <> all($1) and seen_at > clock_timestamp() - $2 * interval '1 millisecond'`,
        [[id, ...former], deadAfterMs],
      );
      return [id, ...rows.map((row) => row.id)];
    },
    close: async () => {
      heart.stop();
      await pool.query('delete from runs where id = any($1)', [[id, ...former]]).catch(failed);
      await pool.end();
    },
  };
};

const ignore = (): void => undefined;

type HeartOptions = {
  readonly beatMs: number;
  readonly deadAfterMs: number;
  readonly answered: () => void;
  readonly failed: (error: unknown) => void;
};

/** Repeats a beat, one at a time. */
const startHeart = (beat: () => Promise<void>, { beatMs, deadAfterMs, answered, failed }: HeartOptions) => {
  let beating = false;
  let missed = false;
  let doubtedAt = -Infinity;
  /** By then every live run has had the time to send a heartbeat again. */
  let certainFrom = 0;
  const succeeded = (beganAt: number): void => {
    if (beganAt < doubtedAt) return;
    if (missed) certainFrom = performance.now() + deadAfterMs;
    missed = false;
    answered();
  };
  const wasMissed = (error: unknown): void => {
    missed = true;
    failed(error);
  };
  const interval = setInterval(() => {
    if (beating) return;
    beating = true;
    const beganAt = performance.now();
    beat()
      .then(() => succeeded(beganAt), wasMissed)
      .finally(() => (beating = false));
  }, beatMs);
  return {
    missed: (): boolean => missed,
    doubt: (): void => {
      missed = true;
      doubtedAt = performance.now();
    },
    /** Whether the list of live runs can be trusted. */
    isCertain: (): boolean => !missed && performance.now() >= certainFrom,
    stop: (): void => clearInterval(interval),
  };
};
