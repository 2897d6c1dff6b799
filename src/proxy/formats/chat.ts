import { asList, field, isThere, strings } from '../json/untyped-json.ts';
import type { MessageDelta } from '../providers/answer.ts';
import type { Conversation, ConversationPart, Format, Job, MediaPart } from './format.ts';
import { bytesOfLimit, filledList, generating, jsonTexts, largestLimit, limit, readJsonBody } from './json-body.ts';
import { createOpenAiWriter } from './openai-writer.ts';

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
      conversation: () => conversationIn(fields),
    };
  },
  ...createOpenAiWriter({
    object: 'chat.completion',
    chunkObject: 'chat.completion.chunk',
    message: ({ content, reasoning, toolCalls }) => ({
      message: {
        role: 'assistant',
        content: content ?? null,
        refusal: null,
        ...(reasoning === undefined ? {} : { reasoning }),
        ...(toolCalls === undefined ? {} : { tool_calls: toolCalls.map(({ index: _, ...call }) => callOf(call)) }),
      },
    }),
    delta: (message) => ({ delta: message === undefined ? {} : deltaOf(message) }),
  }),
};

type Call = Omit<NonNullable<MessageDelta['toolCalls']>[number], 'index'>;

const callOf = ({ id, name, arguments: text }: Call) => ({
  ...(id === undefined ? {} : { id, type: 'function' }),
  function: { ...(name === undefined ? {} : { name }), arguments: text ?? '' },
});

const deltaOf = ({ content, reasoning, toolCalls }: MessageDelta) => ({
  ...(content === undefined ? {} : { content }),
  ...(reasoning === undefined ? {} : { reasoning }),
  ...(toolCalls === undefined
    ? {}
    : { tool_calls: toolCalls.map(({ index, ...call }) => ({ index, ...callOf(call) })) }),
});

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
    const url = stringOf(field(picture, 'url') ?? picture);
    const other = url !== undefined && otherData.test(url);
    return other ? { kind: 'other', bytes: url.length } : { kind: 'picture', url, detail: field(picture, 'detail') };
  }
  if (type === 'input_audio') return { kind: 'sound', base64: stringOf(field(field(part, 'input_audio'), 'data')) };
  return isText(part, type) ? undefined : { kind: 'other', bytes: 0 };
};

const isText = (part: unknown, type: unknown): boolean => {
  if (typeof part !== 'object' || part === null) return true;
  return textTypes.includes(type) || (type === undefined && Object.keys(part).every((name) => name === 'text'));
};

const stringOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Fields that a job has as properties of its own. */
const ofJob = new Set([
  ...['model', 'messages', 'stream', 'stream_options', 'n', 'max_tokens', 'max_completion_tokens'],
]);

const conversationIn = (fields: Job['fields']): Conversation => ({
  messages: asList(fields['messages']).map((message) => ({
    role: String(field(message, 'role')),
    parts: partsOf(message),
  })),
  settings: Object.fromEntries(Object.entries(fields).filter(([name, value]) => !ofJob.has(name) && isThere(value))),
});

const partsOf = (message: unknown): readonly ConversationPart[] =>
  Object.entries(typeof message === 'object' && message !== null ? message : {}).flatMap(
    ([name, value]: [string, unknown]): readonly ConversationPart[] => {
      if (name === 'role' || !isThere(value)) return [];
      if (name !== 'content') return [{ kind: 'other', name, value }];
      if (typeof value === 'string') return [{ kind: 'text', text: value }];
      return asList(value).map((part) => {
        const text = stringOf(field(part, 'text'));
        return text !== undefined && isText(part, field(part, 'type'))
          ? { kind: 'text', text }
          : { kind: 'other', name, value: part };
      });
    },
  );
