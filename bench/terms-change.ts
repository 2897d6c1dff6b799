import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createProgram } from '../src/cli/terminal/run.ts';
import { openMany, useOnce, type Uses } from '../test/support/customers/many.ts';
import { startGatewayOn } from '../test/support/nodes/running-gateway.ts';
import { wholeNumber } from './support/options.ts';
import { runOnStage } from './support/stage.ts';
import { line, median, quantile } from './support/table.ts';

/** Measures the first requests of many accounts under new terms: each adds an acceptance to the append of its hold. */
const program = createProgram(
  'bench:terms',
  'Measure one request of each of many accounts, before and after new terms take effect. Both take turns.',
)
  .usage('[options]')
  .option('--accounts <n>', 'how many accounts', wholeNumber(1, 10_000), 1000)
  .option('--connections <n>', 'how many requests at a time', wholeNumber(1, 500), 32)
  .option('--rounds <n>', 'how many changes of the terms', wholeNumber(1, 50), 5)
  .parse();
const { accounts, connections, rounds } = program.opts<{
  readonly accounts: number;
  readonly connections: number;
  readonly rounds: number;
}>();

const run = promisify(execFile);

/** Waits until the version is in force on the gateway. */
const inForce = async (url: string, version: string): Promise<void> => {
  const versionOf = async () => (await fetch(`${url}/terms`)).headers.get('x-kissapi-terms-version');
  while ((await versionOf()) !== version) await sleep(50);
};

const show = (what: string, all: readonly Uses[]): number => {
  const perSecond = median(all.map(({ answers, seconds }) => answers.length / seconds));
  const latencies = all.flatMap(({ latenciesMs }) => latenciesMs).toSorted((a, b) => a - b);
  const failed = all.flatMap(({ answers }) => answers).filter(({ status }) => status !== 200).length;
  const times = [quantile(latencies, 0.5), quantile(latencies, 0.99)].map((ms) => ms.toFixed(1));
  line([what, perSecond.toFixed(0), ...times, String(failed)]);
  return perSecond;
};

await runOnStage('bench:terms', async (stage) => {
  const dataDir = await stage.directory();
  const gateway = await stage.keep(async () => {
    const running = await startGatewayOn(
      { databaseUrl: '', dataDir },
      { KISSAPI_LOG: 'warn', SELF_AUDIT_EVERY_MS: '0' },
    );
    return { ...running, stop: () => running.process.stop() };
  });
  const customers = await openMany(gateway, accounts);
  const [before, after]: [Uses[], Uses[]] = [[], []];
  await useOnce([gateway], customers, connections); // Warm-up.
  for (let round = 1; round <= rounds; round++) {
    before.push(await useOnce([gateway], customers, connections));
    const version = `20${30 + round}-01-01`;
    await gateway.manage('POST', '/terms', { document: 'terms', version, text: '# Terms\n', summary: 'Round.' });
    await run('node', ['src/cli/clock.ts', '--forward', '1h'], { env: { ...process.env, KISSAPI_DATA: dataDir } });
    await inForce(gateway.url, version);
    after.push(await useOnce([gateway], customers, connections));
  }
  line(['', 'requests/s', 'p50 ms', 'p99 ms', 'failed']);
  const plain = show('before the effect', before);
  const binding = show('first use after it', after);
  line(['ratio', (binding / plain).toFixed(3), '', '', '']);
});
