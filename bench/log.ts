import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createProgram } from '../src/cli/terminal/run.ts';
import { startBundledPostgres } from '../src/gateway/start/bundled-postgres.ts';
import { startProcess } from '../test/support/process.ts';
import { CREDIT, openAccounts } from './support/accounts.ts';
import { compareStores } from './log-stores.ts';
import { wholeNumber, wholeNumbers } from './support/options.ts';
import { eventStoreFor, storeOption, storesOf, type Store } from './support/stores.ts';
import { line, print } from './support/table.ts';

/**
 * Durable commands per second through the real command path (load, decide, append, acknowledge), beside the same work with a
 * row lock (a transaction with `select … for update` per command), in the same run on the same server.
 */
const program = createProgram(
  'bench:log',
  'Measure durable commands per second with their p50 and p99 in ms, of the ledger and of row locks, and the ratio. Loading\n' +
    'accounts from the log in a new process is timed separately. With --store, the same load on EventStoreDB, or on both stores\n' +
    'in turns, with the CPU time of a command.',
)
  .usage('[options]')
  .option('--seconds <n>', 'duration of each measurement', wholeNumber(1, 50), 5)
  .option('--accounts <n>', 'number of accounts that the commands use', wholeNumber(1, 1_000_000), 10_000)
  .option('--flight <n,…>', 'commands in flight', wholeNumbers(1, 10_000), [1, 64, 512])
  .option('--processes <n,…>', 'processes that share the commands', wholeNumbers(1, 64), [1, 2])
  .addOption(storeOption())
  .option('--rounds <n>', 'with --store: number of turns of each store', wholeNumber(1, 100), 3)
  .option('--profile', 'with --store: also where the time of the main thread goes')
  .parse();
const options = program.opts<{
  readonly seconds: number;
  readonly accounts: number;
  readonly flight: readonly number[];
  readonly processes: readonly number[];
  readonly store: Store | 'both';
  readonly rounds: number;
  readonly profile?: true;
}>();

type Figures = {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Accounts loaded into memory, before commands were timed. */
  readonly loadsPerSecond: number;
};

const { accounts } = options;

const openUsual = async (url: string): Promise<void> => {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(
    `create table usual_accounts (id int primary key, balance bigint not null, held bigint not null);
     create table usual_entries (id bigserial primary key, account int not null, request uuid not null, hold bigint not null,
                                 charge bigint not null, detail json not null, at timestamptz not null default now());
     create index on usual_entries (account, id)`,
  );
  await client.query('insert into usual_accounts select n, $1, 0 from generate_series(0, $2::int - 1) n', [
    CREDIT,
    accounts,
  ]);
  await client.end();
};

const measure = async (
  url: string,
  way: string,
  count: number,
  flight: number,
  processes: number,
): Promise<Figures> => {
  const args = ['--way', way, '--database', url, '--accounts', String(count), '--seconds', String(options.seconds)];
  const each = Math.max(1, Math.floor(flight / processes));
  const workers = await Promise.all(
    Array.from({ length: processes }, () =>
      startProcess('bench/log-worker.ts', [...args, '--flight', String(each)], {}, /(\{.*\})\n/),
    ),
  );
  const figures = workers.map(({ said }) => JSON.parse(said) as Figures);
  return {
    perSecond: figures.reduce((sum, { perSecond }) => sum + perSecond, 0),
    p50: Math.max(...figures.map(({ p50 }) => p50)),
    p99: Math.max(...figures.map(({ p99 }) => p99)),
    loadsPerSecond: figures.reduce((sum, { loadsPerSecond }) => sum + loadsPerSecond, 0),
  };
};

const NAME_WIDTH = 46;

const compareWithRowLocks = async (url: string): Promise<void> => {
  await openAccounts(url, accounts);
  await openUsual(url);
  line(['', 'commands/s', 'p50 ms', 'p99 ms', 'usual/s', 'p50 ms', 'p99 ms', 'ratio', 'loads/s'], NAME_WIDTH);
  for (const count of [accounts, 1]) {
    for (const flight of options.flight) {
      for (const processes of options.processes) {
        if (flight < processes) continue;
        const ours = await measure(url, 'ledger', count, flight, processes);
        const usual = await measure(url, 'for-update', count, flight, processes);
        const cells = ({ perSecond, p50, p99 }: Figures): string[] => [
          perSecond.toFixed(0),
          p50.toFixed(1),
          p99.toFixed(1),
        ];
        const what = `${count === 1 ? 'one account' : `${count} accounts`}, ${flight} in flight, ${processes} process${processes > 1 ? 'es' : ''}`;
        const ratio = (ours.perSecond / usual.perSecond).toFixed(2);
        const loads = count === 1 ? '' : ours.loadsPerSecond.toFixed(0);
        line([what, ...cells(ours), ...cells(usual), ratio, loads], NAME_WIDTH);
      }
    }
  }
};

const stores = storesOf(options.store);
let eventStoreUrl: string | undefined;
try {
  eventStoreUrl = eventStoreFor(stores);
} catch (error) {
  print(`bench:log: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(2);
}
const dataDir = await mkdtemp(join(tmpdir(), 'kissapi-bench-'));
const postgres = await startBundledPostgres({ dataDir, log: () => undefined });
try {
  if (options.store === 'postgres') await compareWithRowLocks(postgres.url);
  else await compareStores({ ...options, stores, databaseUrl: postgres.url, eventStoreUrl, dataDir });
} finally {
  await postgres.stop();
  await rm(dataDir, { recursive: true, force: true });
}
