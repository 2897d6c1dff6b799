import { isBadRequest, type Format, type Job } from '../formats/format.ts';
import { MAX_VALUES, measureJson } from '../json/json-shape.ts';
import { healthy } from '../routing/health.ts';
import { plan, type Attempt, type Catalogue } from '../routing/plan.ts';
import type { Asked, CompletionsOptions, Running } from './completion.ts';
import type { CompletionProblem } from './problem.ts';

/** Memory of an empty object and its list entry. Few values need more than this and their text. */
const BYTES_OF_VALUE = 64;

/** A request that was read, and the attempts that can serve it. */
export type ReadRequest = {
  readonly askedAt: Date;
  readonly job: Job;
  readonly attempts: readonly [Attempt, ...Attempt[]];
};

/** Reads a request in its format, and plans it. Nothing is held or sent. */
export const readRequest = async (
  asked: Pick<Asked, 'accountId' | 'body' | 'takeMemory'>,
  read: Format['read'],
  options: CompletionsOptions,
  running: Pick<Running, 'draining'>,
): Promise<ReadRequest | CompletionProblem> => {
  const job = await readJob(asked, read, running);
  if ('kind' in job) return job;
  const askedAt = options.now();
  const { health = healthy, sticky } = options;
  const preferred = (): string | undefined => sticky?.find(asked.accountId, job);
  const planned = plan(job, catalogueAt(askedAt, options), { health, preferred });
  switch (planned.kind) {
    case 'unknown_model':
      return { kind: 'model_not_found', model: job.model };
    case 'delisted':
      return { kind: 'model_delisted', model: job.model, since: planned.since };
    case 'unsupported':
      return { kind: 'bad_request', ...planned.why };
    case 'attempts':
      return { askedAt, job, attempts: planned.attempts };
  }
};

export const formatOf = ({ endpoint }: Pick<Asked, 'endpoint'>, { formats }: CompletionsOptions): Format => {
  const format = formats.get(endpoint);
  if (!format) throw new Error(`No format has the endpoint ${endpoint}.`);
  return format;
};

const readJob = async (
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

const catalogueAt = (
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
