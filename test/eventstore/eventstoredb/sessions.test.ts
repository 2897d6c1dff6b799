import { binaryEvent, NO_STREAM } from '@eventstore/db-client';
import { startEventStoreDbStandIn, type EventStoreDbStandIn } from '@kissapi/eventstoredb-stand-in';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acquireSessions, type Sessions } from '../../../src/eventstore/eventstoredb/connection/sessions.ts';

let servers: readonly [EventStoreDbStandIn, EventStoreDbStandIn];
let sessions: readonly [Sessions, Sessions];
beforeAll(async () => {
  servers = [await startEventStoreDbStandIn(), await startEventStoreDbStandIn()];
  sessions = [acquireSessions(servers[0].url), acquireSessions(servers[1].url)];
});
afterAll(async () => {
  for (const one of sessions) await one.release();
  for (const server of servers) await server.close();
});

const append = async (at: Sessions): Promise<unknown> => {
  const { client } = await at.open();
  const event = binaryEvent({ type: 'Tried', data: Buffer.from('{}') });
  return client.appendToStream(`test-${randomUUID()}`, event, { expectedRevision: NO_STREAM });
};

describe('the answer to an append', () => {
  it('that nothing waits for any more does not end the process', async () => {
    const [slow, broken] = servers;
    await Promise.all(sessions.map(append));
    slow.delayMs = 500;
    broken.silence();
    const waiting = [append(sessions[0]), append(sessions[1])].map((one) => one.catch((error: unknown) => error));
    await sleep(100);
    // The client then rejects the appends of all clients of the process.
    broken.cut();
    for (const outcome of await Promise.all(waiting)) expect(outcome).toBeInstanceOf(Error);
    await sleep(700);
    slow.delayMs = 0;
    broken.resume();
    await expect(append(sessions[0])).resolves.toMatchObject({ success: true });
  });
});

describe('the sessions with one server', () => {
  it('are shared by all stores of the process, until the last one releases them', async () => {
    const second = acquireSessions(servers[0].url);
    expect(await second.open()).toBe(await sessions[0].open());
    await second.release();
    await expect(append(sessions[0])).resolves.toMatchObject({ success: true });
  });

  it('end with the connection, and a new one is made for the next call', async () => {
    const before = await sessions[0].open();
    servers[0].cut();
    await expect.poll(() => before.ended.aborted).toBe(true);
    const after = await sessions[0].open();
    expect(after).not.toBe(before);
    expect(after.ended.aborted).toBe(false);
  });
});
