import type { ITask } from 'pg-promise';
import type { Projection, Row } from './projection.ts';

type Table = Pick<Projection, 'columns' | 'keyLength'>;

export const keyColumnsOf = ({ columns, keyLength }: Table): readonly string[] =>
  Object.keys(columns).slice(0, keyLength);

/** The condition that a row has one of the keys which `keyValues` gives. */
export const keyIn = (table: Table): string => {
  const keyColumns = keyColumnsOf(table);
  const arrays = keyColumns.map((_, n) => `$${n + 1}::text[]`);
  return `(${keyColumns.join(', ')}) in (select * from unnest(${arrays.join(', ')}))`;
};
export const keyValues = (table: Table, keys: readonly (readonly string[])[]): string[] =>
  keyColumnsOf(table).map((_, n) => arrayOf(keys.map((key) => key[n] ?? null)));

/**
 * Writes rows, new or changed. They travel as one array per column, which of all that was measured the server reads in
 * the least time.
 */
export const upsert = async (
  tx: ITask<object>,
  { name, columns, keyLength }: Projection,
  schema: string,
  rows: readonly Row[],
): Promise<void> => {
  const names = Object.keys(columns);
  const arrays = Object.values(columns).map((type, n) => `$${n + 1}::${type}[]`);
  const set = names.slice(keyLength).map((column) => `${column} = excluded.${column}`);
  await tx.none({
    text: `insert into ${schema}.${name} (${names.join(', ')}) select * from unnest(${arrays.join(', ')})
           on conflict (${names.slice(0, keyLength).join(', ')}) do update set ${set.join(', ')}`,
    values: names.map((column) => arrayOf(rows.map((row) => row[column] ?? null))),
  });
};

/** As PostgreSQL reads an array from text. */
const arrayOf = (values: readonly Row[string][]): string => {
  let text = '{';
  for (const value of values) {
    if (text.length > 1) text += ',';
    text += typeof value === 'string' ? element(value) : value instanceof Date ? value.toISOString() : String(value);
  }
  return `${text}}`;
};

const SPECIAL = /["\\]/g;
const element = (text: string): string => `"${storable(text).replace(SPECIAL, '\\$&')}"`;

/** The log keeps any text that a provider sends; PostgreSQL's `text` does not, and the rows of all would stop at one. */
const storable = (text: string): string =>
  text.isWellFormed() && !text.includes('\0') ? text : text.toWellFormed().replaceAll('\0', '\ufffd');
