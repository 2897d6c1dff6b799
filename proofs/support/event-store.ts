import { startEventStore, type EventStoreServers } from './event-store-servers.ts';

/** Which store commits the log of a proof. */
export const STORES = ['postgres', 'eventstoredb'] as const;
export type StoreName = (typeof STORES)[number];

/** EventStoreDB for a proof. Must be stopped. */
export type ProofEventStore = {
  readonly url: string;
  /** Undefined if the proof did not start it, and must not kill it. */
  readonly servers: EventStoreServers | undefined;
  stop(): Promise<void>;
};

export type ProofEventStoreOptions = {
  /** An empty folder. */
  readonly directory: string;
  readonly nodes?: 1 | 3;
  /** Whether the proof kills the server. */
  readonly kills: boolean;
};

/** Fault: the environment names no server that the proof could use. */
export class NeedsEventStore extends Error {
  override readonly name = 'NeedsEventStore';
}

const STARTED = 'EVENT_STORE_SERVER, the command that starts one, such as EventStore.ClusterNode';

/** What the environment lacks for a proof on EventStoreDB, in one line; undefined if it lacks nothing. */
export const lacksEventStore = (kills: boolean, env: NodeJS.ProcessEnv = process.env): string | undefined => {
  if (env['EVENT_STORE_SERVER']) return undefined;
  if (kills) return `a server of EventStoreDB that may be killed is needed: set ${STARTED}`;
  if (env['EVENT_STORE_URL']) return undefined;
  return `a server of EventStoreDB is needed: set EVENT_STORE_URL, its address, or ${STARTED}`;
};

/** Starts servers with the command in EVENT_STORE_SERVER. Without it, and without kills, the running server at EVENT_STORE_URL. */
export const openEventStore = async (options: ProofEventStoreOptions): Promise<ProofEventStore> => {
  const lacks = lacksEventStore(options.kills);
  if (lacks !== undefined) throw new NeedsEventStore(lacks);
  const command = process.env['EVENT_STORE_SERVER'];
  if (!command) return { url: process.env['EVENT_STORE_URL'] ?? '', servers: undefined, stop: () => Promise.resolve() };
  const servers = await startEventStore({ ...options, command });
  return { url: servers.url, servers, stop: servers.stop };
};
