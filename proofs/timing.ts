import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import { createProgram } from '../src/cli/terminal/run.ts';
import { startBundledPostgres } from '../src/gateway/start/bundled-postgres.ts';
import { createTestSmtp } from '../test/mail/smtp.ts';
import { startGatewayOn } from '../test/support/nodes/running-gateway.ts';
import { createRandom } from './random.ts';
import { wholeUpTo } from './whole-number.ts';
import { measure, registerKnown, type Sample } from './timing/measure.ts';
import { compareRanks, isDistinguishable, quantile } from './timing/rank-sum.ts';

const program = createProgram(
  'timing',
  'Does the time of an answer reveal whether an address belongs to an account? Asks a gateway for registrations and sign-in codes\n' +
    'of known and of unknown addresses, in random order, and compares the durations with a rank-sum test.',
)
  .usage('[options]')
  .option('--persons <n>', 'known addresses, and as many unknown ones', wholeUpTo(2000), 100)
  .option('--rounds <n>', 'how often each address is asked for; more than 15 meet the limits', wholeUpTo(15), 10)
  .option('--seed <text>', 'makes the same order again', String(Date.now()))
  .addHelpText(
    'after',
    `
Examples:
  $ npm run timing
  $ npm run timing -- --persons 20 --rounds 5

It starts a PostgreSQL, a gateway and a mail server of its own, and leaves nothing behind.

Exit codes:
  0  the durations do not reveal it
  1  they do
  2  not done; stderr says why`,
  )
  .parse();

const { persons, rounds, seed } = program.opts<{ persons: number; rounds: number; seed: string }>();

const ms = (value: number): string => value.toFixed(2).padStart(8);

/** False if the durations reveal which addresses are known. */
const report = (route: string, { known, unknown }: Sample): boolean => {
  const comparison = compareRanks(known, unknown);
  const reveals = isDistinguishable(comparison);
  console.log(`${route}: ${known.length} known, ${unknown.length} unknown`);
  for (const [name, values] of Object.entries({ known, unknown })) {
    const [low, middle, high] = [0.25, 0.5, 0.75].map((q) => ms(quantile(values, q)));
    console.log(`  ${name.padEnd(8)} quartiles ${low} ${middle} ${high} ms`);
  }
  const { share, z } = comparison;
  console.log(`  a known address takes longer in ${(share * 100).toFixed(1)} % of pairs (z ${z.toFixed(1)})`);
  console.log(reveals ? '  REVEALS which addresses are known' : '  does not reveal which addresses are known');
  return !reveals;
};

const run = async (directory: string): Promise<boolean> => {
  const smtp = await createTestSmtp();
  const postgres = await startBundledPostgres({ dataDir: directory, log: () => undefined, alarm: () => undefined });
  const gateway = await startGatewayOn(
    { databaseUrl: postgres.url, dataDir: directory },
    {
      ...{ KISSAPI_LOG: 'error', TRUSTED_PROXIES: '127.0.0.1' },
      ...{ SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'no-reply@example.com' },
    },
  );
  const bar = new SingleBar(
    { format: '{bar} {percentage}% | {duration_formatted}', noTTYOutput: true, notTTYSchedule: 30_000 },
    Presets.shades_classic,
  );
  try {
    bar.start(persons + 4 * persons * rounds, 0);
    const step = (): void => bar.increment();
    await registerKnown(gateway.url, smtp, persons, step);
    const samples = await measure({ url: gateway.url, persons, rounds, random: createRandom(seed), measured: step });
    bar.stop();
    console.log(`seed ${seed}`);
    return Object.entries(samples)
      .map(([route, sample]) => report(route, sample))
      .every(Boolean);
  } finally {
    bar.stop();
    await gateway.process.stop();
    await postgres.stop();
    await smtp.close();
  }
};

const directory = await mkdtemp(join(tmpdir(), 'kissapi-timing-'));
try {
  process.exitCode = (await run(directory)) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
} finally {
  await rm(directory, { recursive: true, force: true });
}
