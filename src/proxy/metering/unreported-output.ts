import { bytesOf } from './output-text.ts';
import type { TokenCounter } from './token-counter.ts';
import type { ReadUsage } from './usage.ts';

/** Few texts have so many bytes per token in any tokenizer, so other texts need no count. */
const MAX_BYTES_PER_TOKEN = 16;
/** No tokenizer counts a smaller share of our tokens for the same text, except in rare scripts. */
const LEAST_SHARE = 1 / 1.5;

/** The output text of each choice. */
export type OutputTexts = {
  readonly all: readonly string[];
  /** The part that was passed on before the customer disconnected, and the part that came later. */
  readonly delivered: readonly string[];
  readonly undelivered: readonly string[];
  /** The part that was passed on and came after the report. */
  readonly unreported: readonly string[];
};

/**
 * A report plus the output that came after it; or no usage, if the report certainly covers less than the output. With
 * several choices llama.cpp reports the first, TGI the one that ended last, and vLLM and SGLang, with continuous usage,
 * the one that sent text last. A report that covers only the last piece is almost zero.
 */
export const withUnreported = async (
  report: ReadUsage,
  { all, delivered, undelivered, unreported }: OutputTexts,
  tokens: TokenCounter,
): Promise<ReadUsage> => {
  const { usage, anomalies } = report;
  if (!usage) return report;
  const isAllCovered = unreported.length === 0 && undelivered.length === 0 && all.length <= 1;
  if (isAllCovered && bytesOf(all) <= MAX_BYTES_PER_TOKEN * (usage.output + usage.reasoning)) return report;
  const more = unreported.length > 0 ? await tokens.count(unreported) : 0;
  const output = usage.output + more;
  const reported = output + usage.reasoning;
  const mayBeLess = all.length > 1 || bytesOf(all) > MAX_BYTES_PER_TOKEN * reported;
  if (mayBeLess && reported < LEAST_SHARE * (await tokens.count(all))) {
    return { usage: undefined, anomalies: [...anomalies, 'usage_below_words'] };
  }
  // A provider may count fewer tokens in the undelivered text than we do; the delivered text is charged anyway.
  const least = undelivered.length > 0 ? Math.min(output, await tokens.count(delivered)) : 0;
  const late = undelivered.length > 0 ? await tokens.count(undelivered) : 0;
  return {
    usage: { ...usage, output: Math.max(output - late, least) },
    anomalies: [...anomalies, ...(more > 0 ? ['words_after_usage'] : []), ...(late > 0 ? ['words_after_leaving'] : [])],
  };
};
