import { join } from 'node:path';
import { check } from './check.ts';
import { merged, type Findings } from './compare.ts';
import { rewindsNoticed } from './gateways.ts';
import { openCustomers, startLoad } from './load.ts';
import { createRandom, type Random } from '../random.ts';
import { createRecord, type Acknowledged } from './record.ts';
import type { EventStoreServers } from '../support/event-store-servers.ts';
import { EVENT_STORE_KINDS } from './event-store-kills.ts';
import { KINDS, openWorld, STOPS, type Kind, type World } from './world.ts';

export type KillsOptions = {
  /** An empty folder for all files, including the record. */
  readonly home: string;
  readonly kills: number;
  /** The number of gateways that share the database. */
  readonly nodes?: number;
  readonly seed: number;
  /** PostgreSQL settings for a faulty configuration that must be detected. */
  readonly settings?: Readonly<Record<string, string>>;
  /** EventStoreDB, if it commits the log. If it has several nodes, its leader is killed each time. */
  readonly eventStore?: EventStoreServers | undefined;
  /** Aborts the run and ends all processes that it started. */
  readonly signal: AbortSignal;
  readonly killed: (kind: Kind) => void;
};

export type KillsReport = {
  readonly kills: readonly Kind[];
  readonly nodes: number;
  readonly asked: number;
  readonly acknowledged: readonly Acknowledged[];
  readonly recordFile: string;
  readonly findings: Findings;
  readonly checks: number;
  readonly events: number;
  readonly charges: number;
  readonly orphans: number;
  /** The longest time from the end of a load until no hold was open. */
  readonly settledMs: number;
  /** What clients got for their completions, and how often. */
  readonly answers: ReadonlyMap<string, number>;
  /** The longest time between two complete responses, from the view of all clients. */
  readonly longestGapMs: number;
};

const NODES = 2;
/** The number of kills between two checks. Each check reads the whole log. */
const KILLS_A_ROUND = 20;

const ofDatabase = KINDS.filter((kind) => kind !== 'gateway');

/** As many kills of gateways as of databases, each kind of the latter equally often, in random order. */
const planOf = (kills: number, random: Random, eventStore: EventStoreServers | undefined): readonly Kind[] => {
  const ofServers: readonly Kind[] = eventStore ? [...EVENT_STORE_KINDS, ...ofDatabase, ...STOPS] : ofDatabase;
  const plan = Array.from({ length: kills }, (_, n): Kind =>
    eventStore && eventStore.nodes.length > 1
      ? 'event-store-leader'
      : n % (eventStore ? 3 : 2) === 0
        ? 'gateway'
        : (ofServers[(eventStore ? n - Math.floor(n / 3) - 1 : (n - 1) / 2) % ofServers.length] ?? 'postmaster'),
  );
  for (let n = plan.length - 1; n > 0; n--) {
    const other = random.between(0, n);
    [plan[n], plan[other]] = [plan[other] ?? 'gateway', plan[n] ?? 'gateway'];
  }
  return plan;
};

/** Rejects as soon as the signal aborts, whatever the promise does. */
export const unlessAborted = async <T>(signal: AbortSignal, promise: Promise<T>): Promise<T> => {
  let aborted = (): void => undefined;
  const rejects = new Promise<never>((_, reject) => {
    aborted = () => reject(signal.reason as Error);
    signal.addEventListener('abort', aborted);
    if (signal.aborted) aborted();
  });
  try {
    return await Promise.race([promise, rejects]);
  } finally {
    signal.removeEventListener('abort', aborted);
  }
};

/**
 * Kills real gateways and a real PostgreSQL under load, one after another, and checks everything that was acknowledged.
 */
export const runKills = async (options: KillsOptions): Promise<KillsReport> => {
  const { home, kills, nodes = NODES, seed, settings = {}, eventStore, signal, killed } = options;
  const random = createRandom(String(seed));
  const record = createRecord(join(home, 'acknowledged.jsonl'));
  const plan = planOf(kills, random, eventStore);
  const world = await openWorld({ home, random, gateways: nodes, settings, eventStore });
  const run = async (): Promise<KillsReport> => {
    const findings: Findings[] = [];
    let [asked, settledMs, events, charges, orphans, longestGapMs] = [0, 0, 0, 0, 0, 0];
    const answers = new Map<string, number>();
    const customers = await openCustomers(world.gateways()[0] ?? fail());
    for (let from = 0; from < plan.length; from += KILLS_A_ROUND) {
      signal.throwIfAborted();
      const load = startLoad({ door: world.balancer, customers, record, random });
      for (const kind of plan.slice(from, from + KILLS_A_ROUND)) {
        await pause(random.between(200, 1500));
        if (signal.aborted) break;
        await world.kill(kind);
        killed(kind);
      }
      await load.stop();
      const checked = await check(world, record.all);
      findings.push(checked.findings);
      // A kill is no loss, so no gateway may take it for one.
      const noticed = world.gateways().flatMap((gateway) => rewindsNoticed(gateway));
      if (noticed.length > 0)
        checked.findings.broken.push(`gateways report a loss after positions ${noticed.join(', ')}`);
      if (load.hung() > 0) checked.findings.broken.push(`${load.hung()} clients waited for a minute in vain`);
      asked += load.asked();
      settledMs = Math.max(settledMs, checked.settledMs);
      longestGapMs = Math.max(longestGapMs, load.longestGapMs());
      for (const [outcome, count] of load.answers()) answers.set(outcome, (answers.get(outcome) ?? 0) + count);
      ({ events, charges, orphans } = checked);
    }
    return {
      kills: plan,
      nodes,
      asked,
      acknowledged: record.all,
      recordFile: record.file,
      findings: merged(findings),
      checks: findings.length,
      events,
      charges,
      orphans,
      settledMs,
      answers,
      longestGapMs,
    };
  };
  return closing(world, unlessAborted(signal, run()));
};

export const closing = async <T>(world: World, running: Promise<T>): Promise<T> => {
  try {
    return await running;
  } finally {
    await world.close();
  }
};

const fail = (): never => {
  throw new Error('no gateway runs');
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
