import type { PriceVersion } from '../../domain/prices/price-book.ts';
import { asList, field, strings } from '../json/untyped-json.ts';
import type { Media } from '../media/media-parts.ts';
import type { CompletionRequest } from '../formats/request.ts';
import type { TokenCounter } from './token-counter.ts';

/** What is known of a model, as far as it bounds what it reads. */
type Reader = Pick<PriceVersion, 'upstreamModel' | 'contextTokens'>;

/**
 * The most input tokens that a request can have, without tokenising: a token is at least one byte, and what a provider
 * adds per message is less than the JSON around it. Pictures and sound sent inline are counted apart from their bytes.
 */
export const inputTokensBound = (request: CompletionRequest, { contextTokens }: Reader, media: Media): number => {
  const bound = bytesBound(request, media);
  return request.endpoint === '/embeddings' ? bound : Math.min(bound, contextTokens * request.choices);
};

/**
 * The same, of any model: some read more than the part of their window that is sold here. Token lists arrive as digits
 * and commas, at least two bytes a token, so bytes bound them too.
 */
export const bytesBound = ({ body }: CompletionRequest, media: Media): number =>
  body.length - media.bytes + media.tokens;

/**
 * Whether the texts of a chat alone are surely more than is sold of the model's window. Where that is wider, the provider
 * would read them all, and most providers take more for each token of so long a prompt.
 */
export const isBeyondContext = async (
  request: CompletionRequest,
  { contextTokens }: Reader,
  tokens: TokenCounter,
): Promise<boolean> => {
  if (request.endpoint !== '/chat/completions' || request.body.length <= contextTokens) return false;
  const texts = promptTexts(request);
  // Pictures and sound are most of many a long body, and are no texts.
  if (texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0) <= contextTokens) return false;
  return (await tokens.count(texts, 'at_least', contextTokens)) > contextTokens;
};

/** Models whose tokens are counted here as their providers do. */
const countedAlike = /^(?:.*\/|ft:)?(?:gpt-4o|gpt-4\.1|chatgpt-4o|gpt-5|o[134]\b|simulated)/;

/** How many tokens a model may make of what is one here. Other tokenizers need more for the same text, most in other languages. */
export const tokensPerCounted = ({ upstreamModel }: Pick<Reader, 'upstreamModel'>): number =>
  countedAlike.test(upstreamModel) ? 1 : 1.5;

/** Even where tokens are counted alike, a provider writes words of its own around texts and calls of tools. */
const PROMPT_MARGIN = 1.15;

/** Texts of a request, and how many tokens they have together. */
export type Counted = { readonly texts: readonly string[]; readonly tokens: number };

/**
 * The same, nearer, once the texts of a request were counted: all else of it, whatever a provider may make of that (a
 * schema, lists of tokens, fields that nobody here knows), still counts by its bytes.
 */
export const countedTokensBound = (
  { body }: CompletionRequest,
  reader: Reader,
  media: Media,
  { texts, tokens }: Counted,
): number => {
  const margin = Math.max(PROMPT_MARGIN, tokensPerCounted(reader));
  const rest = body.length - media.bytes - texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0);
  return Math.ceil(tokens * margin) + Math.max(0, rest) + media.tokens;
};

/** How many tokens arrived as such, in lists, which needs no counting. */
export const promptTokenIds = ({ endpoint, fields }: CompletionRequest): number => {
  if (endpoint === '/chat/completions') return 0;
  const lists = asList(fields[endpoint === '/embeddings' ? 'input' : 'prompt']);
  return lists.flatMap((item) => item).filter((item) => typeof item === 'number').length;
};

/** The texts of a request that a model reads, for an exact count where one is needed. */
export const promptTexts = ({ endpoint, fields }: CompletionRequest): readonly string[] => {
  if (endpoint !== '/chat/completions') return strings(fields[endpoint === '/embeddings' ? 'input' : 'prompt']);
  const texts = asList(fields['messages']).flatMap((message) => {
    const content = field(message, 'content');
    const calls = field(message, 'tool_calls');
    return [
      ...(typeof content === 'string' ? [content] : asList(content).flatMap((part) => strings(field(part, 'text')))),
      ...written(calls),
    ];
  });
  return [...texts, ...written(fields['tools'])];
};

/** JSON as text. What is nested too deeply to be written is none, and so counts by its bytes. */
const written = (value: unknown): readonly string[] => {
  if (value === undefined) return [];
  try {
    return [JSON.stringify(value)];
  } catch {
    return [];
  }
};
