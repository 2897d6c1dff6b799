import pgPromise, { type IDatabase } from 'pg-promise';
import { poolConfig, surviveLoss } from '../eventstore/postgres/database/connections.ts';

/** The connections to the rows of the projections; `$pool.end()` closes them. Reads `bigint` as bigint. */
export type Database = IDatabase<object>;

const pgp = pgPromise();

const INT8 = 20;
// The types of pg do not match how pg-promise calls the parser; this narrows them to what is needed.
const builtin = pgp.pg.types.getTypeParser as (oid: number, format?: string) => (text: string) => unknown;
const types = {
  getTypeParser: (oid: number, format?: string) => (oid === INT8 ? BigInt : builtin(oid, format)),
} as typeof pgp.pg.types;

export const createDatabase = (connectionString: string): Database => {
  const database = pgp({ ...poolConfig(connectionString, { application_name: 'kissapi-projections', max: 6 }), types });
  surviveLoss(database.$pool as unknown as Parameters<typeof surviveLoss>[0]);
  return database;
};
