import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import { InvalidArgumentError, Option } from 'commander';
import { createProgram } from '../src/cli/terminal/run.ts';
import { createRandom } from './random.ts';
import {
  NeedsEventStore,
  openEventStore,
  STORES,
  type ProofEventStore,
  type StoreName,
} from './support/event-store.ts';
import { wholeUpTo } from './whole-number.ts';
import { torture, type Progress } from './torture/run.ts';
import { startServer, type Server } from './torture/server.ts';
import { kindsOn } from './torture/trouble.ts';
import { faultsOf, type Verdict } from './torture/verdict.ts';

const positive = (text: string): number => {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It must be a number above 0.');
};
const program = createProgram(
  'torture',
  'Write to a log from several processes, follow it from others, and make trouble for all of them and for their PostgreSQL:\n' +
    'processes are stopped and killed, connections cut, replies lost, the server killed. In the end, was every event\n' +
    'delivered once and in order, and is all in the log that was acknowledged?',
)
  .usage('[options]')
  .option('--minutes <n>', 'how long the trouble lasts', positive, 1)
  .option(
    '--writers <n>',
    'processes that write: half through the store, half in transactions of their own; on EventStoreDB all through the store',
    wholeUpTo(32),
    4,
  )
  .option('--followers <n>', 'processes that follow', wholeUpTo(32), 3)
  .option(
    '--seed <text>',
    'makes the same trouble again; only the machine itself is then not the same',
    String(Date.now()),
  )
  .addOption(
    new Option(
      '--log <kind>',
      'head: ours. sequence: positions from a sequence, as is usual; a torture that finds nothing wrong there is none',
    )
      .choices(['head', 'sequence'] as const)
      .default('head'),
  )
  .addOption(
    new Option('--store <name>', 'which store commits the log').choices(STORES).default('postgres' satisfies StoreName),
  )
  .addHelpText(
    'after',
    `
Examples:
  $ npm run torture -- --minutes 10
  $ npm run torture -- --minutes 10 --store eventstoredb
  $ npm run torture -- --minutes 0.2 --log sequence

It starts a PostgreSQL of its own in a temporary directory, and leaves nothing behind. EventStoreDB is started by the command in
EVENT_STORE_SERVER, and killed, stopped and disconnected as well.

Exit codes:
  0  nothing was lost, doubled or out of order
  1  something was
  2  not done; stderr says why`,
  )
  .parse();

const { minutes, writers, followers, seed, log, store } = program.opts<{
  minutes: number;
  writers: number;
  followers: number;
  seed: string;
  log: 'head' | 'sequence';
  store: StoreName;
}>();
if (log === 'sequence' && store === 'eventstoredb') program.error('error: --log sequence is for PostgreSQL');

const stop = new AbortController();
// A second signal exits at once.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

const number = (value: number): string => value.toLocaleString('en-US');
const line = (name: string, value: number): void => console.log(`${name.padEnd(42)}${number(value).padStart(12)}`);

const report = (verdict: Verdict): void => {
  line('events in the log', verdict.events);
  line('deliveries to followers', verdict.deliveries);
  line('  lost', verdict.losses);
  line('  twice', verdict.duplicates);
  line('  out of order', verdict.reorderings);
  line('  not as they are in the log', verdict.strangers);
  line('events acknowledged to writers', verdict.acknowledged);
  line('  lost', verdict.acknowledgedLost);
  line('events rolled back by writers', verdict.withdrawn);
  line('  in the log all the same', verdict.withdrawnKept);
  line('the log: ids twice', verdict.idsTwice);
  line('the log: positions or revisions astray', verdict.outOfPlace);
  line('the log: broken links of the chain', verdict.brokenLinks);
  for (const kind of kindsOn(store)) line(kind, verdict.tally[kind]);
};

const durationMs = minutes * 60_000;
// On stderr; without a terminal, one line now and then.
const bar = new SingleBar(
  {
    format: '{doing} {bar} {percentage}% | {events} events | {trouble} troubles | {duration_formatted}',
    noTTYOutput: true,
    notTTYSchedule: 30_000,
  },
  Presets.shades_classic,
);
const show = ({ doing, elapsedMs, position, tally }: Progress): void => {
  const trouble = Object.values(tally).reduce((sum, count) => sum + count, 0);
  bar.update(doing === 'starting' ? 0 : Math.min(elapsedMs, durationMs), { doing, events: number(position), trouble });
};

const run = async (directory: string): Promise<void> => {
  let server: Server | undefined;
  let eventStore: ProofEventStore | undefined;
  try {
    const records = join(directory, 'records');
    await mkdir(records);
    const random = createRandom(`${seed}/port`);
    if (store === 'eventstoredb')
      eventStore = await openEventStore({ directory: join(directory, 'eventstoredb'), kills: true });
    server = await startServer(join(directory, 'server'), random);
    bar.start(durationMs, 0, { doing: 'torturing', events: 0, trouble: 0 });
    const verdict = await torture({
      databaseUrl: server.url,
      // A crash affects a log with sequence positions differently, which is not tested here.
      ...(log === 'head' ? { server } : { kinds: ['writers stopped', 'followers killed'] as const }),
      ...(eventStore?.servers ? { eventStore: eventStore.servers } : {}),
      directory: records,
      seed,
      durationMs,
      writers,
      followers,
      log,
      signal: stop.signal,
      progress: show,
    }).finally(() => bar.stop());
    report(verdict);
    const faults = faultsOf(verdict);
    for (const fault of faults) console.error(`torture: ${fault}`);
    console.log(faults.length === 0 ? 'All is as it should be.' : 'NOT as it should be.');
    process.exitCode = faults.length === 0 ? 0 : 1;
  } finally {
    await server?.stop();
    await eventStore?.stop();
  }
};

console.log(`seed ${seed}`);
const directory = await mkdtemp(join(tmpdir(), 'kissapi-torture-'));
try {
  await run(directory);
} catch (error) {
  process.exitCode = 2;
  if (error instanceof NeedsEventStore) console.error(`torture: ${error.message}`);
  else console.error(stop.signal.aborted ? 'torture: stopped before the end' : error);
} finally {
  await rm(directory, { recursive: true, force: true });
}
