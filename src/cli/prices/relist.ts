import { MIN_AHEAD_MS } from '../../domain/notice.ts';
import { priceAt } from '../../domain/prices/price-book.ts';
import { changePrices } from './change-prices.ts';
import type { OpenDatabase } from '../terminal/open-database.ts';
import { createProgram, EXIT_CODES, print, runOnDatabase, type ExitCode } from '../terminal/run.ts';

const program = createProgram(
  'relist',
  'Put a model on sale again after a minute, at its latest listed prices. If its end has not taken effect yet, it is\n' +
    'cancelled. Running gateways follow.',
)
  .usage('[options] <model>')
  .argument('<model>', 'name of the model in requests')
  .addHelpText(
    'after',
    `
Examples:
  $ npm run relist -- gpt-5-mini
${EXIT_CODES}`,
  )
  .allowExcessArguments(false)
  .parse();

const [model = ''] = program.args;

const relist = async (database: OpenDatabase): Promise<ExitCode> => {
  const { events, book, now } = await changePrices(database, 'cli:relist', (at) => ({
    type: 'RelistModel',
    model,
    at,
  }));
  const [event] = events;
  const isOnSale = priceAt(book, model, now) !== undefined;
  const soonest = isOnSale ? now : new Date(now.getTime() + MIN_AHEAD_MS);
  const from = event?.type === 'PriceListed' ? event.effectiveFrom : soonest;
  const price = priceAt(book, model, from);
  const end = price?.endsAt ? ` until ${price.endsAt.toISOString()}` : '';
  const since = isOnSale ? '' : ` from ${(price?.effectiveFrom ?? from).toISOString()}`;
  const sold = `${model} is on sale at price version ${price?.version ?? 'unknown'}${since}${end}`;
  await print(events.length > 0 ? `${sold}.` : `Nothing to do: ${sold}.`);
  return 0;
};

await runOnDatabase('relist', relist);
