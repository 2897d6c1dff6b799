import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { runDiskFull } from '../../proofs/certify/disk-full.ts';
import { runKills } from '../../proofs/certify/kills.ts';
import { runRewinds } from '../../proofs/certify/rewinds.ts';
import { CannotMount } from '../../proofs/certify/small-disk.ts';
import { runStoreRewinds } from '../../proofs/certify/store-rewinds.ts';
import type { EventStoreServers } from '../../proofs/support/event-store-servers.ts';
import { lacksEventStore, openEventStore } from '../../proofs/support/event-store.ts';

const nothing = { lost: [], doubled: [], differing: [], openHolds: [], broken: [] };
/** Bounded by what it does; a busy machine may take its time over it. */
const PATIENCE_MS = 120_000;

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kissapi-certify-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('gateways and their database', () => {
  it('lose and double nothing that was acknowledged, whichever is killed', { timeout: PATIENCE_MS }, async () => {
    const killed: string[] = [];
    const { findings, acknowledged, charges } = await runKills({
      home,
      kills: 2,
      seed: 1,
      signal: new AbortController().signal,
      killed: (kind) => killed.push(kind),
    });
    expect(findings).toEqual(nothing);
    expect(killed.toSorted()).toEqual(['gateway', 'postmaster']);
    const sorts = new Set(acknowledged.map(({ what }) => what));
    for (const sort of ['completion', 'grant', 'key'] as const) expect(sorts).toContain(sort);
    const completions = acknowledged.filter(({ what }) => what === 'completion').length;
    expect(charges).toBeGreaterThanOrEqual(completions);
  });
});

describe('a log that goes back in time under running gateways', () => {
  it('loses what came after the copy and nothing else, and no balance', { timeout: 2 * PATIENCE_MS }, async () => {
    const { signal } = new AbortController();
    const report = await runRewinds({ home, rewinds: 1, seed: 1, signal, did: () => undefined });
    expect(report.findings).toEqual(nothing);
    expect(report.gone).toBeGreaterThan(0);
    expect(report.namedEvents).toBeGreaterThan(0);
    expect(report.lostEvents).toBeGreaterThanOrEqual(report.namedEvents);
  });
});

describe('gateways on a log in EventStoreDB', () => {
  const { signal } = new AbortController();
  const withServers = async (
    context: TestContext,
    work: (eventStore: EventStoreServers, home: string) => Promise<void>,
  ): Promise<void> => {
    const lacks = lacksEventStore(true);
    if (lacks !== undefined) return context.skip(lacks);
    const own = await mkdtemp(join(home, 'eventstoredb-'));
    const { servers, stop } = await openEventStore({ directory: join(own, 'servers'), kills: true });
    await (servers ? work(servers, own) : Promise.resolve()).finally(stop);
  };

  it('lose and double nothing, whichever is killed', { timeout: 2 * PATIENCE_MS }, (context) =>
    withServers(context, async (eventStore, home) => {
      const { findings, kills } = await runKills({
        home,
        kills: 3,
        seed: 1,
        signal,
        eventStore,
        killed: () => undefined,
      });
      expect(findings).toEqual(nothing);
      expect(kills).toContain('event-store');
    }),
  );

  it('lose nothing that both stores had if either is put back', { timeout: 3 * PATIENCE_MS }, (context) =>
    withServers(context, async (eventStore, home) => {
      const report = await runStoreRewinds({ home, rewinds: 2, seed: 1, signal, eventStore, did: () => undefined });
      expect(report.findings).toEqual(nothing);
      expect(report.restoredEvents).toBeGreaterThan(0);
    }),
  );
});

describe('a disk that runs full', () => {
  it('is refused, told of, and recovered from', { timeout: PATIENCE_MS }, async (context) => {
    const steps: string[] = [];
    const { signal } = new AbortController();
    const options = { home: join(home, 'disk-full'), seed: 1, signal, did: (what: string) => steps.push(what) };
    const report = await runDiskFull(options).catch((error: unknown) => {
      if (error instanceof CannotMount) return error;
      throw error;
    });
    if (report instanceof CannotMount) return context.skip(`no small disk can be mounted here: ${report.message}`);
    expect(report.broken).toEqual([]);
    expect(report.checked.findings).toEqual(nothing);
    expect(report.acknowledged.length).toBeGreaterThan(10);
    expect(steps).toHaveLength(4);
  });
});
