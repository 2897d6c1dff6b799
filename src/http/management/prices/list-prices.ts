import { z } from 'zod';
import { staff } from '../../auth/principals.ts';
import type { PriceVersion } from '../../../domain/prices/price-book.ts';
import { viewRates } from '../accounts/views/event-view.ts';
import { time, usdPerMillionTokens } from '../router/fields.ts';
import { defineRoute } from '../router/route.ts';

const priceView = z
  .strictObject({
    model: z.string().meta({ example: 'gpt-5-mini' }),
    version: z.int().positive(),
    kind: z.enum(['chat', 'completion', 'embedding']),
    owned_by: z.string(),
    upstream: z.string(),
    upstream_model: z.string(),
    context_tokens: z.int(),
    max_output_tokens: z.int(),
    usd_per_million_tokens: usdPerMillionTokens,
    effective_from: time,
    ends_at: time.nullable().meta({ description: 'When the model is taken off sale; null if no end is announced' }),
    source: z.string().meta({ description: 'Source of the prices' }),
    as_of: z.string().meta({ description: 'Date on which the source was read' }),
  })
  .meta({ id: 'Price' });

export const listPrices = defineRoute({
  method: 'get',
  path: '/prices',
  principals: ['admin', ...staff('support', 'finance', 'operator')],
  summary: 'Read the prices of the models on sale',
  success: {
    status: 200,
    description: 'The price of each model',
    schema: z.strictObject({ data: z.array(priceView) }),
    example: {
      data: [
        {
          model: 'gpt-5-mini',
          version: 1,
          kind: 'chat',
          owned_by: 'openai',
          upstream: 'openai',
          upstream_model: 'gpt-5-mini',
          context_tokens: 400_000,
          max_output_tokens: 128_000,
          usd_per_million_tokens: {
            input: '0.25',
            cached_input: '0.025',
            cache_write: '0.25',
            output: '2.00',
            reasoning: '2.00',
          },
          effective_from: '2026-01-01T00:00:00.000Z',
          ends_at: null,
          source: 'https://platform.openai.com/docs/pricing',
          as_of: '2026-01-01',
        },
      ],
    },
  },
  problems: [],
  handle: (_, { prices }) => Promise.resolve({ answer: { data: prices().map(viewPriceVersion) } }),
});

const viewPriceVersion = (price: PriceVersion): z.output<typeof priceView> => ({
  model: price.model,
  version: price.version,
  kind: price.kind,
  owned_by: price.ownedBy,
  upstream: price.upstream,
  upstream_model: price.upstreamModel,
  context_tokens: price.contextTokens,
  max_output_tokens: price.maxOutputTokens,
  usd_per_million_tokens: viewRates(price.rates),
  effective_from: price.effectiveFrom.toISOString(),
  ends_at: price.endsAt?.toISOString() ?? null,
  source: price.source,
  as_of: price.asOf,
});
