import type { RequestHandler } from 'express';
import type { Tallies } from '../../domain/account/limits/tallies.ts';
import { spendingNow } from '../../domain/account/limits/within-limits.ts';
import type { Wallet } from '../../domain/account/wallet.ts';
import { requestIdOf as requestOfGeneration } from '../../domain/generation-ids.ts';
import { formatUsd, jsonUsd, type Credits } from '../../domain/money.ts';
import type { Authenticate } from '../auth/authenticate.ts';
import { viewKeyLimits } from '../management/accounts/limits.ts';
import { isProblem, problem, sendProblem } from '../server/problems.ts';
import { requestIdOf } from '../server/request-id.ts';

/** The receipt of one generation; money in nano-USD. */
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
  readonly reversed: Credits;
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

/**
 * Finds generations of an account by our id, by the id of the HTTP request, or by the provider's id, which may not be
 * unique; newest first. A request has a generation for each attempt: the one that answered is first. Includes everything
 * acknowledged before the call.
 */
export type FindGenerations = (id: string, accountId: string) => Promise<readonly Generation[]>;

/** The spending of a key in nano-USD: today, this week (from Monday), this month, in total. Days are UTC. */
export type FindKeyUsage = (keyId: string) => Promise<{
  readonly day: Credits;
  readonly week: Credits;
  readonly month: Credits;
  readonly total: Credits;
}>;

export type FindAccount = (accountId: string) => Promise<{
  readonly wallet: Pick<Wallet, 'charged' | 'reversed' | 'balance' | 'locked' | 'held'>;
  readonly keys: ReadonlyMap<string, { readonly name: string; readonly hint: string }>;
  readonly tallies: Tallies;
}>;

/** GET /v1/generation?id= */
export const getGeneration =
  (authenticate: Authenticate, find: FindGenerations): RequestHandler =>
  async (request, response) => {
    const customer = authenticate(request);
    if (isProblem(customer)) return sendProblem(response, customer, requestIdOf(response));
    const { id } = request.query;
    // PostgreSQL rejects text with a NUL.
    if (typeof id !== 'string' || !/^[^\0]{1,1000}$/s.test(id)) {
      const missing = problem('invalid_request', {
        message: 'id: must be the id of one generation, as in ?id=gen-….',
        param: 'id',
      });
      return sendProblem(response, missing, requestIdOf(response));
    }
    const found = await find(id, customer.accountId);
    const [newest] = found;
    if (!newest) {
      const unknown = problem('not_found', { message: unknownGeneration(id), param: 'id' });
      return sendProblem(response, unknown, requestIdOf(response));
    }
    const isRequest = id.startsWith('req_');
    const attempts = isRequest ? found : await find(requestOfGeneration(newest.request_id), customer.accountId);
    const several = found.length > 1 && !isRequest ? { note: SEVERAL, candidates: found.map(candidateOf) } : {};
    response.json({ data: receiptOf(newest), attempts: inOrder(attempts).map(attemptOf), ...several });
  };

const SEVERAL =
  'The provider gave this id to more than one generation. data is the newest; candidates lists them. Ask for one by its gen-… id.';

const unknownGeneration = (id: string): string =>
  /^req_/.test(id)
    ? `Nothing was charged for the request ${id}: it is of no generation of this account.`
    : `There is no generation ${id} of this account.`;

/** The ids of the attempts of a request are in the order of their numbers. */
const inOrder = (attempts: readonly Generation[]): readonly Generation[] =>
  attempts.toSorted((a, b) => (a.request_id < b.request_id ? -1 : 1));

const attemptOf = ({ request_id, upstream, status, detail }: Generation) => ({
  id: request_id,
  provider_name: upstream,
  status,
  detail,
});

const candidateOf = (generation: Generation) => ({
  id: generation.request_id,
  status: generation.status,
  model: generation.model,
  created_at: generation.reserved_at.toISOString(),
  total_cost: formatUsd(generation.charged),
});

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
  // `total_cost` and `usage` are OpenRouter's names, and numbers there.
  total_cost: jsonUsd(generation.charged),
  usage: jsonUsd(generation.charged),
  total_cost_usd: formatUsd(generation.charged),
  cost_before_write_off: formatUsd(generation.cost),
  written_off: formatUsd(generation.written_off),
  reversed_usd: formatUsd(generation.reversed),
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
  api_type: generation.endpoint === '/embeddings' ? 'embeddings' : 'completions',
  native_finish_reason: generation.finish_reason,
  native_tokens_prompt: generation.input_tokens + generation.cached_input_tokens + generation.cache_write_tokens,
  native_tokens_completion: generation.output_tokens + generation.reasoning_tokens,
  native_tokens_cached: generation.cached_input_tokens,
  native_tokens_reasoning: generation.reasoning_tokens,
  ...requiredOfGeneration,
});

/** An amount as a number under OpenRouter's name, and as exact text. */
const money = (name: string, amount: Credits | null): Readonly<Record<string, unknown>> => ({
  [name]: amount === null ? null : jsonUsd(amount),
  [`${name}_usd`]: amount === null ? null : formatUsd(amount),
});

/** Fields that OpenRouter's client requires of a key and that have no value here. */
const requiredOfKey = {
  allowed_data_regions: [],
  byok_usage: 0,
  byok_usage_daily: 0,
  byok_usage_weekly: 0,
  byok_usage_monthly: 0,
  creator_user_id: null,
  free_model_daily_requests: { limit: 0, remaining: 0, used: 0 },
  include_byok_in_limit: false,
  is_free_tier: false,
  is_management_key: false,
  is_provisioning_key: false,
  organization_id: null,
  // Deprecated by OpenRouter; the limits of a key have fields of their own.
  rate_limit: { requests: -1, interval: '10s', note: 'See requests_per_minute and tokens_per_minute.' },
  workspace_id: null,
};

/** Fields that OpenRouter's client requires of a generation and that have no value here. */
const requiredOfGeneration = {
  app_id: null,
  cache_discount: null,
  data_region: 'global',
  external_user: null,
  http_referer: null,
  is_byok: false,
  moderation_latency: null,
  native_tokens_completion_images: null,
  num_fetches: null,
  num_input_audio_prompt: null,
  num_media_completion: null,
  num_media_prompt: null,
  num_search_results: null,
  origin: '',
  preset_id: null,
  provider_responses: null,
  router: null,
  service_tier: null,
  upstream_inference_cost: null,
  user_agent: null,
  web_search_engine: null,
  workspace_id: null,
};

const resets = { day: 'daily', month: 'monthly', total: null } as const;

/** GET /v1/key */
export const getKey =
  (authenticate: Authenticate, findAccount: FindAccount, findKeyUsage: FindKeyUsage, now: () => Date): RequestHandler =>
  async (request, response) => {
    const customer = authenticate(request);
    if (isProblem(customer)) return sendProblem(response, customer, requestIdOf(response));
    const [account, usage] = await Promise.all([findAccount(customer.accountId), findKeyUsage(customer.keyId)]);
    const key = account.keys.get(customer.keyId);
    const limits = viewKeyLimits(account.tallies.keys.get(customer.keyId)?.limits ?? {});
    const spending = spendingNow(account.tallies, customer.keyId, now().getTime());
    response.json({
      data: {
        key_id: customer.keyId,
        label: key?.name ?? '',
        hint: key?.hint ?? '',
        // The tightest spending limit of the key and its account.
        ...money('limit', spending?.limit ?? null),
        ...money('limit_remaining', spending?.left ?? null),
        limit_reset: spending ? resets[spending.window] : null,
        ...money('usage', usage.total),
        ...money('usage_daily', usage.day),
        ...money('usage_weekly', usage.week),
        ...money('usage_monthly', usage.month),
        ...limits,
        ...requiredOfKey,
      },
    });
  };

/** GET /v1/credits */
export const getCredits =
  (authenticate: Authenticate, findAccount: FindAccount): RequestHandler =>
  async (request, response) => {
    const customer = authenticate(request);
    if (isProblem(customer)) return sendProblem(response, customer, requestIdOf(response));
    const { wallet } = await findAccount(customer.accountId);
    const { balance, held, locked } = wallet;
    const used = wallet.charged - wallet.reversed;
    response.json({
      data: {
        // OpenRouter's clients subtract them: the difference is the balance. Credits that were refunded or have ended count in neither.
        ...money('total_credits', balance + used),
        ...money('total_usage', used),
        balance: formatUsd(balance),
        held: formatUsd(held),
        locked: formatUsd(locked),
        available: formatUsd(balance - locked - held),
      },
    });
  };
