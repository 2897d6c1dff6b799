import type { Logger } from 'pino';
import type { CatalogueEntry } from '../../config/catalogue.ts';
import { PRICES_STREAM, type PriceCommand, type PriceRefusal } from '../../domain/prices/decide.ts';
import type { PriceEvent } from '../../domain/prices/events.ts';
import { delistingAt, pricesAt, sameEntry, type PriceBook } from '../../domain/prices/price-book.ts';
import type { Commands } from '../../eventstore/commands.ts';
import { StoreUnavailable } from '../../eventstore/event-store.ts';
import { NotReadableByAll } from '../../eventstore/event-versions.ts';
import { newId } from '../new-id.ts';

/** Price changes need reasonable notice (clause 5 of the terms). A new model has no customers yet and needs none. */
const PRICE_NOTICE_MS = 14 * 24 * 60 * 60 * 1000;
const TRY_AGAIN_MS = 5000;

export type PriceCommands = Commands<PriceBook, PriceCommand, PriceEvent, PriceRefusal>;

type PublishPricesOptions = {
  readonly prices: Pick<PriceCommands, 'execute' | 'read'>;
  readonly catalogue: readonly CatalogueEntry[];
  readonly log: Pick<Logger, 'warn'>;
};

/** Lists new prices of the catalogue, and reports models that the catalogue lacks but customers can still buy. */
export const publishPrices = async (options: PublishPricesOptions & { readonly now: Date }): Promise<void> => {
  const { prices, catalogue, log, now } = options;
  const { state: book } = await prices.read(PRICES_STREAM);
  for (const { entry, endsAt } of catalogue) {
    const { model } = entry;
    const newest = book.get(model)?.versions.at(-1);
    if (!newest && endsAt && endsAt <= now) continue;
    const effectiveFrom = new Date(now.getTime() + (newest ? PRICE_NOTICE_MS : 0));
    if (newest && !sameEntry(newest, entry) && delistingAt(book, model, effectiveFrom)) {
      log.warn(
        { model },
        `catalogue/models.json changes ${model}, which is off sale by then, so the change is not listed. ` +
          `To put it on sale again: npm run relist -- ${model}`,
      );
    }
    const metadata = { actor: 'system:catalogue', commandId: newId() };
    await prices.execute(PRICES_STREAM, { type: 'ListPrice', entry, effectiveFrom }, metadata);
  }
  const known = new Set(catalogue.map(({ entry }) => entry.model));
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
 * Announces the ends of sale that the catalogue contains: each model is taken off sale at its time, on every node.
 * Retries while a gateway of an older release is running, because it could not read the event.
 */
export const announceEnds = ({ prices, catalogue, log }: PublishPricesOptions): { close(): void } => {
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const ends = catalogue.flatMap(({ entry: { model }, endsAt }) => (endsAt ? [{ model, endsAt }] : []));

  const announce = async (): Promise<void> => {
    const { state: book } = await prices.read(PRICES_STREAM);
    for (const { model, endsAt } of ends) {
      if (!book.has(model)) continue;
      // Derived from the announcement, so that every node makes it only once, even after the model was put back on
      // sale.
      const commandId = `catalogue/end/${model}/${endsAt.toISOString()}`;
      const reason = 'its provider ends it, says the catalogue';
      await prices.execute(
        PRICES_STREAM,
        { type: 'DelistModel', model, effectiveFrom: endsAt, reason },
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
