import { createHmac, timingSafeEqual } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import type pg from 'pg';
import { createPool, READ_WITHIN } from './database/connections.ts';
import { SNAPSHOT_EVERY, type Moment, type Snapshot, type Snapshots } from '../snapshots.ts';
import { gather } from './load-batch.ts';
import { bigints, buffers, hexBytes, texts } from './pg-arrays.ts';

/** Snapshots of a large state are rarer, so that snapshots never take more space than the events. */
const BYTES_PER_EVENT = 128;
/** While so many wait to be written, no more are taken, so that the database has time for the log. */
const MAX_WAITING = 1000;

const nextDue = (revision: number, bytes: number): number =>
  revision + Math.max(SNAPSHOT_EVERY, Math.ceil(bytes / BYTES_PER_EVENT));

type Row = { readonly revision: string; readonly hash: string; readonly state: Buffer; readonly mac: Buffer };
type Taken = {
  readonly stream: string;
  readonly revision: number;
  readonly token: string;
  readonly state: Buffer;
  readonly mac: Buffer;
};

export type SnapshotsOptions = {
  /** Must have the tables of the log. */
  readonly databaseUrl: string;
  /** Raised whenever the same events fold to another state. */
  readonly version: number;
  /** For the MAC. It is not in the database, so that write access to the database is not enough to forge a state. */
  readonly secret: string;
  /** How long after an append its event is in the tables of the log, in ms; 0: at once. */
  readonly afterMs?: number;
};

/** Must be closed. */
export const createSnapshots = <State>({
  databaseUrl,
  version,
  secret,
  afterMs = 0,
}: SnapshotsOptions): Snapshots<State> => {
  const pool = createPool(databaseUrl, { ...READ_WITHIN, max: 3, application_name: 'kissapi-snapshots' });
  const writing = new Set<Promise<unknown>>();
  const newest = createNewestReader(pool, version);

  const macOf = ({ stream, revision, state }: Omit<Taken, 'token' | 'mac'>): Buffer =>
    createHmac('sha256', secret)
      .update(`kissapi snapshot\n${stream}\n${version}\n${revision}\n`)
      .update(state)
      .digest();

  const read = (stream: string, row: Row): Snapshot<State> | undefined => {
    try {
      const revision = Number(row.revision);
      const mac = macOf({ stream, revision, state: row.state });
      if (row.mac.length !== mac.length || !timingSafeEqual(row.mac, mac)) return undefined;
      const state = deserialize(row.state) as State;
      return { state, revision, token: row.hash, nextDue: nextDue(revision, row.state.length) };
    } catch {
      return undefined; // Written by a newer V8. The events are still there.
    }
  };

  const write = gather<Taken, undefined>(
    async (taken) => {
      await insert(pool, version, taken);
      return taken.map(() => undefined);
    },
    { atOnce: 100, underWay: 1 },
  );

  return {
    find: async (stream, until) => {
      // If the database is unreachable, reading the events fails and reports it.
      const found = until ? newestUntil(pool, version, stream, until) : newest(stream);
      const row = await found.catch(() => undefined);
      return row && read(stream, row);
    },
    take: (stream, state, { revision, token }) => {
      if (writing.size >= MAX_WAITING) return revision + SNAPSHOT_EVERY;
      const bytes = serialize(state);
      const taken = { stream, revision, state: bytes };
      const written = inTables(afterMs)
        .then(() => write({ ...taken, token, mac: macOf(taken) }))
        .catch(() => undefined)
        .finally(() => writing.delete(written));
      writing.add(written);
      return nextDue(revision, bytes.length);
    },
    close: async () => {
      await Promise.all(writing);
      await pool.end();
    },
  };
};

const inTables = (afterMs: number): Promise<void> =>
  afterMs === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, afterMs));

const columns = `s.revision, encode(s.hash, 'hex') as hash, s.state, s.mac`;

/** Finds the newest snapshots of many streams in one round trip. */
const createNewestReader = (pool: pg.Pool, version: number) =>
  gather<string, Row | undefined>(
    async (streams) => {
      const { rows } = await pool.query<Row & { n: string }>({
        name: 'newest_snapshots',
        text: `select asked.n, ${columns} from unnest($1::text[]) with ordinality as asked (stream, n)
               cross join lateral (select * from snapshots s where s.stream = asked.stream collate "C" and s.version = $2
                                   order by s.revision desc limit 1) s`,
        values: [texts(streams), version],
      });
      const found = new Map(rows.map((row) => [Number(row.n), row]));
      return streams.map((_, n) => found.get(n + 1));
    },
    { atOnce: 100, underWay: 2 },
  );

const newestUntil = async (pool: pg.Pool, version: number, stream: string, until: Moment): Promise<Row | undefined> => {
  const [column, value] = 'at' in until ? ['time', until.at] : ['revision', until.revision];
  const { rows } = await pool.query<Row>({
    name: `newest_snapshot_until_${column}`,
    text: `select ${columns} from snapshots s where s.stream = $1 and s.version = $2 and s.${column} <= $3
           order by s.${column} desc, s.revision desc limit 1`,
    values: [stream, version, value],
  });
  return rows[0];
};

/** A snapshot whose event is not in the log is left out. */
const insert = async (pool: pg.Pool, version: number, taken: readonly Taken[]): Promise<void> => {
  await pool.query({
    name: 'take_snapshots',
    text: `insert into snapshots (stream, version, revision, time, hash, state, mac)
           select t.stream, $1, t.revision, e.time, t.token, t.state, t.mac
           from unnest($2::text[], $3::bigint[], $4::bytea[], $5::bytea[], $6::bytea[])
             as t (stream, revision, state, mac, token)
           join events e on e.stream = t.stream collate "C" and e.revision = t.revision
             and coalesce(e.token, e.hash) = t.token
           on conflict do nothing`,
    values: [
      version,
      texts(taken.map(({ stream }) => stream)),
      bigints(taken.map(({ revision }) => revision)),
      buffers(taken.map(({ state }) => state)),
      buffers(taken.map(({ mac }) => mac)),
      hexBytes(taken.map(({ token }) => token)),
    ],
  });
};
