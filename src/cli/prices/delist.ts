import { InvalidArgumentError } from 'commander';
import { delistingAt } from '../../domain/prices/price-book.ts';
import { changePrices } from './change-prices.ts';
import { CliFault } from '../terminal/fault.ts';
import { moment } from '../terminal/moment.ts';
import type { OpenDatabase } from '../terminal/open-database.ts';
import { createProgram, EXIT_CODES, print, runOnDatabase, type ExitCode } from '../terminal/run.ts';
import { plain } from '../account-history/plain-text.ts';

const MAX_REASON = 500;

const reasonOf = (text: string): string => {
  const reason = text.trim();
  if (reason === '') throw new InvalidArgumentError('It must not be empty.');
  if (reason.length > MAX_REASON) throw new InvalidArgumentError(`It must have at most ${MAX_REASON} characters.`);
  if (plain(reason) !== reason) throw new InvalidArgumentError('It must not contain control characters.');
  return reason;
};

const program = createProgram(
  'delist',
  'Take a model off sale, now or at a time. Running gateways no longer list the model and refuse requests for it.\n' +
    'Requests in progress complete at the price that they began with. npm run relist puts it on sale again.',
)
  .usage('[options] <model>')
  .argument('<model>', 'name of the model in requests')
  .requiredOption('--reason <text>', 'reason; stored permanently in the log', reasonOf)
  .option('--at <time>', 'when (ISO 8601 with a zone); default: now', moment)
  .addHelpText(
    'after',
    `
Examples:
  $ npm run delist -- gemini-2.5-pro --reason "Its provider ends it"
  $ npm run delist -- gemini-2.5-pro --at 2026-12-01T00:00:00Z --reason "Its provider ends it"
${EXIT_CODES}`,
  )
  .allowExcessArguments(false)
  .parse();

const [model = ''] = program.args;
const { reason, at } = program.opts<{ reason: string; at?: Date }>();

const delist = async (database: OpenDatabase): Promise<ExitCode> => {
  const { events, book, now } = await changePrices(database, 'cli:delist', (now) => {
    if (at && at < now) throw new CliFault(`${at.toISOString()} is in the past. Leave --at out for now.`);
    return { type: 'DelistModel', model, effectiveFrom: at ?? now, reason };
  });
  const from = delistingAt(book, model, at ?? now)?.effectiveFrom ?? now;
  const when = from > now ? `is taken off sale at ${from.toISOString()}` : `is off sale since ${from.toISOString()}`;
  await print(events.length > 0 ? `${model} ${when}.` : `Nothing to do: ${model} ${when} already.`);
  return 0;
};

await runOnDatabase('delist', delist);
