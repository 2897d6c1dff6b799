import { InvalidArgumentError } from 'commander';
import { readCommandConfig } from '../../config/config.ts';
import { parseUsdPerMillion, type PicoUsdPerToken } from '../../domain/money.ts';
import { moment, oneLine } from '../terminal/arguments.ts';
import type { OpenDatabase } from '../terminal/open-database.ts';
import { createProgram, EXIT_CODES, runOnDatabase, type ExitCode } from '../terminal/run.ts';
import { announceProposals, setPrice, withdrawPrice } from './announce.ts';
import { listPrices, listProposals, listUpcoming } from './show-prices.ts';

const rate = (text: string): PicoUsdPerToken => {
  const parsed = parseUsdPerMillion(text);
  if (parsed !== undefined) return parsed;
  throw new InvalidArgumentError('It must be decimal USD per million tokens with up to six places, such as 0.25.');
};
const version = (text: string): number => {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be the version of a price, such as 2.');
};

let chosen: (database: OpenDatabase) => Promise<ExitCode> = () => Promise.resolve(2);

const program = createProgram(
  'prices',
  'List prices, compare them with the catalogue, announce a price, or withdraw an announced one. An increase takes effect\n' +
    'after 14 days at the earliest, any other change after a minute. Running gateways follow.',
)
  .usage('<command> [options]')
  .addHelpText(
    'after',
    `
Examples:
  $ npm run prices -- list
  $ npm run prices -- upcoming
  $ npm run prices -- proposals
  $ npm run prices -- announce gpt-5-mini
  $ npm run prices -- announce --all --at 2027-02-01T00:00:00Z
  $ npm run prices -- set gpt-5-mini --input 0.25 --cached-input 0.025 --output 2
  $ npm run prices -- withdraw gpt-5-mini 2 --reason "A typo in the price"
${EXIT_CODES}`,
  )
  .allowExcessArguments(false);

program
  .command('list')
  .description(
    'The prices in force, in USD per million tokens, with the lowest margin over the cost among the classes.',
  )
  .usage('')
  .allowExcessArguments(false)
  .action(() => {
    chosen = listPrices;
  });

program
  .command('upcoming')
  .description('The announced changes of prices, and the announced ends of sale.')
  .usage('')
  .allowExcessArguments(false)
  .action(() => {
    chosen = listUpcoming;
  });

program
  .command('proposals')
  .summary('The proposed prices that differ from the listed ones.')
  .description(
    'The cost in catalogue/models.json plus the margin PRICE_MARGIN_PERCENT, for models whose newest listed price differs from ' +
      'it. Set PRICE_MARGIN_PERCENT for this command as for the gateways.',
  )
  .usage('')
  .allowExcessArguments(false)
  .action(() => {
    chosen = (database) => listProposals(database, readCommandConfig().priceMargin);
  });

program
  .command('announce')
  .summary('Announce what the catalogue proposes.')
  .description(
    'Announce the proposed prices of these models, or of all. Without --at each takes effect at its earliest time: after 14 days ' +
      'if it can cost more than before, otherwise after a minute.',
  )
  .usage('[options] [model...]')
  .argument('[model...]', 'names of models')
  .option('--all', 'all proposals')
  .option('--at <time>', 'when they take effect (ISO 8601 with a zone)', moment)
  .action((models: readonly string[], { all = false, at }: { readonly all?: boolean; readonly at?: Date }) => {
    if (all === models.length > 0) program.error('error: name models, or use --all', { exitCode: 2 });
    chosen = (database) => announceProposals(database, { models, all, at, margin: readCommandConfig().priceMargin });
  });

type Rates = { readonly input: bigint; readonly output: bigint } & Partial<
  Record<'cachedInput' | 'cacheWrite' | 'reasoning', bigint>
>;

program
  .command('set')
  .summary('Announce a price that you name.')
  .description('Announce a price of a listed model, in USD per million tokens.')
  .usage('[options] <model>')
  .argument('<model>', 'name of the model')
  .requiredOption('--input <usd>', 'input tokens', rate)
  .requiredOption('--output <usd>', 'output tokens', rate)
  .option('--cached-input <usd>', 'input read from a cache; default: that of --input', rate)
  .option('--cache-write <usd>', 'input written to a cache; default: that of --input', rate)
  .option('--reasoning <usd>', 'reasoning tokens; default: that of --output', rate)
  .option('--at <time>', 'when it takes effect (ISO 8601 with a zone); default: at the earliest time', moment)
  .allowExcessArguments(false)
  .action((model: string, options: Rates & { readonly at?: Date }) => {
    const { input, output, cachedInput = input, cacheWrite = input, reasoning = output, at } = options;
    const rates = { input, cachedInput, cacheWrite, output, reasoning };
    chosen = (database) => setPrice(database, { model, rates, at });
  });

program
  .command('withdraw')
  .summary('Withdraw an announced price.')
  .description(
    'Withdraw an announced price: until a minute before its effect, or until 14 days before if usage would cost more without it.',
  )
  .usage('[options] <model> <version>')
  .argument('<model>', 'name of the model')
  .argument('<version>', 'version of the price, as in npm run prices -- upcoming', version)
  .requiredOption('--reason <text>', 'reason; stored permanently in the log', oneLine)
  .allowExcessArguments(false)
  .action((model: string, which: number, { reason }: { readonly reason: string }) => {
    chosen = (database) => withdrawPrice(database, { model, version: which, reason });
  });

program.parse();

await runOnDatabase('prices', (database) => chosen(database));
