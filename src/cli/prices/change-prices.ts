import { randomUUID } from 'node:crypto';
import { PRICES_STREAM, priceDecider, type PriceCommand, type PriceRefusal } from '../../domain/prices/decide.ts';
import type { PriceEvent } from '../../domain/prices/events.ts';
import { emptyPriceBook, evolvePriceBook, type PriceBook } from '../../domain/prices/price-book.ts';
import { createCommands } from '../../eventstore/commands.ts';
import { createFold } from '../../eventstore/fold.ts';
import { journal } from '../../eventstore/journal/codec.ts';
import { createCommitter } from '../../eventstore/committer.ts';
import { readLogClock } from '../../eventstore/postgres/log-clock.ts';
import { readableByLiveRuns } from '../../reactions/runs/runs.ts';
import { CliFault } from '../terminal/fault.ts';
import type { OpenDatabase } from '../terminal/open-database.ts';

export type ChangedPrices = {
  /** Empty if nothing changed. */
  readonly events: readonly PriceEvent[];
  /** After the change. */
  readonly book: PriceBook;
  readonly now: Date;
};

/** The price book, and the time by the clock of the log. */
export const readPrices = async ({ store, url }: OpenDatabase): Promise<{ book: PriceBook; now: Date }> => {
  const decider = { initial: emptyPriceBook, evolve: evolvePriceBook };
  const { state: book } = await createFold({ store, codec: journal, decider })(PRICES_STREAM);
  return { book, now: (await readLogClock(url)).now };
};

/** Executes a command on the price book. Running gateways follow it. */
export const changePrices = async (
  { store, url }: OpenDatabase,
  actor: string,
  commandAt: (now: Date, book: PriceBook) => PriceCommand,
): Promise<ChangedPrices> => {
  const readable = await readableByLiveRuns(url);
  // The clock of the log decides when a price takes effect.
  const { now } = await readLogClock(url);
  const committer = createCommitter({ store });
  const prices = createCommands({ store, committer, codec: journal, decider: priceDecider, readable: () => readable });
  try {
    const command = commandAt(now, (await prices.read(PRICES_STREAM)).state);
    const outcome = await prices.execute(PRICES_STREAM, command, { actor, commandId: `${actor}/${randomUUID()}` });
    if (outcome.kind === 'refused') throw refused(outcome.refusal.code, modelOf(command));
    return { events: outcome.events, book: (await prices.read(PRICES_STREAM)).state, now };
  } finally {
    await committer.close();
  }
};

const modelOf = (command: PriceCommand): string => ('model' in command ? command.model : command.entry.model);

const refused = (code: PriceRefusal['code'], model: string): CliFault =>
  code === 'model_not_listed' ? unknownModel(model) : new CliFault(`${model}: ${inWords[code]}`);

export const unknownModel = (model: string): CliFault =>
  new CliFault(`The price book has no model ${model}. Check its name with npm run prices -- list.`);

const inWords: Readonly<Record<Exclude<PriceRefusal['code'], 'model_not_listed'>, string>> = {
  price_version_not_found: 'the price book has no such version of its price. See npm run prices -- upcoming.',
  takes_effect_too_soon:
    'a change takes effect after a minute at the earliest, so that all nodes have it by then. Choose a later time.',
  notice_too_short:
    'this may be worse for customers, so it needs a notice of 14 days. Choose a later time, or leave the time out.',
  takes_effect_before_a_listed_price:
    'a price that takes effect later is already announced. Choose a later time, or withdraw that price first.',
  invalid_price: 'the price is invalid: it must be a whole number of pico-USD per token, and not negative.',
  price_lines_overlap: 'two lines of the price match the same tokens.',
  price_lines_incomplete: 'a class of tokens has no price.',
};
