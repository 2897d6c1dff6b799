import type { Delivery } from '../../domain/account/events.ts';
import { noUsage, type Usage } from '../../domain/money.ts';
import type { Job } from '../formats/format.ts';
import type { Media } from '../media/media-parts.ts';
import type { Metered } from '../providers/provider.ts';
import { bytesBound, inputTokensBound, tokensPerCounted } from './bounds.ts';
import { hidesReasoning, type SoldModel } from './model-facts.ts';
import { bytesOf } from './output-text.ts';
import type { TokenCounter } from './token-counter.ts';
import { withUnreported } from './unreported-output.ts';
import { boundedUsage, type UsageBounds } from './usage-bounds.ts';
import { meteredUsage, readUsage, type ReadUsage } from './usage.ts';

export type ChargedUsage = Pick<Delivery, 'usageSource' | 'anomalies'> & {
  /** What the customer pays for: never more than the request could cost by its own bounds. */
  readonly usage: Usage;
  /** What was used or reported beyond that. It is written off. */
  readonly beyond: Usage;
  /** Whether the report itself states that usage, so that it can be passed on. */
  readonly asReported: boolean;
};

/** The request that used something, and what counts its tokens. */
export type MeteredRequest = {
  readonly job: Job;
  readonly model: SoldModel;
  readonly reservation: {
    readonly bounds: { readonly inputTokens: number; readonly outputLimit: number };
    readonly media: Media;
  };
  readonly promptTokens: TokenCounter;
  readonly tokens: TokenCounter;
};

/** Decides what a request is charged for: the reported usage if it is credible, else what was metered. */
export const chargedUsage = async (
  request: MeteredRequest,
  metered: Metered,
  ended: Delivery['ended'],
): Promise<ChargedUsage> => {
  const limits = limitsOf(request);
  const { usage, anomalies } = await readReported(request, limits, metered, ended);
  if (!usage) return meteredOf(request, metered, anomalies, await inputAtStart(request, limits, metered, ended));
  const { within, beyond, anomalies: exceeded } = boundedUsage(usage, limits);
  const isChanged = exceeded.length > 0 || (metered.undelivered ?? NONE).length > 0;
  return {
    usage: within,
    beyond,
    usageSource: 'reported',
    asReported: !isChanged,
    anomalies: exceeded.length > 0 ? [...anomalies, ...exceeded] : anomalies,
  };
};

const NONE: readonly string[] = [];

const limitsOf = ({ job, model, reservation }: MeteredRequest): UsageBounds => {
  const { bounds, media } = reservation;
  // A model may read more than the part of its window that is sold, in fields whose texts are not counted here.
  const bytes = bytesBound(job, media);
  return {
    input: Number.isFinite(bytes) ? bytes : inputTokensBound(job, model, media),
    output: bounds.outputLimit,
  };
};

const readReported = async (
  { job, model, reservation, promptTokens, tokens }: MeteredRequest,
  limits: UsageBounds,
  metered: Metered,
  ended: Delivery['ended'],
): Promise<ReadUsage> => {
  const { texts, delivered = texts, undelivered = NONE, unreported = NONE } = metered;
  const report = readUsage(metered.usage, {
    inputTokens: Math.max(model.contextTokens, limits.input),
    outputTokens: model.contextTokens * job.choices,
    inputBound: limits.input,
    outputBound: limits.output,
    hidesReasoning: hidesReasoning(model),
    hasOutput: texts.some((text) => text !== ''),
  });
  // At the end of a complete stream the report covers all of it.
  const late = ended === 'completed' ? NONE : unreported;
  const read = await withUnreported(report, { all: texts, delivered, undelivered, unreported: late }, tokens);
  return unlessBelowPrompt(read, job, reservation.media, promptTokens);
};

/** Few prompts have more bytes per token. Those are counted before a report of them is accepted. */
const MAX_PROMPT_BYTES_PER_TOKEN = 8;
/** No tokenizer counts less than half as many tokens as ours for the same prompt. */
const MAX_RATIO = 2;

/** Rejects a report of far less input than was sent. A prompt is counted only if its bytes give a reason to. */
const unlessBelowPrompt = async (
  report: ReadUsage,
  job: Job,
  media: Media,
  promptTokens: TokenCounter,
): Promise<ReadUsage> => {
  const { usage, anomalies } = report;
  const reported = usage ? usage.input + usage.cachedInput + usage.cacheWrite : 0;
  if (!usage || reported === 0) return report;
  const known = job.tokenIds() + media.least;
  const [enough, credibleBytes] = [MAX_RATIO * reported, MAX_PROMPT_BYTES_PER_TOKEN * reported];
  // The texts have no more bytes than the body, so most requests end here.
  if (known <= enough && job.body.length - media.bytes <= credibleBytes) return report;
  const texts = job.texts();
  if (known <= enough && bytesOf(texts) <= credibleBytes) return report;
  if (known + (await promptTokens.count(texts, 'at_least', enough)) <= enough) return report;
  return { usage: undefined, anomalies: [...anomalies, 'usage_below_prompt'] };
};

/**
 * The input that the provider reported before the output, if it is credible. Without it, a customer who disconnects would
 * pay the full price for input that came from a cache.
 */
const inputAtStart = async (
  request: MeteredRequest,
  limits: UsageBounds,
  { usageAtStart }: Metered,
  ended: Delivery['ended'],
): Promise<Usage | undefined> => {
  if (usageAtStart === undefined) return undefined;
  const begun: Metered = { upstreamId: null, finishReason: null, usage: usageAtStart, texts: [] };
  const { usage } = await readReported(request, limits, begun, ended);
  return usage && boundedUsage(usage, limits).within;
};

const meteredOf = async (
  { job, model, reservation, promptTokens, tokens }: MeteredRequest,
  { texts, delivered = texts }: Metered,
  anomalies: readonly string[],
  begun: Usage | undefined,
): Promise<ChargedUsage> => {
  const { bounds, media } = reservation;
  const input = begun ? 0 : job.tokenIds() + (await promptTokens.count(job.texts())) + media.least;
  const output = await tokens.count(delivered);
  const counted = meteredUsage(Math.min(input, bounds.inputTokens), Math.min(output, bounds.outputLimit));
  const usage = begun ? { ...begun, output: counted.output, reasoning: 0 } : counted;
  // If the model may count fewer tokens than we do, only the certain excess counts.
  const excess = Math.max(0, Math.floor(output / tokensPerCounted(model)) - bounds.outputLimit);
  return {
    ...{ usage, beyond: { ...noUsage, output: excess }, usageSource: 'metered', asReported: false },
    anomalies: excess > 0 ? [...anomalies, 'output_beyond_limit'] : anomalies,
  };
};
