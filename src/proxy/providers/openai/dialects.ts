/** How a provider differs from OpenAI: in what it bills, in what it stores, and in the fields that it reads. */
export type Dialect = {
  /** Its name for the limit on the output of a chat. */
  readonly outputLimitField: 'max_tokens' | 'max_completion_tokens';
  /** Whether it has OpenAI's `/responses`. Otherwise requests in that format become chats. */
  readonly responses?: boolean | undefined;
  /** Fields added to every chat, whatever the customer sent. A provider that does not support them may refuse them. */
  readonly chatFields?: Readonly<Record<string, unknown>>;
  /** The lifetimes in its prompt cache whose price is the listed one for cache writes. */
  readonly cacheTtls?: readonly string[];
  /** What it reads of a chat that is translated from another format. */
  readonly reads?: Reads;
};

/** What a server reads beyond the chat that all of them have in common. */
export type Reads = {
  /** The role `developer`, the field `refusal` of a message, tools of type `custom`, and `verbosity`. */
  readonly newerOpenAi?: boolean;
  readonly topK?: boolean;
  /** Anthropic's `cache_control` in parts and tools. */
  readonly cacheControl?: boolean;
  /** Where it reads its own reasoning of earlier turns. */
  readonly reasoning?: 'reasoning_details' | 'extra_content' | 'reasoning_content';
  /** Its setting for reasoning: OpenAI's `reasoning_effort` by default, OpenRouter's object, or an object with a type. */
  readonly thinking?: 'reasoning' | 'thinking';
  /** Its own fields of a request, which pass unchanged. */
  readonly fields?: readonly string[];
};

/**
 * Keyed by the provider's name in the price book. OpenAI's default tier is a setting of the project unless a request
 * names one, and the customer can neither read nor delete what OpenAI stores.
 */
export const dialects: Readonly<Partial<Record<string, Omit<Dialect, 'outputLimitField' | 'responses'>>>> = {
  openai: {
    chatFields: { service_tier: 'default', store: false },
    cacheTtls: ['30m'],
    reads: { newerOpenAi: true },
  },
  groq: { chatFields: { service_tier: 'on_demand' } },
  anthropic: { cacheTtls: ['5m'] },
  openrouter: { reads: { topK: true, cacheControl: true, reasoning: 'reasoning_details', thinking: 'reasoning' } },
  gemini: { reads: { reasoning: 'extra_content' } },
  // It requires the reasoning of a turn back for as long as the turn calls tools.
  deepseek: { reads: { reasoning: 'reasoning_content', thinking: 'thinking' } },
  together: { reads: { topK: true } },
  simulated: { reads: { fields: ['simulate'] } },
};
