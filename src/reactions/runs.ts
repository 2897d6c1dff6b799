import { createPool, openClient } from '../eventstore/postgres/connections.ts';
import { READABLE_VERSIONS } from '../eventstore/journal/codec.ts';
import { readableByAll, type ReadableVersions } from '../eventstore/event-versions.ts';
import { UNSTATED_VERSIONS } from '../eventstore/journal/unstated-versions.ts';
import { migrate, type MigrateOptions } from '../eventstore/postgres/migrate.ts';
import { createDatabaseClock, local, type DatabaseClockOptions } from './database-clock.ts';

const BEAT_MS = 1000;
/** A run that was only slow loses its holds, and charges what it learns later as late usage. */
const DEAD_AFTER_BEATS = 3;
const FORGET_AFTER = '1 hour';

export type Run = {
  /** Changes when the run is renewed. */
  readonly id: string;
  /**
   * The runs that proved life lately, by the database's clock; this one always among them. Undefined where nobody can
   * tell: when the database was away, the others could not prove anything either.
   */
  live(): Promise<readonly string[] | undefined>;
  /** By the database's clock, as the last beats told it: nodes of one database decide by one time. */
  now(): Date;
  /**
   * Goes on as a run of another id, for what the former one remembered is void. Holds of the former id stay alive for
   * other nodes until it is retired; this node counts it as dead from now on.
   */
  renew(id: string): void;
  /** The former ids that are not retired yet. */
  readonly former: readonly string[];
  /** Nothing of that former id is under way any more: it is taken off the list. */
  retire(id: string): Promise<void>;
  /** Stops the heart and takes the run off the list: its holds must have ended. */
  close(): Promise<void>;
};

export type RunOptions = {
  readonly databaseUrl: string;
  readonly id: string;
  readonly failed: (error: unknown) => void;
  /** Called after each beat that the database has answered. */
  readonly answered?: () => void;
  /** Told once, in ms: how far this machine's clock is ahead of the database's, where that is too far. */
  readonly clockOff: DatabaseClockOptions['off'];
  /** Called when a run that can read other event versions has come or gone: what all live runs can read now. */
  readonly readable?: (versions: ReadableVersions) => void;
  /** The secrets that this run accepts, by their ids, the newest first. */
  readonly accepts?: AcceptedSecrets;
  /** Called when a run that accepts other secrets has come or gone: those of this run that all live runs accept now. */
  readonly acceptedByAll?: (accepted: AcceptedSecrets) => void;
  readonly wall?: DatabaseClockOptions['wall'];
  readonly beatMs?: number;
};

/** A secret is used for something new only once every live run accepts it, for the others must be able to read that. */
export type AcceptedSecrets = { readonly peppers: readonly string[]; readonly masterKeys: readonly string[] };

/** A run of a release that did not state it accepts one of each, and it is unknown which. */
const UNSTATED: AcceptedSecrets = { peppers: [], masterKeys: [] };

const inAll = (own: readonly string[], others: readonly (readonly string[])[]): readonly string[] =>
  own.filter((id) => others.every((ids) => ids.includes(id)));

/** One round trip: this run lives, what time it is, and what the other live runs can read and accept. */
const BEAT = `with beat as (
    insert into runs (id, reads, accepts) select own, $2::jsonb, $4::jsonb from unnest($1::text[]) as own
    on conflict (id) do update set seen_at = clock_timestamp(), reads = excluded.reads, accepts = excluded.accepts)
  select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms,
    (select coalesce(jsonb_agg(distinct jsonb_build_object('reads', reads, 'accepts', accepts)), '[]') from runs
     where id <> all($1) and seen_at > clock_timestamp() - $3 * interval '1 millisecond') as others`;

/** What a run states in its heartbeat; null for runs of a release that did not state it. */
type Stated = { readonly reads: ReadableVersions | null; readonly accepts: AcceptedSecrets | null };

export const migrateRuns = (databaseUrl: string, options?: MigrateOptions): Promise<void> =>
  migrate(databaseUrl, 'reactions', new URL('./sql/', import.meta.url), options);

/** What all live runs can read, for a command that appends beside them. */
export const readableByLiveRuns = async (databaseUrl: string): Promise<ReadableVersions> => {
  const client = await openClient(databaseUrl, 'kissapi-runs');
  try {
    const { rows } = await client.query<{ reads: ReadableVersions | null }>(
      `select reads from runs where seen_at > clock_timestamp() - $1 * interval '1 millisecond'`,
      [DEAD_AFTER_BEATS * BEAT_MS],
    );
    return readableByAll([READABLE_VERSIONS, ...rows.map(({ reads }) => reads ?? UNSTATED_VERSIONS)]);
  } finally {
    await client.end();
  }
};

/** Puts this process on the list of runs, before it can hold anything, and proves its life once a second. */
export const createRun = async (options: RunOptions): Promise<Run> => {
  const { databaseUrl, failed, clockOff, wall = Date.now, beatMs = BEAT_MS } = options;
  const {
    readable = () => undefined,
    accepts = UNSTATED,
    acceptedByAll = () => undefined,
    answered = () => undefined,
  } = options;
  let { id } = options;
  let former: readonly string[] = [];
  const clock = createDatabaseClock({ off: clockOff, wall });
  const deadAfterMs = DEAD_AFTER_BEATS * beatMs;
  const pool = createPool(databaseUrl, {
    max: 2,
    application_name: 'kissapi-runs',
    // A beat that hangs, as on a connection that is gone without a word, must not keep the next ones from being tried.
    connectionTimeoutMillis: deadAfterMs,
    query_timeout: deadAfterMs,
  });

  const versions = JSON.stringify(READABLE_VERSIONS);
  let lastOthers: string | undefined;
  const beat = async (): Promise<void> => {
    const sentAt = local();
    const { rows } = await pool.query<{ ms: number; others: readonly Stated[] }>(BEAT, [
      ...[[id, ...former], versions, deadAfterMs, JSON.stringify(accepts)],
    ]);
    const [{ ms = NaN, others = [] } = {}] = rows;
    if (!Number.isNaN(ms)) clock.heard(ms, sentAt, local());
    const asText = JSON.stringify(others);
    if (asText === lastOthers) return;
    lastOthers = asText;
    readable(readableByAll([READABLE_VERSIONS, ...others.map(({ reads }) => reads ?? UNSTATED_VERSIONS)]));
    const accepted = others.map((one) => one.accepts ?? UNSTATED);
    acceptedByAll({
      peppers: inAll(
        accepts.peppers,
        accepted.map(({ peppers }) => peppers),
      ),
      masterKeys: inAll(
        accepts.masterKeys,
        accepted.map(({ masterKeys }) => masterKeys),
      ),
    });
  };
  try {
    await beat();
    await pool.query(`delete from runs where seen_at < clock_timestamp() - interval '${FORGET_AFTER}'`);
  } catch (error) {
    await pool.end();
    throw error;
  }
  let beating = false;
  let missed = false;
  /** By then every run that lives has had the time to beat again. */
  let tellsFrom = 0;
  const heard = (): void => {
    if (missed) tellsFrom = performance.now() + deadAfterMs;
    missed = false;
    answered();
  };
  const unheard = (error: unknown): void => {
    missed = true;
    failed(error);
  };
  const heart = setInterval(() => {
    if (beating) return;
    beating = true;
    beat()
      .then(heard, unheard)
      .finally(() => (beating = false));
  }, beatMs);

  return {
    get id() {
      return id;
    },
    now: clock.now,
    renew: (renewed) => {
      former = [...former, id];
      id = renewed;
    },
    get former() {
      return former;
    },
    retire: async (retired) => {
      former = former.filter((one) => one !== retired);
      await pool.query('delete from runs where id = $1', [retired]);
    },
    live: async () => {
      if (missed || performance.now() < tellsFrom) return undefined;
      const { rows } = await pool.query<{ id: string }>(
        `select id from runs where id <> all($1) and seen_at > clock_timestamp() - $2 * interval '1 millisecond'`,
        [[id, ...former], deadAfterMs],
      );
      return [id, ...rows.map((row) => row.id)];
    },
    close: async () => {
      clearInterval(heart);
      await pool.query('delete from runs where id = any($1)', [[id, ...former]]).catch(failed);
      await pool.end();
    },
  };
};
