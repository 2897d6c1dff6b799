import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRandom } from '../../proofs/random.ts';
import { lacksEventStore, openEventStore } from '../../proofs/support/event-store.ts';
import { torture } from '../../proofs/torture/run.ts';
import { startServer } from '../../proofs/torture/server.ts';
import { faultsOf } from '../../proofs/torture/verdict.ts';
import { createTestDatabase } from '../support/database.ts';

/** Another time, other trouble; a failure says which. */
const seed = String(Date.now());
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kissapi-torture-test-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

it('a log under torture loses nothing, doubles nothing, and keeps its order', async () => {
  const server = await startServer(join(directory, 'server'), createRandom(`${seed}/port`));
  try {
    const verdict = await torture({
      databaseUrl: server.url,
      server,
      directory,
      seed,
      durationMs: 2000,
      writers: 2,
      followers: 2,
      maxQuietMs: 200,
      maxStopMs: 300,
    });
    expect(faultsOf(verdict), `seed ${seed}`).toEqual([]);
    expect(verdict.deliveries).toBe(2 * verdict.events);
    expect(verdict.acknowledged).toBeGreaterThan(0);
    expect(verdict.tally).toMatchObject({ 'servers killed': expect.toSatisfy((count: number) => count > 0) as number });
  } finally {
    await server.stop();
  }
}, 90_000);

it('a log in EventStoreDB under torture loses nothing, doubles nothing, and keeps its order', async (context) => {
  const lacks = lacksEventStore(true);
  if (lacks !== undefined) return context.skip(lacks);
  const eventStore = await openEventStore({ directory: join(directory, 'eventstoredb'), kills: true });
  const server = await startServer(join(directory, 'server'), createRandom(`${seed}/port`));
  try {
    const verdict = await torture({
      ...{ databaseUrl: server.url, server, directory, seed, durationMs: 2000, writers: 2, followers: 2 },
      ...(eventStore.servers ? { eventStore: eventStore.servers } : {}),
      ...{ maxQuietMs: 200, maxStopMs: 300 },
    });
    expect(faultsOf(verdict), `seed ${seed}`).toEqual([]);
    expect(verdict.deliveries).toBe(2 * verdict.events);
    expect(verdict.acknowledged).toBeGreaterThan(0);
    expect(verdict.tally['EventStoreDB killed']).toBeGreaterThan(0);
  } finally {
    await server.stop();
    await eventStore.stop();
  }
}, 180_000);

it('a log that takes its positions from a sequence loses events under the same torture', async () => {
  const { url, drop } = await createTestDatabase();
  try {
    const verdict = await torture({
      databaseUrl: url,
      directory,
      seed,
      durationMs: 2000,
      writers: 3,
      followers: 1,
      log: 'sequence',
      kinds: [],
    });
    expect(verdict.complaints, `seed ${seed}`).toEqual([]);
    expect(verdict.losses, `seed ${seed}`).toBeGreaterThan(0);
    expect(verdict.acknowledgedLost, 'they are in the log, and followers pass them over').toBe(0);
  } finally {
    await drop();
  }
}, 60_000);
