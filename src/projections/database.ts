import pgPromise, { type IDatabase, type IMain } from 'pg-promise';

/** The connection to the projections' database. Reads `bigint` as bigint; must be closed. */
export type Database = IDatabase<object>;

export const pgp: IMain = pgPromise();

const INT8 = 20;
const types = {
  getTypeParser: (oid: number, format?: string): unknown =>
    oid === INT8 ? BigInt : (pgp.pg.types.getTypeParser as (oid: number, format?: string) => unknown)(oid, format),
};

export const createDatabase = (url: string): Database =>
  pgp({
    connectionString: url,
    application_name: 'kissapi-projections',
    max: 6,
    types: types as unknown as NonNullable<Parameters<typeof pgp>[0] extends infer P ? P : never>,
  } as Parameters<typeof pgp>[0]);
