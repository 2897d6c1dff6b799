import { randomUUID } from 'node:crypto';
import { PRICES_STREAM, priceDecider, type PriceCommand } from '../domain/prices/decide.ts';
import type { PriceEvent } from '../domain/prices/events.ts';
import type { PriceBook } from '../domain/prices/price-book.ts';
import { READABLE_VERSIONS } from '../eventstore/codec.ts';
import { createCommands } from '../eventstore/commands.ts';
import { createCommitter } from '../eventstore/committer.ts';
import {
  NotReadableByAll,
  readableByAll,
  UNSTATED_VERSIONS,
  type ReadableVersions,
} from '../eventstore/event-versions.ts';
import type { Database } from '../projections/database.ts';
import { CliFault } from './fault.ts';
import type { OpenDatabase } from './open-database.ts';

/** Runs that were silent for longer are dead. */
const SILENT_MS = 3000;
/** No such column, no such table. */
const NOT_MIGRATED = ['42703', '42P01'];

type Found = { readonly now: Date; readonly readable: ReadableVersions };

/** The time by the database's clock, which gateways go by, and what those that are running can read. */
const askDatabase = async (rows: Database): Promise<Found> => {
  const { now, others } = await rows
    .one<{ now: Date; others: readonly (ReadableVersions | null)[] }>(
      `select clock_timestamp() as now,
         (select coalesce(jsonb_agg(distinct reads), '[]') from runs
          where seen_at > clock_timestamp() - $1 * interval '1 millisecond') as others`,
      [SILENT_MS],
    )
    .catch((cause: unknown) => {
      if (!NOT_MIGRATED.includes(String((cause as { readonly code?: unknown }).code))) throw cause;
      throw new CliFault('This database is of an older release. Start a gateway of this version on it once.', {
        cause,
      });
    });
  return { now, readable: readableByAll([READABLE_VERSIONS, ...others.map((one) => one ?? UNSTATED_VERSIONS)]) };
};

export type ChangedPrices = {
  /** None if it was so already. */
  readonly events: readonly PriceEvent[];
  /** After the change. */
  readonly book: PriceBook;
  readonly now: Date;
};

/** Decides a command on the price book beside running gateways, which follow it. */
export const changePrices = async (
  { store, rows }: Pick<OpenDatabase, 'store' | 'rows'>,
  actor: string,
  commandAt: (now: Date) => PriceCommand,
): Promise<ChangedPrices> => {
  const { now, readable } = await askDatabase(rows);
  const committer = createCommitter({ store });
  const prices = createCommands({ store, committer, decider: priceDecider, readable: () => readable });
  const command = commandAt(now);
  try {
    const outcome = await prices.execute(PRICES_STREAM, command, { actor, commandId: `${actor}/${randomUUID()}` });
    if (!outcome.accepted) {
      const { code } = outcome.refusal;
      const unknown = `The price book has no model ${'model' in command ? command.model : ''}. Check its name.`;
      throw new CliFault(code === 'model_not_listed' ? unknown : `The price book refuses it: ${code}.`);
    }
    return { events: outcome.events, book: (await prices.read(PRICES_STREAM)).state, now };
  } catch (cause) {
    if (!(cause instanceof NotReadableByAll)) throw cause;
    const message =
      'A gateway of an older release is running, which could not read this. Try again when it has stopped.';
    throw new CliFault(message, { cause });
  } finally {
    await committer.close();
  }
};
