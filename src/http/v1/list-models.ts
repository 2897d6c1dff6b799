import type { RequestHandler } from 'express';
import { formatUsdPerMillion } from '../../domain/money.ts';
import type { PriceVersion } from '../../domain/prices/price-book.ts';
import type { Authenticate, Customer } from '../auth/authenticate.ts';
import { isProblem, modelDelisted, problem, sendProblem } from '../server/problems.ts';
import { requestIdOf } from '../server/request-id.ts';

/** The models available to a key: on sale, of an enabled provider, and allowed by the limits of the key and its account. */
export type ListModels = (customer: Customer) => Promise<readonly PriceVersion[]>;

/** When a model was delisted; undefined if it is on sale or never was. */
export type DelistedSince = (model: string) => Date | undefined;

/** OpenAI's model object, with prices in USD per million tokens and limits. */
const modelOf = (price: PriceVersion) => ({
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
  usd_per_million_tokens: {
    input: formatUsdPerMillion(price.rates.input),
    cached_input: formatUsdPerMillion(price.rates.cachedInput),
    cache_write: formatUsdPerMillion(price.rates.cacheWrite),
    output: formatUsdPerMillion(price.rates.output),
    reasoning: formatUsdPerMillion(price.rates.reasoning),
  },
});

/** GET /v1/models */
export const listModels =
  (authenticate: Authenticate, list: ListModels): RequestHandler =>
  async (request, response) => {
    const customer = authenticate(request);
    if (isProblem(customer)) return sendProblem(response, customer, requestIdOf(response));
    response.json({ object: 'list', data: (await list(customer)).map(modelOf) });
  };

/** GET /v1/models/{id}; ids may contain slashes. */
export const getModel =
  (authenticate: Authenticate, list: ListModels, delistedSince: DelistedSince): RequestHandler =>
  async (request, response) => {
    const customer = authenticate(request);
    if (isProblem(customer)) return sendProblem(response, customer, requestIdOf(response));
    const id = [request.params['id'] ?? ''].flat().join('/');
    const price = (await list(customer)).find(({ model }) => model === id);
    if (price) return void response.json(modelOf(price));
    const since = delistedSince(id);
    const unknown = problem('model_not_found', {
      message: `The model \`${id}\` does not exist. GET /v1/models lists the models on sale.`,
      param: 'model',
    });
    sendProblem(response, since ? modelDelisted(id, since) : unknown, requestIdOf(response));
  };
