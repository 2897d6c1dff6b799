import { AccessDeniedError, binaryEvent, EventStoreDBClient } from '@eventstore/db-client';
import { startEventStoreDbStandIn, type EventStoreDbStandIn } from '@kissapi/eventstoredb-stand-in';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  checkEventStore,
  isInsecure,
  startsOf,
  type StartCheck,
} from '../../../src/eventstore/eventstoredb/fitness/start-checks.ts';
import { UnfitEventStore } from '../../../src/eventstore/eventstoredb/fitness/unfit-event-store.ts';
import { namedServer } from './server.ts';

/** An insecure server runs every test of the stand-in that needs no faults. A server with TLS runs one test. */
const named = namedServer(process.env);
const namedIsInsecure = named !== undefined && isInsecure(named);

/** Waits a second at most: a client of a silent server does not end. */
const release = (client: EventStoreDBClient): Promise<unknown> =>
  Promise.race([client.dispose(), new Promise((resolve) => setTimeout(resolve, 1000))]);

const connect = (url: string): EventStoreDBClient => {
  const client = EventStoreDBClient.connectionString(url);
  onTestFinished(() => release(client).then(() => undefined));
  return client;
};

const newPrefix = (): string => `kissapi-${randomUUID().slice(0, 8)}.`;

const checkOf = (url: string, check: Partial<StartCheck> = {}): StartCheck => ({
  client: check.client ?? connect(url),
  prefix: newPrefix(),
  streams: [],
  insecure: isInsecure(url),
  now: () => new Date(),
  ...check,
});

const refusalOf = async (check: StartCheck): Promise<UnfitEventStore> => {
  const outcome = await checkEventStore(check).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(UnfitEventStore);
  return outcome as UnfitEventStore;
};

const readAllOf = async (client: EventStoreDBClient, stream: string): Promise<readonly number[]> => {
  const sizes: number[] = [];
  for await (const { event } of client.readStream(stream)) sizes.push((event?.data as Uint8Array).length);
  return sizes;
};

const denied = (): Promise<never> => Promise.reject(new AccessDeniedError());
const deniesToDestroy = { deleteStream: denied, tombstoneStream: denied, setStreamMetadata: denied };

let standIn: EventStoreDbStandIn;
beforeAll(async () => {
  standIn = await startEventStoreDbStandIn();
});
afterAll(() => standIn.close());

const servers: readonly (readonly [string, () => string])[] = [
  ['the stand-in', () => standIn.url],
  ...(named !== undefined && namedIsInsecure ? [['the server of EVENT_STORE_URL', () => named] as const] : []),
];

describe.each(servers)('the checks of a start, on %s', (_name, url) => {
  it('accept a server without TLS, state that it is insecure, and write one small event', async () => {
    const check = checkOf(url());
    expect(await checkEventStore(check)).toEqual({ kind: 'fit', insecure: true });
    expect(await readAllOf(check.client, startsOf(check.prefix))).toEqual([0]);
  });

  it('accept a server that denies deletion, tombstones and metadata', async () => {
    const client = Object.assign(connect(url()), deniesToDestroy);
    expect(await checkEventStore(checkOf(url(), { client, insecure: false }))).toEqual({
      kind: 'fit',
      insecure: false,
    });
  });

  it('refuse a user that may destroy events, and destroy none while they try it', async () => {
    const check = checkOf(url(), { insecure: false });
    const { code, message, mayPass } = await refusalOf(check);
    expect({ code, mayPass }).toEqual({ code: 'event_store_unprotected', mayPass: false });
    expect(message).toContain('may delete streams, tombstone streams, set the metadata of streams');
    expect(message).toContain('npm run event-store -- protect');
    expect(await readAllOf(check.client, startsOf(check.prefix))).toEqual([0]);
    expect((await check.client.getStreamMetadata(startsOf(check.prefix))).metadata).toBeUndefined();
  });

  it.each(Object.keys(deniesToDestroy))('refuse a user that is not denied %s alone', async (act) => {
    const others = Object.fromEntries(Object.entries(deniesToDestroy).filter(([name]) => name !== act));
    const client = Object.assign(connect(url()), others);
    expect((await refusalOf(checkOf(url(), { client, insecure: false }))).code).toBe('event_store_unprotected');
  });

  it.each([
    ['$maxAge = 3600', { maxAge: 3600 }],
    ['$maxCount = 1', { maxCount: 1 }],
    ['$tb = 1', { truncateBefore: 1 }],
  ])('refuse a stream of the log whose metadata has %s', async (inWords, metadata) => {
    const check = checkOf(url());
    const stream = `${check.prefix}account-1`;
    await check.client.setStreamMetadata(stream, metadata);
    const { code, message } = await refusalOf({ ...check, streams: [`${check.prefix}account-2`, stream] });
    expect(code).toBe('event_store_limits_streams');
    expect(message).toContain(`${stream} in EventStoreDB has ${inWords}, which hides events`);
  });

  it('refuse a stream of the log that was deleted, and one with a tombstone', async () => {
    const check = checkOf(url());
    const [deleted, tombstoned] = [`${check.prefix}account-1`, `${check.prefix}account-2`];
    for (const stream of [deleted, tombstoned]) {
      await check.client.appendToStream(stream, binaryEvent({ type: 'any', data: Buffer.alloc(1) }));
    }
    await check.client.deleteStream(deleted);
    await check.client.tombstoneStream(tombstoned);
    expect((await refusalOf({ ...check, streams: [deleted] })).message).toContain('the stream was deleted');
    expect((await refusalOf({ ...check, streams: [tombstoned] })).message).toContain('a tombstone');
  });

  it.each([
    [-31_000, /The clock of EventStoreDB is 31 s ahead of the clock of this machine/],
    [31_000, /The clock of EventStoreDB is 3[01] s behind the clock of this machine/],
  ])('refuse a server if the clock of this machine is off by %d ms', async (offMs, inWords) => {
    const refusal = await refusalOf(checkOf(url(), { now: () => new Date(Date.now() + offMs) }));
    expect(refusal.code).toBe('event_store_clock_differs');
    expect(refusal.message).toMatch(inWords);
    expect(await checkEventStore(checkOf(url(), { now: () => new Date(Date.now() + offMs * 0.9) }))).toMatchObject({
      kind: 'fit',
    });
  });
});

describe('the checks of a start', () => {
  it('refuse a server whose metadata of $all hides events', async () => {
    const own = await startEventStoreDbStandIn();
    onTestFinished(() => own.close());
    const check = checkOf(own.url);
    await check.client.setStreamMetadata('$all', { maxCount: 1000 });
    expect((await refusalOf(check)).message).toContain('the stream $all in EventStoreDB has $maxCount = 1000');
  });

  it('refuse a server that does not accept appends as large as those of the log', async () => {
    const own = await startEventStoreDbStandIn({ maxAppendSize: 500_000 });
    onTestFinished(() => own.close());
    const { code, message } = await refusalOf(checkOf(own.url));
    expect(code).toBe('event_store_append_limit');
    expect(message).toContain('Remove MaxAppendSize from eventstore.conf');
  });

  it.each(['read-only', 'not-leader', 'not-ready', 'too-busy', 'timeout', 'full'] as const)(
    'refuse a server that answers reads and refuses appends (%s), which can pass',
    async (refusal) => {
      const own = await startEventStoreDbStandIn();
      onTestFinished(() => own.close());
      own.refuseAppends(refusal);
      const { code, mayPass } = await refusalOf(checkOf(own.url));
      expect({ code, mayPass }).toEqual({ code: 'event_store_read_only', mayPass: true });
    },
  );

  it('refuse a server that never confirms an append', async () => {
    const own = await startEventStoreDbStandIn();
    onTestFinished(() => own.close());
    own.loseAnswers(1);
    const { code, message } = await refusalOf(checkOf(own.url, { timeoutMs: 500 }));
    expect(code).toBe('event_store_read_only');
    expect(message).toContain('none was confirmed within 0.5 s');
  });

  it('refuse a user that may not append', async () => {
    const own = await startEventStoreDbStandIn();
    onTestFinished(() => own.close());
    own.refuseAppends('access-denied');
    const { code, message, mayPass } = await refusalOf(checkOf(own.url));
    expect({ code, mayPass }).toEqual({ code: 'event_store_access_denied', mayPass: false });
    expect(message).toContain('does not permit the user in EVENT_STORE_URL to append to the streams of the log');
  });

  it('refuse a user that may not read $all', async () => {
    const client = Object.assign(connect(standIn.url), {
      // eslint-disable-next-line require-yield -- A read that is denied yields nothing.
      readAll: async function* () {
        await denied();
      },
    });
    const { code, message } = await refusalOf(checkOf(standIn.url, { client }));
    expect(code).toBe('event_store_access_denied');
    expect(message).toContain('to read $all. As an administrator, run: npm run event-store -- protect');
  });

  it('refuse an unknown user or a wrong password without the advice to change access', async () => {
    const unauthenticated = Object.assign(new AccessDeniedError(), { code: 16 });
    const client = Object.assign(connect(standIn.url), { getStreamMetadata: () => Promise.reject(unauthenticated) });
    const { code, message } = await refusalOf(checkOf(standIn.url, { client }));
    expect(code).toBe('event_store_access_denied');
    expect(message).toMatch(/^EventStoreDB does not accept the user and the password in EVENT_STORE_URL/);
  });

  it('end in time if the server is silent', async () => {
    const own = await startEventStoreDbStandIn();
    onTestFinished(() => own.close());
    own.silence();
    const began = performance.now();
    const { code, message, mayPass } = await refusalOf(checkOf(own.url, { timeoutMs: 300 }));
    expect({ code, mayPass }).toEqual({ code: 'event_store_unreachable', mayPass: true });
    expect(message).toContain('no answer within 0.3 s');
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it('refuse an address at which nothing listens, with the reason of the socket', async () => {
    const free = createServer();
    const port = await new Promise<number>((resolve) =>
      free.listen(0, '127.0.0.1', () => resolve((free.address() as { readonly port: number }).port)),
    );
    await new Promise((resolve) => free.close(resolve));
    const { code, message } = await refusalOf(checkOf(`esdb://127.0.0.1:${port}?tls=false`));
    expect(code).toBe('event_store_unreachable');
    expect(message).toContain(`cannot be reached: connect ECONNREFUSED 127.0.0.1:${port}. Check`);
  });

  it('refuse a server without TLS if the address requires it', async () => {
    const url = standIn.url.replace('?tls=false', '');
    const { code, message } = await refusalOf(checkOf(url));
    expect(code).toBe('event_store_unreachable');
    expect(message).toContain('a server without TLS needs tls=false');
  });

  it.skipIf(named === undefined || namedIsInsecure)(
    'accept the user in EVENT_STORE_URL, if that names a server with TLS',
    async () => expect(await checkEventStore(checkOf(named ?? ''))).toEqual({ kind: 'fit', insecure: false }),
  );
});

describe('an address', () => {
  it.each([
    ['esdb://127.0.0.1:2113?tls=false', true],
    ['esdb://a:2113,b:2113?nodePreference=leader&TLS=false', true],
    ['esdb://user:tls=false@127.0.0.1:2113', false],
    ['esdb://127.0.0.1:2113?tls=true&tlsCAFile=/ca.crt', false],
    ['esdb://127.0.0.1:2113?tlsVerifyCert=false', false],
  ])('%s has no TLS: %s', (url, insecure) => expect(isInsecure(url)).toBe(insecure));
});
