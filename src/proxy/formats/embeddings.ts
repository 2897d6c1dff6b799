import { strings } from '../json/untyped-json.ts';
import type { Format } from './format.ts';
import { bytesOfLimit, embedding, readJsonBody, tokenIdsIn } from './json-body.ts';
import { createOpenAiWriter } from './openai-writer.ts';

const { addSettlement, addShortage } = createOpenAiWriter(undefined);

/** OpenAI's embeddings: POST /v1/embeddings. */
export const embeddings: Format = {
  name: 'embeddings',
  endpoint: '/embeddings',
  modelKind: 'embedding',
  read: (body, shape) => {
    const read = readJsonBody(body, shape, embedding);
    if ('code' in read) return read;
    const { input, prediction } = read.fields;
    return {
      ...read,
      format: embeddings,
      maxOutputTokens: 0,
      choices: 1,
      mayBillUnseen: prediction !== undefined && prediction !== null,
      sharesContext: { once: false, each: false },
      texts: () => strings(input),
      tokenIds: () => tokenIdsIn(input),
      media: () => [],
      bytesOfLimit: (most) => bytesOfLimit(read, ['max_tokens', 'max_completion_tokens'], most),
      conversation: () => undefined,
    };
  },
  writeAnswer: () => {
    throw new Error('A provider of embeddings must answer in the wire format of embeddings.');
  },
  addSettlement,
  addShortage,
  stream: undefined,
};
