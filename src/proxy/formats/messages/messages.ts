import { z } from 'zod';
import { withMember } from '../../json/json-text.ts';
import { field } from '../../json/untyped-json.ts';
import { formatUsd } from '../../../domain/money.ts';
import type { JsonShape } from '../../json/json-shape.ts';
import type { BadRequest, Format, Job } from '../format.ts';
import { bytesOfLimit, filledList, generating, limit, readJsonBody } from '../json-body.ts';
import { once } from '../once.ts';
import { withCost } from '../openai-usage.ts';
import { mediaIn, textsIn } from './content-blocks.ts';
import { gatherMessage } from './gather-message.ts';
import { messagesUsageOf } from './messages-usage.ts';
import { readConversation } from './read-conversation.ts';
import { createStreamWriter, streamOfAnswer } from './stream-writer.ts';
import { unsoldInMessages } from './unsold-fields.ts';
import { answerOf } from './write-message.ts';

const messageList = filledList('a list of messages that is not empty');
const LIMIT = 'must be a whole number of at least 1; this format requires it';
const schema = generating({
  messages: messageList,
  max_tokens: z.int(LIMIT).min(1, LIMIT).max(Number.MAX_SAFE_INTEGER, LIMIT),
});
const countSchema = generating({ messages: messageList, max_tokens: limit });

/** Anthropic's Messages: POST /v1/messages. */
export const messages: Format = {
  name: 'messages',
  endpoint: '/messages',
  modelKind: 'chat',
  read: (body, shape) => readJob(body, shape, schema),
  readForCount: (body, shape) => readForCount(body, shape),
  writeAnswer: answerOf,
  addSettlement: (body, settlement) => withCost(body, messagesUsageOf(settlement), formatUsd(settlement.charged)),
  // `stop_reason` alone does not distinguish a limit that credits set from the model's own.
  addShortage: (body, { generationId, error }) =>
    field(JSON.parse(body), 'stop_reason') === 'max_tokens'
      ? withMember(body, 'kissapi', JSON.stringify({ generation_id: generationId, error }))
      : body,
  stream: { open: createStreamWriter, fromAnswer: streamOfAnswer, gather: gatherMessage },
};

/** Reads the body of POST /v1/messages/count_tokens. It has no limit, because nothing is generated. */
export const readForCount = (body: Buffer, shape: JsonShape): Job | BadRequest => {
  const job = readJob(body, shape, countSchema);
  return 'code' in job ? job : { ...job, maxOutputTokens: 0, streamed: false, includeUsage: false };
};

const readJob = (body: Buffer, shape: JsonShape, expected: typeof countSchema | typeof schema): Job | BadRequest => {
  const read = readJsonBody(body, shape, expected, unsoldInMessages);
  if ('code' in read) return read;
  const { fields, streamed } = read;
  return {
    ...read,
    format: messages,
    // Usage is part of every stream of this format.
    includeUsage: streamed,
    maxOutputTokens: fields['max_tokens'] as number | undefined,
    choices: 1,
    mayBillUnseen: false,
    sharesContext: { once: true, each: true },
    texts: () => textsIn(fields),
    tokenIds: () => 0,
    media: () => mediaIn(fields),
    bytesOfLimit: (most) => bytesOfLimit(read, ['max_tokens'], most),
    conversation: once(() => readConversation(fields)),
  };
};
