import { asList, field, isThere, strings } from '../../json/untyped-json.ts';
import type { Format, Job, MediaPart } from '../format.ts';
import { bytesOfLimit, filledList, generating, jsonTexts, largestLimit, limit, readJsonBody } from '../json-body.ts';
import { once } from '../once.ts';
import { createOpenAiWriter } from '../openai-writer.ts';
import { readConversation } from './read-conversation.ts';
import { deltaOf, messageOf } from './write-message.ts';

const schema = generating({
  messages: filledList('a list of messages that is not empty'),
  max_tokens: limit,
  max_completion_tokens: limit,
});

/** OpenAI's chat: POST /v1/chat/completions. */
export const chat: Format = {
  name: 'chat',
  endpoint: '/chat/completions',
  modelKind: 'chat',
  read: (body, shape) => {
    const read = readJsonBody(body, shape, schema);
    if ('code' in read) return read;
    const { fields } = read;
    return {
      ...read,
      format: chat,
      maxOutputTokens: largestLimit(fields['max_tokens'], fields['max_completion_tokens']),
      choices: Number(fields['n'] ?? 1),
      mayBillUnseen: isThere(fields['prediction']),
      sharesContext: { once: true, each: true },
      texts: () => textsIn(fields),
      tokenIds: () => 0,
      media: () => mediaIn(fields),
      bytesOfLimit: (most) => bytesOfLimit(read, ['max_completion_tokens', 'max_tokens'], most),
      conversation: once(() => readConversation(fields)),
    };
  },
  ...createOpenAiWriter({
    object: 'chat.completion',
    chunkObject: 'chat.completion.chunk',
    message: (parts) => ({ message: messageOf(parts) }),
    delta: (pieces, isFirst) => ({ delta: { ...(isFirst ? { role: 'assistant' } : {}), ...deltaOf(pieces) } }),
  }),
};

const textsIn = (fields: Job['fields']): readonly string[] => {
  const texts = asList(fields['messages']).flatMap((message) => {
    const content = field(message, 'content');
    return [
      ...(typeof content === 'string' ? [content] : asList(content).flatMap((part) => strings(field(part, 'text')))),
      ...jsonTexts(field(message, 'tool_calls')),
    ];
  });
  return [...texts, ...jsonTexts(fields['tools'])];
};

/** Types of content parts that are text, which their bytes bound. */
const textTypes: readonly unknown[] = ['text', 'refusal', 'thinking', 'input_text', 'output_text'];

/** Some providers accept a PDF or a video in the place of a picture. */
const otherData = /^\s*data:(?!image\/)/i;

/** A picture of this URL, or what its data is instead. */
export const pictureOf = (url: string | undefined, detail: unknown): MediaPart =>
  url !== undefined && otherData.test(url) ? { kind: 'other', bytes: url.length } : { kind: 'picture', url, detail };

const mediaIn = function* (fields: Job['fields']): Generator<MediaPart> {
  for (const message of asList(fields['messages'])) {
    for (const part of asList(field(message, 'content'))) {
      // A provider stores the files of all customers under one key, so their owner is unknown.
      if (stringOf(field(field(part, 'file') ?? part, 'file_id')) !== undefined) yield { kind: 'stored_file' };
      const media = mediaOf(part);
      if (media) yield media;
    }
  }
};

const mediaOf = (part: unknown): MediaPart | undefined => {
  const type = field(part, 'type');
  if (type === 'image_url') {
    const picture = field(part, 'image_url');
    return pictureOf(stringOf(field(picture, 'url') ?? picture), field(picture, 'detail'));
  }
  if (type === 'input_audio') return { kind: 'sound', base64: stringOf(field(field(part, 'input_audio'), 'data')) };
  return isText(part, type) ? undefined : { kind: 'other', bytes: 0 };
};

const isText = (part: unknown, type: unknown): boolean => {
  if (typeof part !== 'object' || part === null) return true;
  return textTypes.includes(type) || (type === undefined && Object.keys(part).every((name) => name === 'text'));
};

const stringOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
