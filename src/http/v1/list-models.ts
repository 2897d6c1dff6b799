import type { RequestHandler } from 'express';
import { formatUsdPerToken } from '../../domain/money.ts';
import type { PriceChange, PriceVersion } from '../../domain/prices/price-book.ts';
import type { Authenticate, Customer } from '../auth/authenticate.ts';
import { viewChange, viewRates } from '../price-views.ts';
import { isProblem, modelDelisted, problem, sendProblem } from '../server/problems.ts';
import { requestIdOf } from '../server/request-id.ts';

/** A model that is on sale, with what is announced about its price. */
export type ModelOnSale = {
  readonly price: PriceVersion;
  readonly upcoming: readonly PriceChange[];
  readonly usagePolicyUrl: string | null;
  /** The providers that serve it, with the price of each: first the one of the model's own entry. */
  readonly endpoints: readonly { readonly provider: string; readonly price: PriceVersion }[];
};

/** The models available to a key: on sale, of an enabled provider, and allowed by the limits of the key and its account. */
export type ListModels = (customer: Customer) => Promise<readonly ModelOnSale[]>;

/** When a model was delisted; undefined if it is on sale or never was. */
export type DelistedSince = (model: string) => Date | undefined;

/** OpenAI's model object, with prices in USD per million tokens and limits. */
const modelOf = ({ price, upcoming, usagePolicyUrl }: ModelOnSale) => ({
  id: price.model,
  object: 'model' as const,
  created: Math.floor(price.effectiveFrom.getTime() / 1000),
  owned_by: price.ownedBy,
  kind: price.kind,
  simulated: price.upstream === 'simulated',
  context_length: price.contextTokens,
  max_output_tokens: price.maxOutputTokens,
  price_version: price.version,
  /** When it is taken off sale; null if no end is announced. */
  ends_at: price.endsAt?.toISOString() ?? null,
  usd_per_million_tokens: viewRates(price.rates),
  /** The announced changes of its price, in the order of their effect. */
  upcoming: upcoming.map(viewChange),
  /** The usage policy of its provider. Null for a simulated provider. */
  usage_policy_url: usagePolicyUrl,
  // OpenRouter's names, with prices in USD per token.
  name: price.model,
  pricing: pricingOf(price),
  top_provider: {
    context_length: price.contextTokens,
    max_completion_tokens: price.maxOutputTokens,
    is_moderated: false,
  },
});

/** Prices in USD per token, as decimal texts. */
const pricingOf = ({ rates }: PriceVersion) => ({
  prompt: formatUsdPerToken(rates.input),
  completion: formatUsdPerToken(rates.output),
  internal_reasoning: formatUsdPerToken(rates.reasoning),
  input_cache_read: formatUsdPerToken(rates.cachedInput),
  input_cache_write: formatUsdPerToken(rates.cacheWrite),
});

/** The providers of a model, in OpenRouter's shape. */
const endpointsOf = ({ price: { model }, endpoints }: ModelOnSale) => ({
  data: {
    ...{ id: model, name: model },
    endpoints: endpoints.map(({ provider, price }) => ({
      ...{ name: `${provider} | ${model}`, provider_name: provider, tag: price.upstream },
      ...{ context_length: price.contextTokens, max_completion_tokens: price.maxOutputTokens },
      pricing: pricingOf(price),
    })),
  },
});

const ENDPOINTS = '/endpoints';

/** GET /v1/models */
export const listModels =
  (authenticate: Authenticate, list: ListModels): RequestHandler =>
  async (request, response) => {
    const customer = authenticate(request);
    if (isProblem(customer)) return sendProblem(response, customer, requestIdOf(response));
    response.json({ object: 'list', data: (await list(customer)).map(modelOf) });
  };

/** GET /v1/models/{id} and GET /v1/models/{id}/endpoints; ids may contain slashes. */
export const getModel =
  (authenticate: Authenticate, list: ListModels, delistedSince: DelistedSince): RequestHandler =>
  async (request, response) => {
    const customer = authenticate(request);
    if (isProblem(customer)) return sendProblem(response, customer, requestIdOf(response));
    const path = [request.params['id'] ?? ''].flat().join('/');
    const wantsEndpoints = path.endsWith(ENDPOINTS);
    const id = wantsEndpoints ? path.slice(0, -ENDPOINTS.length) : path;
    const model = (await list(customer)).find(({ price }) => price.model === id);
    if (model) return void response.json(wantsEndpoints ? endpointsOf(model) : modelOf(model));
    const since = delistedSince(id);
    const unknown = problem('model_not_found', {
      message: `The model \`${id}\` does not exist. GET /v1/models lists the models on sale.`,
      param: 'model',
    });
    sendProblem(response, since ? modelDelisted(id, since) : unknown, requestIdOf(response));
  };
