import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import pg from 'pg';
import { ACCOUNT_STATE_VERSION, type Account } from '../src/domain/account/account.ts';
import { accountDecider } from '../src/domain/account/decide.ts';
import { createProgram } from '../src/cli/terminal/run.ts';
import { startBundledPostgres } from '../src/gateway/start/bundled-postgres.ts';
import type { ChainedLog } from '../src/eventstore/chained-log.ts';
import { createFold } from '../src/eventstore/fold.ts';
import { journal } from '../src/eventstore/journal/codec.ts';
import { createPostgresStore, migratePostgresStore } from '../src/eventstore/postgres/postgres.ts';
import { createSnapshots } from '../src/eventstore/postgres/snapshots.ts';
import { createDatabase } from '../src/projections/database.ts';
import { migrateProjections, projections } from '../src/projections/rows/live.ts';
import { createMissingTables } from '../src/projections/rebuild/rebuild.ts';
import { benchStream, openAccounts } from './support/accounts.ts';
import { createHistory } from './support/history.ts';
import { wholeNumber } from './support/options.ts';
import { median, quantile, print } from './support/table.ts';

/**
 * What the length of a log costs: appends to a long log beside a short one, in turns in one run; an account of many events,
 * loaded cold and at a moment; and how fast the log is verified, audited and rebuilt.
 */
const program = createProgram(
  'bench:size',
  'Fill a log in a database of its own, and measure what its length costs. 10,000,000 events take some 12 GB of disk and half\n' +
    'an hour.',
)
  .usage('[options]')
  .option('--events <n>', 'number of events in the log', wholeNumber(1000, 1_000_000_000), 1_000_000)
  .option('--whale <n>', 'how many of them belong to one account', wholeNumber(0, 1_000_000_000), 100_000)
  .option('--accounts <n>', 'number of accounts', wholeNumber(2, 1_000_000), 2000)
  .option('--rounds <n>', 'number of turns of the long and the short log', wholeNumber(1, 10_000), 20)
  .option('--data <dir>', 'keep the log in this directory, and use it again the next time')
  .option('--then <command,…>', "operator's commands to run on the log", 'verify,rebuild --all,audit')
  .parse();
const options = program.opts<{
  readonly events: number;
  readonly whale: number;
  readonly accounts: number;
  readonly rounds: number;
  readonly data?: string;
  readonly then: string;
}>();
const { events, whale, accounts, rounds } = options;
if (whale > events) program.error(`error: --whale is a part of --events: at most ${events}.`, { exitCode: 2 });
/** The last account has many events; the others share the rest evenly. */
const WHALE = accounts - 1;
const SHORT_EVENTS = 10_000;

const quantiles = (ms: readonly number[]): string => {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (q: number): string => quantile(sorted, q).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms (${ms.length} times)`;
};
const among = (count: number) => () => Math.floor(Math.random() * count);

const fill = async (store: ChainedLog, history: ReturnType<typeof createHistory>): Promise<void> => {
  if ((await store.head()) >= events) return print(`the log exists, with ${await store.head()} events`);
  const bar = new SingleBar(
    { format: 'filling {bar} {percentage}% | {value} of {total} events | {duration_formatted}' },
    Presets.shades_classic,
  );
  bar.start(events, await store.head());
  const started = performance.now();
  const start = await store.head();
  let ofWhale = 0;
  for (let position = start; position < events; position += 2000) {
    // The events of the large account are spread over the whole log, like those of a busy customer.
    const share = Math.round((whale / events) * 1000);
    let n = 0;
    await history.append(1000, () => (n++ < share && (ofWhale += 2) <= whale ? WHALE : among(accounts - 1)()));
    bar.update(Math.min(position + 2000, events));
  }
  bar.stop();
  const rate = (events - start) / ((performance.now() - started) / 1000);
  print(`filled to ${await store.head()} events, ${rate.toFixed(0)} events/s in batches of 2000`);
};

/** Milliseconds for each append of 200 events, the batch of a busy gateway. */
const timeAppends = async (history: ReturnType<typeof createHistory>, count: number): Promise<number[]> => {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const start = performance.now();
    await history.append(100, among(accounts));
    times.push(performance.now() - start);
  }
  return times;
};

const compareAppends = async (
  long: ReturnType<typeof createHistory>,
  short: ReturnType<typeof createHistory>,
): Promise<void> => {
  // After a checkpoint, PostgreSQL writes each page completely on its first change, and a long log has a page for each account.
  // Those appends are timed separately.
  const afterCheckpoint = await timeAppends(long, 10);
  await timeAppends(long, Math.ceil(accounts / 30));
  await timeAppends(short, 50);
  const ratios: number[] = [];
  const all = { long: [] as number[], short: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const first = await timeAppends(short, 10);
    const second = await timeAppends(long, 10);
    ratios.push(median(second) / median(first));
    all.short.push(...first);
    all.long.push(...second);
  }
  print(`append of 200 events to the long log, just after a checkpoint: ${quantiles(afterCheckpoint)}`);
  print(`append of 200 events to the short log: ${quantiles(all.short)}`);
  print(`append of 200 events to the long log:  ${quantiles(all.long)}`);
  print(`long over short: ${median(ratios).toFixed(2)} (median of the medians of ${ratios.length} rounds, in turns)`);
};

const timeLoads = async (url: string): Promise<void> => {
  await query(url, 'truncate snapshots');
  const cold = async (until?: Parameters<ReturnType<typeof createFold>>[1]) => {
    const store = createPostgresStore(url);
    const snapshots = createSnapshots<Account>({ databaseUrl: url, version: ACCOUNT_STATE_VERSION, secret: 'bench' });
    const fold = createFold({ store, codec: journal, decider: accountDecider, snapshots });
    await store.head(); // Opens the connections, without loading the account.
    await store.readStream('account-nobody', 0, 1);
    await snapshots.find('account-nobody');
    await snapshots.find('account-nobody', { revision: 0 });
    await snapshots.find('account-nobody', { at: new Date() });
    const start = performance.now();
    const { revision } = await fold(benchStream(WHALE), until);
    const ms = performance.now() - start;
    await snapshots.close();
    await store.close();
    return { ms, revision };
  };
  const first = await cold();
  print(`an account of ${first.revision + 1} events without any snapshot: ${(first.ms / 1000).toFixed(1)} s, once`);
  const loads: number[] = [];
  for (let n = 0; n < 50; n++) loads.push((await cold()).ms);
  print(`the same cold, from a snapshot: ${quantiles(loads)}`);
  const store = createPostgresStore(url);
  const moments: number[] = [];
  for (let n = 0; n < 100; n++) {
    const revision = Math.floor(Math.random() * first.revision);
    const [event] = await store.readStream(benchStream(WHALE), revision, 1);
    moments.push((await cold(n % 2 === 0 && event ? { at: event.time } : { revision })).ms);
  }
  await store.close();
  print(`the same at a random moment: ${quantiles(moments)}`);
};

/** Empty rows whose checkpoint is at the head, so that a rebuild makes all of them. */
const emptyRows = async (url: string): Promise<void> => {
  await migrateProjections(url);
  const database = createDatabase(url);
  await createMissingTables(database, projections);
  await database.none('update projections.checkpoints set position = (select position from log_head)');
  await database.$pool.end();
};

/** Runs one of the operator's commands on this log. */
const runCommand = async (url: string, command: string): Promise<void> => {
  const [name = '', ...args] = command.trim().split(' ');
  print(`\nnpm run ${name}${args.length > 0 ? ` -- ${args.join(' ')}` : ''}`);
  const start = performance.now();
  const child = spawn(process.execPath, [`src/cli/${name}.ts`, ...args], {
    env: { ...process.env, DATABASE_URL: url },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  const seconds = (performance.now() - start) / 1000;
  print(`${name} ended with ${code} after ${seconds.toFixed(1)} s`);
};

const query = async <Row extends pg.QueryResultRow>(url: string, sql: string): Promise<readonly Row[]> => {
  const client = new pg.Client(url);
  await client.connect();
  return (await client.query<Row>(sql).finally(() => client.end())).rows;
};

/** The log of an earlier run, or a new one with the accounts of the benchmark. */
const openLog = async (url: string, name: string) => {
  const own = url.replace(/\/[^/]*$/, `/${name}`);
  const [known] = await query(url, `select from pg_database where datname = '${name}'`);
  if (!known) {
    await query(url, `create database ${name}`);
    await openAccounts(own, accounts);
  }
  await migratePostgresStore(own);
  const revisions = new Map(
    (await query<{ stream: string; at: string }>(own, 'select stream, max(revision) as at from events group by 1')).map(
      ({ stream, at }) => [stream, Number(at)],
    ),
  );
  const store = createPostgresStore(own);
  const places = Array.from({ length: accounts }, (_, n) => revisions.get(benchStream(n)) ?? -1);
  return { url: own, store, history: createHistory(store, places) };
};

const dataDir = options.data ?? (await mkdtemp(join(tmpdir(), 'kissapi-bench-')));
const postgres = await startBundledPostgres({ dataDir, log: () => undefined });
const stop = async (): Promise<void> => {
  await postgres.stop();
  if (options.data === undefined) await rm(dataDir, { recursive: true, force: true });
};
process.once('SIGINT', () => void stop().finally(() => process.exit(130)));
try {
  const long = await openLog(postgres.url, 'long');
  await fill(long.store, long.history);
  await query(postgres.url, 'drop database if exists short');
  const short = await openLog(postgres.url, 'short');
  while ((await short.store.head()) < SHORT_EVENTS) await short.history.append(100, among(accounts));
  await compareAppends(long.history, short.history);
  await long.store.close();
  await short.store.close();
  await timeLoads(long.url);
  await emptyRows(long.url);
  for (const command of options.then.split(',').filter((one) => one !== '')) await runCommand(long.url, command);
} finally {
  await stop();
}
