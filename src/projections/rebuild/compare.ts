import type { ITask } from 'pg-promise';
import { LIVE, type Projection } from '../projection.ts';
import { keyColumnsOf, keyIn, keyValues } from '../rows/row-sql.ts';
import type { Sql } from '../rows/rows.ts';

/** The rows in which two tables of a projection differ, kept in the schema of the new one. */
export type Comparison = {
  /** The compared columns, without the key. */
  readonly columns: readonly string[];
  /** Compares the rows with these keys, or all rows. Both tables must be at the same position. */
  compare(tx: ITask<object>, keys?: readonly (readonly string[])[]): Promise<void>;
  differing(tx: ITask<object>): Promise<number>;
};

type Found = { readonly column: string; readonly type: string; readonly in_key: boolean };

const columnsOf = (sql: Sql, { name }: Projection, schema: string): Promise<readonly Found[]> =>
  sql.any<Found>(
    `select a.attname as column, format_type(a.atttypid, a.atttypmod) as type, coalesce(a.attnum = any(i.indkey), false) as in_key
     from pg_attribute a left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
     where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [`${schema}.${name}`],
  );

/**
 * Compares the new rows with the live ones, in the columns that both have with the same meaning. Undefined if the keys differ,
 * so that rows cannot be matched.
 */
export const createComparison = async (
  sql: Sql,
  projection: Projection,
  schema: string,
): Promise<Comparison | undefined> => {
  const key = keyColumnsOf(projection);
  const [live, built] = [await columnsOf(sql, projection, LIVE), await columnsOf(sql, projection, schema)];
  const keyOf = (found: readonly Found[]): string =>
    found.flatMap((one) => (one.in_key ? [one.column] : [])).join(', ');
  if (keyOf(live) !== keyOf(built)) return undefined;

  const changed: readonly string[] = projection.changed ?? [];
  const isAlike = ({ column, type }: Found): boolean =>
    live.some((one) => one.column === column && one.type === type) && !changed.includes(column);
  const columns = built.filter((one) => !one.in_key && isAlike(one)).map(({ column }) => column);

  const keyList = key.join(', ');
  const valuesOf = (table: string): string =>
    `row(${[...columns, 'here'].map((column) => `${table}.${column}`).join(', ')})`;
  const different = (where: string): string =>
    `insert into ${schema}.differing (${keyList})
     select ${keyList}
     from (select true as here, * from ${LIVE}.${projection.name} ${where}) live
     full join (select true as here, * from ${schema}.${projection.name} ${where}) built using (${keyList})
     where ${valuesOf('live')} is distinct from ${valuesOf('built')}`;

  await sql.none(
    `drop table if exists ${schema}.differing;
     create unlogged table ${schema}.differing (${key.map((column) => `${column} text collate "C"`).join(', ')})`,
  );
  return {
    columns,
    compare: async (tx, keys) => {
      if (!keys) return void (await tx.none(different('')));
      if (keys.length === 0) return;
      const values = keyValues(projection, keys);
      await tx.none({ text: `delete from ${schema}.differing where ${keyIn(projection)}`, values });
      await tx.none({ text: different(`where ${keyIn(projection)}`), values });
    },
    differing: async (tx) => {
      const { count } = await tx.one<{ count: bigint }>(`select count(*) as count from ${schema}.differing`);
      return Number(count);
    },
  };
};
