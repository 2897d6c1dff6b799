import type { ServerResponse } from 'node:http';
import type { AccountRefusal } from '../../domain/account/decide.ts';
import { formatUsd } from '../../domain/money.ts';
import { problemTable, type ProblemCode } from './problems/problem-table.ts';
import type { ProblemEntry } from './problems/problem-entries.ts';
import { anthropicProblem } from './problems/anthropic-problem.ts';
import { errorShapeOf, supportOf } from './request-id.ts';
import { asksForSupport, withSupport, type Support } from './support.ts';

export type { ProblemCode };

/** An error as the client receives it, in the shape of OpenAI's errors. */
export type Problem = {
  readonly status: number;
  readonly type: string;
  readonly code: string;
  /** What is wrong and what to do about it. */
  readonly message: string;
  /**
   * Whether the same request may be sent again unchanged. OpenAI's clients retry 408, 409, 429 and 500 upwards unless the
   * header x-should-retry forbids it, and would pay twice if the first request had its effect.
   */
  readonly shouldRetry: boolean;
  readonly retryAfterMs?: number;
  /** The invalid field. */
  readonly param?: string | null;
  /** The generation that the error concerns, so that its receipt can be fetched, and its cost. */
  readonly generation?: { readonly id: string; readonly costUsd?: string };
  /** The message asks the client to contact support, and is sent with the address and the page of support. */
  readonly asksForSupport?: true;
};

export const problem = (code: ProblemCode, overrides: Partial<Problem> = {}): Problem => {
  const { meaning, action, ...entry }: ProblemEntry = problemTable[code];
  const asks = asksForSupport(action) ? { asksForSupport: true as const } : {};
  return { code, message: `${meaning} ${action}`, ...asks, ...entry, ...overrides };
};

export const isProblem = (value: object): value is Problem => 'shouldRetry' in value;

export const modelDelisted = (model: string, since: Date): Problem =>
  problem('model_delisted', {
    message: `The model \`${model}\` is no longer on sale since ${since.toISOString()}. GET /v1/models lists the models on sale.`,
    param: 'model',
  });

const inWords = {
  staff: 'by a decision of the operator',
  violation: 'for a violation of the terms',
  dispute: 'because of a dispute about a payment',
  debt: 'because credits are owed',
} as const satisfies Readonly<Record<NonNullable<AccountRefusal['causes']>[number], string>>;

/** The problem of a suspended account, with its causes. The suspension lasts until each has ended. */
export const accountSuspended = (causes: NonNullable<AccountRefusal['causes']>): Problem => {
  const all = new Intl.ListFormat('en', { type: 'conjunction' }).format(causes.map((cause) => inWords[cause]));
  return problem('account_suspended', { message: `This account is suspended ${all}. Contact support.` });
};

/** With the URL of the text that the holder must accept. */
export const termsNotAccepted = (termsUrl: string): Problem => {
  const { message } = problem('terms_not_accepted');
  return problem('terms_not_accepted', { message: message.replace('GET /terms', termsUrl) });
};

/**
 * A refusal of the domain as a problem, with the amounts if credits are insufficient. `termsUrl` is where the Terms of
 * Service can be read.
 */
export const refusalProblem = ({ code, funds, causes = [] }: AccountRefusal, termsUrl: string): Problem => {
  if (code === 'terms_not_accepted') return termsNotAccepted(termsUrl);
  if (causes.length > 0) return accountSuspended(causes);
  if (!funds) return problem(code);
  const { message } = problem(code);
  const [needed, available, held] = [funds.needed, funds.available, funds.held].map(formatUsd);
  return problem(code, { message: `${message} Needed: $${needed}. Available: $${available}. Held: $${held}.` });
};

const GENERATION_ID = 'x-kissapi-generation-id';

/** Sets the headers that identify a generation and its cost, on success and on errors. */
export const setGenerationHeaders = (response: ServerResponse, id: string, costUsd?: string): void => {
  response.setHeader(GENERATION_ID, id);
  response.setHeader('x-generation-id', id);
  if (costUsd !== undefined) response.setHeader('x-kissapi-cost-usd', costUsd);
};

/** Adds the generation of the response: after a hold, every error concerns that generation. */
export const ofGeneration = (response: ServerResponse, problem: Problem): Problem => {
  const id = response.getHeader(GENERATION_ID);
  return problem.generation === undefined && typeof id === 'string' ? { ...problem, generation: { id } } : problem;
};

/** The headers of an error. */
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

/** Without `support`, the message is sent unchanged. */
export const problemBody = (problem: Problem, requestId: string, support?: Support): string => {
  const { type, code, param = null, generation } = problem;
  const message = support && problem.asksForSupport ? withSupport(problem.message, support) : problem.message;
  const ids = generation && {
    generation_id: generation.id,
    ...(generation.costUsd === undefined ? {} : { cost_usd: generation.costUsd }),
  };
  return JSON.stringify({ error: { message, type, param, code, request_id: requestId, ...ids } });
};

/** The body of a problem in the shape of the format that the request uses. */
export const problemBodyFor = (response: ServerResponse, problem: Problem, requestId: string): string => {
  const body = problemBody(problem, requestId, supportOf(response));
  return errorShapeOf(response) === 'anthropic' ? anthropicProblem(problem.status, body) : body;
};

export const sendProblem = (response: ServerResponse, sent: Problem, requestId: string): void => {
  const problem = ofGeneration(response, sent);
  const { generation } = problem;
  response.statusCode = problem.status;
  for (const [name, value] of Object.entries(problemHeaders(problem, requestId))) response.setHeader(name, value);
  if (generation) setGenerationHeaders(response, generation.id, generation.costUsd);
  response.end(problemBodyFor(response, problem, requestId));
};
