import { isThere } from '../json/untyped-json.ts';

/** What a number in a usage report counts. */
export type Role =
  /** All input. `readUsage` decides whether it includes `cachedBeside` and `writtenBeside`. */
  | 'input'
  /** Read from a cache, and part of the input. */
  | 'cached'
  /** Read from a cache, and not part of the input as the provider reports it. */
  | 'cachedBeside'
  /** Written to a cache, with the same difference. */
  | 'written'
  | 'writtenBeside'
  /** Cache writes that are kept for minutes, which have the listed price, or for hours, which have no listed price. */
  | 'writtenForMinutes'
  | 'writtenForHours'
  /** Input that the provider's tools added. Not part of `input`. */
  | 'toolInput'
  | 'output'
  /** Part of the output, at most providers. */
  | 'reasoning'
  /** Never part of the output. */
  | 'thoughts'
  | 'total';

/**
 * Every name under which a provider, a gateway or an SDK is known to report tokens. Case, `_`, `-` and the depth are
 * ignored: `cache_read_input_tokens` covers `cacheReadInputTokens` and a name inside of `*_details`. `parent.name`
 * applies only directly inside of that parent.
 */
const dialects: readonly (readonly [source: string, names: Readonly<Record<string, Role>>])[] = [
  [
    // Chat: https://platform.openai.com/docs/api-reference/chat/object, Azure the same. xAI, Groq, Together, Fireworks,
    // vLLM (https://docs.vllm.ai), LiteLLM (https://docs.litellm.ai/docs/completion/usage), OpenRouter
    // (https://openrouter.ai/docs/use-cases/usage-accounting) and Zhipu use the names of OpenAI's chat.
    'OpenAI',
    {
      prompt_tokens: 'input',
      completion_tokens: 'output',
      total_tokens: 'total',
      cached_tokens: 'cached',
      cache_write_tokens: 'written',
      reasoning_tokens: 'reasoning',
      ttl_30m_tokens: 'writtenForMinutes',
      ttl_12h_tokens: 'writtenForHours',
    },
  ],
  // https://platform.openai.com/docs/api-reference/responses/object, DashScope's own API, Cohere, Anthropic.
  ['OpenAI Responses', { input_tokens: 'input', output_tokens: 'output' }],
  [
    // https://docs.claude.com/en/docs/build-with-claude/prompt-caching#tracking-cache-performance; Portkey and Databricks
    // report the two beside `prompt_tokens`, LiteLLM as part of it.
    'Anthropic',
    {
      cache_read_input_tokens: 'cachedBeside',
      cache_creation_input_tokens: 'writtenBeside',
      ephemeral_5m_input_tokens: 'writtenForMinutes',
      ephemeral_1h_input_tokens: 'writtenForHours',
      thinking_tokens: 'reasoning',
    },
  ],
  [
    // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html and the invocation metrics.
    'Bedrock',
    {
      cacheWriteInputTokens: 'writtenBeside',
      cacheReadInputTokenCount: 'cachedBeside',
      cacheWriteInputTokenCount: 'writtenBeside',
      inputTokenCount: 'input',
      outputTokenCount: 'output',
    },
  ],
  [
    // https://ai.google.dev/api/generate-content#UsageMetadata; Vertex AI the same.
    'Gemini',
    {
      promptTokenCount: 'input',
      candidatesTokenCount: 'output',
      responseTokenCount: 'output',
      totalTokenCount: 'total',
      cachedContentTokenCount: 'cached',
      thoughtsTokenCount: 'thoughts',
      toolUsePromptTokenCount: 'toolInput',
    },
  ],
  // https://api-docs.deepseek.com/api/create-chat-completion; hit + miss = prompt_tokens.
  ['DeepSeek', { prompt_cache_hit_tokens: 'cached' }],
  // https://docs.mistral.ai/api, beside the common name.
  ['Mistral', { num_cached_tokens: 'cached' }],
  // https://github.com/ollama/ollama/blob/main/docs/api.md
  ['Ollama', { prompt_eval_count: 'input', eval_count: 'output' }],
  // https://github.com/ggml-org/llama.cpp/tree/master/tools/server
  ['llama.cpp', { tokens_evaluated: 'input', tokens_predicted: 'output' }],
  // https://www.ibm.com/docs/en/watsonx
  ['watsonx', { generated_token_count: 'output' }],
  [
    // https://github.com/vercel/ai: version 5 has `inputTokens` and `cachedInputTokens`, version 6 details or one object.
    'Vercel AI SDK',
    {
      cachedInputTokens: 'cached',
      cacheReadTokens: 'cached',
      'inputTokens.total': 'input',
      'inputTokens.cacheRead': 'cached',
      'inputTokens.cacheWrite': 'written',
      'outputTokens.total': 'output',
      'outputTokens.reasoning': 'reasoning',
    },
  ],
  [
    // https://github.com/langchain-ai/langchain: `usage_metadata`.
    'LangChain',
    {
      'input_token_details.cache_read': 'cached',
      'input_token_details.cache_creation': 'written',
      'output_token_details.reasoning': 'reasoning',
    },
  ],
  [
    // https://github.com/songquanpeng/one-api, https://github.com/QuantumNous/new-api, https://github.com/MartialBE/one-hub
    'one-api and what came of it',
    {
      cached_creation_tokens: 'written',
      cache_creation_tokens: 'written',
      cached_write_tokens: 'written',
      cached_read_tokens: 'cached',
      claude_cache_creation_5_m_tokens: 'writtenForMinutes',
      claude_cache_creation_1_h_tokens: 'writtenForHours',
      cache_creation_5m_input_tokens: 'writtenForMinutes',
      cache_creation_1h_input_tokens: 'writtenForHours',
    },
  ],
  [
    // https://help.aliyun.com/zh/model-studio/context-cache: part of the prompt, in the details of it.
    'DashScope',
    {
      'prompt_tokens_details.cache_creation_input_tokens': 'written',
      'input_tokens_details.cache_creation_input_tokens': 'written',
    },
  ],
];

const normalise = (name: string): string => name.toLowerCase().replace(/[_-]/g, '');

/** Reports share a few names. The cache is bounded, so that other names cannot fill the memory. */
const MAX_NAMES = 1000;
const MAX_NAME_CHARS = 64;
const normalNames = new Map<string, string>();

const normal = (name: string): string => {
  const known = normalNames.get(name);
  if (known !== undefined) return known;
  const normalised = normalise(name);
  if (normalNames.size < MAX_NAMES && name.length <= MAX_NAME_CHARS) normalNames.set(name, normalised);
  return normalised;
};

const roles = new Map(
  dialects.flatMap(([, names]) => Object.entries(names).map(([name, role]) => [normal(name), role] as const)),
);

/** The names that count directly inside of a parent, by the parent. */
const rolesWithin = new Map<string, Map<string, Role>>();
for (const [name, role] of roles) {
  const [parent = '', child] = name.split('.');
  if (child === undefined) continue;
  rolesWithin.set(parent, (rolesWithin.get(parent) ?? new Map<string, Role>()).set(child, role));
}

const DEEPEST = 4;

type Found = { readonly value: number; readonly depth: number };

/**
 * A report may repeat a number under several names, with 0 in some. Counts in nested objects may count something else.
 */
const isBetter = (role: Role, one: Found, known: Found): boolean => {
  if (role !== 'input' && role !== 'output' && role !== 'total') return one.value > known.value;
  if (one.value > 0 !== known.value > 0) return one.value > 0;
  return one.depth === known.depth ? one.value > known.value : one.depth < known.depth;
};

export type Report = Readonly<Partial<Record<Role, number>>>;

/** The numbers of a usage report by what they count; undefined if one of them is not a whole number of tokens. */
export const readReport = (usage: unknown): Report | undefined => {
  if (typeof usage !== 'object' || usage === null || Array.isArray(usage)) return undefined;
  const found: Partial<Record<Role, Found>> = {};
  const isValid = (parent: string, value: object, depth: number): boolean => {
    const members = value as Readonly<Record<string, unknown>>;
    const names = Object.keys(members);
    // Cohere reports what the model read as `tokens`, and what it bills as `billed_units`.
    const skipped = names.some((name) => normal(name) === 'billedunits') ? 'tokens' : undefined;
    const within = rolesWithin.get(parent);
    return names.every((written) => {
      const [name, one] = [normal(written), members[written]];
      if (!isThere(one) || name === skipped || Array.isArray(one)) return true;
      if (typeof one === 'object') return depth === DEEPEST || isValid(name, one as object, depth + 1);
      const role = within?.get(name) ?? roles.get(name);
      if (role === undefined) return !name.endsWith('details');
      if (typeof one !== 'number' || !Number.isSafeInteger(one) || one < 0) return false;
      const [count, known] = [{ value: one, depth }, found[role]];
      if (!known || isBetter(role, count, known)) found[role] = count;
      return true;
    });
  };
  if (!isValid('', usage, 1)) return undefined;
  const report: Partial<Record<Role, number>> = {};
  for (const role of Object.keys(found) as Role[]) report[role] = found[role]?.value ?? 0;
  return report;
};
