import type pg from 'pg';
import type { LogPlace } from '../../chained-log.ts';
import { StoreUnavailable } from '../../event-store.ts';
import { createPool } from '../../postgres/database/connections.ts';
import { asStoreFault } from '../../postgres/log-reads.ts';

/** The last event of the copy, by its place in its stream. */
export type HeadEvent = { readonly stream: string; readonly revision: number; readonly token: string };

/** The head of the copy in PostgreSQL, and what connects it with EventStoreDB. */
export type CopyHead = LogPlace & {
  readonly logId: string;
  readonly store: 'postgres' | 'eventstoredb';
  /** How the names of the log's streams in EventStoreDB begin; undefined if PostgreSQL commits the log. */
  readonly streams: string | undefined;
  readonly marker: string | undefined;
  /** Where EventStoreDB has the head's event. */
  readonly storePosition: number;
  readonly epoch: number;
  /** Undefined if the log is empty. */
  readonly event: HeadEvent | undefined;
  /** How far the clock of the log is ahead of real time, in ms; undefined if it was never moved. */
  readonly movedMs: number | undefined;
};

export type Adoption = { readonly streams: string; readonly marker: string; readonly storePosition: number };

export type FoundInCopy = {
  readonly found: { readonly revision: number; readonly position: number } | undefined;
  readonly lastRevision: number;
};

export type CopyHeads = {
  read(): Promise<CopyHead>;
  /** What was read of EventStoreDB before is not copied any more. Returns the head at that moment. */
  newEpoch(): Promise<CopyHead>;
  /** EventStoreDB commits the log from now on. Rejects if another process was first, with another marker. */
  adopt(adoption: Adoption): Promise<void>;
  /** The head's event has another place in EventStoreDB than before. False if the head has moved on. */
  moveTo(storePosition: number, position: number): Promise<boolean>;
  /** The first event of a stream that has one of the ids, and the stream's last revision in the copy; -1 if it has none. */
  find(stream: string, ids: readonly string[]): Promise<FoundInCopy>;
  /** Whether EventStoreDB's events up to a place were copied. */
  isCopied(storePosition: number): Promise<boolean>;
  readonly pool: pg.Pool;
  close(): Promise<void>;
};

type Row = {
  readonly log_id: string;
  readonly position: string;
  readonly hash: string;
  readonly store: CopyHead['store'];
  readonly store_streams: string | null;
  readonly store_marker: string | null;
  readonly store_position: string | null;
  readonly store_epoch: string;
  readonly clock_moved_ms: string | null;
  readonly stream: string | null;
  readonly revision: string | null;
  readonly token: string | null;
};

const HEAD = `select h.log_id, h.position, encode(h.hash, 'hex') as hash, h.store, h.store_streams, h.store_marker,
    h.store_position, h.store_epoch, h.clock_moved_ms, e.stream, e.revision, encode(coalesce(e.token, e.hash), 'hex') as token
  from log_head h left join events e on e.position = h.position`;

const numberOf = (text: string | null): number | undefined => (text === null ? undefined : Number(text));

const asHead = (row: Row): CopyHead => ({
  ...{ logId: row.log_id, position: Number(row.position), hash: row.hash, store: row.store },
  ...{ streams: row.store_streams ?? undefined, marker: row.store_marker ?? undefined },
  ...{ storePosition: Number(row.store_position ?? -1), epoch: Number(row.store_epoch) },
  movedMs: numberOf(row.clock_moved_ms),
  event:
    row.stream === null ? undefined : { stream: row.stream, revision: Number(row.revision), token: row.token ?? '' },
});

const ANSWER_WITHIN_MS = 5000;

/** The name of a connection that every process has which appends to EventStoreDB. */
export const COPY_CONNECTION = 'kissapi-copy';

/** Must be closed. */
export const createCopyHeads = (databaseUrl: string, application_name = COPY_CONNECTION): CopyHeads => {
  const pool = createPool(databaseUrl, { max: 2, query_timeout: ANSWER_WITHIN_MS, application_name });
  const query = async <R extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) => {
    try {
      return (await pool.query<R>(text, [...values])).rows;
    } catch (cause) {
      throw asStoreFault(cause);
    }
  };
  const read = async (): Promise<CopyHead> => {
    const [row] = await query<Row>(HEAD);
    if (!row) throw new StoreUnavailable('the log has no head');
    return asHead(row);
  };
  return {
    pool,
    read,
    newEpoch: async () => {
      const [row] = await query<{ epoch: string }>(
        'update log_head set store_epoch = store_epoch + 1 returning store_epoch as epoch',
      );
      const head = await read();
      // An epoch in between belongs to another process, which has the same purpose.
      return { ...head, epoch: Math.max(head.epoch, Number(row?.epoch)) };
    },
    adopt: async ({ streams, marker, storePosition }) => {
      const changed = await query(
        `update log_head set store = 'eventstoredb', store_streams = $1, store_marker = $2, store_position = $3
         where store = 'postgres' or (store_streams = $1 and store_marker = $2) returning store`,
        [streams, marker, storePosition],
      );
      if (changed.length === 0) throw new StoreUnavailable('the log was begun in another EventStoreDB meanwhile');
    },
    moveTo: async (storePosition, position) => {
      const sql = 'update log_head set store_position = $1 where position = $2 returning position';
      return (await query(sql, [storePosition, position])).length > 0;
    },
    find: async (stream, ids) => {
      // One statement, so that an event that is copied meanwhile is in both parts or in none.
      const [row] = await query<{ last: string | null; revision: string | null; position: string | null }>(
        `select (select e.revision from events e where e.stream = $1 order by e.revision desc limit 1) as last,
                found.revision, found.position
         from (select) as one
         left join (select e.revision, e.position from events e where e.id = any($2::uuid[]) and e.stream = $1 limit 1) as found on true`,
        [stream, ids],
      );
      const found =
        row?.revision == null ? undefined : { revision: Number(row.revision), position: Number(row.position) };
      return { found, lastRevision: Number(row?.last ?? -1) };
    },
    isCopied: async (storePosition) => {
      const [row] = await query<{ copied: boolean }>(
        'select coalesce(store_position, -1) >= $1 as copied from log_head',
        [storePosition],
      );
      return row?.copied === true;
    },
    close: () => pool.end(),
  };
};
