import type { Readable } from 'node:stream';
import { END, EventStoreDBClient } from '@eventstore/db-client';
import { StoreUnavailable } from '../../event-store.ts';
import { asStoreFault, within } from './client-faults.ts';

/** A connection to EventStoreDB, for as long as nothing suggests that the server stopped or was replaced meanwhile. */
export type Session = {
  readonly client: EventStoreDBClient;
  /** Aborts at the end of the session. Its calls may then still be under way, with an unknown outcome. */
  readonly ended: AbortSignal;
};

export type Sessions = {
  /** The current session, or a new one. Rejects with StoreUnavailable. */
  open(): Promise<Session>;
  /** A call got no answer, or one that another connection may not get. */
  end(session: Session): void;
  /** The last user of the server closes the connection. */
  release(): Promise<void>;
};

/** A subscription to a stream without events ends with the connection, and costs nothing meanwhile. */
const CANARY = 'kissapi-canary';
const CONNECT_WITHIN_MS = 4000;
const DISPOSE_WITHIN_MS = 1000;

type Known = { users: number; readonly sessions: Omit<Sessions, 'release'> & { close(): Promise<void> } };
const known = new Map<string, Known>();

/**
 * The sessions with a server. All stores of a process share them: the client keeps the appends that wait for an answer in
 * one place for the whole process, so several clients would disturb each other.
 */
export const acquireSessions = (url: string): Sessions => {
  const entry = known.get(url) ?? { users: 0, sessions: createSessions(url) };
  known.set(url, entry);
  entry.users++;
  let released = false;
  return {
    open: entry.sessions.open,
    end: entry.sessions.end,
    release: async () => {
      if (released) return;
      released = true;
      entry.users--;
      if (entry.users > 0) return;
      known.delete(url);
      await entry.sessions.close();
    },
  };
};

type Connected = Session & { readonly ending: AbortController };

const createSessions = (url: string): Known['sessions'] => {
  let current: Connected | undefined;
  let connecting: Promise<Connected> | undefined;
  /** The next client appends only once nothing of the one before is under way. */
  let disposed: Promise<void> = Promise.resolve();

  const end = (session: Session): void => {
    if (current !== session) return;
    const { client, ending } = current;
    current = undefined;
    disposed = dispose(client);
    ending.abort();
  };

  const connect = async (): Promise<Connected> => {
    await disposed;
    const client = connectClient(url);
    const ending = new AbortController();
    const session: Connected = { client, ended: ending.signal, ending };
    try {
      await within(
        CONNECT_WITHIN_MS,
        'a connection',
        watch(client, () => end(session)),
      );
    } catch (cause) {
      disposed = dispose(client);
      throw asStoreFault(cause);
    }
    current = session;
    return session;
  };

  return {
    open: async () => current ?? (connecting ??= connect().finally(() => (connecting = undefined))),
    end,
    close: async () => {
      await connecting?.catch(() => undefined);
      if (current) end(current);
      await disposed;
    },
  };
};

const connectClient = (url: string): EventStoreDBClient => {
  try {
    return guardAnswers(EventStoreDBClient.connectionString(url));
  } catch (cause) {
    throw new StoreUnavailable('EVENT_STORE_URL is no connection string of EventStoreDB', { cause });
  }
};

type WithStreams = {
  GRPCStreamCreator(stub: unknown, name: string, create: (grpc: unknown) => Readable, cache?: unknown): unknown;
};

/**
 * The client throws inside a handler of its connection if an append is answered that it does not wait for any more: when
 * another client of the process has failed meanwhile, or when the server answers twice. That would end the process. The
 * caller of such an append has got an error already, from the client or from the watchdog.
 */
const guardAnswers = (client: EventStoreDBClient): EventStoreDBClient => {
  const streams = client as unknown as WithStreams;
  const original = streams.GRPCStreamCreator.bind(client);
  streams.GRPCStreamCreator = (stub, name, create, cache) =>
    original(stub, name, name === 'appendToStream' ? (grpc) => guarded(create(grpc)) : create, cache);
  return client;
};

const guarded = (stream: Readable): Readable => {
  for (const listener of stream.listeners('data') as ((answer: unknown) => void)[]) {
    stream.removeListener('data', listener);
    stream.on('data', (answer: unknown) => {
      try {
        listener.call(stream, answer);
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
    });
  }
  return stream;
};

/** Resolves once the server has confirmed the subscription. Calls `lost` when it ends afterwards, for whatever reason. */
const watch = (client: EventStoreDBClient, lost: () => void): Promise<void> =>
  new Promise((resolve, reject) => {
    const canary = client.subscribeToStream(CANARY, { fromRevision: END, requiresLeader: true });
    const over = (error?: unknown): void => {
      reject(error instanceof Error ? error : new Error('EventStoreDB ended the subscription'));
      lost();
    };
    canary.on('confirmation', resolve);
    canary.on('error', over);
    canary.on('end', () => over());
    canary.on('close', () => over());
    canary.resume();
  });

/** The client has no call that closes its connection. */
type WithChannel = { readonly getChannel: () => Promise<{ close(): void }> };

const dispose = async (client: EventStoreDBClient): Promise<void> => {
  const closed = async (): Promise<void> => {
    await client.dispose();
    (await (client as unknown as WithChannel).getChannel()).close();
  };
  await within(DISPOSE_WITHIN_MS, 'the end of a connection', closed()).catch(() => undefined);
};
