import { randomUUID } from 'node:crypto';
import { PRICES_STREAM, priceDecider, type PriceCommand } from '../../domain/prices/decide.ts';
import type { PriceEvent } from '../../domain/prices/events.ts';
import type { PriceBook } from '../../domain/prices/price-book.ts';
import { createCommands } from '../../eventstore/commands.ts';
import { journal } from '../../eventstore/journal/codec.ts';
import { createCommitter } from '../../eventstore/committer.ts';
import { readLogClock } from '../../eventstore/log-clock.ts';
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

/** Executes a command on the price book. Running gateways follow it. */
export const changePrices = async (
  { store, url }: OpenDatabase,
  actor: string,
  commandAt: (now: Date) => PriceCommand,
): Promise<ChangedPrices> => {
  const readable = await readableByLiveRuns(url);
  // The clock of the log decides when a price takes effect.
  const { now } = await readLogClock(url);
  const committer = createCommitter({ store });
  const prices = createCommands({ store, committer, codec: journal, decider: priceDecider, readable: () => readable });
  const command = commandAt(now);
  try {
    const outcome = await prices.execute(PRICES_STREAM, command, { actor, commandId: `${actor}/${randomUUID()}` });
    if (outcome.kind === 'refused') {
      const { code } = outcome.refusal;
      const unknown = `The price book has no model ${'model' in command ? command.model : ''}. Check its name.`;
      throw new CliFault(code === 'model_not_listed' ? unknown : `The price book refuses it: ${code}.`);
    }
    return { events: outcome.events, book: (await prices.read(PRICES_STREAM)).state, now };
  } finally {
    await committer.close();
  }
};
