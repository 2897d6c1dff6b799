import { query, serverUrl, takeAway } from '../sql.ts';

/** A copy of a database, to be put in its place while gateways run on it, as in a restore. */
export type DatabaseCopy = {
  /** Puts the copy in place of the database, which is lost. */
  putBack(): Promise<void>;
};

const onServer = async (databaseUrl: string, ...statements: readonly string[]): Promise<void> => {
  for (const statement of statements) await query(serverUrl(databaseUrl), statement);
};

/** PostgreSQL copies a database only without sessions on it, so all of them are ended for a moment. */
export const copyDatabase = async (databaseUrl: string): Promise<DatabaseCopy> => {
  const name = new URL(databaseUrl).pathname.slice(1);
  const copy = `${name}_copy`;
  const giveBack = await takeAway(databaseUrl);
  await onServer(databaseUrl, `drop database if exists ${copy}`, `create database ${copy} template ${name}`);
  await giveBack();
  return {
    putBack: async () => {
      await takeAway(databaseUrl);
      await onServer(databaseUrl, `drop database ${name} with (force)`, `alter database ${copy} rename to ${name}`);
    },
  };
};
