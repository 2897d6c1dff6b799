import type { Job } from '../formats/format.ts';
import { mediaOf } from '../media/media-parts.ts';
import type { TokenCount } from '../providers/provider.ts';
import type { Attempt } from '../routing/plan.ts';
import type { Asked, CompletionsOptions, Running } from './completion.ts';
import { generationIdOf } from './ledger.ts';
import { problemOf, type CompletionProblem } from './problem.ts';
import { formatOf, readRequest } from './read-request.ts';

export type CountAsked = Pick<Asked, 'uuid' | 'accountId' | 'keyId' | 'endpoint' | 'body' | 'gone' | 'takeMemory'>;

export type Counted =
  | { readonly kind: 'counted'; readonly inputTokens: number }
  | { readonly kind: 'problem'; readonly problem: CompletionProblem };

/**
 * Counts the input tokens of a request without an answer, as the provider that would serve it counts them, or else
 * approximately. Nothing is held or charged, but an account or a key that may not use the model gets no count.
 */
export const countTokens = async (
  asked: CountAsked,
  options: CompletionsOptions,
  running: Pick<Running, 'draining'>,
): Promise<Counted> => {
  const { readForCount } = formatOf(asked, options);
  if (!readForCount) throw new Error(`The format of ${asked.endpoint} does not count tokens.`);
  const read = await readRequest(asked, readForCount, options, running);
  if ('kind' in read) return problem(read);
  const { job, attempts } = read;
  const [first] = attempts;
  const refusal = await refusalOfUse(asked, first, options);
  if (refusal) return problem({ kind: 'refused', refusal });
  const count = await countOfProvider(job, first, asked.gone);
  if (count?.kind === 'counted') return { kind: 'counted', inputTokens: count.inputTokens };
  if (count?.cause === 'request') return problem(problemOf(count));
  return { kind: 'counted', inputTokens: await ownCount(job, first, options) };
};

/** Why a hold of nothing would be refused. */
const refusalOfUse = async (
  { uuid, accountId, keyId, endpoint }: CountAsked,
  { model: { model, version, rates, upstream } }: Attempt,
  { refusalOf, runId, now, termsToAccept }: CompletionsOptions,
) => {
  const terms = termsToAccept?.();
  return refusalOf?.(accountId, {
    ...{ type: 'ReserveCredits', requestId: generationIdOf(uuid), keyId, runId: runId(), amount: 0n },
    price: { model, version, rates },
    request: { endpoint, upstream, streamed: false, inputTokensBound: 0, outputTokensBound: 0 },
    at: now().getTime(),
    ...(terms ? { terms } : {}),
  });
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
