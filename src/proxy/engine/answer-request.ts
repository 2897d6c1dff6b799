import { isBadRequest, type Format, type Job } from '../formats/format.ts';
import { MAX_VALUES, measureJson } from '../json/json-shape.ts';
import { healthy } from '../routing/health.ts';
import { plan, type Catalogue } from '../routing/plan.ts';
import { tryAttempts } from './attempts.ts';
import type { Answer, Asked, CompletionsOptions, Running } from './completion.ts';
import type { CompletionProblem } from './problem.ts';

/** Memory of an empty object and its list entry. Few values need more than this and their text. */
const BYTES_OF_VALUE = 64;

/** Handles one request, from its body to its answer. */
export const answerTo = async (asked: Asked, options: CompletionsOptions, running: Running): Promise<Answer> => {
  const format = formatOf(asked, options);
  const job = await readJob(asked, (body, shape) => format.read(body, shape), running);
  if ('kind' in job) return problem(job);
  const askedAt = options.now();
  const { health = healthy, sticky } = options;
  const preferred = (): string | undefined => sticky?.find(asked.accountId, job);
  const planned = plan(job, catalogueAt(askedAt, options), { health, preferred });
  switch (planned.kind) {
    case 'unknown_model':
      return problem({ kind: 'model_not_found', model: job.model });
    case 'delisted':
      return problem({ kind: 'model_delisted', model: job.model, since: planned.since });
    case 'unsupported':
      return problem({ kind: 'bad_request', ...planned.why });
    case 'attempts': {
      const { attempts } = planned;
      const answer = await tryAttempts({ asked, askedAt, job, attempts }, options, running);
      if (attempts.length > 1 && answer.kind !== 'problem') sticky?.answered(asked.accountId, job, answer.provider);
      return answer;
    }
  }
};

export const formatOf = ({ endpoint }: Pick<Asked, 'endpoint'>, { formats }: CompletionsOptions): Format => {
  const format = formats.get(endpoint);
  if (!format) throw new Error(`No format has the endpoint ${endpoint}.`);
  return format;
};

export const readJob = async (
  { body, takeMemory }: Pick<Asked, 'body' | 'takeMemory'>,
  read: Format['read'],
  running: Pick<Running, 'draining'>,
): Promise<Job | CompletionProblem> => {
  const shape = await measureJson(body);
  if (shape.values > MAX_VALUES) return tooManyValues;
  if (running.draining) return { kind: 'draining' };
  if (takeMemory?.(shape.values * BYTES_OF_VALUE) === false) {
    return { kind: 'upstream_failed', code: 'server_is_overloaded' };
  }
  const job = read(body, shape);
  return isBadRequest(job) ? { kind: 'bad_request', ...job } : job;
};

export const catalogueAt = (
  at: Date,
  { findPrice, findDelisting, factsOf, policyOf, providers }: CompletionsOptions,
): Catalogue => ({
  priceOf: (model) => findPrice(model, at),
  delistedSince: (model) => findDelisting?.(model, at)?.effectiveFrom,
  factsOf: (price) => factsOf?.(price),
  providers,
  ...(policyOf ? { policyOf } : {}),
});

const tooManyValues: CompletionProblem = {
  kind: 'bad_request',
  code: 'invalid_request',
  message: `The body has more than ${MAX_VALUES} values.`,
  param: null,
};

const problem = (what: CompletionProblem): Answer => ({ kind: 'problem', problem: what });
