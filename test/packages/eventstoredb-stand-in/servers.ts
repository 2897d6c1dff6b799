import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventStoreDBClient, binaryEvent, isCommandError } from '@eventstore/db-client';
import type { AppendResult, AllStreamSubscription, StreamSubscription } from '@eventstore/db-client';
import type { BinaryEventType, EventData, ResolvedEvent } from '@eventstore/db-client';
import { startEventStoreDbStandIn } from '@kissapi/eventstoredb-stand-in';

type Server = { readonly url: string; close(): Promise<void> };

const standIn = { name: 'stand-in', start: (): Promise<Server> => startEventStoreDbStandIn() };
const real = (url: string) => ({
  name: 'server at EVENT_STORE_URL',
  start: (): Promise<Server> => Promise.resolve({ url, close: () => Promise.resolve() }),
});

// The configuration of the tests moves EVENT_STORE_URL here, unless that server has the logs of other tests. Such a server
// is left alone: a burst of appends drops the subscriptions of all its clients.
const { TEST_EVENT_STORE_URL } = process.env;

/** The stand-in, and the real server that the environment names. Both must keep each promise of these tests. */
export const servers = TEST_EVENT_STORE_URL ? [standIn, real(TEST_EVENT_STORE_URL)] : [standIn];

/** A client of a server that is ready, with what ends both. */
export const connectTo = async (server: Server) => {
  const client = EventStoreDBClient.connectionString(server.url);
  const close = async (): Promise<void> => {
    await Promise.race([client.dispose(), sleep(1_000)]);
    await server.close();
  };
  return { client, close };
};

export type Client = EventStoreDBClient;

/** Makes the client use one call for each append, instead of one for all. */
export const ONE_CALL_EACH = { credentials: { username: 'a', password: 'b' } };

export const newStream = (): string => `contract-${randomUUID()}`;

export const event = (id: string = randomUUID(), type = 'Tested', data = 'x'): EventData<BinaryEventType> =>
  binaryEvent({ id, type, data: Buffer.from(data) });

export const events = (count: number): EventData[] => Array.from({ length: count }, () => event());

/** The result of an append, or what its error has that tests look at. */
export const outcomeOf = async (append: Promise<AppendResult>): Promise<Record<string, unknown>> => {
  try {
    const { nextExpectedRevision } = await append;
    return { revision: nextExpectedRevision };
  } catch (error) {
    return errorFields(error);
  }
};

export const errorFields = (error: unknown): Record<string, unknown> => {
  if (!(error instanceof Error) || !isCommandError(error)) throw error;
  const { type, message, ...rest } = error as typeof error & Record<string, unknown>;
  const { actualVersion, maxAppendSize } = rest;
  return {
    type,
    ...(message && { message }),
    ...(actualVersion !== undefined && { actual: actualVersion }),
    ...(maxAppendSize !== undefined && { maxAppendSize }),
  };
};

/** The type of the error that a promise is rejected with. */
export const errorOf = async (promise: Promise<unknown>): Promise<Record<string, unknown>> => {
  try {
    await promise;
  } catch (error) {
    return errorFields(error);
  }
  throw new Error('nothing was rejected');
};

export const collect = async (reading: AsyncIterable<ResolvedEvent>): Promise<ResolvedEvent[]> => {
  const found: ResolvedEvent[] = [];
  for await (const one of reading) found.push(one);
  return found;
};

export const revisionsOf = async (reading: AsyncIterable<ResolvedEvent>): Promise<number[]> =>
  (await collect(reading)).map((one) => Number(one.event?.revision));

/** Resolves once a condition holds; fails after 10 s. */
export const until = async (condition: () => boolean, what: string): Promise<void> => {
  for (let waited = 0; waited < 10_000; waited += 10) {
    if (condition()) return;
    await sleep(10);
  }
  throw new Error(`not within 10 s: ${what}`);
};

/** What a subscription reports, in order: revisions of one stream, the names of its messages, and errors. */
export const record = (subscription: AllStreamSubscription | StreamSubscription, stream: string) => {
  const seen: string[] = [];
  // Both kinds of subscription are streams; their overloads differ in the type of the events.
  const emitter = subscription as StreamSubscription;
  emitter.on('data', (one: ResolvedEvent) => {
    if (one.event?.streamId === stream) seen.push(String(one.event.revision));
  });
  emitter.on('confirmation', () => seen.push('confirmed'));
  emitter.on('caughtUp', () => seen.push('caught up'));
  emitter.on('end', () => seen.push('end'));
  emitter.on('error', (error: Error) => seen.push(error.constructor.name));
  return { seen, has: (...all: string[]) => until(() => all.every((one) => seen.includes(one)), all.join()) };
};
