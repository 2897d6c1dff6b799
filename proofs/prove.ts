import { Presets, SingleBar } from 'cli-progress';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProgram, print, type ExitCode } from '../src/cli/terminal/run.ts';
import { startBundledPostgres } from '../src/gateway/start/bundled-postgres.ts';
import { createPostgresStore, migratePostgresStore } from '../src/eventstore/postgres/postgres.ts';
import { eventStoreSubject } from './prove/event-store-subject.ts';
import type { Subject } from './prove/history.ts';
import { inMemorySubject } from './prove/in-memory-subject.ts';
import { prove, type Counterexample, type Tally } from './prove/proof.ts';
import { lacksEventStore, NeedsEventStore, openEventStore } from './support/event-store.ts';

/** The default number of histories for each store. */
const usual = { memory: 10_000, postgres: 300, eventstoredb: 300 } as const;
const stores = Object.keys(usual) as (keyof typeof usual)[];
const LARGEST_SEED = 0x7fffffff;

const program = createProgram(
  'prove',
  'Random histories of commands on accounts, on two or three nodes at once that share a log, with clashes, appends that are ' +
    'lost or late, answers that never come, nodes that die, and a log that goes back in time under running nodes, as a restored ' +
    'database does. Each must be what a plain reference ledger says.',
)
  .usage('[options]')
  .option('--histories <n>', `how many histories (default: ${usual.memory}; on a server ${usual.postgres})`)
  .option('--seed <n>', 'the same seed gives the same histories (default: any)')
  .option('--path <path>', 'with a seed: this one history, as a failed proof names it')
  .option('--store <name>', `where the log is: ${stores.join(', ')}; servers are started for it`, 'memory')
  .addHelpText(
    'after',
    `
Examples:
  $ npm run prove
  $ npm run prove -- --histories 500 --store postgres
  $ npm run prove -- --histories 500 --store eventstoredb
  $ npm run prove -- --seed 42 --path 17:3:0

The log goes back in time in memory only; npm run certify does the same to a real server.
EventStoreDB is started by the command in EVENT_STORE_SERVER; without it, the server at EVENT_STORE_URL is used.

A history that breaks a promise is made as short as can be and told line by line, with the command that repeats it.

Exit codes:
  0  every history kept every promise
  1  one did not
  2  not done; stderr says why`,
  )
  .allowExcessArguments(false)
  .parse();

const given = program.opts<{ histories?: string; seed?: string; path?: string; store: string }>();

const whole = (name: string, text: string, least: number, most: number): number => {
  const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  return program.error(`error: --${name} is a whole number from ${least} to ${most}, not ${text}`);
};

const storeName =
  stores.find((name) => name === given.store) ??
  program.error(`error: --store is one of ${stores.join(', ')}, not ${given.store}`);
const histories = whole('histories', given.histories ?? String(usual[storeName]), 1, 100_000_000);
const seed =
  given.seed === undefined
    ? Math.floor(Math.random() * LARGEST_SEED)
    : whole('seed', given.seed, -LARGEST_SEED - 1, LARGEST_SEED);
const { path } = given;
if (path !== undefined && !/^\d+(:\d+)*$/.test(path)) program.error(`error: --path is like 17:3:0, not ${path}`);
if (path !== undefined && given.seed === undefined) program.error('error: a path belongs to a seed');

let stopping = false;

type Log = { subject(): Subject | Promise<Subject>; close(): Promise<void> };

/** In memory and in EventStoreDB each history has its own log; in PostgreSQL all share one, as in production. */
const openLog = async (): Promise<Log> => {
  if (storeName === 'memory') {
    return { subject: () => inMemorySubject(), close: () => Promise.resolve() };
  }
  const lacks = storeName === 'eventstoredb' ? lacksEventStore(false) : undefined;
  if (lacks !== undefined) throw new NeedsEventStore(lacks);
  const directory = await mkdtemp(join(tmpdir(), 'kissapi-prove-'));
  const starting = startBundledPostgres({ dataDir: join(directory, 'postgres'), log: () => undefined });
  const opening =
    storeName === 'eventstoredb'
      ? openEventStore({ directory: join(directory, 'eventstoredb'), kills: false })
      : undefined;
  const remove = async (): Promise<void> => {
    await Promise.allSettled([starting.then(({ stop }) => stop()), opening?.then(({ stop }) => stop())]);
    await rm(directory, { recursive: true, force: true });
  };
  // Ctrl-C must stop the servers, and must not report histories that broke because they stopped.
  const interrupted = (): void => {
    stopping = true;
    void remove().finally(() => process.exit(130));
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    const { url: databaseUrl } = await starting;
    await migratePostgresStore(databaseUrl);
    const eventStoreUrl = (await opening)?.url;
    if (eventStoreUrl !== undefined)
      return { subject: () => eventStoreSubject({ databaseUrl, eventStoreUrl }), close: remove };
    const store = createPostgresStore(databaseUrl);
    return { subject: () => ({ openStore: () => store }), close: () => store.close().then(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
};

const inNumbers = (tally: Tally, seconds: number): string =>
  [
    `${tally.histories} histories, ${tally.commands} commands`,
    `${tally.clashes} clashes, ${tally.ambiguous} ambiguous commits, ${tally.unavailable} times unavailable`,
    `${tally.restarts} restarts, ${tally.rewinds} times back in time, ${tally.snapshots} loads from a snapshot; ${(tally.histories / seconds).toFixed(0)} histories/s`,
  ].join('; ');

const tell = async ({ seed, path, broken, shrunk, story }: Counterexample): Promise<void> => {
  await print(`\nBROKEN: ${broken}\n`);
  await print(`The history that shows it${shrunk > 0 ? `, made shorter ${shrunk} times` : ''}:`);
  for (const line of story) await print(`  ${line}`);
  await print(`\nTo repeat it:\n  npm run prove -- --store ${storeName} --seed ${seed} --path ${path}`);
};

const run = async (log: Log): Promise<ExitCode> => {
  // On stderr; without a terminal, one line now and then.
  const bar = new SingleBar(
    {
      format: 'prove {bar} {percentage}% | {value} of {total} histories | {what} | {duration_formatted}',
      noTTYOutput: true,
      notTTYSchedule: 30_000,
    },
    Presets.shades_classic,
  );
  const total = path === undefined ? histories : 1;
  const before = performance.now();
  let tried = 0;
  bar.start(total, 0, { what: `seed ${seed}` });
  const { tally, counterexample } = await prove({
    ...log,
    histories,
    seed,
    ...(path === undefined ? {} : { path }),
    progress: (so, shrinking) =>
      bar.update(so.histories, shrinking ? { what: `one is broken, and made shorter: ${++tried} tries` } : {}),
  }).finally(() => bar.stop());
  if (stopping) await new Promise(() => undefined);
  await print(`seed ${seed}, ${storeName}: ${inNumbers(tally, (performance.now() - before) / 1000)}`);
  if (!counterexample) {
    await print('Every history is what the reference ledger says.');
    return 0;
  }
  await tell(counterexample);
  return 1;
};

try {
  const log = await openLog();
  try {
    process.exitCode = await run(log);
  } finally {
    await log.close();
  }
} catch (error) {
  process.exitCode = 2;
  console.error(`prove: ${error instanceof Error ? error.message : String(error)}`);
}
