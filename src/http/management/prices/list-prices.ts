import { z } from 'zod';
import { changesAfter, pricesAt, type ListedPrice, type PriceVersion } from '../../../domain/prices/price-book.ts';
import { viewChange, viewLine, viewRates } from '../../price-views.ts';
import { problem } from '../../server/problems.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { moment, time, usdPerMillionTokens } from '../router/fields.ts';
import { defineRoute } from '../router/route.ts';
import { changeView, examples, lineView, model } from './fields.ts';

const priceView = z
  .strictObject({
    model: z.string().meta({ example: 'gpt-5-mini' }),
    version: z.int().positive(),
    kind: z.enum(['chat', 'completion', 'embedding']),
    owned_by: z.string(),
    upstream: z.string().meta({ description: 'The provider that runs it', example: 'openai' }),
    provider: z.string().meta({ description: 'The name of the provider', example: 'OpenAI' }),
    usage_policy_url: z
      .string()
      .nullable()
      .meta({ description: 'The rules of the provider for its models; null if it has none' }),
    context_tokens: z.int(),
    max_output_tokens: z.int(),
    usd_per_million_tokens: usdPerMillionTokens,
    lines: z.array(lineView),
    effective_from: time,
    upcoming: z.array(changeView).meta({ description: 'The announced changes, in the order of their effect' }),
    ends_at: time.nullable().meta({ description: 'When the model is taken off sale; null if no end is announced' }),
  })
  .meta({ id: 'Price' });

const priceExample = {
  ...{ model: 'gpt-5-mini', version: 1, kind: 'chat' as const, owned_by: 'openai', upstream: 'openai' },
  ...{ provider: 'OpenAI', usage_policy_url: 'https://openai.com/policies/usage-policies/' },
  ...{ context_tokens: 400_000, max_output_tokens: 128_000 },
  ...{ usd_per_million_tokens: examples.rates, lines: examples.lines },
  effective_from: '2026-01-01T00:00:00.000Z',
  upcoming: [
    {
      ...{ price_version: 2, effective_from: '2999-12-01T00:00:00.000Z', is_increase: true },
      usd_per_million_tokens: { ...examples.rates, output: '2.50' },
    },
  ],
  ends_at: null,
};

export const listPrices = defineRoute({
  method: 'get',
  path: '/prices',
  principals: ['public'],
  summary: 'Read the prices of the models on sale',
  description:
    'With the announced changes of each. An increase is announced at least 14 days before its effect. A completion costs ' +
    'the price that is in force when it begins.',
  query: z.strictObject({
    model: model.optional(),
    at: moment
      .optional()
      .meta({ description: 'Return the prices at this time, including announced changes; default: now' }),
  }),
  success: {
    status: 200,
    description: 'The price of each model',
    schema: z.strictObject({ data: z.array(priceView) }),
    example: { data: [priceExample] },
  },
  problems: [],
  handle: ({ query }, deps) => {
    const at = query.at ?? deps.now();
    const found = pricesAt(deps.priceBook(), at).filter(({ model }) => model === (query.model ?? model));
    return Promise.resolve({ answer: { data: found.map((price) => viewPrice(price, at, deps)) } });
  },
});

const viewPrice = (
  price: PriceVersion,
  at: Date,
  { priceBook, findProvider }: ManagementDeps,
): z.output<typeof priceView> => ({
  ...{ model: price.model, version: price.version, kind: price.kind, owned_by: price.ownedBy },
  upstream: price.upstream,
  provider: findProvider(price.upstream)?.name ?? price.upstream,
  usage_policy_url: findProvider(price.upstream)?.usagePolicyUrl ?? null,
  context_tokens: price.contextTokens,
  max_output_tokens: price.maxOutputTokens,
  usd_per_million_tokens: viewRates(price.rates),
  lines: price.lines.map(viewLine),
  effective_from: price.effectiveFrom.toISOString(),
  upcoming: changesAfter(priceBook(), price.model, at).map(viewChange),
  ends_at: price.endsAt?.toISOString() ?? null,
});

const versionView = z
  .strictObject({
    version: z.int().positive(),
    effective_from: time,
    withdrawn: z.boolean().meta({ description: 'Whether it was withdrawn before its effect' }),
    usd_per_million_tokens: usdPerMillionTokens,
    lines: z.array(lineView),
  })
  .meta({ id: 'PriceVersion' });

export const readPriceHistory = defineRoute({
  method: 'get',
  path: '/prices/history',
  principals: ['public'],
  summary: 'Read every price of a model',
  description:
    'Including announced prices and those that were withdrawn, the oldest first. A receipt names its version.',
  query: z.strictObject({ model }),
  success: {
    status: 200,
    description: 'Every version of its price, and the times at which it was or will be taken off sale',
    schema: z.strictObject({
      model: z.string(),
      data: z.array(versionView),
      off_sale_from: z.array(time),
    }),
    example: {
      model: 'gpt-5-mini',
      data: [
        {
          ...{ version: 1, effective_from: '2026-01-01T00:00:00.000Z', withdrawn: false },
          ...{ usd_per_million_tokens: examples.rates, lines: examples.lines },
        },
      ],
      off_sale_from: [],
    },
  },
  problems: ['model_not_listed'],
  handle: ({ query: { model } }, { priceBook }) => {
    const prices = priceBook().get(model);
    if (!prices) return Promise.resolve(problem('model_not_listed', { param: 'model' }));
    const view = (price: ListedPrice, withdrawn: boolean): z.output<typeof versionView> => ({
      ...{ version: price.version, effective_from: price.effectiveFrom.toISOString(), withdrawn },
      ...{ usd_per_million_tokens: viewRates(price.rates), lines: price.lines.map(viewLine) },
    });
    const data = [
      ...prices.versions.map((price) => view(price, false)),
      ...prices.withdrawn.map((price) => view(price, true)),
    ].sort((a, b) => a.version - b.version);
    const ends = prices.delistings.map(({ effectiveFrom }) => effectiveFrom.toISOString());
    return Promise.resolve({ answer: { model, data, off_sale_from: ends } });
  },
});
