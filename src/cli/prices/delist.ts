import { MIN_AHEAD_MS, NOTICE_MS } from '../../domain/notice.ts';
import { delistingAt } from '../../domain/prices/price-book.ts';
import { changePrices } from './change-prices.ts';
import { moment, oneLine } from '../terminal/arguments.ts';
import type { OpenDatabase } from '../terminal/open-database.ts';
import { createProgram, EXIT_CODES, print, runOnDatabase, type ExitCode } from '../terminal/run.ts';

const program = createProgram(
  'delist',
  'Take a model off sale: after 14 days, or after a minute if its provider ends it. From then on gateways no longer list the\n' +
    'model and refuse requests for it. Requests in progress complete at the price that they began with. npm run relist puts\n' +
    'it on sale again.',
)
  .usage('[options] <model>')
  .argument('<model>', 'name of the model in requests')
  .requiredOption('--reason <text>', 'reason; stored permanently in the log', oneLine)
  .option('--at <time>', 'when (ISO 8601 with a zone); default: at the earliest time', moment)
  .option('--provider-ended', 'its provider ends it, so the notice may be shorter than 14 days')
  .addHelpText(
    'after',
    `
Examples:
  $ npm run delist -- gpt-5-mini --reason "Too few customers"
  $ npm run delist -- gpt-5-mini --at 2027-02-01T00:00:00Z --reason "Too few customers"
  $ npm run delist -- gemini-2.5-pro --provider-ended --reason "Its provider ends it"
${EXIT_CODES}`,
  )
  .allowExcessArguments(false)
  .parse();

const [model = ''] = program.args;
const {
  reason,
  at,
  providerEnded: endedByProvider = false,
} = program.opts<{ reason: string; at?: Date; providerEnded?: boolean }>();
const aheadMs = endedByProvider ? MIN_AHEAD_MS : NOTICE_MS;

const delist = async (database: OpenDatabase): Promise<ExitCode> => {
  const effectOf = (now: Date): Date => at ?? new Date(now.getTime() + aheadMs);
  const { events, book, now } = await changePrices(database, 'cli:delist', (now) => ({
    ...{ type: 'DelistModel', model, effectiveFrom: effectOf(now), reason, endedByProvider, at: now },
  }));
  const from = delistingAt(book, model, effectOf(now))?.effectiveFrom ?? now;
  const when = from > now ? `is taken off sale at ${from.toISOString()}` : `is off sale since ${from.toISOString()}`;
  await print(events.length > 0 ? `${model} ${when}.` : `Nothing to do: ${model} ${when} already.`);
  return 0;
};

await runOnDatabase('delist', delist);
