import { MAX_ATTEMPTS } from '../../domain/generation-ids.ts';
import { canCostMore } from '../../domain/prices/lines.ts';
import { AT } from '../../domain/prices/model-name.ts';
import type { PriceVersion } from '../../domain/prices/price-book.ts';
import { unsupported, type BadRequest, type Job } from '../formats/format.ts';
import { unsoldMedia } from '../media/media-parts.ts';
import type { ModelFacts, SoldModel } from '../metering/model-facts.ts';
import type { Provider } from '../providers/provider.ts';
import { healthy, type Health } from './health.ts';
import { readVariant, spellingsOf } from './model-names.ts';
import type { RoutingWish, Sort } from './routing-wish.ts';

/** What is on sale at one moment, and which providers serve it. */
export type Catalogue = {
  readonly priceOf: (model: string) => PriceVersion | undefined;
  readonly delistedSince: (model: string) => Date | undefined;
  readonly factsOf: (price: PriceVersion) => ModelFacts | undefined;
  readonly providers: ReadonlyMap<string, Provider>;
  /** What a provider does with requests. Undefined: unknown, so the worst is assumed. */
  readonly policyOf?: (provider: string) => DataPolicy | undefined;
};

export type DataPolicy = {
  /** It trains models on what it receives. */
  readonly trains?: boolean | undefined;
  /** It keeps nothing of a request after its answer. */
  readonly keepsNothing?: boolean | undefined;
};

/** One request to one provider. `model` has the price that the customer pays. */
export type Attempt = { readonly model: SoldModel; readonly provider: Provider };

export type Plan =
  | { readonly kind: 'attempts'; readonly attempts: readonly [Attempt, ...Attempt[]] }
  | { readonly kind: 'unknown_model' }
  | { readonly kind: 'delisted'; readonly since: Date }
  | { readonly kind: 'unsupported'; readonly why: BadRequest };

/** What earlier requests have shown. */
export type Lately = {
  readonly health: Health;
  /** The provider that has the conversation in its prompt cache. Called only if there is a choice. */
  readonly preferred?: () => string | undefined;
};

/**
 * The providers that a job is sent to, in order: the models in the order of the request, and for each model the providers
 * that serve it at its announced price. A provider with a dearer price of its own is left out, unless the request names it.
 */
export const plan = (job: Job, catalogue: Catalogue, lately: Lately = { health: healthy }): Plan => {
  const wanted = [job.model, ...job.routing.models];
  const offers = wanted.flatMap((name) => offersOf(name, job, catalogue, lately));
  if (offers.length === 0) {
    const { model } = readVariant(job.model);
    const since = spellingsOf(model).map(catalogue.delistedSince).find(Boolean);
    return since ? { kind: 'delisted', since } : { kind: 'unknown_model' };
  }
  const refusals: BadRequest[] = [];
  const attempts = offers.filter((offer) => {
    const why = unfit(offer, job, catalogue);
    if (why) refusals.push(why);
    return !why;
  });
  const [first, ...rest] = attempts;
  if (!first) return { kind: 'unsupported', why: refusals[0] as BadRequest };
  const others = job.routing.allowFallbacks ? rest.slice(0, MAX_ATTEMPTS - 1) : [];
  return { kind: 'attempts', attempts: [first, ...others] };
};

/** The providers of one model, the best first; none if the model is not on sale. */
const offersOf = (name: string, job: Job, catalogue: Catalogue, lately: Lately): readonly Attempt[] => {
  const { model, sort = job.routing.sort } = readVariant(name);
  const base = spellingsOf(model)
    .filter((spelling) => !spelling.includes(AT))
    .map(catalogue.priceOf)
    .find((price) => price !== undefined);
  if (!base || base.kind !== job.format.modelKind) return [];
  const names = [...job.routing.order, ...(job.routing.only ?? [])];
  const prices = [...catalogue.providers.keys()].flatMap((provider) => {
    const own = catalogue.priceOf(`${base.model}${AT}${provider}`);
    if (own?.upstream !== provider) return [];
    if (canCostMore(base.rates, own.rates)) return names.includes(provider) ? [own] : [];
    const { model, version, rates, lines } = base;
    return [{ ...own, model, version, rates, lines }];
  });
  const attempts = [base, ...prices].flatMap((price): readonly Attempt[] => {
    const provider = catalogue.providers.get(price.upstream);
    return provider ? [{ model: { ...price, ...catalogue.factsOf(price) }, provider }] : [];
  });
  return inOrder(attempts, { ...lately, wish: job.routing, sort });
};

type Order = Lately & { readonly wish: RoutingWish; readonly sort: Sort | undefined };

/**
 * First the order of the request; then providers that do not fail; then what the request sorts by, or the provider of the
 * conversation so far. A provider that fails stays in the list, as the last resort.
 */
const inOrder = (attempts: readonly Attempt[], { wish, sort, health, preferred }: Order): readonly Attempt[] => {
  if (attempts.length < 2) return attempts;
  const stays = preferred?.();
  const keys = attempts.map(({ model, provider }, index) => {
    const place = wish.order.indexOf(provider.name);
    const state = health.of(provider.name, model.upstreamModel);
    return [
      place < 0 ? wish.order.length : place,
      state.isCool ? 1 : 0,
      sorted(sort, model, state),
      provider.name === stays && sort === undefined ? 0 : 1,
      index,
    ];
  });
  return attempts
    .map((attempt, index) => ({ attempt, key: keys[index] as readonly number[] }))
    .sort((a, b) => compare(a.key, b.key))
    .map(({ attempt }) => attempt);
};

const sorted = (sort: Sort | undefined, { rates }: SoldModel, state: ReturnType<Health['of']>): number => {
  switch (sort) {
    case 'price':
      return Number(rates.input + rates.output);
    case 'latency':
      return state.firstByteMs ?? Infinity;
    case 'throughput':
      return state.tokensPerSecond === undefined ? Infinity : -state.tokensPerSecond;
    case undefined:
      return 0;
  }
};

const compare = (a: readonly number[], b: readonly number[]): number => {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : (a[at] as number) < (b[at] as number) ? -1 : 1;
};

/** Why an offer cannot serve the job as the request wants it. */
const unfit = ({ model, provider }: Attempt, job: Job, catalogue: Catalogue): BadRequest | undefined => {
  const { only, ignore, maxPrice, noTraining, zeroRetention } = job.routing;
  if (only && !only.includes(provider.name)) {
    return unsupported('provider.only', 'none of these providers serves this model here. Name others.');
  }
  if (ignore.includes(provider.name)) {
    return unsupported('provider.ignore', 'excludes all providers that serve this model here.');
  }
  const { input = model.rates.input, output = model.rates.output } = maxPrice;
  if (model.rates.input > input || model.rates.output > output) {
    return unsupported('provider.max_price', 'is below the price of this model.');
  }
  const policy = catalogue.policyOf?.(provider.name);
  if (noTraining && policy?.trains !== false) {
    return unsupported('provider.data_collection', 'excludes all providers that serve this model here.');
  }
  if (zeroRetention && policy?.keepsNothing !== true) {
    return unsupported(
      'provider.zdr',
      'no provider of this model is known to keep nothing of a request. Leave it out, or use another model.',
    );
  }
  return unsoldMedia(job, model) ?? provider.unsupported(job);
};
