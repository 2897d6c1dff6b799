import type { TokenCounter } from './token-counter.ts';
import type { ReadUsage } from './usage.ts';

/** Few texts have so many bytes to a token, whoever counts, so that others need not be counted. */
const BYTES_AT_MOST = 16;
/** No tokenizer makes so many fewer tokens than ours of the same words, but for scripts that few write in. */
const OF_ALL_AT_LEAST = 1 / 1.5;

/**
 * A report, with what was said after it on top; or none, where it is surely of less than was said. Of several choices
 * llama.cpp reports the first, TGI the one that ended last, and vLLM and SGLang, where they are asked to count as they go,
 * the one that spoke last; and whoever reports but its last piece reports next to nothing.
 *
 * @param said What was said in each choice, all in all.
 * @param unreported What of that was said after the report.
 */
export const withUnreported = async (
  report: ReadUsage,
  said: readonly string[],
  unreported: readonly string[],
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
  return more > 0 ? { usage: { ...usage, output }, anomalies: [...anomalies, 'words_after_usage'] } : report;
};

const bytesOf = (texts: readonly string[]): number => texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0);
