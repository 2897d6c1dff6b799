import type pg from 'pg';
import { asStoreFault } from '../../postgres/log-reads.ts';

/** How far the log was compared with EventStoreDB: the last event, and its place there. */
export type Compared = {
  readonly position: number;
  readonly hash: string;
  readonly storePosition: number;
  /** Up to here the chain of hashes was verified. */
  readonly chained: number;
};

type Row = {
  readonly position: string;
  readonly hash: string;
  readonly store_position: string;
  readonly chained: string;
  readonly stream: string;
  readonly revision: string;
  readonly time: Date;
  readonly token: string;
};

export type ComparedEvent = Compared & {
  readonly stream: string;
  readonly revision: number;
  readonly time: number;
  readonly token: string;
};

/** Undefined if nothing was compared with the server of this marker, or if the log has another event there. */
export const readCompared = async (pool: pg.Pool, marker: string): Promise<ComparedEvent | undefined> => {
  const { rows } = await pool
    .query<Row>(
      `select c.position, encode(c.hash, 'hex') as hash, c.store_position, c.chained, e.stream, e.revision, e.time,
         encode(coalesce(e.token, e.hash), 'hex') as token
       from log_copies c join events e on e.position = c.position and e.hash = c.hash
       where c.marker = $1`,
      [marker],
    )
    .catch((cause: unknown) => {
      throw asStoreFault(cause);
    });
  const [row] = rows;
  return (
    row && {
      ...{ position: Number(row.position), hash: row.hash, storePosition: Number(row.store_position) },
      ...{ chained: Number(row.chained), stream: row.stream, revision: Number(row.revision) },
      ...{ time: row.time.getTime(), token: row.token },
    }
  );
};

export const writeCompared = async (pool: pg.Pool, marker: string, compared: Compared): Promise<void> => {
  const { position, hash, storePosition, chained } = compared;
  await pool
    .query(
      `insert into log_copies (marker, position, hash, store_position, chained) values ($1, $2, $3, $4, $5)
       on conflict (marker) do update set position = excluded.position, hash = excluded.hash,
         store_position = excluded.store_position, chained = excluded.chained`,
      [marker, position, Buffer.from(hash, 'hex'), storePosition, chained],
    )
    .catch((cause: unknown) => {
      throw asStoreFault(cause);
    });
};
