import type { ITask } from 'pg-promise';
import type { Recorded } from '../eventstore/codec.ts';
import type { Database } from './database.ts';
import type { Projection, Row } from './projection.ts';

type Sql = Database | ITask<object>;

const NO_KEY = '\u0000';
const rowId = (key: readonly string[]): string => key.join(NO_KEY);

/** Creates the table of a projection in a schema, empty, with its checkpoint at 0; nothing where it exists. */
export const createTable = async (
  sql: Sql,
  { name, version, ...projection }: Projection,
  schema: string,
): Promise<void> => {
  const columns = Object.entries(projection.columns);
  const keyColumns = columns.slice(0, projection.keyLength).map(([column]) => column);
  const definitions = columns.map(([column, type], n) =>
    n < projection.keyLength ? `${column} text collate "C" not null` : `${column} ${type}`,
  );
  const indexes = projection.indexes.map(
    ({ column, where }) =>
      `create index if not exists ${name}_${column} on ${schema}.${name} (${column}) ${where ? `where ${where}` : ''};`,
  );
  await sql.none(
    `create table if not exists ${schema}.${name} (${definitions.join(', ')}, primary key (${keyColumns.join(', ')}));
     ${indexes.join('\n')}`,
  );
  await sql.none(
    `insert into ${schema}.checkpoints (name, version, position) values ($1, $2, 0) on conflict do nothing`,
    [name, version],
  );
};

/**
 * Folds events into the rows that they touch and moves the checkpoint, in one transaction. Events that the checkpoint has
 * passed already, here or on another node, are left out. Returns where the checkpoint is now.
 */
export const applyEvents = (
  database: Database,
  projection: Projection,
  schema: string,
  events: readonly Recorded[],
): Promise<number> => database.tx((tx) => applyEventsIn(tx, projection, schema, events));

export const applyEventsIn = async (
  tx: ITask<object>,
  projection: Projection,
  schema: string,
  events: readonly Recorded[],
): Promise<number> => {
  const checkpoint = await lockCheckpoint(tx, projection, schema);
  if (checkpoint.version !== projection.version) {
    throw new Error(
      `projection ${projection.name} is at version ${checkpoint.version} in the database, and this software makes ` +
        `version ${projection.version}: run the rebuild of ${projection.name}`,
    );
  }
  const fresh = events.filter(({ position }) => position > checkpoint.position);
  const [first] = fresh;
  const last = fresh.at(-1);
  if (!first || !last) return checkpoint.position;
  if (first.position !== checkpoint.position + 1) {
    throw new Error(`projection ${projection.name} was given ${first.position} after ${checkpoint.position}`);
  }
  await foldInto(tx, projection, schema, fresh);
  await tx.none(`update ${schema}.checkpoints set position = $2 where name = $1`, [projection.name, last.position]);
  return last.position;
};

export type Checkpoint = { readonly position: number; readonly version: number };

/** Whoever holds the checkpoint decides alone what the rows are, until the transaction ends. */
export const lockCheckpoint = async (sql: Sql, { name }: Projection, schema: string): Promise<Checkpoint> => {
  const { position, version } = await sql.one<{ position: bigint; version: number }>(
    `select position, version from ${schema}.checkpoints where name = $1 for update`,
    [name],
  );
  return { position: Number(position), version };
};

const foldInto = async (
  tx: ITask<object>,
  projection: Projection,
  schema: string,
  events: readonly Recorded[],
): Promise<void> => {
  const touched = events.flatMap((recorded) => projection.keysOf(recorded).map((key) => ({ key, recorded })));
  if (touched.length === 0) return;
  const rows = await existingRows(tx, projection, schema, new Map(touched.map(({ key }) => [rowId(key), key])));
  for (const { key, recorded } of touched) {
    rows.set(rowId(key), projection.evolve(rows.get(rowId(key)), recorded, key));
  }
  await upsert(tx, projection, schema, [...rows.values()]);
};

const existingRows = async (
  tx: ITask<object>,
  { name, columns, keyLength }: Projection,
  schema: string,
  keys: ReadonlyMap<string, readonly string[]>,
): Promise<Map<string, Row>> => {
  const keyColumns = Object.keys(columns).slice(0, keyLength);
  const values = keyColumns.map((_, n) => [...keys.values()].map((key) => key[n]));
  const arrays = keyColumns.map((_, n) => `$${n + 1}::text[]`);
  const rows = await tx.any<Row>(
    `select ${Object.keys(columns).join(', ')} from ${schema}.${name}
     where (${keyColumns.join(', ')}) in (select * from unnest(${arrays.join(', ')}))`,
    values,
  );
  return new Map(rows.map((row) => [rowId(keyColumns.map((column) => String(row[column]))), row]));
};

const upsert = async (
  tx: ITask<object>,
  { name, columns, keyLength }: Projection,
  schema: string,
  rows: readonly Row[],
): Promise<void> => {
  const names = Object.keys(columns);
  const set = names.slice(keyLength).map((column) => `${column} = excluded.${column}`);
  // One text of JSON for all rows: the server reads it many times faster than a list of thousands of values.
  await tx.none(
    `insert into ${schema}.${name} (${names.join(', ')})
     select ${names.join(', ')} from json_populate_recordset(null::${schema}.${name}, $1)
     on conflict (${names.slice(0, keyLength).join(', ')}) do update set ${set.join(', ')}`,
    [JSON.stringify(rows.map(plain))],
  );
};

const plain = (row: Row): object => {
  const values: Record<string, unknown> = {};
  for (const column in row) {
    const value = row[column];
    values[column] = typeof value === 'bigint' ? value.toString() : typeof value === 'string' ? storable(value) : value;
  }
  return values;
};

/** The log keeps any text that a provider sends; PostgreSQL's `text` does not, and the rows of all would stop at one. */
const storable = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd');

/** A hash over every byte of the rows, in order of key: equal only where two tables hold the same. */
export const digest = async (
  sql: Sql,
  { name, columns, keyLength }: Projection,
  schema: string,
): Promise<{ rows: number; md5: string }> => {
  const key = Object.keys(columns).slice(0, keyLength).join(', ');
  const { rows, md5 } = await sql.one<{ rows: bigint; md5: string }>(
    `select count(*) as rows, md5(coalesce(string_agg(md5(t::text), '' order by ${key}), '')) as md5 from ${schema}.${name} t`,
  );
  return { rows: Number(rows), md5 };
};
