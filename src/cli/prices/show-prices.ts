import { readCatalogue } from '../../config/catalogue.ts';
import { formatUsdPerMillion, tokenClasses, type Rates } from '../../domain/money.ts';
import { ratesOf } from '../../domain/prices/lines.ts';
import { changesAfter, pricesAt, type ListedPrice } from '../../domain/prices/price-book.ts';
import { leastMarginPercent, proposalsOf, type Margin, type Proposal } from '../../domain/prices/proposals.ts';
import type { OpenDatabase } from '../terminal/open-database.ts';
import { print, type ExitCode } from '../terminal/run.ts';
import { table } from '../terminal/table.ts';
import { readPrices } from './change-prices.ts';

const CLASSES = ['input', 'cached', 'cache write', 'output', 'reasoning'];
const cells = (rates: Rates): readonly string[] => tokenClasses.map((one) => formatUsdPerMillion(rates[one]));
export const inOneCell = (rates: Rates): string => cells(rates).join(' / ');

const marginOf = ({ rates }: Pick<ListedPrice, 'rates'>, cost: ListedPrice['cost']): string => {
  const least = cost ? leastMarginPercent(rates, ratesOf(cost)) : undefined;
  return least === undefined ? '-' : least.toFixed(1);
};

/** The prices in force, with the least margin over the cost. */
export const listPrices = async (database: OpenDatabase): Promise<ExitCode> => {
  const { book, now } = await readPrices(database);
  const rows = pricesAt(book, now).map((price) => [
    ...[price.model, String(price.version), price.effectiveFrom.toISOString(), ...cells(price.rates)],
    ...[marginOf(price, price.cost), price.endsAt?.toISOString() ?? ''],
  ]);
  await print('USD per million tokens\n');
  await print(
    table([['model', 'version', 'since', ...CLASSES, 'margin %', 'ends'], ...rows], new Set([1, 3, 4, 5, 6, 7, 8])),
  );
  return 0;
};

/** The announced changes of prices, and the announced ends of sale. */
export const listUpcoming = async (database: OpenDatabase): Promise<ExitCode> => {
  const { book, now } = await readPrices(database);
  const changes = [...book.keys()].flatMap((model) =>
    changesAfter(book, model, now).map(({ price, isIncrease }) => [
      ...[
        price.effectiveFrom.toISOString(),
        model,
        String(price.version),
        isIncrease ? 'can cost more' : 'costs no more',
      ],
      inOneCell(price.rates),
    ]),
  );
  const ends = pricesAt(book, now).flatMap(({ model, endsAt }) =>
    endsAt ? [[endsAt.toISOString(), model, '', 'is taken off sale', '']] : [],
  );
  const rows = [...changes, ...ends].sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
  if (rows.length === 0) await print('Nothing is announced.');
  else await print(table([['from', 'model', 'version', 'change', CLASSES.join(' / ')], ...rows]));
  return 0;
};

/** What the catalogue and the margin propose. */
export const readProposals = async (database: OpenDatabase, margin: Margin): Promise<readonly Proposal[]> => {
  const { book, now } = await readPrices(database);
  const models = (await readCatalogue()).map(({ model }) => model);
  return proposalsOf(book, models, margin, now);
};

export const listProposals = async (database: OpenDatabase, margin: Margin): Promise<ExitCode> => {
  const proposals = await readProposals(database, margin);
  if (proposals.length === 0) {
    await print('There are no proposals: every listed price is the cost in the catalogue plus PRICE_MARGIN_PERCENT.');
    return 0;
  }
  const rows = proposals.map(({ entry, newest, inForce, needsNotice }) => [
    entry.model,
    inForce ? inOneCell(inForce.rates) : 'none',
    newest.version === inForce?.version ? '' : `${inOneCell(newest.rates)} from ${newest.effectiveFrom.toISOString()}`,
    inOneCell(ratesOf(entry.lines)),
    inOneCell(ratesOf(entry.cost ?? entry.lines)),
    marginOf(newest, entry.cost),
    needsNotice ? '14 days' : 'none',
  ]);
  await print(`USD per million tokens: ${CLASSES.join(' / ')}\n`);
  await print(
    table([['model', 'in force', 'announced', 'proposal', 'cost', 'margin %', 'notice'], ...rows], new Set([5])),
  );
  await print(
    '\nCustomers pay the price in force until you announce another: npm run prices -- announce <model>, or --all.',
  );
  return 0;
};
