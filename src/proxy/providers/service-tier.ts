import { field, isThere } from '../json/untyped-json.ts';

/** Names of the tier whose price is listed: OpenAI and xAI, Google and Anthropic, Groq. */
const listed: readonly unknown[] = ['default', 'auto', 'standard', 'on_demand'];

/** Whether an answer was served in another tier than the priced one. The tier is at the top level or in the usage. */
export const isOtherTier = (answer: { readonly service_tier?: unknown; readonly usage?: unknown }): boolean =>
  [answer.service_tier, field(answer.usage, 'service_tier')].some(
    (tier) => isThere(tier) && !listed.includes(plain(tier)),
  );

const plain = (tier: unknown): unknown => (typeof tier === 'string' ? tier.toLowerCase() : tier);
