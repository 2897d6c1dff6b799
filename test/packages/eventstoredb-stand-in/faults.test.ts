import { setTimeout as sleep } from 'node:timers/promises';
import { BACKWARDS, END, EventStoreDBClient } from '@eventstore/db-client';
import { startEventStoreDbStandIn } from '@kissapi/eventstoredb-stand-in';
import type { AppendRefusal, EventStoreDbStandIn, EventStoreDbStandInOptions } from '@kissapi/eventstoredb-stand-in';
import { afterEach, expect, it, vi } from 'vitest';
import { collect, connectTo, errorOf, event, events, newStream, ONE_CALL_EACH, outcomeOf } from './servers.ts';
import { record, revisionsOf } from './servers.ts';
import type { Client } from './servers.ts';

const closes: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0)) await close();
});

/** A stand-in, and a client of it. */
const begin = async (
  options?: EventStoreDbStandInOptions,
): Promise<{ server: EventStoreDbStandIn; client: Client }> => {
  const server = await startEventStoreDbStandIn(options);
  const { client, close } = await connectTo(server);
  closes.push(close);
  return { server, client };
};

/** The append is refused or answered within a time, or `pending`. */
const within = (ms: number, outcome: Promise<unknown>): Promise<unknown> =>
  Promise.race([outcome, sleep(ms).then(() => 'pending')]);

/** A subscription to all streams that is live. */
const subscribed = async (client: Client, stream: string) => {
  const recorded = record(client.subscribeToAll({ fromPosition: END }), stream);
  await recorded.has('caught up');
  return recorded;
};

it('does not start in production', async () => {
  vi.stubEnv('NODE_ENV', 'production');
  await expect(startEventStoreDbStandIn()).rejects.toThrow('does not start in production');
  vi.unstubAllEnvs();
});

it('is found as the leader by a client that asks for gossip', async () => {
  const { server } = await begin();
  const { port, hostname } = new URL(server.url);
  const client = EventStoreDBClient.connectionString(
    `esdb://${hostname}:${port},${hostname}:${port}?tls=false&nodePreference=leader`,
  );
  expect(await outcomeOf(client.appendToStream(newStream(), event()))).toEqual({ revision: 0n });
  await client.dispose();
});

it('gives events the time of its clock', async () => {
  const { client } = await begin({ now: () => Date.UTC(2031, 4, 6) });
  const stream = newStream();
  await client.appendToStream(stream, event());
  const [first] = await collect(client.readStream(stream));
  expect(first?.event?.created).toEqual(new Date(Date.UTC(2031, 4, 6)));
});

it('answers nothing while it is silent, and serves what has waited when that ends', async () => {
  const { server, client } = await begin();
  const stream = newStream();
  const { has } = await subscribed(client, stream);
  server.silence();
  const append = outcomeOf(client.appendToStream(stream, event()));
  const late = EventStoreDBClient.connectionString(server.url);
  const other = outcomeOf(late.appendToStream(newStream(), event()));
  expect(await within(200, Promise.race([append, other]))).toBe('pending');
  server.resume();
  expect([await append, await other]).toEqual([{ revision: 0n }, { revision: 0n }]);
  await has('0');
  await late.dispose();
});

it('does not perform an append whose deadline passed while it was silent', async () => {
  const { server, client } = await begin();
  const stream = newStream();
  await client.appendToStream(stream, event());
  server.silence();
  const append = outcomeOf(client.appendToStream(stream, event(), { deadline: 100 }));
  await sleep(200);
  server.resume();
  expect(await append).toEqual({ type: 'deadline-exceeded' });
  expect(await revisionsOf(client.readStream(stream))).toEqual([0]);
});

it('fails calls whose connection is cut, and serves the next ones', async () => {
  const { server, client } = await begin();
  const stream = newStream();
  await client.appendToStream(stream, event());
  const { seen, has } = await subscribed(client, stream);
  server.silence();
  const append = outcomeOf(client.appendToStream(stream, event()));
  await sleep(50);
  server.cut();
  server.resume();
  expect(await append).toMatchObject({ type: 'unavailable' });
  await has('UnavailableError');
  expect(seen).toEqual(['confirmed', 'caught up', 'UnavailableError']);
  expect(await outcomeOf(client.appendToStream(stream, event()))).toHaveProperty('revision');
});

it('refuses connections while it is stopped, and keeps its log', async () => {
  const { server, client } = await begin();
  const stream = newStream();
  await client.appendToStream(stream, event());
  await server.stop();
  await sleep(50); // The client notices that it has no connection.
  await expect(client.appendToStream(stream, event())).rejects.toThrow('ECONNREFUSED');
  await server.start();
  expect(await revisionsOf(client.readStream(stream))).toEqual([0]);
});

it('resets its calls when it shuts down', async () => {
  const { server, client } = await begin();
  const { seen, has } = await subscribed(client, newStream());
  await server.stop('shut_down');
  await has('UnknownError');
  expect(seen).toEqual(['confirmed', 'caught up', 'UnknownError']);
});

it('ends calls without an error, after which appends of the client never settle', async () => {
  const { server, client } = await begin();
  const stream = newStream();
  await client.appendToStream(stream, event());
  const { seen, has } = await subscribed(client, stream);
  server.endPolitely();
  await has('end');
  expect(seen).toEqual(['confirmed', 'caught up', 'end']);
  expect(await within(200, client.appendToStream(stream, event()))).toBe('pending');
  expect(await revisionsOf(client.readStream(stream))).toEqual([0]);
});

it('drops subscriptions with the message of a slow consumer', async () => {
  const { server, client } = await begin();
  const subscription = client.subscribeToAll({ fromPosition: END });
  const failed = new Promise<Error>((resolve) => subscription.on('error', resolve));
  const { has } = record(subscription, newStream());
  await has('caught up');
  server.dropSubscriptions();
  expect((await failed).message).toBe(
    '10 ABORTED: Operation timed out: Consumer too slow to handle event while live. Client resubscription required.',
  );
});

it('forgets the events after a position, and gives their positions to the next ones', async () => {
  const { server, client } = await begin();
  const stream = newStream();
  const first = await client.appendToStream(stream, event());
  const lost = await client.appendToStream(stream, events(2));
  await client.appendToStream(newStream(), event());
  server.goBackTo(first.position?.commit ?? 0n);
  await sleep(50);
  expect(await revisionsOf(client.readStream(stream))).toEqual([0]);
  const [last] = await collect(client.readAll({ fromPosition: END, direction: BACKWARDS, maxCount: 1 }));
  expect(last?.event?.position).toEqual(first.position);
  const again = await client.appendToStream(stream, events(2), { expectedRevision: 0n });
  expect(again).toEqual(lost);
});

it.each<[AppendRefusal, object, object]>([
  ['read-only', { type: 'unknown', message: /No leader info/ }, { type: 'unknown', message: /No leader info/ }],
  ['not-leader', { type: 'not-leader' }, { type: 'not-leader' }],
  ['not-ready', { type: 'unknown', message: /Server Is Not Ready/ }, { type: 'unavailable' }],
  ['too-busy', { type: 'unknown', message: /Server Is Busy/ }, { type: 'unavailable' }],
  ['timeout', { type: 'deadline-exceeded' }, { type: 'timeout' }],
  ['access-denied', { type: 'access-denied' }, { type: 'access-denied' }],
])('refuses appends: %s', async (refusal, batched, single) => {
  const { server, client } = await begin();
  const stream = newStream();
  server.refuseAppends(refusal);
  const matching = (expected: object) =>
    Object.fromEntries(
      Object.entries(expected).map(([name, value]) => [
        name,
        value instanceof RegExp ? (expect.stringMatching(value) as unknown) : (value as unknown),
      ]),
    );
  expect(await errorOf(client.appendToStream(stream, event()))).toMatchObject(matching(batched));
  expect(await errorOf(client.appendToStream(stream, event(), ONE_CALL_EACH))).toMatchObject(matching(single));
  server.refuseAppends();
  expect(await outcomeOf(client.appendToStream(stream, event()))).toEqual({ revision: 0n });
});

it('reports a timeout and ends if its disk is full', async () => {
  const { server, client } = await begin();
  const stream = newStream();
  await client.appendToStream(stream, event());
  server.refuseAppends('full');
  expect(await outcomeOf(client.appendToStream(stream, event()))).toEqual({ type: 'deadline-exceeded' });
  await sleep(150);
  await expect(client.appendToStream(stream, event())).rejects.toThrow('ECONNREFUSED');
  server.refuseAppends();
  await server.start();
  expect(await revisionsOf(client.readStream(stream))).toEqual([0]);
});

it.each([
  ['batched', {}],
  ['one call each', ONE_CALL_EACH],
])('performs appends whose answers it loses (%s)', async (_, options) => {
  const { server, client } = await begin();
  const stream = newStream();
  server.loseAnswers(1);
  const lost = outcomeOf(client.appendToStream(stream, event(), options)).catch(() => 'failed');
  expect(await within(100, lost)).toBe('pending');
  expect(await outcomeOf(client.appendToStream(stream, event(), options))).toEqual({ revision: 1n });
  expect(await within(100, lost)).toBe('pending');
  expect(await revisionsOf(client.readStream(stream))).toEqual([0, 1]);
});

it('performs appends that it reports as timed out', async () => {
  const { server, client } = await begin();
  const stream = newStream();
  server.reportTimeouts(2);
  expect(await outcomeOf(client.appendToStream(stream, event()))).toEqual({ type: 'deadline-exceeded' });
  expect(await errorOf(client.appendToStream(stream, event(), ONE_CALL_EACH))).toMatchObject({ type: 'timeout' });
  expect(await revisionsOf(client.readStream(stream))).toEqual([0, 1]);
});

it('sends everything late if it has a delay, in order', async () => {
  const { server, client } = await begin();
  const stream = newStream();
  const { seen, has } = await subscribed(client, stream);
  server.delayMs = 150;
  const start = performance.now();
  const append = client.appendToStream(stream, event());
  server.delayMs = 100;
  await append;
  expect(performance.now() - start).toBeGreaterThan(90);
  server.delayMs = 0;
  await client.appendToStream(stream, events(3));
  await has('3');
  expect(seen).toEqual(['confirmed', 'caught up', '0', '1', '2', '3']);
});

it('refuses appends beyond the size that it was given', async () => {
  const { client } = await begin({ maxAppendSize: 10 });
  const large = client.appendToStream(newStream(), event(undefined, 'Tested', 'x'.repeat(11)));
  expect(await outcomeOf(large)).toEqual({ type: 'maximum-append-size-exceeded', maxAppendSize: 10 });
});
