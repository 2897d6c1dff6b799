import { asList, field, isThere } from '../../json/untyped-json.ts';

/** Members of an answer, or of a chunk, that are a usage, and members that may have one as `usage`. */
const usages = ['usage', 'usageMetadata', 'usage_metadata', 'token_usage', 'amazon-bedrock-invocationMetrics'] as const;
/** Groq; Anthropic; OpenAI Responses; Cohere; Bedrock. */
const holders = ['x_groq', 'message', 'response', 'delta', 'meta', 'metadata'] as const;

/**
 * The usage of an answer or of a chunk: at the top level, in a member, in a choice (Moonshot), or as separate fields
 * (Ollama).
 */
export const usageIn = (answer: object): unknown => {
  for (const name of usages) {
    const usage = field(answer, name);
    if (isThere(usage)) return usage;
  }
  for (const name of holders) {
    const usage = field(field(answer, name), 'usage');
    if (isThere(usage)) return usage;
  }
  const meta = field(answer, 'meta');
  if (isThere(field(meta, 'billed_units'))) return meta;
  for (const choice of asList(field(answer, 'choices'))) {
    const usage = field(choice, 'usage');
    if (isThere(usage)) return usage;
  }
  if (!isThere(field(answer, 'prompt_eval_count'))) return undefined;
  return { prompt_eval_count: field(answer, 'prompt_eval_count'), eval_count: field(answer, 'eval_count') };
};
