import { Socket } from 'node:net';

import pg from 'pg';

import { ROLE } from './cluster.ts';

export type Session = {
  readonly query: (sql: string) => Promise<readonly Record<string, unknown>[]>;
  /** Lets the process end although the session is open. */
  readonly unref: () => void;
  readonly end: () => Promise<void>;
};

/** To the database `postgres`, which outlives any other that a test or an operator may drop. */
export const openSession = async (port: number, password: string, applicationName: string): Promise<Session> => {
  const socket = new Socket();
  const client = new pg.Client({
    ...{ host: '127.0.0.1', port, ssl: false, user: ROLE, password, database: 'postgres' },
    application_name: applicationName,
    connectionTimeoutMillis: 5_000,
    stream: () => socket,
  });
  // A server that stops ends the session too; whoever waits for the server hears of that from its process.
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
