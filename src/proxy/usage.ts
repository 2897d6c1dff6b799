import { z } from 'zod';
import { noUsage, type Usage } from '../domain/money.ts';

const count = z.int().nonnegative().nullish();

/** The usage object of OpenAI and of those who copied it; each field that we price, wherever a provider puts it. */
const reported = z.object({
  prompt_tokens: z.int().nonnegative(),
  completion_tokens: count,
  total_tokens: count,
  prompt_tokens_details: z
    .object({
      cached_tokens: count,
      cache_write_tokens: count,
      /** DashScope's name for the same. */
      cache_creation_input_tokens: count,
    })
    .nullish(),
  completion_tokens_details: z.object({ reasoning_tokens: count }).nullish(),
  /** Where SGLang and Perplexity tell it. */
  reasoning_tokens: count,
  /** DeepSeek's name for what was read from the cache. */
  prompt_cache_hit_tokens: count,
  /** Mistral's, beside the common one. */
  num_cached_tokens: count,
  /** Moonshot's, of older models without the common one. */
  cached_tokens: count,
});

/** What a request can use at most, and whether it was answered with words; a report of more, or of none, is absurd. */
export type Plausible = { readonly inputTokens: number; readonly outputTokens: number; readonly spoke: boolean };

export type ReadUsage = {
  /** Undefined where the report cannot be believed, and what was metered counts instead. */
  readonly usage: Usage | undefined;
  readonly anomalies: readonly string[];
};

/**
 * Some count thoughts by another tokenizer than the rest, and find somewhat more of them than there was output in all. None
 * finds twice as many: who tells of more than that tells of thoughts that are in neither the completion nor the total.
 */
const PART_AT_MOST = 2;

/**
 * Reads the usage that an upstream reported, as tokens by class. Some providers leave reasoning out of
 * `completion_tokens`, so the output is what the total says, where that is more; and some out of the total as well.
 */
export const readUsage = (value: unknown, plausible: Plausible): ReadUsage => {
  if (value === undefined || value === null) return { usage: undefined, anomalies: ['usage_missing'] };
  const parsed = reported.safeParse(value);
  if (!parsed.success) return { usage: undefined, anomalies: ['usage_invalid'] };
  const { data } = parsed;
  const prompt = data.prompt_tokens;
  const completion = data.completion_tokens ?? 0;
  const told = Math.max(completion, (data.total_tokens ?? 0) - prompt);
  const thoughts = data.completion_tokens_details?.reasoning_tokens ?? data.reasoning_tokens ?? 0;
  const beside = thoughts > PART_AT_MOST * told;
  const output = beside ? told + thoughts : told;
  const reasoning = Math.min(thoughts, output);
  if (prompt > plausible.inputTokens || output > plausible.outputTokens) {
    return { usage: undefined, anomalies: ['usage_beyond_context'] };
  }
  // No model speaks of nothing; Ollama told of no prompt where it had that in a cache.
  if (prompt === 0 && output > 0) return { usage: undefined, anomalies: ['usage_without_input'] };
  if (output === 0 && plausible.spoke) return { usage: undefined, anomalies: ['usage_without_output'] };

  const anomalies: string[] = [];
  if (told !== completion) anomalies.push('output_taken_from_total');
  if (beside) anomalies.push('reasoning_beside_output');
  else if (thoughts > output) anomalies.push('reasoning_beyond_output');
  const { prompt_tokens_details: read, prompt_cache_hit_tokens: hit, num_cached_tokens: num } = data;
  const cachedInput = read?.cached_tokens ?? hit ?? num ?? data.cached_tokens ?? 0;
  const cacheWrite = read?.cache_write_tokens ?? read?.cache_creation_input_tokens ?? 0;
  if (cachedInput + cacheWrite > prompt) {
    return { usage: undefined, anomalies: [...anomalies, 'usage_details_exceed_total'] };
  }
  return {
    usage: {
      input: prompt - cachedInput - cacheWrite,
      cachedInput,
      cacheWrite,
      output: output - reasoning,
      reasoning,
    },
    anomalies,
  };
};

/** What a provider takes from us is not what a customer pays, so these are not passed on. `cost` and `cost_usd` are ours instead. */
const costsOfOurs = new Set(['cost', 'cost_usd', 'cost_details', 'cost_in_usd_ticks']);

/** A usage as it is told to a customer, but for the cost. */
export const withoutCosts = (usage: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.keys(usage).some((name) => costsOfOurs.has(name))
    ? Object.fromEntries(Object.entries(usage).filter(([name]) => !costsOfOurs.has(name)))
    : usage;

/** What was counted here, where the upstream did not say: all of it input and output of the plain classes. */
export const meteredUsage = (inputTokens: number, outputTokens: number): Usage => ({
  ...noUsage,
  input: inputTokens,
  output: outputTokens,
});
