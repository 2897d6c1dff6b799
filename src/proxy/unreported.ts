import type { TokenCounter } from './token-counter.ts';
import type { ReadUsage } from './usage.ts';

/** No tokenizer makes so many fewer tokens than ours of the same words, but for scripts that few write in. */
const OF_ALL_AT_LEAST = 1 / 1.5;

/**
 * A report, and what was said after it on top. Of several choices llama.cpp reports the first, TGI the one that ended last,
 * and vLLM and SGLang, where they are asked to count as they go, the one that spoke last: what is surely less than they
 * said together is not believed.
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
  if (said.length > 1 && output + usage.reasoning < OF_ALL_AT_LEAST * (await tokens.count(said))) {
    return { usage: undefined, anomalies: [...anomalies, 'usage_of_one_choice'] };
  }
  return more > 0 ? { usage: { ...usage, output }, anomalies: [...anomalies, 'words_after_usage'] } : report;
};
