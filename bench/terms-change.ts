import { createProgram } from '../src/cli/terminal/run.ts';
import { moveLogClockForward } from '../src/eventstore/log-clock.ts';
import { openMany, useOnce, type Uses } from '../test/support/customers/many.ts';
import { createPremises } from '../test/support/gateway.ts';
import { movedMsOf } from '../test/support/clock.ts';
import { wholeNumber } from './support/options.ts';
import { runOnStage } from './support/stage.ts';
import { line, median, quantile } from './support/table.ts';

/** What the first use of many accounts after a change of the terms costs: each adds an acceptance to the append of its hold. */
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

const HOUR_MS = 3_600_000;

const show = (what: string, all: readonly Uses[]): number => {
  const perSecond = median(all.map(({ answers, seconds }) => answers.length / seconds));
  const latencies = all.flatMap(({ latenciesMs }) => latenciesMs).toSorted((a, b) => a - b);
  const failed = all.flatMap(({ answers }) => answers).filter(({ status }) => status !== 200).length;
  const times = [quantile(latencies, 0.5), quantile(latencies, 0.99)].map((ms) => ms.toFixed(1));
  line([what, perSecond.toFixed(0), ...times, String(failed)]);
  return perSecond;
};

await runOnStage('bench:terms', async (stage) => {
  const premises = await stage.keep(async () => {
    const created = await createPremises();
    return { ...created, stop: () => created.close() };
  });
  const gateway = await premises.startGateway();
  const customers = await openMany(gateway, accounts);
  const [before, after]: [Uses[], Uses[]] = [[], []];
  await useOnce([gateway], customers, connections); // Warm-up.
  for (let round = 1; round <= rounds; round++) {
    before.push(await useOnce([gateway], customers, connections));
    const version = `20${30 + round}-01-01`;
    await gateway.manage('POST', '/terms', { document: 'terms', version, text: '# Terms\n', summary: 'Round.' });
    const { movedMs } = await moveLogClockForward(premises.databaseUrl, HOUR_MS);
    while ((await movedMsOf(gateway)) !== movedMs) await new Promise((resolve) => setTimeout(resolve, 50));
    after.push(await useOnce([gateway], customers, connections));
  }
  line(['', 'requests/s', 'p50 ms', 'p99 ms', 'failed']);
  const plain = show('before the effect', before);
  const binding = show('first use after it', after);
  line(['ratio', (binding / plain).toFixed(3), '', '', '']);
});
