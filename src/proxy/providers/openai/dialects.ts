/** How a provider differs from OpenAI's wire format, as far as this affects the price or what the provider stores. */
export type Dialect = {
  /** Its name for the limit on the output of a chat. */
  readonly outputLimitField: 'max_tokens' | 'max_completion_tokens';
  /** Fields added to every chat, whatever the customer sent. A provider that does not support them may refuse them. */
  readonly chatFields?: Readonly<Record<string, unknown>>;
  /** The lifetimes in its prompt cache whose price is the listed one for cache writes. */
  readonly cacheTtls?: readonly string[];
};

/**
 * Keyed by the provider's name in the price book. OpenAI's default tier is a setting of the project unless a request
 * names one, and the customer can neither read nor delete what OpenAI stores.
 */
export const dialects: Readonly<Partial<Record<string, Omit<Dialect, 'outputLimitField'>>>> = {
  openai: { chatFields: { service_tier: 'default', store: false }, cacheTtls: ['30m'] },
  groq: { chatFields: { service_tier: 'on_demand' } },
  anthropic: { cacheTtls: ['5m'] },
};
