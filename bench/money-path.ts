import { createProgram } from '../src/cli/run.ts';
import { compareLatency } from './open-loop.ts';
import { someOf, wholeNumber, wholeNumbers } from './options.ts';
import { profile } from './profile.ts';
import { compareStreams, tooFewFiles } from './slow-streams.ts';
import { createStage } from './stage.ts';
import { say } from './table.ts';
import { startGateway, startPassThrough, startUpstream } from './targets.ts';
import { compareThroughput } from './throughput.ts';

/**
 * What the money path costs: the whole gateway beside a plain pass-through, in the same run, on loopback, before the same
 * upstream. They take turns, so that a machine that is slow for a while is slow for all.
 */
const PARTS = ['throughput', 'latency', 'streams', 'profile'] as const;
type Part = (typeof PARTS)[number];

const program = createProgram('bench', 'What a request costs, beside a plain pass-through in the same run.')
  .usage('[options]')
  .option('--only <parts>', `some of ${PARTS.join(',')}`, someOf(PARTS))
  .option('--profile', 'the same as --only profile')
  .option('--seconds <n>', 'how long a turn lasts', wholeNumber(1, 600), 5)
  .option('--rounds <n>', 'how often the targets take turns', wholeNumber(1, 100), 3)
  .option('--connections <n,…>', 'of the throughput', wholeNumbers(1, 10_000), [32, 128])
  .option('--rate <n>', 'requests a second of the latency', wholeNumber(1, 10_000), 500)
  .option('--streams <n>', 'slow streams that are open at once', wholeNumber(1, 100_000), 5000)
  .option('--hold-seconds <n>', 'how long all of them stay open', wholeNumber(5, 600), 10)
  .parse();

const options = program.opts<{
  readonly only?: readonly Part[];
  readonly profile?: true;
  readonly seconds: number;
  readonly rounds: number;
  readonly connections: readonly number[];
  readonly rate: number;
  readonly streams: number;
  readonly holdSeconds: number;
}>();
const parts: readonly Part[] = options.only ?? (options.profile ? ['profile'] : ['throughput', 'latency', 'streams']);

const stage = createStage();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stage.close().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143)));
}

const run = async (): Promise<void> => {
  const why = parts.includes('streams') ? await tooFewFiles(options.streams) : undefined;
  if (why !== undefined) throw new Error(why);
  const upstream = await startUpstream(stage);
  if (parts.includes('throughput') || parts.includes('latency')) {
    const passThrough = await startPassThrough(stage, upstream);
    const gateway = await startGateway(stage, upstream);
    if (parts.includes('throughput')) await compareThroughput([passThrough, gateway], options);
    if (parts.includes('latency')) {
      say();
      await compareLatency(stage, [upstream, passThrough, gateway], options);
    }
    await gateway.process.stop();
    await passThrough.process.stop();
  }
  if (parts.includes('streams')) {
    say();
    if (!(await compareStreams(stage, upstream, options))) process.exitCode = 1;
  }
  if (parts.includes('profile')) {
    await profile(stage, upstream, { connections: Math.max(...options.connections), seconds: options.seconds });
  }
};

try {
  await run();
} catch (error) {
  if (!stage.closing) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
} finally {
  await stage.close();
}
