import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { accountStream } from '../../../src/domain/account/account.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import { decode, type Recorded } from '../../../src/eventstore/journal/codec.ts';
import { audited, type Customer, type Ended } from '../../support/customers/audit.ts';
import { createBalancer, type Balancer } from '../../support/nodes/balancer.ts';
import { checkProjections, checkSettledBooks, isCharge } from '../../support/events/account-history.ts';
import { ADMIN_TOKEN, type RunningGateway } from '../../support/gateway.ts';
import { createHouse, UPSTREAM_KEY, type House } from '../../support/house.ts';
import { startCustomers, type Customers } from '../../support/customers/openai-customers.ts';
import { sum } from '../../support/money.ts';
import { SOON } from '../../support/soon.ts';
import { queries, query } from '../../support/sql.ts';

const MODEL = 'gpt-4o-mini';
/** Some can always pay, and for some it is soon over. */
const CREDITS_USD = ['5.00', '5.00', '5.00', '0.0004', '0.0002'];
const ALWAYS_PAY = 3;
/** Bounded by what it does; a busy machine may take its time over it. */
const PATIENCE_MS = 120_000;
/** After so much silence a run is dead. */
const DEAD_AFTER_MS = 3000;
/** A beat that was on its way to the disk for so long may have come too late, though it is in time by the clock. */
const BEAT_MS = 1000;
/** Five seconds on an idle machine. The limit finds a release that waits for something else, such as a restart. */
const RELEASED_WITHIN_MS = 60_000;

type Node = { readonly gateway: RunningGateway; readonly runId: string };
type Of<Type extends AccountEvent['type']> = Recorded<Extract<AccountEvent, { type: Type }>>;

const runIdOf = ({ process }: RunningGateway): string => /"runId":"([^"]+)"/.exec(process.output())?.[1] ?? '';

describe('three gateways behind a balancer, of which one is killed and one is paused', () => {
  let house: House;
  let balancer: Balancer;
  let customers: Customers;
  let accounts: readonly Customer[];
  let killed: Node;
  let paused: Node;
  let reborn: Node;
  let generations: readonly (readonly Ended[])[];
  let log: readonly Recorded<AccountEvent>[];
  /** When each run proved that it lives, in order. */
  let beats: ReadonlyMap<string, readonly number[]>;

  const startNode = async (): Promise<Node> => {
    const upstream = { OPENAI_UPSTREAM_URL: house.upstream.url, OPENAI_API_KEY: UPSTREAM_KEY };
    const gateway = await house.premises.startGateway(upstream);
    return { gateway, runId: runIdOf(gateway) };
  };

  /** What a run holds now, as far as the rows say. */
  const heldBy = async (node: Node): Promise<number> => {
    const [row] = await query<{ open: number }>(
      house.premises.databaseUrl,
      `select count(*)::int as open from projections.requests where status = 'open' and run_id = $1`,
      [node.runId],
    );
    return row?.open ?? -1;
  };

  const readLog = async (of = accounts): Promise<readonly Recorded<AccountEvent>[]> =>
    (
      await Promise.all(
        of.map(({ accountId }) => house.store.readStream(accountStream(accountId), 0, Number.MAX_SAFE_INTEGER)),
      )
    )
      .flat()
      .map((stored) => decode(stored) as Recorded<AccountEvent>);

  /** How many of those who insist, and can pay, have something held by this one now. */
  const insistAt = (all: readonly Recorded<AccountEvent>[], { runId }: Node): number => {
    const ended = new Set(all.flatMap(({ event }) => (isEnd(event) ? event.requestId : [])));
    return all.filter(
      ({ event, metadata }) =>
        event.type === 'CreditsReserved' &&
        event.runId === runId &&
        !ended.has(event.requestId) &&
        idempotent(metadata.commandId) !== undefined,
    ).length;
  };
  const fewestInsist = async (...nodes: readonly Node[]): Promise<number> => {
    const all = await readLog(accounts.slice(0, ALWAYS_PAY));
    return Math.min(...nodes.map((node) => insistAt(all, node)));
  };

  const lateCharges = async (): Promise<number> =>
    (await query(house.premises.databaseUrl, `select from events where type = 'LateUsageCharged'`)).length;

  const killPauseResume = async (): Promise<void> => {
    customers = startCustomers({ url: balancer.url, apiKeys: accounts.map(({ apiKey }) => apiKey), model: MODEL });
    await vi.waitFor(() => expect(customers.told.length).toBeGreaterThan(20), SOON);
    await vi.waitFor(async () => expect(await fewestInsist(killed, paused)).toBeGreaterThan(1), SOON);

    await killed.gateway.process.stop('SIGKILL');
    process.kill(paused.gateway.process.pid, 'SIGSTOP');
    try {
      for (const node of [killed, paused]) await vi.waitFor(async () => expect(await heldBy(node)).toBe(0), SOON);
      reborn = await startNode();
      balancer.add(reborn.gateway.url);
    } finally {
      process.kill(paused.gateway.process.pid, 'SIGCONT');
    }
    await vi.waitFor(async () => expect(await lateCharges()).toBeGreaterThan(0), SOON);
    for (const node of [reborn, paused]) {
      await vi.waitFor(async () => expect(await heldBy(node)).toBeGreaterThan(0), SOON);
    }
    await customers.stop();
  };

  /** Each account's books, before and after, and of every generation in between. */
  const auditedAll = async (all: readonly Customer[], act: () => Promise<void>): Promise<(readonly Ended[])[]> => {
    const [first, ...others] = all;
    if (!first) return act().then(() => []);
    const { result, generations: own } = await audited(house, first, () => auditedAll(others, act));
    return [own, ...result];
  };

  beforeAll(async () => {
    house = await createHouse();
    [killed, paused] = await Promise.all([startNode(), startNode()]);
    balancer = await createBalancer(...[house, killed, paused].map(({ gateway }) => gateway.url));
    accounts = await Promise.all(CREDITS_USD.map((usd) => house.gateway.openAccount(usd)));
    await queries(house.premises.databaseUrl, KEEP_BEATS);
    // The books of every account are right in the end, or this fails.
    generations = await auditedAll(accounts, killPauseResume);
    log = await readLog();
    const rows = await query<Beat>(house.premises.databaseUrl, 'select id, seen_at from beats order by seen_at');
    beats = new Map(
      [...Map.groupBy(rows, ({ id }) => id)].map(([id, all]) => [id, all.map((beat) => beat.seen_at.getTime())]),
    );
  }, PATIENCE_MS);
  afterAll(async () => {
    await balancer.close();
    await house.close();
  });

  const ended = (): ReadonlyMap<string, Ended> => new Map(generations.flat().map((one) => [one.generationId, one]));
  const eventsOf = <Type extends AccountEvent['type']>(type: Type): readonly Of<Type>[] =>
    log.filter((one): one is Of<Type> => one.event.type === type);
  /** The run that made the hold of each request. */
  const runs = (): ReadonlyMap<string, string> =>
    new Map(eventsOf('CreditsReserved').map(({ event }) => [event.requestId, event.runId]));

  it('go on without the one that is dead, and with the one that woke up', () => {
    expect(balancer.targets).toEqual([house, paused, reborn].map(({ gateway }) => gateway.url));
    expect(new Set(runs().values())).toEqual(
      new Set([runIdOf(house.gateway), ...[killed, paused, reborn].map(({ runId }) => runId)]),
    );
  });

  it('told nobody a cost that is not the one on the receipt', () => {
    const receipts = ended();
    expect(customers.told.length).toBeGreaterThan(40);
    expect(customers.told.filter((told) => receipts.get(told.generationId)?.chargedUsd !== told.costUsd)).toEqual([]);
  });

  it('took from each account what its receipts add up to, and no more', async () => {
    for (const [n, { accountId }] of accounts.entries()) {
      const checked = await checkSettledBooks(house.gateway, accountId);
      const { toppedUp, balance } = checked.account.wallet;
      expect(sum((generations[n] ?? []).map(({ charged }) => charged))).toBe(toppedUp - balance);
      await checkProjections(house.premises.databaseUrl, accountId, checked);
    }
  });

  it('charged whoever insisted once, however many attempts that took', () => {
    const keyOf = new Map(
      eventsOf('CreditsReserved').map(({ event, metadata }) => [event.requestId, idempotent(metadata.commandId)]),
    );
    const attempts = Map.groupBy(keyOf, ([, key]) => key);
    attempts.delete(undefined);
    const charged = new Set(log.flatMap(({ event }) => (isCharge(event) ? event.requestId : [])));
    const charges = [...attempts.values()].map((all) => all.filter(([requestId]) => charged.has(requestId)).length);
    expect(Math.max(...charges)).toBe(1);
    expect(charges.filter((count) => count === 1).length).toBeGreaterThanOrEqual(customers.keysDone);
    // What was delivered and is paid by nobody was an attempt, and its customer has paid for another.
    for (const { generationId, by, writtenOff } of ended().values()) {
      if (by !== 'HoldReleased' || writtenOff === 0n) continue;
      const others = attempts.get(keyOf.get(generationId)) ?? [];
      expect(others.some(([requestId]) => charged.has(requestId))).toBe(true);
    }
    // Some had to ask again after what they held was lost.
    expect(Math.max(...[...attempts.values()].map((all) => all.length))).toBeGreaterThan(1);
  });

  it('gave back what the killed and the paused one held, and of nobody who was not silent for as long', async () => {
    const orphaned = eventsOf('HoldReleased').filter(({ event }) => event.reason === 'orphaned');
    const holders = runs();
    const byRun = Map.groupBy(orphaned, ({ event }) => holders.get(event.requestId) ?? '');
    expect([...byRun.keys()]).toEqual(expect.arrayContaining([killed.runId, paused.runId]));
    // The others live. Where the machine keeps one of them from saying so, it is as good as dead, and no promise is broken.
    for (const runId of byRun.keys()) {
      if (runId !== killed.runId) expect(longestSilence(beats.get(runId))).toBeGreaterThan(DEAD_AFTER_MS - BEAT_MS);
    }
    // By the log's own clock, from the last that the database heard of the one that died.
    for (const { time } of byRun.get(killed.runId) ?? []) {
      const silentMs = time.getTime() - (beats.get(killed.runId)?.at(-1) ?? 0);
      expect(silentMs).toBeGreaterThanOrEqual(DEAD_AFTER_MS);
      expect(silentMs).toBeLessThan(RELEASED_WITHIN_MS);
    }
    // One that wakes up may hold for what waited at its door before it has proved that it lives: that is given back too.
    const released = await Promise.all([house, paused, reborn].map(({ gateway }) => releasedBy(gateway)));
    expect(released.reduce((a, b) => a + b)).toBe(orphaned.length);
  });

  it('charged late what the paused one had delivered, after its hold was given back', () => {
    const late = eventsOf('LateUsageCharged');
    const holders = runs();
    const lateOf = new Set(late.map(({ event }) => holders.get(event.requestId)));
    expect(lateOf).toContain(paused.runId);
    expect(lateOf, 'the dead charge nothing').not.toContain(killed.runId);
    for (const { event, position } of late) {
      const released = eventsOf('HoldReleased').find((one) => one.event.requestId === event.requestId);
      expect(released?.event.reason).toBe('orphaned');
      expect(released?.position).toBeLessThan(position);
    }
  });
});

/** Of a hold, which has one end. */
const isEnd = (event: AccountEvent) => event.type === 'HoldSettled' || event.type === 'HoldReleased';

type Beat = { readonly id: string; readonly seen_at: Date };
/** The gateways keep the last beat of each run only. */
const KEEP_BEATS = [
  'create table beats as select id, seen_at from runs',
  `create function keep_beat() returns trigger language plpgsql as
   $$ begin insert into beats values (new.id, new.seen_at); return null; end $$`,
  'create trigger keep_beats after insert or update on runs for each row execute function keep_beat()',
].map((text) => ({ text }));

const longestSilence = (beats: readonly number[] = []): number =>
  Math.max(...beats.slice(1).map((beat, n) => beat - (beats[n] ?? 0)));

/** The key that a command was given under, as far as the log tells: a name for it. */
const idempotent = (commandId: string): string | undefined => /^(idem-\w+)\//.exec(commandId)?.[1];

const releasedBy = async ({ url }: RunningGateway): Promise<number> => {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
  return Number(/^kissapi_orphaned_holds_released_total (\d+)$/m.exec(await response.text())?.[1]);
};
