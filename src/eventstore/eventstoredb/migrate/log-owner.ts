import type pg from 'pg';
import type { LogPlace } from '../../chained-log.ts';
import { asStoreFault } from '../../postgres/log-reads.ts';
import { COPY_CONNECTION, type Adoption } from '../copy/copy-head.ts';

export type Switched =
  | { readonly kind: 'switched' }
  /** The log has grown, or another process was first. */
  | { readonly kind: 'moved' }
  /** So many processes are connected that append to EventStoreDB. */
  | { readonly kind: 'in_use'; readonly processes: number };

/**
 * EventStoreDB commits the log from now on, if the log still ends at the given place. The head is locked meanwhile, so an
 * append is either before it, or refused by the functions that append.
 */
export const switchToEventStore = (pool: pg.Pool, head: LogPlace, adoption: Adoption): Promise<Switched> =>
  inTransaction(pool, async (client) => {
    await client.query('select from log_head for update');
    const { rowCount } = await client.query(
      `update log_head set store = 'eventstoredb', store_streams = $1, store_marker = $2, store_position = $3,
         store_epoch = store_epoch + 1
       where store = 'postgres' and position = $4 and hash = $5`,
      [adoption.streams, adoption.marker, adoption.storePosition, head.position, Buffer.from(head.hash, 'hex')],
    );
    return { kind: rowCount === 1 ? 'switched' : 'moved' };
  });

/**
 * PostgreSQL commits the log from now on. EventStoreDB cannot refuse appends of processes that still run, so none may be
 * connected.
 */
export const switchToPostgres = (pool: pg.Pool, head: LogPlace, storePosition: number): Promise<Switched> =>
  inTransaction(pool, async (client) => {
    await client.query('select from log_head for update');
    const { rows } = await client.query<{ count: string }>(
      'select count(*) from pg_stat_activity where datname = current_database() and application_name = $1',
      [COPY_CONNECTION],
    );
    const processes = Number(rows[0]?.count);
    if (processes > 0) return { kind: 'in_use', processes };
    const { rowCount } = await client.query(
      `update log_head set store = 'postgres', store_streams = null, store_marker = null, store_position = null,
         store_epoch = store_epoch + 1
       where store = 'eventstoredb' and position = $1 and hash = $2 and store_position = $3`,
      [head.position, Buffer.from(head.hash, 'hex'), storePosition],
    );
    return { kind: rowCount === 1 ? 'switched' : 'moved' };
  });

const inTransaction = async <T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
  const client = await pool.connect().catch((cause: unknown) => {
    throw asStoreFault(cause);
  });
  let broken = true;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    broken = false;
    return result;
  } catch (cause) {
    throw asStoreFault(cause);
  } finally {
    client.release(broken);
  }
};
