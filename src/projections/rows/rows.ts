import type { ITask } from 'pg-promise';
import type { Fact } from '../../eventstore/journal/codec.ts';
import type { Database } from '../database.ts';
import type { Projection, Row } from '../projection.ts';
import { keyColumnsOf, keyIn, keyValues, upsert } from './row-sql.ts';

export type Sql = Database | ITask<object>;

const NO_KEY = '\u0000';
export const rowId = (key: readonly string[]): string => key.join(NO_KEY);

/** Creates the empty table of a projection in a schema, with its checkpoint at 0, unless it exists. */
export const createTable = async (sql: Sql, projection: Projection, schema: string): Promise<void> => {
  await createBareTable(sql, projection, schema);
  await createIndexes(sql, projection, schema);
};

/** Like `createTable`, without indexes: filling the table first and creating them afterwards is cheaper. */
export const createBareTable = async (
  sql: Sql,
  { name, version, columns, keyLength }: Projection,
  schema: string,
): Promise<void> => {
  const definitions = Object.entries(columns).map(([column, type], n) =>
    n < keyLength ? `${column} text collate "C" not null` : `${column} ${type}`,
  );
  const key = keyColumnsOf({ columns, keyLength });
  await sql.none(
    `create table if not exists ${schema}.${name} (${definitions.join(', ')}, primary key (${key.join(', ')}))`,
  );
  await sql.none(
    `insert into ${schema}.checkpoints (name, version, position) values ($1, $2, 0) on conflict do nothing`,
    [name, version],
  );
};

export const createIndexes = async (sql: Sql, { name, indexes }: Projection, schema: string): Promise<void> => {
  for (const { columns, where } of indexes) {
    const condition = where ? `where ${where}` : '';
    await sql.none(
      `create index if not exists ${name}_${columns.join('_')} on ${schema}.${name} (${columns.join(', ')}) ${condition}`,
    );
  }
};

/** The range of the log that a batch covers: after one position, up to and including another. Positions in it may lack events. */
export type Range = { readonly after: number; readonly upTo: number };

/**
 * A process that is stopped while it holds the checkpoint blocks the rows for every node, and with them the release of
 * orphaned holds. Its transaction is rolled back after this time, which is less than the time after which a run counts
 * as dead.
 */
const IDLE_TIMEOUT_MS = 2000;

/**
 * Folds events into their rows and moves the checkpoint to the end of their range, in one transaction. Skips events up
 * to the checkpoint, which other nodes may have moved. Resolves to the new checkpoint. The default range is that of the
 * events.
 */
export const applyEvents = (
  database: Database,
  projection: Projection,
  schema: string,
  events: readonly Fact[],
  range?: Range,
): Promise<number> =>
  database.tx(async (tx) => {
    // A server crash may undo rows and checkpoint together, so only appends to the log wait for the disk.
    await tx.none(
      `set local synchronous_commit = off; set local idle_in_transaction_session_timeout = ${IDLE_TIMEOUT_MS}`,
    );
    return applyEventsIn(tx, projection, schema, events, range);
  });

/**
 * Moves the checkpoint behind a batch that has no event for the projection, in one statement instead of a transaction of
 * several. Undefined if the checkpoint is of another version or before the batch.
 */
export const passOver = async (
  database: Database,
  { name, version }: Projection,
  schema: string,
  { after, upTo }: Range,
): Promise<number | undefined> => {
  const moved = await database.oneOrNone<{ position: bigint }>(
    `with soon as (select set_config('synchronous_commit', 'off', true))
     update ${schema}.checkpoints set position = greatest(position, $4) from soon
     where name = $1 and version = $2 and position >= $3 returning position`,
    [name, version, after, upTo],
  );
  return moved ? Number(moved.position) : undefined;
};

export const applyEventsIn = async (
  tx: ITask<object>,
  projection: Projection,
  schema: string,
  events: readonly Fact[],
  range: Range = rangeOf(events),
): Promise<number> => {
  const checkpoint = await lockCheckpoint(tx, projection, schema);
  if (checkpoint.version !== projection.version) throw new OtherVersion(projection, checkpoint);
  if (range.upTo <= checkpoint.position) return checkpoint.position;
  if (range.after > checkpoint.position) throw new EventsLeftOut(projection, checkpoint, range);
  await foldInto(
    tx,
    projection,
    schema,
    events.filter(({ position }) => position > checkpoint.position),
  );
  await tx.none(`update ${schema}.checkpoints set position = $2 where name = $1`, [projection.name, range.upTo]);
  return range.upTo;
};

const rangeOf = (events: readonly Fact[]): Range => ({
  after: (events[0]?.position ?? 1) - 1,
  upTo: events.at(-1)?.position ?? 0,
});

export type Checkpoint = { readonly position: number; readonly version: number };

/** Fault: the table has another version than this software maintains. */
export class OtherVersion extends Error {
  override readonly name = 'OtherVersion';
  readonly checkpoint: Checkpoint;

  constructor({ name, version }: Projection, checkpoint: Checkpoint) {
    super(
      `projection ${name} is at version ${checkpoint.version} in the database, and this software makes version ` +
        `${version}: run the rebuild of ${name}`,
    );
    this.checkpoint = checkpoint;
  }
}

/** Fault: the batch starts after the checkpoint, so events would be skipped. */
export class EventsLeftOut extends Error {
  override readonly name = 'EventsLeftOut';
  readonly checkpoint: Checkpoint;

  constructor({ name }: Projection, checkpoint: Checkpoint, { after }: Range) {
    super(`projection ${name} was given ${after + 1} after ${checkpoint.position}`);
    this.checkpoint = checkpoint;
  }
}

export const readCheckpoint = async (
  sql: Sql,
  { name }: Pick<Projection, 'name'>,
  schema: string,
  lock = '',
): Promise<Checkpoint | undefined> => {
  const row = await sql.oneOrNone<{ position: bigint; version: number }>(
    `select position, version from ${schema}.checkpoints where name = $1 ${lock}`,
    [name],
  );
  return row ? { position: Number(row.position), version: row.version } : undefined;
};

/** Locks the checkpoint: no other transaction writes the rows until this one ends. */
export const lockCheckpoint = async (sql: Sql, projection: Projection, schema: string): Promise<Checkpoint> => {
  const checkpoint = await readCheckpoint(sql, projection, schema, 'for update');
  if (!checkpoint) throw new Error(`projection ${projection.name} has no checkpoint in ${schema}`);
  return checkpoint;
};

const foldInto = async (
  tx: ITask<object>,
  projection: Projection,
  schema: string,
  events: readonly Fact[],
): Promise<void> => {
  const touched: { readonly id: string; readonly key: readonly string[]; readonly recorded: Fact }[] = [];
  const unread = new Map<string, readonly string[]>();
  const made = new Set<string>();
  for (const recorded of events) {
    for (const key of projection.keysOf(recorded)) {
      const id = rowId(key);
      touched.push({ id, key, recorded });
      if (made.has(id)) continue;
      if (projection.makes?.has(recorded.event.type)) made.add(id);
      else unread.set(id, key);
    }
  }
  if (touched.length === 0) return;
  const rows = await existingRows(tx, projection, schema, [...unread.values()]);
  for (const { id, key, recorded } of touched) rows.set(id, projection.evolve(rows.get(id), recorded, key));
  await upsert(tx, projection, schema, [...rows.values()]);
};

const existingRows = async (
  tx: ITask<object>,
  projection: Projection,
  schema: string,
  keys: readonly (readonly string[])[],
): Promise<Map<string, Row>> => {
  if (keys.length === 0) return new Map();
  const { name, columns } = projection;
  const rows = await tx.any<Row>({
    text: `select ${Object.keys(columns).join(', ')} from ${schema}.${name} where ${keyIn(projection)}`,
    values: keyValues(projection, keys),
  });
  const keyColumns = keyColumnsOf(projection);
  return new Map(rows.map((row) => [rowId(keyColumns.map((column) => String(row[column]))), row]));
};

/** A hash over all rows, in order of key: equal only if two tables have the same content. */
export const digest = async (
  sql: Sql,
  projection: Projection,
  schema: string,
): Promise<{ rows: number; md5: string }> => {
  const { rows, md5 } = await sql.one<{ rows: bigint; md5: string }>(
    `select count(*) as rows, md5(coalesce(string_agg(md5(t::text), '' order by ${keyColumnsOf(projection).join(', ')}), '')) as md5
     from ${schema}.${projection.name} t`,
  );
  return { rows: Number(rows), md5 };
};
