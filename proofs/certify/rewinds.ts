import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ChainedEvent } from '../../src/eventstore/chained-log.ts';
import { PAGE, type StoredEvent } from '../../src/eventstore/event-store.ts';
import { createPostgresStore } from '../../src/eventstore/postgres/postgres.ts';
import { createBalancer } from '../../test/support/nodes/balancer.ts';
import type { RunningGateway } from '../../test/support/nodes/running-gateway.ts';
import { query } from '../../test/support/sql.ts';
import { createRandom, type Random } from '../random.ts';
import { check, readLog } from './check.ts';
import { compare, merged, type Findings, type Histories } from './compare.ts';
import { askFor, openGateways, rewindsNoticed, type Gateways } from './gateways.ts';
import { unlessAborted } from './kills.ts';
import { openCustomers, startLoad, type Customer } from './load.ts';
import { createRecord, type Acknowledged } from './record.ts';
import { openRestorableServer, type RestorableServer } from './restorable-server.ts';
import { until } from './world.ts';

export const WAYS = ['restored', 'promoted'] as const;
/** The state of the last gateway while the log goes back in time. */
export const LAST_GATEWAYS = ['busy', 'idle', 'stopped'] as const;
export type Rewind = { readonly way: (typeof WAYS)[number]; readonly last: (typeof LAST_GATEWAYS)[number] };

export type RewindsOptions = {
  readonly home: string;
  readonly rewinds: number;
  /** At least two. */
  readonly nodes?: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly did: (what: string) => void;
};

export type RewindsReport = {
  readonly rewinds: readonly Rewind[];
  readonly nodes: number;
  readonly asked: number;
  readonly acknowledged: readonly Acknowledged[];
  /** Acknowledged, and lost with a history, as expected. */
  readonly gone: number;
  /** The number of events in the lost histories. `namedEvents` counts those that the gateways reported. */
  readonly lostEvents: number;
  readonly namedEvents: number;
  /** The longest time until a running gateway detected the rewind, once the server was back. */
  readonly noticedMs: number;
  readonly settledMs: number;
  readonly findings: Findings;
};

/** The promise is five seconds; a busy machine may take longer, but not as long as this. */
const NOTICE_WITHIN_MS = 20_000;
const SERVE_WITHIN_MS = 20_000;
export const PAUSED = '503 service_paused';

/** All combinations of a way and a state of the last gateway, in turn. */
export const rewindsOf = (rewinds: number): readonly Rewind[] =>
  Array.from({ length: rewinds }, (_, n) => ({
    way: WAYS[n % WAYS.length] ?? 'restored',
    last: LAST_GATEWAYS[n % LAST_GATEWAYS.length] ?? 'busy',
  }));

type Run = {
  readonly server: RestorableServer;
  readonly gateways: Gateways;
  readonly customers: readonly Customer[];
  readonly nodes: number;
  readonly random: Random;
  readonly record: ReturnType<typeof createRecord>;
  /** The acknowledgements up to the last check that were not lost with a history since. */
  standing: readonly Acknowledged[];
  /** The number of acknowledgements at the last check. */
  recorded: number;
  /** Returns a different text on each call. */
  readonly unique: (text: string) => string;
  readonly broken: string[];
  readonly did: RewindsOptions['did'];
};

/** Makes the log go back in time under running gateways, repeatedly, and checks how they react. */
export const runRewinds = async (options: RewindsOptions): Promise<RewindsReport> => {
  const { home, nodes = 2, seed, signal, did } = options;
  const random = createRandom(`rewinds ${seed}`);
  const record = createRecord(join(home, 'acknowledged-rewinds.jsonl'));
  const plan = rewindsOf(options.rewinds);
  const server = await openRestorableServer(join(home, 'rewinds'));
  const gateways = openGateways(join(home, 'rewinds'), server.url);
  const run = async (): Promise<RewindsReport> => {
    for (let n = 0; n < nodes; n++) await gateways.start(n);
    const customers = await openCustomers(gateways.at(0));
    let serial = 0;
    const unique = (text: string): string => `${text}, ${++serial}`;
    const state: Run = {
      server,
      gateways,
      customers,
      nodes,
      random,
      record,
      standing: [],
      broken: [],
      recorded: 0,
      unique,
      did,
    };
    const rounds: Round[] = [];
    for (const rewind of plan) {
      signal.throwIfAborted();
      rounds.push(await rewindOnce(state, rewind));
    }
    const sum = (of: (round: Round) => number): number => rounds.reduce((all, round) => all + of(round), 0);
    return {
      ...{ rewinds: plan, nodes, acknowledged: record.all },
      asked: sum(({ asked }) => asked),
      gone: sum(({ gone }) => gone),
      lostEvents: sum(({ lostEvents }) => lostEvents),
      namedEvents: sum(({ namedEvents }) => namedEvents),
      noticedMs: Math.max(...rounds.map((round) => round.noticedMs)),
      settledMs: Math.max(...rounds.map((round) => round.settledMs)),
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

type Round = Pick<RewindsReport, 'asked' | 'gone' | 'lostEvents' | 'namedEvents' | 'noticedMs' | 'settledMs'> & {
  readonly findings: Findings;
};

const rewindOnce = async (run: Run, { way, last }: Rewind): Promise<Round> => {
  const { server, gateways, customers, nodes, random, record, did } = run;
  const lastGateway = nodes - 1;
  const busy = gateways.running().slice(0, last === 'busy' ? nodes : lastGateway);
  const balancer = await createBalancer(...busy.map(({ url }) => url));
  const load = startLoad({ door: balancer, customers, record, random });
  const more = async (count: number): Promise<void> => {
    const { length } = record.all;
    await until('the load is under way', () => record.all.length >= length + count);
  };
  await more(random.between(5, 15));
  did('the load is under way; the database is copied');
  const copy = await server.copy();
  if (way === 'promoted') await server.follow(copy, random.between(100, 1000));
  await more(random.between(3, 20));
  const seen = await headOf(server.url);
  if (last !== 'busy') await gateways.hasNoted(lastGateway, seen);
  if (last === 'stopped') await gateways.kill(lastGateway);

  did(`the database is killed, and the copy is ${way}; the last gateway is ${last}`);
  const replaced = await replace(run, copy, way);
  did(`the log ends at position ${replaced.left}; ${replaced.lost.length} events are gone`);
  const noticedMs = await untilNoticed(run, replaced, last);
  did('every running gateway has noticed');
  await checkPaused(run);
  const namedEvents = await checkReport(run, replaced);
  await acknowledge(server.url);
  did(`acknowledged; ${namedEvents} events were named`);
  for (const gateway of gateways.running()) await untilServed(gateway);
  const { histories } = await readLog(server.url);
  await renewKeys(run, histories);
  await more(10);
  did('completions are served again');
  await load.stop();
  await balancer.close();
  const checked = await settle(run, replaced);
  did('all books were checked');
  if (load.hung() > 0) checked.findings.broken.push(`${load.hung()} clients waited for a minute in vain`);
  return { ...checked, asked: load.asked(), namedEvents, lostEvents: replaced.lost.length, noticedMs };
};

type Replaced = {
  /** The histories before the rewind. */
  readonly histories: Histories;
  /** The events that were lost. */
  readonly lost: readonly StoredEvent[];
  /** The last position that is left. */
  readonly left: number;
  /** The number of rewinds that each running gateway had detected before. */
  readonly noticedBefore: ReadonlyMap<string, number>;
};

const replace = async ({ server, gateways, broken }: Run, copy: string, way: Rewind['way']): Promise<Replaced> => {
  const noticedBefore = new Map(gateways.running().map((one) => [one.url, rewindsNoticed(one).length]));
  let all: readonly StoredEvent[] = [];
  let histories: Histories = new Map();
  let left = 0;
  let isSame = false;
  await server.replace(copy, way, {
    lost: async (url) => {
      all = await readEvents(url);
      ({ histories } = await readLog(url));
    },
    left: async (url) => {
      const events = await readEvents(url);
      left = events.length;
      isSame = events.every(({ token }, n) => token === all[n]?.token);
    },
  });
  if (!isSame) broken.push('what the copy has is not what the log was');
  return { histories, lost: all.filter(({ position }) => position > left), left, noticedBefore };
};

export const readEvents = async (url: string): Promise<readonly ChainedEvent[]> => {
  const store = createPostgresStore(url);
  const events: ChainedEvent[] = [];
  try {
    for (;;) {
      const page = await store.readAll(events.length, PAGE);
      events.push(...page);
      if (page.length < PAGE) return events;
    }
  } finally {
    await store.close();
  }
};

const headOf = async (url: string): Promise<number> => {
  const rows = await query<{ position: string }>(url, 'select position from log_head');
  return Number(rows[0]?.position ?? 0);
};

/** Starts a gateway that was stopped; it must detect the rewind from the position that it stored. */
const untilNoticed = async (run: Run, { noticedBefore, left }: Replaced, last: Rewind['last']): Promise<number> => {
  const { gateways, nodes, broken } = run;
  const since = performance.now();
  const hasNoticed = (n: number): boolean => {
    const gateway = gateways.at(n);
    const noticed = rewindsNoticed(gateway);
    const before = noticedBefore.get(gateway.url) ?? 0;
    return noticed.length > before && noticed.slice(before).every((position) => position > left);
  };
  const count = last === 'stopped' ? nodes - 1 : nodes;
  for (let n = 0; n < count; n++) {
    await until(`gateway ${n} notices`, () => hasNoticed(n), NOTICE_WITHIN_MS).catch((error: unknown) =>
      broken.push(String(error)),
    );
  }
  const noticedMs = performance.now() - since;
  if (last === 'stopped') {
    await gateways.start(nodes - 1);
    const byItself = `gateway ${nodes - 1}, which was stopped meanwhile, notices by itself`;
    await until(byItself, () => hasNoticed(nodes - 1), NOTICE_WITHIN_MS).catch((error: unknown) =>
      broken.push(String(error)),
    );
  }
  return noticedMs;
};

const REQUESTS = 3;

/** Checks that no gateway serves completions and that management works on each. */
const checkPaused = async ({ server, gateways, customers, broken, unique }: Run): Promise<void> => {
  const accountId = customers[0]?.accountId ?? '';
  for (const gateway of gateways.running()) {
    for (let n = 0; n < REQUESTS; n++) {
      const answer = await askFor(gateway, gateway.demoKey);
      if (answer !== PAUSED) broken.push(`${gateway.url} answered ${answer} while the rewind was open`);
    }
  }
  // Requests from before the detection have ended by now; the load continues.
  const head = await headOf(server.url);
  for (const gateway of gateways.running()) {
    const grant = { usd: '0.01', reason: unique('while the rewind is open') };
    await gateway.manage('POST', `/accounts/${accountId}/grants`, grant).catch((error: unknown) => {
      broken.push(`management failed while the rewind was open: ${String(error)}`);
    });
  }
  const holds = await query(server.url, `select from events where position > $1 and type = 'CreditsReserved'`, [head]);
  if (holds.length > 0) broken.push(`credits were held ${holds.length} times while the rewind was open`);
};

/** Checks the gateways' report of lost events: it contains only lost events, and all that were acknowledged. */
const checkReport = async ({ server, record, broken }: Run, { lost, histories }: Replaced): Promise<number> => {
  const lostIds = new Set(lost.map(({ id }) => id));
  const gone = await goneOf(server.url, record.all, histories);
  const expected = lost.filter((event) => gone.some((one) => isOf(one, event)));
  let named: ReadonlySet<string> = new Set();
  const isComplete = async (): Promise<boolean> => {
    const rows = await query<{ event_id: string }>(
      server.url,
      `select event_id from log_rewind_events join log_rewinds r on r.id = rewind_id where r.acknowledged_at is null`,
    );
    named = new Set(rows.map(({ event_id }) => event_id));
    return expected.every(({ id }) => named.has(id));
  };
  await until('the report names what was acknowledged', isComplete, NOTICE_WITHIN_MS).catch(() => {
    for (const { id, type, position } of expected) {
      if (!named.has(id)) broken.push(`${type} at position ${position} was acknowledged and is gone, and is not named`);
    }
  });
  for (const id of named) if (!lostIds.has(id)) broken.push(`the event ${id} is named as lost, but was not`);
  return named.size;
};

/** What was acknowledged, is in the lost history, and is not in the log. */
const goneOf = async (
  url: string,
  record: readonly Acknowledged[],
  lost: Histories,
): Promise<readonly Acknowledged[]> => {
  const missingIn = (some: readonly Acknowledged[], histories: Histories): readonly Acknowledged[] => {
    const missing = new Set(compare(some, histories).findings.lost);
    return some.filter((one) => missing.has(JSON.stringify(one)));
  };
  const gone = missingIn(record, (await readLog(url)).histories);
  const nowhere = new Set(missingIn(gone, lost));
  return gone.filter((one) => !nowhere.has(one));
};

/** Whether an event is the acknowledged one. */
const isOf = (one: Acknowledged, { type, data, stream }: StoredEvent): boolean => {
  if (!stream.endsWith(one.accountId)) return false;
  switch (one.what) {
    case 'completion':
      return type === 'HoldSettled' && data.includes(JSON.stringify(one.generationId));
    case 'grant':
      return type === 'CreditsToppedUp' && data.includes(JSON.stringify(one.reason));
    case 'key':
      return type === 'KeyIssued' && data.includes(JSON.stringify(one.keyId));
    case 'revocation':
      return type === 'KeyRevoked' && data.includes(JSON.stringify(one.keyId));
  }
};

const acknowledge = async (databaseUrl: string): Promise<void> => {
  const args = ['src/cli/acknowledge-rewind.ts', '--yes', '--note', 'certify'];
  await promisify(execFile)(process.execPath, args, { env: { ...process.env, DATABASE_URL: databaseUrl } });
};

const untilServed = async (gateway: RunningGateway, apiKey = gateway.demoKey): Promise<void> => {
  const isServed = async (): Promise<boolean> => (await askFor(gateway, apiKey)) === '200';
  await until(`${gateway.url} serves again`, isServed, SERVE_WITHIN_MS);
};

/** Keys that were issued in the lost history are invalid; each customer gets a new one. */
const renewKeys = async ({ gateways, customers, unique }: Run, histories: Histories): Promise<void> => {
  for (const { accountId, keys } of customers) {
    const issued = new Set(
      (histories.get(accountId) ?? []).flatMap((event) => (event.type === 'KeyIssued' ? [event.keyId] : [])),
    );
    const lost = keys.filter(({ keyId }) => !issued.has(keyId));
    const name = unique('after a rewind');
    const made = await gateways
      .at(0)
      .manage<{ secret: string; key_id: string }>('POST', `/accounts/${accountId}/keys`, { name });
    keys.push({ keyId: made.key_id, secret: made.secret });
    for (const key of lost) if (keys.includes(key)) keys.splice(keys.indexOf(key), 1);
  }
};

const nothingFound = (): Findings => ({ lost: [], doubled: [], differing: [], openHolds: [], broken: [] });

/** After the load has ended: checks all books on all gateways, and that each account can be charged again. */
const settle = async (
  run: Run,
  { histories: lostHistories }: Replaced,
): Promise<Pick<Round, 'findings' | 'gone' | 'settledMs'>> => {
  const { server, gateways, customers, record, broken, unique } = run;
  for (const { accountId, keys } of customers) {
    for (const gateway of gateways.running()) {
      const grant = { usd: '0.05', reason: unique('to be charged again') };
      await gateway.manage('POST', `/accounts/${accountId}/grants`, grant);
      await untilServed(gateway, keys.at(-1)?.secret).catch((error: unknown) => {
        broken.push(`${accountId} is stuck: ${String(error)}`);
      });
    }
  }
  const fresh = record.all.slice(run.recorded);
  run.recorded = record.all.length;
  const gone = new Set(await goneOf(server.url, [...run.standing, ...fresh], lostHistories));
  run.standing = [...run.standing, ...fresh].filter((one) => !gone.has(one));
  const world = { databaseUrl: server.url, eventStoreUrl: undefined, gateways: () => gateways.running() };
  const { findings, settledMs } = await check(world, run.standing);
  // The lost history must have been consistent as well.
  const { differing, doubled, broken: brokenBooks } = compare([...gone], lostHistories).findings;
  return {
    gone: gone.size,
    settledMs,
    findings: merged([findings, { ...nothingFound(), differing, doubled, broken: brokenBooks }]),
  };
};
