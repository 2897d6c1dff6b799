import { Socket } from 'node:net';

import pg from 'pg';

export type Session = {
  readonly query: (sql: string) => Promise<readonly Record<string, unknown>[]>;
  /** Lets the process exit while the session is open. */
  readonly unref: () => void;
  readonly end: () => Promise<void>;
};

type SessionOptions = {
  readonly port: number;
  readonly role: string;
  readonly password: string;
  readonly applicationName: string;
};

/** Connects to the database `postgres`, which exists in every cluster. */
export const openSession = async ({ port, role, password, applicationName }: SessionOptions): Promise<Session> => {
  const socket = new Socket();
  const client = new pg.Client({
    ...{ host: '127.0.0.1', port, ssl: false, user: role, password, database: 'postgres' },
    application_name: applicationName,
    connectionTimeoutMillis: 5_000,
    stream: () => socket,
  });
  // A server that stops ends the session too. Its exit is observed on the process.
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return {
    query: async (sql) => (await client.query<Record<string, unknown>>(sql)).rows,
    unref: () => socket.unref(),
    end: () => client.end(),
  };
};
