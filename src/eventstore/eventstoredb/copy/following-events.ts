import type pg from 'pg';
import type { ChainedEvent } from '../../chained-log.ts';
import { asStoreFault } from '../../postgres/log-reads.ts';

/** An event of the copy and the token of the event before it in its stream; empty for the first. */
export type FollowingEvent = ChainedEvent & { readonly previous: string };

type Row = Omit<FollowingEvent, 'position' | 'revision'> & { readonly position: string; readonly revision: string };

/** Because of the inner `limit`, PostgreSQL looks up each event before by the index, whatever its statistics are. */
const FOLLOWING = `select e.position, e.stream, e.revision, e.id, e.type, e.version, e.data::text, e.metadata::text, e.time,
    encode(e.hash, 'hex') as hash, encode(coalesce(e.token, e.hash), 'hex') as token,
    coalesce(encode(coalesce(before.token, before.hash), 'hex'), '') as previous
  from events e
  left join lateral (select b.token, b.hash from events b where b.stream = e.stream and b.revision = e.revision - 1 limit 1) before on true
  where e.position > $1 order by e.position limit $2`;

/** Up to `limit` events after a position, in order. Their tokens are those of the streams in EventStoreDB. */
export const readFollowing = async (
  pool: pg.Pool,
  afterPosition: number,
  limit: number,
): Promise<readonly FollowingEvent[]> => {
  try {
    const query = { name: 'read_following', text: FOLLOWING, values: [afterPosition, limit] };
    const { rows } = await pool.query<Row>(query);
    return rows.map((row) => ({ ...row, position: Number(row.position), revision: Number(row.revision) }));
  } catch (cause) {
    throw asStoreFault(cause);
  }
};
