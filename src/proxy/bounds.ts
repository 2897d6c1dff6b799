import type { CompletionRequest } from './request.ts';

/**
 * No bytes bound what an image becomes, so each counts as much as the providers' larger pictures do (most bill 85 to
 * 3,000 tokens). A picture that costs more is paid from the balance, or written off.
 */
export const IMAGE_TOKENS_BOUND = 5000;

/**
 * The most input tokens that a request can have, without tokenising: a token is at least one byte, and what a provider
 * adds per message is less than the JSON around it. Pictures and sound sent inline are counted apart from their bytes.
 */
export const inputTokensBound = (
  { endpoint, body, fields, choices }: CompletionRequest,
  contextTokens: number,
): number => {
  const media = countMedia(fields['messages']);
  const bound = body.length - media.bytes + media.items * IMAGE_TOKENS_BOUND;
  // Token lists arrive as digits and commas, at least two bytes a token, so bytes bound them too.
  return endpoint === '/embeddings' ? bound : Math.min(bound, contextTokens * choices);
};

/** Other tokenizers than the one that counts here need more tokens for the same text. */
export const COUNT_MARGIN = 1.15;

/**
 * The same, nearer, once the texts of a request were counted: all else of it, whatever a provider may make of that (a
 * schema, lists of tokens, fields that nobody here knows), still counts by its bytes.
 */
export const countedTokensBound = (request: CompletionRequest, texts: readonly string[], counted: number): number => {
  const media = countMedia(request.fields['messages']);
  const rest = request.body.length - media.bytes - texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0);
  return Math.ceil(counted * COUNT_MARGIN) + Math.max(0, rest) + media.items * IMAGE_TOKENS_BOUND;
};

/** How many tokens arrived as such, in lists, which needs no counting. */
export const promptTokenIds = ({ endpoint, fields }: CompletionRequest): number => {
  if (endpoint === '/chat/completions') return 0;
  const lists = asList(fields[endpoint === '/embeddings' ? 'input' : 'prompt']);
  return lists.flatMap((item) => item).filter((item) => typeof item === 'number').length;
};

const countMedia = (messages: unknown): { items: number; bytes: number } => {
  let items = 0;
  let bytes = 0;
  for (const message of asList(messages)) {
    for (const part of asList(field(message, 'content'))) {
      const type = field(part, 'type');
      if (type === undefined || type === 'text' || type === 'refusal') continue;
      items++;
      const inline = field(field(part, 'image_url'), 'url') ?? field(field(part, 'input_audio'), 'data');
      // Base64 and URLs are plain ASCII, so their length in characters is their length in bytes.
      if (typeof inline === 'string') bytes += inline.length;
    }
  }
  return { items, bytes };
};

/** The texts of a request that a model reads, for an exact count where one is needed. */
export const promptTexts = ({ endpoint, fields }: CompletionRequest): readonly string[] => {
  if (endpoint !== '/chat/completions') return strings(fields[endpoint === '/embeddings' ? 'input' : 'prompt']);
  const texts = asList(fields['messages']).flatMap((message) => {
    const content = field(message, 'content');
    const calls = field(message, 'tool_calls');
    return [
      ...(typeof content === 'string' ? [content] : asList(content).flatMap((part) => strings(field(part, 'text')))),
      ...(calls === undefined ? [] : [JSON.stringify(calls)]),
    ];
  });
  return fields['tools'] === undefined ? texts : [...texts, JSON.stringify(fields['tools'])];
};

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const strings = (value: unknown): readonly string[] =>
  typeof value === 'string' ? [value] : asList(value).filter((item) => typeof item === 'string');

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
