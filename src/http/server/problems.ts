import type { ServerResponse } from 'node:http';
import type { AccountRefusal } from '../../domain/account/decide.ts';
import { formatUsd } from '../../domain/money.ts';
import type { PriceRefusal } from '../../domain/prices/decide.ts';
import type { TermsRefusal } from '../../domain/terms/terms.ts';

/** An error as a customer reads it, in the shape that OpenAI's clients know. */
export type Problem = {
  readonly status: number;
  readonly type: string;
  readonly code: string;
  /** Says what is wrong and what to do next. */
  readonly message: string;
  /**
   * Whether the same request may be sent again as it is. OpenAI's clients retry 408, 409, 429 and all from 500 on by
   * themselves, and pay twice where the first had its effect, so every error says it.
   */
  readonly shouldRetry: boolean;
  readonly retryAfterMs?: number;
  /** The field that is to blame. */
  readonly param?: string | null;
  /** The generation that this is about, and what it cost, so that its receipt can be fetched. */
  readonly generation?: { readonly id: string; readonly costUsd?: string };
};

/** `code` only where the wire knows a refusal by another name. */
type Entry = Omit<Problem, 'code' | 'param'> & { readonly code?: string };

const invalid = (status: number, message: string) =>
  ({ status, type: 'invalid_request_error', message, shouldRetry: false }) satisfies Entry;
const forbidden = (message: string) =>
  ({ status: 403, type: 'permission_error', message, shouldRetry: false }) satisfies Entry;
const unavailable = (message: string, retryAfterMs: number) =>
  ({ status: 503, type: 'service_unavailable_error', message, shouldRetry: true, retryAfterMs }) satisfies Entry;

const tooMany = (message: string, retryAfterMs: number) =>
  ({ status: 429, type: 'rate_limit_error', message, shouldRetry: true, retryAfterMs }) satisfies Entry;
const overLimit = (message: string) =>
  ({ status: 402, type: 'insufficient_quota', message, shouldRetry: false }) satisfies Entry;

/** Each refusal of the domain: a new one does not compile until it can be told. */
const refusals = {
  account_exists: invalid(409, 'This account is registered already: read it, or use another Idempotency-Key.'),
  account_not_found: invalid(404, 'There is no such account. Check the account id.'),
  under_age: forbidden(
    'A person must be 18 or older to hold an account. Send "adult": true once the holder has declared it.',
  ),
  account_suspended: forbidden('This account is suspended. Write to support to have it looked at.'),
  account_not_suspended: invalid(409, 'This account is not suspended, so there is nothing to reinstate.'),
  terms_not_accepted: forbidden(
    'The Terms of Service have not been accepted for this account yet. Read them at GET /terms, accept that version, then try again.',
  ),
  key_not_found: invalid(404, 'This account has no such key. List its keys and check the id.'),
  key_revoked: { ...invalid(401, 'This API key was revoked. Use another one.'), code: 'invalid_api_key' },
  key_expired: invalid(401, 'This API key has expired. Use another one.'),
  key_already_replaced: invalid(409, 'Another key was issued in place of this key already. Replace that one.'),
  model_not_allowed: forbidden(
    'This API key, or its account, may not use this model. Ask who manages it, or use another model.',
  ),
  too_many_keys: invalid(409, 'This account has as many keys as it can have, revoked ones included. Write to support.'),
  invalid_limits: invalid(400, 'A limit must be a whole number of 1 or more, or an amount that is not negative.'),
  invalid_amount: invalid(400, 'The amount must be more than zero.'),
  lot_exists: invalid(409, 'These credits were added already with another amount. Send a new Idempotency-Key.'),
  request_id_reused: invalid(409, 'This request id was used for another request. Send it with a new one.'),
  hold_not_open: invalid(409, 'This request has ended already. Look its receipt up by its generation id.'),
  concurrency_limit_exceeded: tooMany(
    'As many requests are under way as may be at once. Try again when one has ended.',
    250,
  ),
  rate_limit_exceeded: tooMany('There were as many requests or tokens in the last minute as may be.', 3000),
  key_limit_exceeded: overLimit('This API key has reached its spending limit. Ask who manages it to raise it.'),
  account_limit_exceeded: overLimit(
    'This account has reached its spending limit. Raise it, or wait until it begins anew.',
  ),
  limit_held_by_concurrent_requests: {
    ...overLimit('What the spending limit leaves is held by requests under way. Try again when they have ended.'),
    shouldRetry: true,
    retryAfterMs: 1000,
  },
  credits_held_by_concurrent_requests: {
    status: 402,
    type: 'insufficient_quota',
    message: 'The credits that this request needs are held by requests under way. Try again when they have ended.',
    shouldRetry: true,
    retryAfterMs: 1000,
  },
  insufficient_credits: {
    status: 402,
    type: 'insufficient_quota',
    code: 'credit_balance_exhausted',
    message: 'The credits left do not cover this request. Top up, or ask for less.',
    shouldRetry: false,
  },
  invalid_price: invalid(400, 'No rate may be negative, and the output limit may not exceed the context.'),
  takes_effect_before_a_listed_price: invalid(
    409,
    'A price of this model that takes effect later is listed already. Choose a later time.',
  ),
  model_not_listed: invalid(404, 'The price book has no such model. GET /api/prices lists the models on sale.'),
  terms_version_changed: invalid(
    409,
    'This version of the terms was published with another text, which GET /terms/{version} returns. Publish the new text as a new version.',
  ),
} satisfies Record<(AccountRefusal | PriceRefusal | TermsRefusal)['code'], Entry>;

/** What the door itself says. */
const ofTheDoor = {
  invalid_api_key: invalid(401, 'This API key is not valid. Check that all of it was copied, or use another one.'),
  invalid_admin_token: invalid(
    401,
    "The management API needs the administrator's token, in the header Authorization: Bearer TOKEN.",
  ),
  model_not_found: invalid(404, 'There is no such model here. GET /v1/models lists those that there are.'),
  model_delisted: invalid(404, 'This model was taken off sale. GET /v1/models lists the models on sale.'),
  invalid_json: invalid(400, 'The body is not valid JSON. Check it and send it again.'),
  invalid_request: invalid(400, 'The request is not valid. Check its fields and send it again.'),
  unsupported_parameter: invalid(400, 'This parameter is not supported. Leave it out.'),
  context_length_exceeded: invalid(400, 'The prompt is longer than what this model reads. Send less of it.'),
  terms_not_in_force: invalid(
    400,
    'Only the terms in force can be accepted. GET /terms returns their text and version.',
  ),
  terms_not_found: invalid(404, 'There is no such version of the terms. GET /api/terms lists the versions.'),
  request_too_large: invalid(413, 'The body is too large. Send less at once.'),
  request_timeout: {
    ...invalid(408, 'The request did not come to its end in time, and nothing was done. Send it again.'),
    shouldRetry: true,
  },
  headers_too_large: invalid(431, 'The headers are too large. Send fewer or shorter ones, of 64 KiB at most.'),
  expectation_failed: invalid(417, 'The header Expect may say 100-continue and nothing else. Leave it out.'),
  unsupported_media_type: invalid(415, 'Send the body as JSON, with content-type: application/json.'),
  method_not_allowed: invalid(405, 'This method is not allowed here. The header Allow names those that are.'),
  not_found: invalid(404, 'There is nothing at this address. Check the path.'),
  idempotency_key_reused: invalid(
    409,
    'This Idempotency-Key was used for another request. Send this one with a new key.',
  ),
  idempotency_in_progress: {
    ...invalid(409, 'The same request is under way under this Idempotency-Key. Try again when it has ended.'),
    shouldRetry: true,
    retryAfterMs: 1000,
  },
  idempotency_key_used: invalid(
    409,
    'This request was carried out and paid for already, under this Idempotency-Key. Answers are not kept: fetch the ' +
      'receipt, GET /v1/generation?id=, or send the request with a new key to have it answered, and charged, again.',
  ),
  // Whether an upstream has charged is for the proxy to know: only where it has not does it allow a retry.
  upstream_error: {
    status: 502,
    type: 'upstream_error',
    message: 'The provider failed. Nothing was charged for what was not delivered; try again, or another model.',
    shouldRetry: false,
  },
  upstream_timeout: {
    status: 504,
    type: 'upstream_error',
    message: 'The provider did not answer in time. Nothing was charged for what was not delivered; try again later.',
    shouldRetry: false,
  },
  server_is_overloaded: unavailable('There is too much to do at the moment. Try again shortly.', 2000),
  no_provider: unavailable('No provider of this model is available at the moment. Try again, or another model.', 5000),
  store_unavailable: unavailable('The ledger cannot be reached at the moment. Try again shortly.', 2000),
  upgrade_in_progress: unavailable(
    'This needs all gateways to run the new release, and one still runs the release before. Nothing was done. Try again ' +
      'when the upgrade is complete.',
    10_000,
  ),
  service_paused: unavailable(
    'The service is paused while its operators check the ledger after a restore of its database. Nothing was done or ' +
      'charged. Try again later.',
    10_000,
  ),
  draining: unavailable('This node is stopping. Try again: another one will answer.', 500),
  // Nobody knows how far it came, so nobody may repeat it blindly.
  server_error: {
    status: 500,
    type: 'server_error',
    message: 'Something went wrong here. Tell support the request id.',
    shouldRetry: false,
  },
} satisfies Record<string, Entry>;

const entries = { ...refusals, ...ofTheDoor };
export type ProblemCode = keyof typeof entries;

export const problem = (code: ProblemCode, overrides: Partial<Problem> = {}): Problem => {
  const entry: Entry = entries[code];
  return { code, ...entry, ...overrides };
};

export const modelDelisted = (model: string, since: Date): Problem =>
  problem('model_delisted', {
    message: `The model \`${model}\` was taken off sale at ${since.toISOString()}. GET /v1/models lists the models on sale.`,
    param: 'model',
  });

/** A refusal with what is known of its case: where credits are short, how many there are. */
export const refusalProblem = ({ code, funds }: AccountRefusal): Problem => {
  if (!funds) return problem(code);
  const { message } = entries[code];
  const [needed, available, held] = [funds.needed, funds.available, funds.held].map(formatUsd);
  return problem(code, { message: `${message} Needed: $${needed}. Available: $${available}. Held: $${held}.` });
};

const GENERATION_ID = 'x-kissapi-generation-id';

/** The headers by which a customer knows a generation, also where its answer is an error. */
export const tellGeneration = (response: ServerResponse, id: string, costUsd?: string): void => {
  response.setHeader(GENERATION_ID, id);
  response.setHeader('x-generation-id', id);
  if (costUsd !== undefined) response.setHeader('x-kissapi-cost-usd', costUsd);
};

/** Once credits were held, every error is about that generation, whichever part reports it. */
export const ofGeneration = (response: ServerResponse, problem: Problem): Problem => {
  const id = response.getHeader(GENERATION_ID);
  return problem.generation === undefined && typeof id === 'string' ? { ...problem, generation: { id } } : problem;
};

/** What an error says to programs, in the head of its answer. */
export const problemHeaders = (
  { shouldRetry, retryAfterMs }: Problem,
  requestId: string,
): Readonly<Record<string, string>> => ({
  'x-request-id': requestId,
  'x-should-retry': String(shouldRetry),
  ...(retryAfterMs === undefined
    ? {}
    : { 'retry-after-ms': String(retryAfterMs), 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }),
  'content-type': 'application/json; charset=utf-8',
});

export const problemBody = (problem: Problem, requestId: string): string => {
  const { type, code, message, param = null, generation } = problem;
  const about = generation && {
    generation_id: generation.id,
    ...(generation.costUsd === undefined ? {} : { cost_usd: generation.costUsd }),
  };
  return JSON.stringify({ error: { message, type, param, code, request_id: requestId, ...about } });
};

export const sendProblem = (response: ServerResponse, what: Problem, requestId: string): void => {
  const problem = ofGeneration(response, what);
  const { generation } = problem;
  response.statusCode = problem.status;
  for (const [name, value] of Object.entries(problemHeaders(problem, requestId))) response.setHeader(name, value);
  if (generation) tellGeneration(response, generation.id, generation.costUsd);
  response.end(problemBody(problem, requestId));
};
