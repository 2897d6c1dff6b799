import { z } from 'zod';
import { staff } from '../../auth/principals.ts';
import { PRICES_STREAM } from '../../../domain/prices/decide.ts';
import { ratesOf } from '../../../domain/prices/lines.ts';
import { leastMarginPercent, proposalsOf, type Proposal } from '../../../domain/prices/proposals.ts';
import { viewRates } from '../../price-views.ts';
import { time, usdPerMillionTokens } from '../router/fields.ts';
import { defineRoute } from '../router/route.ts';
import { examples } from './fields.ts';

const proposalView = z
  .strictObject({
    model: z.string(),
    listed_version: z.int().positive().meta({ description: 'The newest listed price: in force, or announced' }),
    listed_from: time,
    listed_usd_per_million_tokens: usdPerMillionTokens,
    proposed_usd_per_million_tokens: usdPerMillionTokens,
    cost_usd_per_million_tokens: usdPerMillionTokens.meta({ description: 'What the provider bills' }),
    listed_margin_percent: z.number().nullable().meta({
      description:
        'The lowest margin of the listed price over the cost among the classes, in per cent; null without a cost',
    }),
    needs_notice: z.boolean().meta({ description: 'Whether any usage can cost more than at the listed price' }),
    earliest_effect: time.meta({ description: 'When it can take effect if it is announced now' }),
    source: z.string().meta({ description: 'Source of the cost' }),
    as_of: z.string().meta({ description: 'Date on which the source was read' }),
  })
  .meta({ id: 'PriceProposal' });

export const listProposals = defineRoute({
  method: 'get',
  path: '/prices/proposals',
  principals: ['admin', ...staff('finance', 'operator')],
  summary: 'Read the proposed prices',
  description:
    'The cost in catalogue/models.json plus the margin PRICE_MARGIN_PERCENT, for models whose newest listed price differs ' +
    'from it. Customers pay what is listed until POST /api/prices announces another price.',
  success: {
    status: 200,
    description: 'The proposals',
    schema: z.strictObject({ data: z.array(proposalView) }),
    example: {
      data: [
        {
          ...{ model: 'gpt-5-mini', listed_version: 1, listed_from: '2026-01-01T00:00:00.000Z' },
          listed_usd_per_million_tokens: examples.rates,
          proposed_usd_per_million_tokens: { ...examples.rates, output: '2.50' },
          cost_usd_per_million_tokens: { ...examples.rates, output: '2.25' },
          ...{ listed_margin_percent: -11.1, needs_notice: true, earliest_effect: '2026-02-14T10:00:00.000Z' },
          ...{ source: 'https://platform.openai.com/docs/pricing', as_of: '2026-01-01' },
        },
      ],
    },
  },
  problems: [],
  handle: async (_, { priceCommands, catalogue: { models, margin }, now }) => {
    const { state: book } = await priceCommands.read(PRICES_STREAM);
    return { answer: { data: proposalsOf(book, models, margin, now()).map(viewProposal) } };
  },
});

const viewProposal = ({ entry, newest, needsNotice, earliest }: Proposal): z.output<typeof proposalView> => {
  const cost = ratesOf(entry.cost ?? entry.lines);
  return {
    ...{ model: entry.model, listed_version: newest.version, listed_from: newest.effectiveFrom.toISOString() },
    listed_usd_per_million_tokens: viewRates(newest.rates),
    proposed_usd_per_million_tokens: viewRates(ratesOf(entry.lines)),
    cost_usd_per_million_tokens: viewRates(cost),
    listed_margin_percent: leastMarginPercent(newest.rates, cost) ?? null,
    needs_notice: needsNotice,
    earliest_effect: earliest.toISOString(),
    ...{ source: entry.source, as_of: entry.asOf },
  };
};
