import { createHmac, timingSafeEqual } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import { createPool, READ_WITHIN } from './connections.ts';
import type { KnownEnd } from '../event-store.ts';
import { gather } from './load-batch.ts';
import { bigints, buffers, hexBytes, texts } from './pg-arrays.ts';

/** Up to and with a revision, or up to and with whatever had happened at a time. */
export type Moment = { readonly revision: number } | { readonly at: Date };

export type Snapshot<State> = {
  /** The caller's own. */
  readonly state: State;
  readonly revision: number;
  /** Of the event at that revision: another hash there means another history. */
  readonly hash: string;
  /** The next is worth taking from this revision on. */
  readonly nextDue: number;
};

/** States of streams on their way, kept so that a long stream need not be folded from its beginning. */
export type Snapshots<State> = {
  /** The newest one, or the newest up to a moment; undefined where there is none, or none that can be read. */
  find(stream: string, until?: Moment): Promise<Snapshot<State> | undefined>;
  /**
   * Keeps the state of a stream up to an event, as it is in this moment, in its own time; if that fails there is none, and
   * nothing is lost. Returns the revision from which on the next one is due.
   */
  take(stream: string, state: State, upTo: KnownEnd): number;
  /** Waits for those that are being written, then closes the connections. */
  close(): Promise<void>;
};

/** An account's events lie far apart in a long log, so that reading each may cost a look at the disk. */
export const SNAPSHOT_EVERY = 50;
/** A large state is kept less often, so that snapshots never come to more than the events themselves. */
const BYTES_PER_EVENT = 128;
/** While so many wait to be written, more are not taken: the database has better things to do. */
const MAX_WAITING = 1000;

const nextDue = (revision: number, bytes: number): number =>
  revision + Math.max(SNAPSHOT_EVERY, Math.ceil(bytes / BYTES_PER_EVENT));

type Row = { readonly revision: string; readonly hash: string; readonly state: Buffer; readonly mac: Buffer };
type Taken = { readonly stream: string; readonly revision: number; readonly token: string; readonly state: Buffer };

export type SnapshotsOptions = {
  /** Must have the tables of the log. */
  readonly databaseUrl: string;
  /** Must be raised whenever the same events would fold to another state. */
  readonly version: number;
  /** The database does not have it: whoever can write there alone cannot make a state that is believed. */
  readonly secret: string;
};

/** Must be closed. */
export const createSnapshots = <State>({ databaseUrl, version, secret }: SnapshotsOptions): Snapshots<State> => {
  const pool = createPool(databaseUrl, { ...READ_WITHIN, max: 3, application_name: 'kissapi-snapshots' });
  const writing = new Set<Promise<unknown>>();

  const macOf = ({ stream, revision, state }: Omit<Taken, 'token'>): Buffer =>
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
      return { state, revision, hash: row.hash, nextDue: nextDue(revision, row.state.length) };
    } catch {
      return undefined; // Written by a V8 that knew more: the events are still there.
    }
  };

  const columns = `s.revision, encode(s.hash, 'hex') as hash, s.state, s.mac`;

  const newest = gather<string, Row | undefined>(
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

  const newestUntil = async (stream: string, until: Moment): Promise<Row | undefined> => {
    const [column, value] = 'at' in until ? ['time', until.at] : ['revision', until.revision];
    const { rows } = await pool.query<Row>({
      name: `newest_snapshot_until_${column}`,
      text: `select ${columns} from snapshots s where s.stream = $1 and s.version = $2 and s.${column} <= $3
             order by s.${column} desc, s.revision desc limit 1`,
      values: [stream, version, value],
    });
    return rows[0];
  };

  const write = gather<Taken, undefined>(
    async (taken) => {
      await pool.query({
        name: 'take_snapshots',
        text: `insert into snapshots (stream, version, revision, time, hash, state, mac)
               select t.stream, $1, t.revision, e.time, e.hash, t.state, t.mac
               from unnest($2::text[], $3::bigint[], $4::bytea[], $5::bytea[], $6::bytea[])
                 as t (stream, revision, state, mac, token)
               join events e on e.stream = t.stream collate "C" and e.revision = t.revision and e.hash = t.token
               on conflict do nothing`,
        values: [
          version,
          texts(taken.map(({ stream }) => stream)),
          bigints(taken.map(({ revision }) => revision)),
          buffers(taken.map(({ state }) => state)),
          buffers(taken.map(macOf)),
          hexBytes(taken.map(({ token }) => token)),
        ],
      });
      return taken.map(() => undefined);
    },
    { atOnce: 100, underWay: 1 },
  );

  return {
    find: async (stream, until) => {
      // A store that is away will say so where it matters, at the events.
      const row = await (until ? newestUntil(stream, until) : newest(stream)).catch(() => undefined);
      return row && read(stream, row);
    },
    take: (stream, state, { revision, token }) => {
      if (writing.size >= MAX_WAITING) return revision + SNAPSHOT_EVERY;
      const bytes = serialize(state);
      const written = write({ stream, revision, token, state: bytes })
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
