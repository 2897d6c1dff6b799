import type pg from 'pg';
import { connectClient, createClient } from './database/connections.ts';

const RECONNECT_MS = 250;

export type LogListener = {
  /** Calls `wake` at each append by any process, and after a reconnect, when appends may have been missed. */
  subscribe(wake: () => void): () => void;
  close(): Promise<void>;
};

/**
 * One connection that LISTENs for appends, opened with the first subscriber and kept open. Calls `interrupted` when it breaks:
 * the server may have stopped.
 */
export const createLogListener = (databaseUrl: string, interrupted: () => void = () => undefined): LogListener => {
  const wakes = new Set<() => void>();
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;

  const wakeAll = (): void => {
    for (const wake of wakes) wake();
  };

  const connect = async (): Promise<void> => {
    const connecting = createClient(databaseUrl, 'kissapi-listens');
    client = connecting;
    const lost = (): void => {
      if (client !== connecting || closed) return;
      interrupted();
      client = undefined;
      connecting.end().catch(() => undefined);
      retry = setTimeout(open, RECONNECT_MS);
    };
    connecting.on('error', lost);
    connecting.on('end', lost);
    connecting.on('notification', wakeAll);
    try {
      await connectClient(connecting);
      await connecting.query('listen kissapi_log');
      wakeAll(); // Events may have been appended before LISTEN.
    } catch {
      lost();
    }
  };

  const open = (): void => void connect();

  return {
    subscribe: (wake) => {
      wakes.add(wake);
      if (!client && !closed && !retry) open();
      return () => wakes.delete(wake);
    },
    close: async () => {
      closed = true;
      clearTimeout(retry);
      await client?.end().catch(() => undefined);
    },
  };
};
