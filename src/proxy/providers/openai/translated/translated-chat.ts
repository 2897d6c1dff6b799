import { field } from '../../../json/untyped-json.ts';
import { customNames } from '../../custom-tools.ts';
import type { NeutralAnswer, ProviderRequest } from '../../provider.ts';
import { readAnswer } from '../answer.ts';
import { choicesOf, finishReasonOf, idOf, parseChunk, type Chunk } from '../chunk.ts';
import type { Dialect } from '../dialects.ts';
import type { Dialogue, WholeContent } from '../dialogue.ts';
import { gatherAnswer } from '../gathered-answer.ts';
import { createStreamReader, readBatches } from '../stream-reader.ts';
import { chatBody, conversationOf } from './chat-body.ts';
import { finishOf } from './finish-reasons.ts';
import { createDeltaReader } from './read-deltas.ts';
import { callsOf, partsOfMessage } from './read-message.ts';

const ENDPOINT = '/chat/completions';

/** A request in another format as a chat. Its answers are neutral, and the format writes them. */
export const translatedChat = (request: ProviderRequest, dialect: Dialect): Dialogue => {
  // A server with custom tools of its own returns their calls as such.
  const asFunctions = (): ReadonlySet<string> =>
    dialect.reads?.newerOpenAi === true ? new Set() : customNames(conversationOf(request.job).tools);
  return {
    endpoint: ENDPOINT,
    body: () => chatBody(request, dialect),
    batches: (body) => readBatches(body, createStreamReader(createDeltaReader(asFunctions()))),
    whole: (json) => wholeOf(json, asFunctions()),
    gather: (body, watch) => gatherAnswer(ENDPOINT, body, watch),
  };
};

const wholeOf = (json: string, custom: ReadonlySet<string>): WholeContent | undefined => {
  const metered = readAnswer(json);
  const answer = metered && parseChunk(json);
  if (!answer) return undefined;
  const content = neutralAnswer(answer, custom);
  if (content.choices.length === 0) return undefined;
  return { metered: { ...metered, finishReason: content.choices[0]?.finishReason ?? metered.finishReason }, content };
};

const neutralAnswer = (answer: Chunk, custom: ReadonlySet<string>): NeutralAnswer => ({
  choices: choicesOf(answer).map((choice) => {
    const message = field(choice, 'message');
    return {
      parts: partsOfMessage(message, custom, idOf(answer) ?? ''),
      ...finishOf(finishReasonOf(choice), callsOf(message).length > 0),
    };
  }),
});
