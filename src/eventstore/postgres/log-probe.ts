import pg from 'pg';
import { connectClient, createClient } from './database/connections.ts';

/** The state of the log, as the database reports it. */
export type LogState = {
  readonly head: number;
  /** The database refuses writes, on this connection or on new ones. */
  readonly readOnly: boolean;
  /** The time of the database in ms since the epoch, taken between `sentAt` and `heardAt`. */
  readonly databaseMs: number;
  readonly sentAt: number;
  readonly heardAt: number;
};

export type LogProbe = {
  /** Callers at the same time share one query. Rejects if the database does not answer in time. */
  look(): Promise<LogState>;
  /** Rejects with NoRoom if the database cannot write a file of some hundred kilobytes. */
  lookForRoom(): Promise<void>;
  /** Appends an event of 64 kB and rolls it back; rejects with the error of the database if that fails. */
  tryAppend(): Promise<void>;
  close(): Promise<void>;
};

/** Fault: the disk of the database is full. */
export class NoRoom extends Error {
  override readonly name = 'NoRoom';
  readonly code = 'no_room';
}

const WITHIN_MS = 1800;
const DISK_FULL = '53100';

/**
 * A demotion by `alter database` or `alter role` applies to new connections only. Existing ones would append until they
 * break, and no new connection could.
 */
const STATE = `
  select position, (extract(epoch from clock_timestamp()) * 1000)::float8 as ms,
    pg_is_in_recovery() or current_setting('transaction_read_only')::bool or exists (
      select from pg_db_role_setting, unnest(setconfig) as setting
      where setdatabase in (0, (select oid from pg_database where datname = current_database()))
        and setrole in (0, (select oid from pg_roles where rolname = current_user))
        and setting ~* '^default_transaction_read_only=(on|true|yes|1)$'
    ) as read_only
  from log_head`;

/** With so little memory the rows go to a temporary file, which needs disk space and is removed immediately. */
const SPILL = `begin; set local work_mem = '64kB'; select count(*) from generate_series(1, 20000); rollback`;

/** Larger than the free space of a page, so that it needs disk space. Appends wait for it as for any other writer. */
const APPEND = `
  begin;
  set local lock_timeout = '1500ms';
  with head as (select * from log_head for update)
  insert into events (position, stream, revision, id, type, version, data, metadata, time, hash)
    select position + 1, 'readiness', 0, gen_random_uuid(), 'Readiness', 1,
      to_json((select string_agg(md5(random()::text), '') from generate_series(1, 2000))), '{}', clock_timestamp(), hash
    from head;
  rollback`;

/**
 * Queries the state of the log over one connection of its own, so that it never waits behind other queries. A connection
 * that does not answer is abandoned, and the next query opens another.
 */
export const createLogProbe = (databaseUrl: string): LogProbe => {
  let client: Promise<pg.Client> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let looking: Promise<LogState> | undefined;

  const connect = async (): Promise<pg.Client> => {
    const timeouts = { connectionTimeoutMillis: WITHIN_MS, query_timeout: WITHIN_MS };
    const opened = createClient(databaseUrl, 'kissapi-health', timeouts);
    opened.on('error', () => undefined);
    try {
      await connectClient(opened);
      return opened;
    } catch (error) {
      giveUp(opened);
      throw error;
    }
  };

  const ask = async <Row extends pg.QueryResultRow>(sql: string): Promise<readonly Row[]> => {
    const asking = (client ??= connect());
    try {
      return (await (await asking).query<Row>(sql)).rows;
    } catch (error) {
      // The connection may be in a transaction, or may answer later.
      if (client === asking) client = undefined;
      asking.then(giveUp, () => undefined);
      throw error;
    }
  };

  /** One query at a time: a second one would time out because of the first. */
  const inTurn = <T>(query: () => Promise<T>): Promise<T> => {
    const turn = last.then(query);
    last = turn.catch(() => undefined);
    return turn;
  };

  const look = async (): Promise<LogState> => {
    const sentAt = Date.now();
    const [row] = await ask<{ position: string; ms: number; read_only: boolean }>(STATE);
    if (!row) throw new Error('the log has no head');
    return {
      ...{ head: Number(row.position), readOnly: row.read_only, databaseMs: row.ms },
      ...{ sentAt, heardAt: Date.now() },
    };
  };

  return {
    look: () => (looking ??= inTurn(look).finally(() => (looking = undefined))),
    lookForRoom: () =>
      inTurn(async () => {
        await ask(SPILL).catch((cause: unknown) => {
          const { code } = cause as { readonly code?: unknown };
          throw code === DISK_FULL ? new NoRoom('the disk of the database is full', { cause }) : cause;
        });
      }),
    tryAppend: () => inTurn(async () => void (await ask(APPEND))),
    close: async () => {
      const closing = client;
      client = undefined;
      await closing?.then(giveUp, () => undefined);
    },
  };
};

/** If a query is under way, this closes the socket without waiting for the answer. */
const giveUp = (client: pg.Client): void => void client.end().catch(() => undefined);
