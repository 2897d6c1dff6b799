import { formatUsd } from '../../../domain/money.ts';
import { withMember } from '../../json/json-text.ts';
import { field } from '../../json/untyped-json.ts';
import type { Format, Job } from '../format.ts';
import { bytesOfLimit, generating, limit, readJsonBody, textOrTokens } from '../json-body.ts';
import { once } from '../once.ts';
import { withCost } from '../openai-usage.ts';
import { gatherResponse } from './stream/gather-response.ts';
import { outputItems, type ToolNames } from './output-items.ts';
import { readConversation } from './read-conversation.ts';
import { mediaIn, textsIn } from './request-content.ts';
import { baseId, endedAs, responseOf, usageOf } from './response-object.ts';
import { streamFromAnswer } from './stream/stream-from-answer.ts';
import { openStream } from './stream/stream-writer.ts';
import { namedTools, ownTools } from './tools.ts';
import { unsoldResponsesField } from './unsold-fields.ts';

const schema = generating({ input: textOrTokens, max_output_tokens: limit });

/** OpenAI's responses: POST /v1/responses. Nothing is kept between requests. */
export const responses: Format = {
  name: 'responses',
  endpoint: '/responses',
  modelKind: 'chat',
  read: (body, shape) => {
    const read = readJsonBody(body, shape, schema, unsoldResponsesField, ownTools);
    if ('code' in read) return read;
    const { fields } = read;
    return {
      ...read,
      format: responses,
      // The last event of a stream always has the usage.
      includeUsage: read.streamed,
      maxOutputTokens: typeof fields['max_output_tokens'] === 'number' ? fields['max_output_tokens'] : undefined,
      choices: 1,
      mayBillUnseen: false,
      sharesContext: { once: true, each: true },
      texts: () => textsIn(fields),
      tokenIds: () => 0,
      media: () => mediaIn(fields),
      bytesOfLimit: (most) => bytesOfLimit(read, ['max_output_tokens'], most),
      conversation: once(() => readConversation(fields)),
    };
  },
  writeAnswer: (frame, { choices: [choice] }, job) => {
    const { parts, finishReason } = choice ?? { parts: [], finishReason: null };
    const output = outputItems(parts, baseId(frame), toolNames(job));
    return JSON.stringify(responseOf(frame, job, { ...endedAs(finishReason), output }));
  },
  addSettlement: (body, settlement) => withCost(body, usageOf(settlement), formatUsd(settlement.charged)),
  addShortage: (body, { generationId, error }) => {
    const isCut = field(field(JSON.parse(body), 'incomplete_details'), 'reason') === 'max_output_tokens';
    return isCut ? withMember(body, 'kissapi', JSON.stringify({ generation_id: generationId, error })) : body;
  },
  stream: { open: (job) => openStream(job, toolNames(job)), fromAnswer: streamFromAnswer, gather: gatherResponse },
};

/** Computed on the first call: a stream of a provider with the same format has its names already. */
const toolNames = ({ fields }: Job): ToolNames => {
  const named = once(() => namedTools(fields));
  return (name) => named().get(name)?.calledAs;
};
