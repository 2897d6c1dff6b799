import type pg from 'pg';
import { readableByAll, type ReadableVersions } from '../../eventstore/event-versions.ts';
import { READABLE_VERSIONS } from '../../eventstore/journal/codec.ts';
import { UNSTATED_VERSIONS } from '../../eventstore/journal/unstated-versions.ts';
import { local, type HeardTime } from '../database-clock.ts';

/** A new secret is used only once every live run accepts it, because the others must be able to read what it made. */
export type AcceptedSecrets = { readonly peppers: readonly string[]; readonly masterKeys: readonly string[] };

/** For runs whose heartbeat does not state it: they accept one of each, and it is unknown which. */
export const UNSTATED_SECRETS: AcceptedSecrets = { peppers: [], masterKeys: [] };

/** What a run states in its heartbeat; null for runs of releases that did not state it. */
type Stated = { readonly reads: ReadableVersions | null; readonly accepts: AcceptedSecrets | null };

/**
 * One round trip: marks these runs as alive, and returns when they were seen before, the time and what the other live runs can read and accept. Whether
 * a run is alive is a matter of real time, however far the clock of the log was moved.
 */
const BEAT = `with beat as (
    insert into runs (id, reads, accepts) select own, $2::jsonb, $4::jsonb from unnest($1::text[]) as own
    on conflict (id) do update set seen_at = clock_timestamp(), reads = excluded.reads, accepts = excluded.accepts)
  select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms, log_clock_moved_ms()::float8 as moved_ms,
    (select (extract(epoch from max(seen_at)) * 1000)::float8 from runs where id = any($1)) as before_ms,
    (select coalesce(jsonb_agg(distinct jsonb_build_object('reads', reads, 'accepts', accepts)), '[]') from runs
     where id <> all($1) and seen_at > clock_timestamp() - $3 * interval '1 millisecond') as others`;

export type HeartbeatOptions = {
  readonly deadAfterMs: number;
  readonly accepts: AcceptedSecrets;
  readonly heard: (time: HeardTime) => void;
  /** Called when what all live runs can read may have changed. */
  readonly readable: (versions: ReadableVersions) => void;
  /** Called when the secrets of this run that all live runs accept may have changed. */
  readonly acceptedByAll: (accepted: AcceptedSecrets) => void;
  /** Called if the database has lost an earlier heartbeat: it was put back to an earlier state. */
  readonly databaseWentBack: () => void;
};

/** The heartbeat is written and read at two moments of one statement. */
const SAME_BEAT_MS = 500;

type Beat = {
  readonly ms: number;
  readonly before_ms: number | null;
  readonly moved_ms: number | null;
  readonly others: readonly Stated[];
};

/** Returns a function that proves the life of the given runs, and reports what the other live runs state. */
export const createHeartbeat = (pool: pg.Pool, options: HeartbeatOptions) => {
  const { deadAfterMs, accepts, heard, readable, acceptedByAll, databaseWentBack } = options;
  const versions = JSON.stringify(READABLE_VERSIONS);
  let lastOthers: string | undefined;
  let lastMs: number | undefined;
  return async (runIds: readonly string[]): Promise<void> => {
    const sentAt = local();
    const { rows } = await pool.query<Beat>(BEAT, [runIds, versions, deadAfterMs, JSON.stringify(accepts)]);
    const [{ ms, before_ms: beforeMs, moved_ms: movedMs, others }] = rows as [Beat];
    if (lastMs !== undefined && (beforeMs ?? 0) < lastMs - SAME_BEAT_MS) databaseWentBack();
    lastMs = ms;
    heard({ databaseMs: ms, sentAt, heardAt: local(), movedMs: movedMs ?? undefined });
    const asText = JSON.stringify(others);
    if (asText === lastOthers) return;
    lastOthers = asText;
    readable(readableWith(others.map(({ reads }) => reads)));
    const accepted = others.map((one) => one.accepts ?? UNSTATED_SECRETS);
    const inAll = (kind: keyof AcceptedSecrets): readonly string[] =>
      accepts[kind].filter((id) => accepted.every((one) => one[kind].includes(id)));
    acceptedByAll({ peppers: inAll('peppers'), masterKeys: inAll('masterKeys') });
  };
};

/** What this software and all these runs can read; null for a run that does not state it. */
export const readableWith = (others: readonly (ReadableVersions | null)[]): ReadableVersions =>
  readableByAll([READABLE_VERSIONS, ...others.map((reads) => reads ?? UNSTATED_VERSIONS)]);
