import type { TokenCounter } from './token-counter.ts';
import type { ReadUsage } from './usage.ts';

/** Few texts have so many bytes to a token, whoever counts, so that others need not be counted. */
const BYTES_AT_MOST = 16;
/** No tokenizer makes so many fewer tokens than ours of the same words, but for scripts that few write in. */
const OF_ALL_AT_LEAST = 1 / 1.5;

/** What was said in each choice. */
export type SaidTexts = {
  readonly all: readonly string[];
  /** What of that was passed on before the customer left, and what came later. */
  readonly delivered: readonly string[];
  readonly undelivered: readonly string[];
  /** What was passed on and came after the report. */
  readonly unreported: readonly string[];
};

/**
 * A report, with what was said after it on top; or none, where it is surely of less than was said. Of several choices
 * llama.cpp reports the first, TGI the one that ended last, and vLLM and SGLang, where they are asked to count as they go,
 * the one that spoke last; and whoever reports but its last piece reports next to nothing.
 */
export const withUnreported = async (
  report: ReadUsage,
  { all: said, delivered, undelivered, unreported }: SaidTexts,
  tokens: TokenCounter,
): Promise<ReadUsage> => {
  const { usage, anomalies } = report;
  if (!usage) return report;
  const more = unreported.length > 0 ? await tokens.count(unreported) : 0;
  const output = usage.output + more;
  const all = output + usage.reasoning;
  const mayBeLess = said.length > 1 || bytesOf(said) > BYTES_AT_MOST * all;
  if (mayBeLess && all < OF_ALL_AT_LEAST * (await tokens.count(said))) {
    return { usage: undefined, anomalies: [...anomalies, 'usage_below_words'] };
  }
  // A provider may count fewer tokens of the undelivered words than we do: the delivered ones are charged all the same.
  const least = undelivered.length > 0 ? Math.min(output, await tokens.count(delivered)) : 0;
  const late = undelivered.length > 0 ? await tokens.count(undelivered) : 0;
  return {
    usage: { ...usage, output: Math.max(output - late, least) },
    anomalies: [...anomalies, ...(more > 0 ? ['words_after_usage'] : []), ...(late > 0 ? ['words_after_leaving'] : [])],
  };
};

export const bytesOf = (texts: readonly string[]): number =>
  texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0);
