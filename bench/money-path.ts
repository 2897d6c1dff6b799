import { createProgram } from '../src/cli/terminal/run.ts';
import { compareLatency } from './money-path/open-loop.ts';
import { someOf, wholeNumber, wholeNumbers } from './support/options.ts';
import { startPortkey } from './money-path/peers.ts';
import { profile } from './money-path/profile.ts';
import { compareStreams, tooFewFiles } from './money-path/slow-streams.ts';
import { runOnStage } from './support/stage.ts';
import { eventStoreFor, storeOption, storesOf, type Store } from './support/stores.ts';
import { print } from './support/table.ts';
import { OUTPUT_TOKENS, startGateway, startPassThrough, startUpstream } from './support/targets.ts';
import { compareThroughput } from './money-path/throughput.ts';

/**
 * What the money path costs: the whole gateway beside a plain pass-through, in the same run, on loopback, in front of the same
 * provider. They take turns, so that a slow period of the machine affects all of them.
 */
const PARTS = ['throughput', 'latency', 'streams', 'profile', 'peers'] as const;
type Part = (typeof PARTS)[number];
const BY_DEFAULT: readonly Part[] = ['throughput', 'latency', 'streams'];

const program = createProgram(
  'bench',
  'Measure what a request costs: the whole gateway beside a plain pass-through (Express and undici, no ledger), in turns in\n' +
    'one run, on loopback, in front of the same simulated provider. Compare the ratios; the times are those of this machine.',
)
  .usage('[options]')
  .option('--only <part,…>', `some of: ${PARTS.join(', ')} (default: ${BY_DEFAULT.join(', ')})`, someOf(PARTS))
  .addOption(storeOption())
  .option('--profile', 'short for --only profile')
  .option('--peers', 'short for --only peers')
  .option('--seconds <n>', 'duration of a turn, and of a profile', wholeNumber(1, 600), 4)
  .option('--rounds <n>', 'number of turns of each', wholeNumber(1, 100), 3)
  .option(
    '--connections <n,…>',
    'for throughput and peers; profile uses the largest',
    wholeNumbers(1, 10_000),
    [32, 128],
  )
  .option('--rate <n>', 'for latency: requests per second', wholeNumber(1, 10_000), 500)
  .option('--streams <n>', 'for streams: how many are open at once', wholeNumber(1, 100_000), 5000)
  .option('--hold-seconds <n>', 'for streams: how long all of them stay open', wholeNumber(5, 600), 10)
  .option('--tokens <n>', 'for throughput and profile: tokens per response', wholeNumber(1, 16_384), OUTPUT_TOKENS)
  .addHelpText(
    'after',
    `
The parts:
  throughput  what so many connections get done, each asking again once it was answered: requests/s, p50 and p99, the ratio
              of their requests/s, and the CPU time per request of each and of the database (on Linux)
  latency     requests that come when they come, counted from the moment at which they were due: what the gateway adds
              to the provider alone. Says how late its own generator was, so that a run can be distrusted
  streams     memory per stream with many slow ones open (a chunk a second), and whether each was charged once
  profile     where the gateway's time goes at the most connections: by group, and the 25 functions with the most of their own;
              of its main thread alone, the one that requests wait for; the thread that keeps the rows is one figure beside it
  peers       throughput, with Portkey's gateway beside; npm gets it for the occasion, and it is left out where npm cannot

It takes five to six minutes. BENCH_DATABASE_URL has the gateway use a PostgreSQL of yours, instead of one of its own.

Examples:
  $ npm run bench
  $ npm run bench -- --only latency --rate 1000
  $ npm run bench -- --only throughput,profile --connections 128
  $ npm run bench -- --only throughput --tokens 256
  $ EVENT_STORE_URL='esdb://127.0.0.1:2113?tls=false' npm run bench -- --store both --only throughput,profile

Exit codes:
  0  measured
  1  measured, and a stream was not served to its end or not charged once
  2  not measured; stderr says why`,
  )
  .parse();

const options = program.opts<{
  readonly only?: readonly Part[];
  readonly profile?: true;
  readonly store: Store | 'both';
  readonly peers?: true;
  readonly seconds: number;
  readonly rounds: number;
  readonly connections: readonly number[];
  readonly rate: number;
  readonly streams: number;
  readonly holdSeconds: number;
  readonly tokens: number;
}>();
const asked: readonly Part[] = [
  ...(options.only ?? []),
  ...(options.profile ? (['profile'] as const) : []),
  ...(options.peers ? (['peers'] as const) : []),
];
const parts = asked.length === 0 ? BY_DEFAULT : asked;

await runOnStage('bench', async (stage) => {
  const cannot = parts.includes('streams') ? await tooFewFiles(options.streams) : undefined;
  if (cannot !== undefined) throw new Error(cannot);
  const stores = storesOf(options.store);
  eventStoreFor(stores);
  const upstream = await startUpstream(stage);
  if (parts.some((part) => part === 'throughput' || part === 'latency' || part === 'peers')) {
    const passThrough = await startPassThrough(stage, upstream);
    const gateways = await Promise.all(stores.map((store) => startGateway(stage, upstream, store)));
    if (parts.includes('throughput')) await compareThroughput([passThrough, ...gateways], options);
    if (parts.includes('latency')) {
      print();
      await compareLatency(stage, [upstream, passThrough, ...gateways], options);
    }
    if (parts.includes('peers')) {
      print();
      const portkey = await startPortkey(stage, upstream);
      // Portkey does not pass on the field that sets another length at the simulated provider.
      const { connections, rounds, seconds } = options;
      const targets = [passThrough, ...gateways, ...(portkey ? [portkey] : [])];
      await compareThroughput(targets, { connections, rounds, seconds });
    }
    for (const gateway of gateways) await gateway.process.stop();
    await passThrough.process.stop();
  }
  if (parts.includes('streams')) {
    print();
    if (!(await compareStreams(stage, upstream, options))) process.exitCode = 1;
  }
  if (parts.includes('profile')) {
    const { seconds, tokens } = options;
    const connections = Math.max(...options.connections);
    for (const store of stores) await profile(stage, upstream, { connections, seconds, tokens, store });
  }
});
