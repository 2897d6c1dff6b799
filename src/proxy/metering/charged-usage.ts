import type { Delivery } from '../../domain/account/events.ts';
import { noUsage, type Usage } from '../../domain/money.ts';
import { bytesBound, inputTokensBound, promptTexts, promptTokenIds, tokensPerCounted } from './bounds.ts';
import type { Metered } from './meter.ts';
import { hidesReasoning, type SoldModel } from './model-facts.ts';
import type { CompletionRequest } from '../formats/request.ts';
import type { Reserved } from '../engine/hold.ts';
import type { TokenCounter } from './token-counter.ts';
import { bytesOf, withUnreported } from './unreported-output.ts';
import { boundedUsage } from './usage-bounds.ts';
import { meteredUsage, readUsage, type ReadUsage } from './usage.ts';

export type ChargedUsage = Pick<Delivery, 'usageSource' | 'anomalies'> & {
  /** What the customer pays for: never more than the request could cost by its own bounds. */
  readonly usage: Usage;
  /** What was used or reported beyond that. It is written off. */
  readonly beyond: Usage;
  /** Whether the report itself states that usage, so that it can be passed on. */
  readonly asReported: boolean;
};

export type UsageReader = (metered: Metered, ended: Delivery['ended']) => Promise<ChargedUsage>;

export type UsageReaderOptions = {
  readonly request: CompletionRequest;
  readonly model: SoldModel;
  readonly reservation: Pick<Reserved, 'bounds' | 'media'>;
  readonly promptTokens: TokenCounter;
  readonly tokens: TokenCounter;
};

/** Decides what a request is charged for: what was reported if that can be believed, else what was metered. */
export const createUsageReader = (options: UsageReaderOptions): UsageReader => {
  const { request, model, reservation, promptTokens, tokens } = options;
  const { bounds, media } = reservation;
  // A model may read more than is sold of its window, in fields whose texts nobody here knows to count.
  const bytes = bytesBound(request, media);
  const input = Number.isFinite(bytes) ? bytes : inputTokensBound(request, model, media);
  const limits = { input, output: bounds.outputLimit };
  const sent = (): readonly string[] => promptTexts(request);

  /** A report of far less input than was sent is not believed. A prompt is counted only if its bytes raise the doubt. */
  const unlessBelowPrompt = async (report: ReadUsage): Promise<ReadUsage> => {
    const { usage, anomalies } = report;
    const reported = usage ? usage.input + usage.cachedInput + usage.cacheWrite : 0;
    if (!usage || reported === 0) return report;
    const known = promptTokenIds(request) + media.least;
    const [enough, raisesDoubt] = [LESS_AT_MOST * reported, PROMPT_BYTES_AT_MOST * reported];
    // No text of a body has more bytes than that, so most requests end here.
    if (known <= enough && request.body.length - media.bytes <= raisesDoubt) return report;
    const texts = sent();
    if (known <= enough && bytesOf(texts) <= raisesDoubt) return report;
    if (known + (await promptTokens.count(texts, 'at_least', enough)) <= enough) return report;
    return { usage: undefined, anomalies: [...anomalies, 'usage_below_prompt'] };
  };

  const readReported = async (metered: Metered, ended: Delivery['ended']): Promise<ReadUsage> => {
    const said = metered.texts;
    const report = readUsage(metered.usage, {
      inputTokens: Math.max(model.contextTokens, limits.input),
      outputTokens: model.contextTokens * request.choices,
      inputBound: limits.input,
      outputBound: limits.output,
      hidesReasoning: hidesReasoning(model),
      spoke: said.some((text) => text !== ''),
    });
    const texts = {
      all: said,
      delivered: metered.delivered ?? metered.texts,
      undelivered: metered.undelivered ?? [],
      // At the end of a complete stream the report is of all of it.
      unreported: ended === 'completed' ? [] : (metered.unreported ?? []),
    };
    return unlessBelowPrompt(await withUnreported(report, texts, tokens));
  };

  const meteredOf = async (metered: Metered, anomalies: readonly string[]): Promise<ChargedUsage> => {
    const read = promptTokenIds(request) + (await promptTokens.count(sent())) + media.least;
    const said = await tokens.count(metered.delivered ?? metered.texts);
    const usage = meteredUsage(Math.min(read, bounds.inputTokens), Math.min(said, bounds.outputLimit));
    // Of a model that may count fewer tokens than we do, only what surely is more than was asked for.
    const output = Math.max(0, Math.floor(said / tokensPerCounted(model)) - bounds.outputLimit);
    return {
      ...{ usage, beyond: { ...noUsage, output }, usageSource: 'metered', asReported: false },
      anomalies: output > 0 ? [...anomalies, 'output_beyond_limit'] : anomalies,
    };
  };

  return async (metered, ended) => {
    const { usage, anomalies } = await readReported(metered, ended);
    if (!usage) return meteredOf(metered, anomalies);
    const { within, beyond, anomalies: exceeded } = boundedUsage(usage, limits);
    const isChanged = exceeded.length > 0 || (metered.undelivered ?? []).length > 0;
    return {
      usage: within,
      beyond,
      usageSource: 'reported',
      anomalies: [...anomalies, ...exceeded],
      asReported: !isChanged && statesInput(metered.usage, within),
    };
  };
};

/** Few prompts have more bytes to a token; others are counted before a report of them is believed. */
const PROMPT_BYTES_AT_MOST = 8;
/** No tokenizer makes so many fewer tokens than ours of the same prompt. */
const LESS_AT_MOST = 2;

/** Whether a client that knows the names of OpenAI reads all input in a report. */
const statesInput = (report: unknown, { input, cachedInput, cacheWrite }: Usage): boolean =>
  (report as { readonly prompt_tokens?: unknown }).prompt_tokens === input + cachedInput + cacheWrite;
