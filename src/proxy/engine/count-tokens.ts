import type { Job } from '../formats/format.ts';
import { mediaOf } from '../media/media-parts.ts';
import type { TokenCount } from '../providers/provider.ts';
import { healthy } from '../routing/health.ts';
import { plan, type Attempt } from '../routing/plan.ts';
import { catalogueAt, formatOf, readJob } from './answer-request.ts';
import type { Asked, CompletionsOptions, Running } from './completion.ts';
import { problemOf, type CompletionProblem } from './problem.ts';

export type CountAsked = Pick<Asked, 'endpoint' | 'body' | 'gone' | 'takeMemory'>;

export type Counted =
  | { readonly kind: 'counted'; readonly inputTokens: number }
  | { readonly kind: 'problem'; readonly problem: CompletionProblem };

/**
 * Counts the input tokens of a request without an answer, as the provider that would serve it counts them, or else
 * approximately. Nothing is held or charged.
 */
export const countTokens = async (
  asked: CountAsked,
  options: CompletionsOptions,
  running: Pick<Running, 'draining'>,
): Promise<Counted> => {
  const { readForCount } = formatOf(asked, options);
  if (!readForCount) throw new Error(`The format of ${asked.endpoint} does not count tokens.`);
  const job = await readJob(asked, readForCount, running);
  if ('kind' in job) return problem(job);
  const planned = plan(job, catalogueAt(options.now(), options), { health: options.health ?? healthy });
  switch (planned.kind) {
    case 'unknown_model':
      return problem({ kind: 'model_not_found', model: job.model });
    case 'delisted':
      return problem({ kind: 'model_delisted', model: job.model, since: planned.since });
    case 'unsupported':
      return problem({ kind: 'bad_request', ...planned.why });
    case 'attempts': {
      const [first] = planned.attempts;
      const count = await countOfProvider(job, first, asked.gone);
      if (count?.kind === 'counted') return { kind: 'counted', inputTokens: count.inputTokens };
      if (count?.cause === 'request') return problem(problemOf(count));
      return { kind: 'counted', inputTokens: await ownCount(job, first, options) };
    }
  }
};

/** Undefined if the provider has no count, or fails. */
const countOfProvider = async (
  job: Job,
  { model, provider }: Attempt,
  signal: AbortSignal,
): Promise<TokenCount | undefined> =>
  provider.countTokens?.({ job, model: model.upstreamModel, signal }).catch(() => undefined);

/** The texts by the gateway's own counter, and the least of the media. Counting stops once the model's context is full. */
const ownCount = async (job: Job, { model }: Attempt, { promptTokens }: CompletionsOptions): Promise<number> =>
  (await promptTokens.count(job.texts(), 'at_least', model.contextTokens)) + mediaOf(job, model).least;

const problem = (what: CompletionProblem): Counted => ({ kind: 'problem', problem: what });
