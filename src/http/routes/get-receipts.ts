import type { RequestHandler } from 'express';
import type { Tallies } from '../../domain/account/tallies.ts';
import { spendingNow } from '../../domain/account/within-limits.ts';
import { formatUsd, type Credits } from '../../domain/money.ts';
import type { Authenticate } from '../authenticate.ts';
import { viewKeyLimits } from '../management/limits.ts';
import { problem, sendProblem } from '../problems.ts';
import { requestIdOf } from '../request-id.ts';

/** One generation as its receipt tells it; money in nano-USD. */
export type Generation = {
  readonly request_id: string;
  readonly upstream_id: string | null;
  readonly status: string;
  readonly model: string;
  readonly price_version: number;
  readonly endpoint: string;
  readonly upstream: string;
  readonly streamed: boolean;
  readonly cost: Credits;
  readonly charged: Credits;
  readonly written_off: Credits;
  readonly input_tokens: number;
  readonly cached_input_tokens: number;
  readonly cache_write_tokens: number;
  readonly output_tokens: number;
  readonly reasoning_tokens: number;
  readonly usage_source: string | null;
  readonly ended: string | null;
  readonly finish_reason: string | null;
  readonly first_byte_ms: number | null;
  readonly total_ms: number | null;
  readonly detail: string | null;
  readonly reserved_at: Date;
  readonly ended_at: Date | null;
};

/** By our id or the upstream's, among the generations of one account; as far as everything acknowledged so far tells. */
export type FindGeneration = (id: string, accountId: string) => Promise<Generation | undefined>;

/** What a key has spent, in nano-USD: today, this week (from Monday), this month and ever; days are UTC. */
export type FindKeyUsage = (keyId: string) => Promise<{
  readonly day: Credits;
  readonly week: Credits;
  readonly month: Credits;
  readonly total: Credits;
}>;

export type FindAccount = (accountId: string) => Promise<{
  readonly wallet: {
    readonly toppedUp: Credits;
    readonly charged: Credits;
    readonly balance: Credits;
    readonly held: Credits;
  };
  readonly keys: ReadonlyMap<string, { readonly name: string; readonly hint: string }>;
  readonly tallies: Tallies;
}>;

/** GET /v1/generation?id= */
export const getGeneration =
  (authenticate: Authenticate, find: FindGeneration): RequestHandler =>
  async (request, response) => {
    const customer = authenticate(request);
    if ('status' in customer) return sendProblem(response, customer, requestIdOf(response));
    const { id } = request.query;
    // PostgreSQL takes no text with a NUL.
    if (typeof id !== 'string' || !/^[^\0]{1,1000}$/s.test(id)) {
      const missing = problem('invalid_request', {
        message: 'id: must be the id of one generation, as in ?id=gen-….',
        param: 'id',
      });
      return sendProblem(response, missing, requestIdOf(response));
    }
    const found = await find(id, customer.accountId);
    if (!found) {
      const unknown = problem('not_found', { message: `There is no generation ${id} of this account.`, param: 'id' });
      return sendProblem(response, unknown, requestIdOf(response));
    }
    response.json({ data: receiptOf(found) });
  };

const receiptOf = (generation: Generation) => ({
  id: generation.request_id,
  upstream_id: generation.upstream_id,
  status: generation.status,
  model: generation.model,
  price_version: generation.price_version,
  endpoint: generation.endpoint,
  provider_name: generation.upstream,
  streamed: generation.streamed,
  created_at: generation.reserved_at.toISOString(),
  ended_at: generation.ended_at?.toISOString() ?? null,
  total_cost: formatUsd(generation.charged),
  cost_before_write_off: formatUsd(generation.cost),
  written_off: formatUsd(generation.written_off),
  tokens_prompt: generation.input_tokens + generation.cached_input_tokens + generation.cache_write_tokens,
  tokens_completion: generation.output_tokens + generation.reasoning_tokens,
  tokens: {
    input: generation.input_tokens,
    cached_input: generation.cached_input_tokens,
    cache_write: generation.cache_write_tokens,
    output: generation.output_tokens,
    reasoning: generation.reasoning_tokens,
  },
  usage_source: generation.usage_source,
  ended: generation.ended,
  finish_reason: generation.finish_reason,
  cancelled: generation.ended === 'client_gone',
  latency: generation.first_byte_ms,
  generation_time: generation.total_ms,
  detail: generation.detail,
});

const resets = { day: 'daily', month: 'monthly', total: null } as const;

/** GET /v1/key */
export const getKey =
  (authenticate: Authenticate, findAccount: FindAccount, findKeyUsage: FindKeyUsage, now: () => Date): RequestHandler =>
  async (request, response) => {
    const customer = authenticate(request);
    if ('status' in customer) return sendProblem(response, customer, requestIdOf(response));
    const [account, usage] = await Promise.all([findAccount(customer.accountId), findKeyUsage(customer.keyId)]);
    const key = account.keys.get(customer.keyId);
    const limits = viewKeyLimits(account.tallies.keys.get(customer.keyId)?.limits ?? {});
    const spending = spendingNow(account.tallies, customer.keyId, now().getTime());
    response.json({
      data: {
        key_id: customer.keyId,
        label: key?.name ?? '',
        hint: key?.hint ?? '',
        // The limit on spending with the least room, of the key or its account.
        limit: spending ? formatUsd(spending.limit) : null,
        limit_remaining: spending ? formatUsd(spending.left) : null,
        limit_reset: spending ? resets[spending.window] : null,
        usage: formatUsd(usage.total),
        usage_daily: formatUsd(usage.day),
        usage_weekly: formatUsd(usage.week),
        usage_monthly: formatUsd(usage.month),
        ...limits,
      },
    });
  };

/** GET /v1/credits */
export const getCredits =
  (authenticate: Authenticate, findAccount: FindAccount): RequestHandler =>
  async (request, response) => {
    const customer = authenticate(request);
    if ('status' in customer) return sendProblem(response, customer, requestIdOf(response));
    const { toppedUp, charged, balance, held } = (await findAccount(customer.accountId)).wallet;
    response.json({
      data: {
        total_credits: formatUsd(toppedUp),
        total_usage: formatUsd(charged),
        balance: formatUsd(balance),
        held: formatUsd(held),
        available: formatUsd(balance - held),
      },
    });
  };
