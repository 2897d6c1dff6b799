import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ChainedEvent } from '../../src/eventstore/chained-log.ts';
import { createBalancer } from '../../test/support/nodes/balancer.ts';
import type { RunningGateway } from '../../test/support/nodes/running-gateway.ts';
import { query } from '../../test/support/sql.ts';
import { createRandom, type Random } from '../random.ts';
import type { EventStoreServers } from '../support/event-store-servers.ts';
import { check } from './check.ts';
import { compare, merged, type Findings } from './compare.ts';
import { askFor, openGateways, rewindsNoticed, type Gateways } from './gateways.ts';
import { unlessAborted } from './kills.ts';
import { openCustomers, startLoad, type Customer } from './load.ts';
import { createRecord, type Acknowledged } from './record.ts';
import { openRestorableServer, type RestorableServer } from './restorable-server.ts';
import { readEvents, PAUSED } from './rewinds.ts';
import { until } from './world.ts';

/** Which of the two stores is put back to an earlier state. */
export const PUT_BACK = ['event-store', 'event-store-behind', 'database'] as const;
export type PutBack = (typeof PUT_BACK)[number];

export type StoreRewindsOptions = {
  readonly home: string;
  readonly rewinds: number;
  /** One node. */
  readonly eventStore: EventStoreServers;
  readonly nodes?: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly did: (what: string) => void;
};

export type StoreRewindsReport = {
  readonly rewinds: readonly PutBack[];
  readonly nodes: number;
  readonly asked: number;
  readonly acknowledged: readonly Acknowledged[];
  /** Events that one store lacked and got again from the other one. */
  readonly restoredEvents: number;
  /** Acknowledged, in EventStoreDB alone when it was put back, and therefore in neither store. */
  readonly gone: number;
  /** How often the gateways refused completions until that was acknowledged. */
  readonly acknowledgements: number;
  /** The longest time from the start of the server until completions were served again. */
  readonly servedMs: number;
  /** The longest time from the start of PostgreSQL until it had the whole log again, and destroyed an erased account's key. */
  readonly copiedMs: number;
  readonly erasedMs: number;
  readonly findings: Findings;
};

const SERVE_WITHIN_MS = 60_000;
const COPY_WITHIN_MS = 60_000;
/** How long the copy is held back before EventStoreDB is put back. */
const BEHIND_MS = 700;

/** As often EventStoreDB as PostgreSQL. Every second time the copy is behind as well. */
export const storeRewindsOf = (rewinds: number): readonly PutBack[] =>
  Array.from({ length: rewinds }, (_, n) =>
    n % 2 === 1 ? 'database' : n % 4 === 0 ? 'event-store' : 'event-store-behind',
  );

type Run = {
  readonly server: RestorableServer;
  readonly options: StoreRewindsOptions;
  readonly gateways: Gateways;
  readonly customers: readonly Customer[];
  readonly random: Random;
  readonly record: ReturnType<typeof createRecord>;
  readonly gone: Set<Acknowledged>;
  readonly unique: (text: string) => string;
  readonly broken: string[];
};

type Round = Pick<
  StoreRewindsReport,
  'asked' | 'restoredEvents' | 'acknowledgements' | 'servedMs' | 'copiedMs' | 'erasedMs' | 'findings'
>;

/** Puts either store back to an earlier state under running gateways, repeatedly, and checks what they make of it. */
export const runStoreRewinds = async (options: StoreRewindsOptions): Promise<StoreRewindsReport> => {
  const { home, nodes = 2, seed, signal, eventStore } = options;
  const plan = storeRewindsOf(options.rewinds);
  const server = await openRestorableServer(join(home, 'rewinds'));
  const gateways = openGateways(join(home, 'rewinds'), server.url, { EVENT_STORE_URL: eventStore.url });
  const run = async (): Promise<StoreRewindsReport> => {
    for (let n = 0; n < nodes; n++) await gateways.start(n);
    let serial = 0;
    const state: Run = {
      ...{ server, options, gateways, customers: await openCustomers(gateways.at(0)) },
      random: createRandom(`store rewinds ${seed}`),
      record: createRecord(join(home, 'acknowledged-rewinds.jsonl')),
      ...{ gone: new Set(), broken: [], unique: (text: string) => `${text}, ${++serial}` },
    };
    const rounds: Round[] = [];
    for (const which of plan) {
      signal.throwIfAborted();
      rounds.push(await rewindOnce(state, which));
    }
    const sum = (of: (round: Round) => number): number => rounds.reduce((all, round) => all + of(round), 0);
    const longest = (of: (round: Round) => number): number => Math.max(...rounds.map(of));
    return {
      ...{ rewinds: plan, nodes, acknowledged: state.record.all, gone: state.gone.size },
      asked: sum(({ asked }) => asked),
      restoredEvents: sum(({ restoredEvents }) => restoredEvents),
      acknowledgements: sum(({ acknowledgements }) => acknowledgements),
      servedMs: longest(({ servedMs }) => servedMs),
      copiedMs: longest(({ copiedMs }) => copiedMs),
      erasedMs: longest(({ erasedMs }) => erasedMs),
      findings: merged([...rounds.map(({ findings }) => findings), { ...nothingFound(), broken: state.broken }]),
    };
  };
  try {
    return await unlessAborted(signal, run());
  } finally {
    await gateways.close();
    await server.stop();
  }
};

const rewindOnce = async (run: Run, which: PutBack): Promise<Round> => {
  const { gateways, customers, random, record, server, options, broken } = run;
  const balancer = await createBalancer(...gateways.running().map(({ url }) => url));
  const load = startLoad({ door: balancer, customers, record, random });
  const more = async (count: number): Promise<void> => {
    const { length } = record.all;
    await until('the load is under way', () => record.all.length >= length + count);
  };
  await more(random.between(5, 15));
  const put = await (which === 'database' ? putBackDatabase(run, more) : putBackEventStore(run, more, which));
  await more(10);
  await load.stop();
  await balancer.close();
  if (load.hung() > 0) broken.push(`${load.hung()} clients waited for a minute`);

  const after = await readEvents(server.url);
  const differs = put.before.findIndex(({ hash }, n) => hash !== after[n]?.hash);
  if (differs >= 0) broken.push(`${which}: position ${differs + 1} of the copy is lost, or another event`);
  const standing = record.all.filter((one) => !run.gone.has(one));
  const world = { databaseUrl: server.url, eventStoreUrl: options.eventStore.url, gateways: gateways.running };
  const { findings } = await check(world, standing);
  if (put.acknowledgements > 0) forgive(run, standing, findings);
  options.did(`${which}: checked ${after.length} events`);
  return { ...put, asked: load.asked(), findings };
};

/** The gateways reported a loss: what was acknowledged and is in neither store is gone. */
const forgive = ({ gone }: Run, standing: readonly Acknowledged[], findings: Findings): void => {
  const lost = new Set(findings.lost.splice(0));
  for (const one of standing) if (lost.has(JSON.stringify(one))) gone.add(one);
};

type Put = Omit<Round, 'asked' | 'findings'> & { readonly before: readonly ChainedEvent[] };
type More = (count: number) => Promise<void>;

const putBackEventStore = async (run: Run, more: More, which: PutBack): Promise<Put> => {
  const { server, random, options, gateways, broken } = run;
  const { eventStore, did, home } = options;
  const node = eventStore.nodes[0];
  if (!node) throw new Error('there is no EventStoreDB');
  const copy = join(home, 'event-store-copy');
  await node.copy(copy);
  await more(random.between(3, 20));
  if (which === 'event-store-behind') await holdCopyBack(server.url, () => node.kill());
  else await node.kill();
  const before = await readEvents(server.url);
  await node.putBack(copy);
  await rm(copy, { recursive: true });
  const restoredBefore = gateways.running().map((gateway) => restoredBy(gateway).length);
  node.start();
  await eventStore.ready();
  const since = performance.now();
  const acknowledgements = await untilServed(run);
  const servedMs = performance.now() - since;
  const restored = gateways.running().flatMap((gateway, n) => restoredBy(gateway).slice(restoredBefore[n]));
  const restoredEvents = restored.reduce((sum, { from, to }) => sum + to - from, 0);
  if (restoredEvents === 0 && acknowledgements === 0) broken.push(`${which}: no gateway reported it`);
  if (which === 'event-store' && acknowledgements > 0)
    did('the copy was behind when EventStoreDB was killed: what only that had is gone');
  did(`${which}: ${restoredEvents} events appended again, ${acknowledgements} times acknowledged`);
  return { before, restoredEvents, acknowledgements, servedMs, copiedMs: 0, erasedMs: 0 };
};

/** No copy is made while `then` runs: events are acknowledged that only EventStoreDB has. */
const holdCopyBack = async (databaseUrl: string, then: () => Promise<void>): Promise<void> => {
  const holding = query(
    databaseUrl,
    `do $$ begin perform from log_head for update; perform pg_sleep(${BEHIND_MS / 1000 + 1}); end $$`,
  );
  await new Promise((resolve) => setTimeout(resolve, BEHIND_MS));
  await then();
  await holding;
};

const restoredBy = ({ process }: RunningGateway): readonly { readonly from: number; readonly to: number }[] =>
  process
    .output()
    .split('\n')
    .filter((line) => line.includes('EventStoreDB had gone back in time'))
    .map((line) => JSON.parse(line) as { readonly from: number; readonly to: number });

/** Waits until every gateway serves completions. Acknowledges a loss that they report; returns how often. */
const untilServed = async ({ gateways, server, options, broken }: Run): Promise<number> => {
  let acknowledgements = 0;
  const isServed = async (): Promise<boolean> => {
    const answers = await Promise.all(gateways.running().map((gateway) => askFor(gateway, gateway.demoKey)));
    if (answers.includes(PAUSED)) {
      acknowledgements++;
      const env = { ...process.env, DATABASE_URL: server.url, EVENT_STORE_URL: options.eventStore.url };
      const args = ['src/cli/acknowledge-rewind.ts', '--yes', '--note', 'certify'];
      await promisify(execFile)(process.execPath, args, { env });
    }
    return answers.every((answer) => answer === '200');
  };
  await until('completions are served again', isServed, SERVE_WITHIN_MS).catch((error: unknown) =>
    broken.push(String(error)),
  );
  return acknowledgements;
};

const putBackDatabase = async (run: Run, more: More): Promise<Put> => {
  const { server, random, options, gateways, broken } = run;
  const gateway = gateways.at(0);
  const [kept, erased] = [await gateway.openAccount('1.00'), await gateway.openAccount('1.00')];
  const copy = await server.copy();
  await more(random.between(3, 15));
  const reason = 'certify';
  await gateway.manage('DELETE', `/accounts/${kept.accountId}/keys/${kept.keyId}`);
  await gateway.manage('POST', `/accounts/${erased.accountId}/close`, { reason });
  await gateway.manage('POST', `/accounts/${erased.accountId}/erase`, { reason });
  const isErased = async (): Promise<boolean> => {
    const rows = await query<{ erased: boolean }>(
      server.url,
      'select wrapped is null as erased from data_keys where account_id = $1',
      [erased.accountId],
    );
    return rows.length > 0 && rows.every((row) => row.erased);
  };
  await until('the key of the erased account is destroyed', isErased);
  const noticed = gateways.running().map((one) => rewindsNoticed(one).length);

  let before: readonly ChainedEvent[] = [];
  let left = 0;
  await server.replace(copy, 'restored', {
    lost: async (url) => void (before = await readEvents(url)),
    left: async (url) => void (left = (await readEvents(url)).length),
  });
  const since = performance.now();
  const later = async (what: string, isSo: () => Promise<boolean>): Promise<number> => {
    await until(what, () => isSo().catch(() => false), COPY_WITHIN_MS).catch((error: unknown) =>
      broken.push(String(error)),
    );
    return performance.now() - since;
  };
  // A key that was revoked must not be served at any time, nor an erased name be readable on a gateway that is ready.
  const watch = new AbortController();
  const watching = watchRevoked(run, { revoked: kept.apiKey, isErased, signal: watch.signal });
  const copiedMs = await later('the log is copied again', async () => (await headOf(server.url)) >= before.length);
  const erasedMs = await later('the erasure is applied again', isErased);
  const acknowledgements = await untilServed(run);
  const servedMs = performance.now() - since;
  watch.abort();
  await watching;
  if (gateways.running().some((one, n) => rewindsNoticed(one).length > (noticed[n] ?? 0)))
    broken.push('a gateway took the restored copy for a loss');
  options.did(
    `database: put back from ${before.length} to ${left}; copied after ${copiedMs | 0} ms, erased after ${erasedMs | 0} ms`,
  );
  return { before, restoredEvents: before.length - left, acknowledgements, servedMs, copiedMs, erasedMs };
};

type Watched = { readonly revoked: string; readonly isErased: () => Promise<boolean>; readonly signal: AbortSignal };

const watchRevoked = async ({ gateways, broken }: Run, { revoked, isErased, signal }: Watched): Promise<void> => {
  const isReady = ({ url }: RunningGateway): Promise<boolean> =>
    fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  const found = new Set<string>();
  while (!signal.aborted) {
    for (const gateway of gateways.running()) {
      const erasedBefore = await isErased().catch(() => undefined);
      if (erasedBefore === false && (await isReady(gateway)) && (await isErased().catch(() => undefined)) === false)
        found.add(`${gateway.url} was ready before an erasure was applied again`);
      if ((await askFor(gateway, revoked)) === '200') found.add(`${gateway.url} served a key that was revoked`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  broken.push(...found);
};

const headOf = async (url: string): Promise<number> => {
  const rows = await query<{ position: string }>(url, 'select position from log_head');
  return Number(rows[0]?.position ?? 0);
};

const nothingFound = (): Findings => compare([], new Map()).findings;
