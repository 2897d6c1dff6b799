import type { Media } from '../media/media-parts.ts';
import type { Job } from '../formats/format.ts';
import type { ModelFacts, SoldModel } from './model-facts.ts';
import { bytesOf } from './output-text.ts';
import type { TokenCounter } from './token-counter.ts';

/** The part of a model's entry that bounds its input. */
type Reader = Pick<SoldModel, 'contextTokens' | 'tokenizer'>;

/**
 * The most input tokens that a request can have, without tokenising: a token has at least one byte, and what a provider
 * adds to a message is less than the JSON around it. Inline pictures and sound count by their own rules, not by bytes.
 */
export const inputTokensBound = (job: Job, { contextTokens }: Reader, media: Media): number => {
  const bound = bytesBound(job, media);
  return job.sharesContext.each ? Math.min(bound, contextTokens * job.choices) : bound;
};

/**
 * The same bound for any model, as some models read more than the part of their window that is sold here. Token lists
 * are digits and commas, at least two bytes a token, so bytes bound them too.
 */
export const bytesBound = ({ body }: Job, media: Media): number => body.length - media.bytes + media.tokens;

/**
 * Whether the texts of a request alone certainly exceed the part of the model's window that is sold. If the window is
 * wider, the provider would read them all, and most providers bill more for each token of so long a prompt.
 */
export const isBeyondContext = async (job: Job, { contextTokens }: Reader, tokens: TokenCounter): Promise<boolean> => {
  if (!job.sharesContext.once || job.body.length <= contextTokens) return false;
  const texts = job.texts();
  // Most of a long body is often pictures and sound, which are not texts.
  if (bytesOf(texts) <= contextTokens) return false;
  return (await tokens.count(texts, 'at_least', contextTokens)) > contextTokens;
};

/**
 * How many tokens a model may count for one token of ours. Other tokenizers need more for the same text, mostly outside
 * English.
 */
export const tokensPerCounted = ({ tokenizer }: Pick<ModelFacts, 'tokenizer'>): number =>
  tokenizer === 'o200k' ? 1 : 1.5;

/** Even with the same tokenizer, a provider adds its own text around messages and tool calls. */
const PROMPT_MARGIN = 1.15;

/** The texts of a request, and how many tokens they have together. */
export type Counted = { readonly texts: readonly string[]; readonly tokens: number };

/**
 * A tighter bound, after tokenising the texts. The rest of the body (schemas, token lists, unknown fields) still counts by
 * its bytes.
 */
export const countedTokensBound = ({ body }: Job, reader: Reader, media: Media, { texts, tokens }: Counted): number => {
  const margin = Math.max(PROMPT_MARGIN, tokensPerCounted(reader));
  const rest = body.length - media.bytes - bytesOf(texts);
  return Math.ceil(tokens * margin) + Math.max(0, rest) + media.tokens;
};
