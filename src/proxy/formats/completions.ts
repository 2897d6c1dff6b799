import { strings } from '../json/untyped-json.ts';
import type { Format } from './format.ts';
import { bytesOfLimit, generating, largestLimit, limit, readJsonBody, textOrTokens, tokenIdsIn } from './json-body.ts';
import { createOpenAiWriter } from './openai-writer.ts';
import { unsoldLegacyField } from './unsupported-features.ts';

const schema = generating({ prompt: textOrTokens, max_tokens: limit });

/** The format generates 16 tokens if the request sets no limit. */
const DEFAULT_MAX_TOKENS = 16;

/** OpenAI's legacy completions: POST /v1/completions. */
export const completions: Format = {
  name: 'completions',
  endpoint: '/completions',
  modelKind: 'completion',
  read: (body, shape) => {
    const read = readJsonBody(body, shape, schema, unsoldLegacyField);
    if ('code' in read) return read;
    const { prompt, n, max_tokens: max, max_completion_tokens: other, prediction } = read.fields;
    return {
      ...read,
      format: completions,
      maxOutputTokens: largestLimit(max, other) ?? DEFAULT_MAX_TOKENS,
      choices: Number(n ?? 1) * promptCount(prompt),
      mayBillUnseen: prediction !== undefined && prediction !== null,
      sharesContext: { once: false, each: true },
      texts: () => strings(prompt),
      tokenIds: () => tokenIdsIn(prompt),
      media: () => [],
      bytesOfLimit: (most) => bytesOfLimit(read, ['max_tokens', 'max_completion_tokens'], most),
      conversation: () => undefined,
    };
  },
  ...createOpenAiWriter({
    object: 'text_completion',
    chunkObject: 'text_completion',
    message: (parts) => ({ text: textOf(parts) }),
    delta: (pieces) => ({ text: textOf(pieces), logprobs: null }),
  }),
};

const textOf = (parts: readonly { readonly kind: string; readonly text?: string }[]): string =>
  parts.map(({ kind, text = '' }) => (kind === 'text' ? text : '')).join('');

/** The format takes several prompts at once: a list of strings or of token lists. */
const promptCount = (prompt: unknown): number =>
  Array.isArray(prompt) && typeof prompt[0] !== 'number' ? prompt.length : 1;
