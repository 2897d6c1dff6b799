import { z } from 'zod';
import { readers } from '../../auth/principals.ts';
import { formatUsd, type Credits } from '../../../domain/money.ts';
import type { WantedRequests } from '../../../projections/queries.ts';
import { problem } from '../../server/problems.ts';
import type { Generation } from '../../v1/get-receipts.ts';
import { anyId, generationId, keyId, moment, text, time, usd, wholeNumber } from '../router/fields.ts';
import { defineRoute } from '../router/route.ts';
import { accountNow } from '../accounts/account-at.ts';

const statuses = ['open', 'settled', 'released', 'late'] as const;

/** The requests of an account, newest first. Includes everything acknowledged before the call. */
export type ListRequests = (accountId: string, wanted: WantedRequests) => Promise<readonly ListedRequest[]>;

export type ListedRequest = Generation & { readonly key_id: string; readonly held: Credits };

export const requestView = z
  .strictObject({
    generation_id: generationId,
    key_id: keyId,
    model: z.string(),
    status: z.enum(statuses).meta({ description: 'late: charged after its hold had been released' }),
    endpoint: z.string(),
    upstream: z.string(),
    streamed: z.boolean(),
    held_usd: usd,
    charged_usd: usd,
    reversed_usd: usd.meta({ description: 'What was given back of the charge' }),
    input_tokens: z.int().meta({ description: 'All input, cached tokens included' }),
    output_tokens: z.int().meta({ description: 'All output, reasoning included' }),
    ended: z.string().nullable(),
    detail: z.string().nullable().meta({ description: 'Why nothing was charged' }),
    created_at: time,
    ended_at: time.nullable(),
  })
  .meta({ id: 'Request' });

export const requestExample: z.output<typeof requestView> = {
  generation_id: 'gen-0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d',
  key_id: 'key_8d2b64f09c1e4a7fb35d6c81',
  model: 'gpt-5-mini',
  status: 'settled',
  endpoint: '/chat/completions',
  upstream: 'openai',
  streamed: true,
  held_usd: '0.00410',
  charged_usd: '0.00041',
  reversed_usd: '0.00',
  input_tokens: 812,
  output_tokens: 103,
  ended: 'completed',
  detail: null,
  created_at: '2026-01-31T10:00:00.000Z',
  ended_at: '2026-01-31T10:00:02.104Z',
};

export const viewRequest = (row: ListedRequest): z.output<typeof requestView> => ({
  generation_id: row.request_id,
  key_id: row.key_id,
  model: row.model,
  status: row.status as (typeof statuses)[number],
  endpoint: row.endpoint,
  upstream: row.upstream,
  streamed: row.streamed,
  held_usd: formatUsd(row.held),
  charged_usd: formatUsd(row.charged),
  reversed_usd: formatUsd(row.reversed),
  input_tokens: row.input_tokens + row.cached_input_tokens + row.cache_write_tokens,
  output_tokens: row.output_tokens + row.reasoning_tokens,
  ended: row.ended,
  detail: row.detail,
  created_at: row.reserved_at.toISOString(),
  ended_at: row.ended_at?.toISOString() ?? null,
});

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;

export const listRequests = defineRoute({
  method: 'get',
  path: '/accounts/{account_id}/requests',
  principals: readers(),
  summary: "List an account's requests",
  description:
    'Newest first. The list can be filtered by key, model, status and time. No prompt and no output is stored.',
  query: z.strictObject({
    key_id: anyId.optional().meta({ description: 'Only requests with this key' }),
    model: text(256).optional().meta({ description: 'Only requests for this model', example: 'gpt-5-mini' }),
    status: z.enum(statuses).optional(),
    from: moment.optional(),
    until: moment.optional(),
    before: anyId.optional().meta({ description: 'The next page: the generation_id of the last request on this one' }),
    limit: wholeNumber(`Requests on a page; ${DEFAULT_LIMIT} by default`, 1, MAX_LIMIT).optional(),
  }),
  success: {
    status: 200,
    description: 'The requests',
    schema: z.strictObject({
      data: z.array(requestView),
      next: generationId.nullable().meta({ description: 'before of the next page; null on the last one' }),
    }),
    example: { data: [requestExample], next: null },
  },
  problems: ['account_not_found'],
  handle: async ({ params: { account_id }, query }, deps) => {
    if (!(await accountNow(deps, account_id))) return problem('account_not_found');
    const { key_id, model, status, from, until, before, limit = DEFAULT_LIMIT } = query;
    // One more than requested shows whether there is a next page.
    const wanted = { keyId: key_id, model, status, from, until, before, limit: limit + 1 };
    const found = await deps.listRequests(account_id, wanted);
    const data = found.slice(0, limit).map(viewRequest);
    return { answer: { data, next: found.length > limit ? (data.at(-1)?.generation_id ?? null) : null } };
  },
});
