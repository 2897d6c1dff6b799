import type { PriceVersion } from '../../domain/prices/price-book.ts';
import type { BadRequest, Job } from '../formats/format.ts';
import { unsoldMedia } from '../media/media-parts.ts';
import type { ModelFacts, SoldModel } from '../metering/model-facts.ts';
import type { Provider } from '../providers/provider.ts';

/** What is on sale at one moment, and which providers serve it. */
export type Catalogue = {
  readonly priceOf: (model: string) => PriceVersion | undefined;
  readonly delistedSince: (model: string) => Date | undefined;
  readonly factsOf: (price: PriceVersion) => ModelFacts | undefined;
  readonly providers: ReadonlyMap<string, Provider>;
};

export type Attempt = { readonly model: SoldModel; readonly provider: Provider };

export type Plan =
  | { readonly kind: 'attempts'; readonly attempts: readonly [Attempt, ...Attempt[]] }
  | { readonly kind: 'unknown_model' }
  | { readonly kind: 'delisted'; readonly since: Date }
  | { readonly kind: 'unsupported'; readonly why: BadRequest };

/** Which providers a job is sent to, in which order. There is one attempt for now. */
export const plan = (job: Job, catalogue: Catalogue): Plan => {
  const price = catalogue.priceOf(job.model);
  const provider = price && catalogue.providers.get(price.upstream);
  if (!provider || price.kind !== job.format.modelKind) {
    const since = catalogue.delistedSince(job.model);
    return since ? { kind: 'delisted', since } : { kind: 'unknown_model' };
  }
  const model: SoldModel = { ...price, ...catalogue.factsOf(price) };
  const why = unsoldMedia(job, model) ?? provider.unsupported(job);
  return why ? { kind: 'unsupported', why } : { kind: 'attempts', attempts: [{ model, provider }] };
};
