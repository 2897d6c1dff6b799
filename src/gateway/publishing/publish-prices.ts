import type { Logger } from 'pino';
import type { CatalogueEntry } from '../../config/catalogue.ts';
import { MIN_AHEAD_MS, NOTICE_MS } from '../../domain/notice.ts';
import { PRICES_STREAM, type PriceCommand, type PriceRefusal } from '../../domain/prices/decide.ts';
import type { PriceEvent } from '../../domain/prices/events.ts';
import { delistingAt, pricesAt, sameEntry, type PriceBook } from '../../domain/prices/price-book.ts';
import {
  factsToList,
  proposalsOf,
  proposedEntry,
  type CatalogueModel,
  type Margin,
} from '../../domain/prices/proposals.ts';
import type { Commands } from '../../eventstore/commands.ts';
import { StoreUnavailable } from '../../eventstore/event-store.ts';
import { NotReadableByAll } from '../../eventstore/event-versions.ts';
import { newId } from '../new-id.ts';

const TRY_AGAIN_MS = 5000;

export type PriceCommands = Commands<PriceBook, PriceCommand, PriceEvent, PriceRefusal>;

type CatalogueOptions = {
  readonly prices: Pick<PriceCommands, 'execute' | 'read'>;
  readonly catalogue: readonly CatalogueEntry[];
  readonly log: Pick<Logger, 'warn'>;
};

export type PublishPricesOptions = CatalogueOptions & {
  readonly margin: Margin;
  readonly now: Date;
  /** Whether every running gateway can read the cost. If not, a change of only the cost waits. */
  readonly costIsReadable: boolean;
};

/**
 * Lists new models of the catalogue, and changes that do not affect the price for customers. Other changes are proposals:
 * an operator announces them.
 */
export const publishPrices = async (options: PublishPricesOptions): Promise<void> => {
  const { prices, catalogue, margin, log, now } = options;
  const { state: book } = await prices.read(PRICES_STREAM);
  for (const { model, endsAt } of catalogue) {
    const isNew = !book.has(model.model);
    if (isNew && endsAt && endsAt <= now) continue;
    const list = isNew ? { entry: proposedEntry(model, margin), effectiveFrom: now } : factsOf(model, book, options);
    if (!list) continue;
    const metadata = { actor: 'system:catalogue', commandId: newId() };
    await prices.execute(PRICES_STREAM, { type: 'ListPrice', ...list, at: now }, metadata);
  }
  const proposals = proposalsOf(
    book,
    catalogue.map(({ model }) => model),
    margin,
    now,
  ).length;
  if (proposals > 0) {
    log.warn(
      { proposals },
      `catalogue/models.json and PRICE_MARGIN_PERCENT propose other prices for ${proposals} of the listed models. ` +
        'Customers pay the listed prices until you announce the proposals: npm run prices -- proposals',
    );
  }
  warnOfMissing(book, options);
};

/** A model that is off sale stays off sale. A change of it in the catalogue is logged. */
const factsOf = (
  model: CatalogueModel,
  book: PriceBook,
  { margin, now, costIsReadable, log }: PublishPricesOptions,
) => {
  const list = factsToList(book, model, margin, now);
  const newest = book.get(model.model)?.versions.at(-1);
  if (!list || !newest) return undefined;
  if (!costIsReadable && sameEntry(newest, { ...list.entry, cost: newest.cost })) return undefined;
  if (!delistingAt(book, model.model, list.effectiveFrom)) return list;
  log.warn(
    { model: model.model },
    `catalogue/models.json changes ${model.model}, which is off sale, so the change is not listed. ` +
      `To put it on sale again: npm run relist -- ${model.model}`,
  );
  return undefined;
};

/** Models on sale that the catalogue lacks. */
const warnOfMissing = (book: PriceBook, { catalogue, log, now }: PublishPricesOptions): void => {
  const known = new Set(catalogue.map(({ model }) => model.model));
  for (const { model } of pricesAt(book, now)) {
    if (known.has(model)) continue;
    log.warn(
      { model },
      `${model} is on sale, but no longer in catalogue/models.json. To take it off sale: ` +
        `npm run delist -- ${model} --reason "…"`,
    );
  }
};

/**
 * Announces the ends of sale that the catalogue contains: each model is taken off sale at its time, on every node. If fewer
 * than 14 days are left, the end is recorded as one by the provider.
 * Retries while a gateway of an older release is running, because it could not read the event.
 */
export const announceEnds = ({
  prices,
  catalogue,
  log,
  now,
}: CatalogueOptions & { readonly now: () => Date }): { close(): void } => {
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const ends = catalogue.flatMap(({ model: { model }, endsAt }) => (endsAt ? [{ model, endsAt }] : []));

  const announce = async (): Promise<void> => {
    const { state: book } = await prices.read(PRICES_STREAM);
    for (const { model, endsAt } of ends) {
      if (!book.has(model)) continue;
      // Derived from the announcement, so that every node makes it only once, even after the model was put back on
      // sale.
      const commandId = `catalogue/end/${model}/${endsAt.toISOString()}`;
      await prices.execute(
        PRICES_STREAM,
        {
          type: 'DelistModel',
          model,
          reason: 'its provider ends it, according to the catalogue',
          ...endAt(endsAt, now()),
        },
        { actor: 'system:catalogue', commandId },
        { mayRepeat: true },
      );
    }
  };
  const attempt = (): void => {
    announce().catch((error: unknown) => {
      if (closed) return;
      const passes = error instanceof NotReadableByAll || error instanceof StoreUnavailable;
      if (passes) timer = setTimeout(attempt, TRY_AGAIN_MS);
      log.warn({ err: error }, 'the ends of models in catalogue/models.json are not announced yet');
    });
  };
  attempt();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
};

/** A minute ahead at the earliest, also for an end that has passed. */
const endAt = (endsAt: Date, at: Date) => ({
  effectiveFrom: new Date(Math.max(endsAt.getTime(), at.getTime() + MIN_AHEAD_MS)),
  endedByProvider: endsAt.getTime() < at.getTime() + NOTICE_MS,
  at,
});
