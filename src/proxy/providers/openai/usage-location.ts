import { asList, field, isThere } from '../../json/untyped-json.ts';

/** Members of an answer, or of a chunk, that are a usage, and members that may have one as `usage`. */
const usages = ['usage', 'usageMetadata', 'usage_metadata', 'token_usage', 'amazon-bedrock-invocationMetrics'] as const;
/** Groq; Anthropic; OpenAI Responses; Cohere; Bedrock. */
const holders = ['x_groq', 'message', 'response', 'delta', 'meta', 'metadata'] as const;

const places = new Set<string>([...usages, ...holders, 'prompt_eval_count']);

/**
 * The usage of an answer or of a chunk: at the top level, in a member, in a choice (Moonshot), or as separate fields
 * (Ollama).
 */
export const usageIn = (answer: object): unknown => {
  // Most chunks have nothing in these places, and there is one for every token.
  const mayHave = Object.keys(answer).some((name) => places.has(name) && isThere(field(answer, name)));
  return (
    (mayHave ? usageInMembers(answer) : undefined) ?? usageInChoices(answer) ?? (mayHave ? ofOllama(answer) : undefined)
  );
};

const usageInMembers = (answer: object): unknown => {
  for (const name of usages) {
    const usage = field(answer, name);
    if (isThere(usage)) return usage;
  }
  for (const name of holders) {
    const usage = field(field(answer, name), 'usage');
    if (isThere(usage)) return usage;
  }
  const meta = field(answer, 'meta');
  return isThere(field(meta, 'billed_units')) ? meta : undefined;
};

const usageInChoices = (answer: object): unknown => {
  for (const choice of asList(field(answer, 'choices'))) {
    const usage = field(choice, 'usage');
    if (isThere(usage)) return usage;
  }
  return undefined;
};

const ofOllama = (answer: object): unknown => {
  const input = field(answer, 'prompt_eval_count');
  return isThere(input) ? { prompt_eval_count: input, eval_count: field(answer, 'eval_count') } : undefined;
};
