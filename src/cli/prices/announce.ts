import type { Rates } from '../../domain/money.ts';
import type { PriceEntry } from '../../domain/prices/events.ts';
import { canCostMore, linesOf, ratesOf } from '../../domain/prices/lines.ts';
import { delistingAt, type ListedPrice, type PriceBook } from '../../domain/prices/price-book.ts';
import { earliestOf, entryToAnnounce, type Margin } from '../../domain/prices/proposals.ts';
import { CliFault } from '../terminal/fault.ts';
import type { OpenDatabase } from '../terminal/open-database.ts';
import { print, type ExitCode } from '../terminal/run.ts';
import { changePrices, unknownModel } from './change-prices.ts';
import { inOneCell, readProposals } from './show-prices.ts';

type Wanted = {
  readonly models: readonly string[];
  readonly all: boolean;
  readonly at: Date | undefined;
  readonly margin: Margin;
};

/** Announces what the catalogue proposes for these models, or for all. */
export const announceProposals = async (database: OpenDatabase, wanted: Wanted): Promise<ExitCode> => {
  const { models, all, at, margin } = wanted;
  const proposals = await readProposals(database, margin);
  const unknown = models.find((model) => !proposals.some(({ entry }) => entry.model === model));
  if (unknown !== undefined) {
    throw new CliFault(`Nothing is proposed for ${unknown}. npm run prices -- proposals lists the proposals.`);
  }
  const chosen = proposals.filter(({ entry }) => all || models.includes(entry.model));
  if (chosen.length === 0) await print('Nothing to do: there are no proposals.');
  for (const { entry } of chosen) await announce(database, entry.model, () => entry, at);
  return 0;
};

type NamedPrice = { readonly model: string; readonly rates: Rates; readonly at: Date | undefined };

/** Announces a price that the operator names. */
export const setPrice = async (database: OpenDatabase, { model, rates, at }: NamedPrice): Promise<ExitCode> => {
  const asked = { models: [], margin: 0n, lines: linesOf(rates) };
  await announce(database, model, (newest) => entryToAnnounce({ newest, ...asked }), at);
  return 0;
};

const announce = async (
  database: OpenDatabase,
  model: string,
  entryOf: (newest: ListedPrice) => PriceEntry | undefined,
  at: Date | undefined,
): Promise<void> => {
  let before: ListedPrice | undefined;
  const { events } = await changePrices(database, 'cli:prices', (now, book) => {
    before = newestOf(book, model);
    const entry = entryOf(before);
    if (!entry) throw new CliFault(`Nothing is proposed for ${model}.`);
    const effectiveFrom = at ?? earliestOf(before, entry, now);
    const off = delistingAt(book, model, effectiveFrom);
    if (off) {
      const since = off.effectiveFrom.toISOString();
      throw new CliFault(`${model} is off sale from ${since}. To put it on sale again: npm run relist -- ${model}`);
    }
    return { type: 'ListPrice', entry, effectiveFrom, at: now };
  });
  const [event] = events;
  if (event?.type !== 'PriceListed') return print(`Nothing to do: ${model} is listed at this price already.`);
  const rates = ratesOf(event.entry.lines);
  await print(
    `${model}: ${inOneCell(rates)} from ${event.effectiveFrom.toISOString()}, as version ${event.version}. ` +
      (before && canCostMore(before.rates, rates)
        ? 'It can cost more than before: customers that used the model in the last 90 days get a mail now.'
        : 'It costs no more than before, so no mail is sent.'),
  );
};

const newestOf = (book: PriceBook, model: string): ListedPrice => {
  const newest = book.get(model)?.versions.at(-1);
  if (newest) return newest;
  throw unknownModel(model);
};

type Withdrawal = { readonly model: string; readonly version: number; readonly reason: string };

export const withdrawPrice = async (database: OpenDatabase, asked: Withdrawal): Promise<ExitCode> => {
  const { events } = await changePrices(database, 'cli:prices', (at) => ({ type: 'WithdrawPrice', ...asked, at }));
  const which = `Version ${asked.version} of the price of ${asked.model}`;
  await print(
    events.length > 0
      ? `${which} is withdrawn: the price before it stays in force.`
      : `Nothing to do: ${which} was withdrawn before.`,
  );
  return 0;
};
