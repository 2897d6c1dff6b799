import { query, takeAway } from './sql.ts';

/** A copy of a database as it was, to be put in its place while gateways run on it, as a restore is. */
export type DatabaseCopy = {
  /** Puts the copy in place of the database, which is lost. */
  putBack(): Promise<void>;
};

const onServer = (databaseUrl: string, ...statements: readonly string[]): Promise<unknown> => {
  const server = new URL(databaseUrl);
  server.pathname = '/postgres';
  return statements.reduce<Promise<unknown>>(
    (before, statement) => before.then(() => query(server.href, statement)),
    Promise.resolve(),
  );
};

/** Nobody may be connected while a database is copied, so that everybody is cut off for a moment. */
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
