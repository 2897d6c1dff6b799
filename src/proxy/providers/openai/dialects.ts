/** What a provider knows beyond the common format, as far as it decides the price or what the provider keeps. */
export type Dialect = {
  /** Fields of every chat, whatever the customer sent. A provider that does not know them may refuse them. */
  readonly chatFields?: Readonly<Record<string, unknown>>;
  /** Lifetimes in its prompt cache whose price is the listed one for cache writes. */
  readonly cacheTtls?: readonly string[];
};

/**
 * By the provider's name in the price book. OpenAI's default tier is a setting of the project unless a request names
 * one, and what it stores can be neither read nor deleted by the customer.
 */
export const dialects: Readonly<Partial<Record<string, Dialect>>> = {
  openai: { chatFields: { service_tier: 'default', store: false }, cacheTtls: ['30m'] },
  groq: { chatFields: { service_tier: 'on_demand' } },
  anthropic: { cacheTtls: ['5m'] },
};
