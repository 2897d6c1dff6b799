import type { Conversation } from '../../formats/conversation.ts';
import { isBadRequest, unsupported, type BadRequest, type Job } from '../../formats/format.ts';
import { translating } from '../../formats/translating.ts';
import { customNames } from '../custom-tools.ts';
import { unpricedCache } from '../cache-lifetimes.ts';
import { readStart } from '../http/response-start.ts';
import { MAX_ANSWER_BYTES, readErrorText, readText } from '../http/response-text.ts';
import type { Transport, TransportResponse } from '../http/transport.ts';
import { ProviderFailed, type Provider, type ProviderAnswer, type ProviderRequest, type Refusal } from '../provider.ts';
import { refusalOf, refusedWithin } from '../errors/refusal.ts';
import { createTokenCount } from './count-tokens.ts';
import { isFailure, readMessage } from './message.ts';
import { isNative, nativeBody } from './native-body.ts';
import { readBatches } from './stream-reader.ts';
import { writeRequest } from './write-request.ts';

/** The lifetimes in the prompt cache whose price is the listed one for cache writes. */
const PRICED_TTLS = ['5m'];

/** A provider that speaks Anthropic's Messages over a transport. Jobs of that format pass unchanged, others translated. */
export const createAnthropicWire = (name: string, transport: Transport): Provider => ({
  name,
  unsupported: (job) => unpricedCache(job, PRICED_TTLS) ?? (isNative(job) ? undefined : untranslatable(job)),
  ask: async (request) => {
    const { signal } = request;
    signal.throwIfAborted();
    const response = await transport.send({ endpoint: '/messages', body: bodyOf(request), signal });
    const { status, retryAfterMs } = response;
    if (status >= 200 && status < 300) return answerOf(request, response);
    return { kind: 'refused', ...refusalOf(status, await readErrorText(response, signal), retryAfterMs) };
  },
  countTokens: createTokenCount(transport),
  close: () => transport.close(),
});

const untranslatable = (job: Job): BadRequest | undefined => {
  const conversation = job.conversation();
  if (!conversation) return unsupported('model', `is not sold in the format ${job.format.name}.`);
  if (isBadRequest(conversation)) return conversation;
  const written = translating(() => writeRequest(job, conversation));
  return isBadRequest(written) ? written : undefined;
};

/** The conversation of a job that was checked. */
const conversationOf = (job: Job): Conversation => {
  const conversation = job.conversation();
  if (!conversation || isBadRequest(conversation)) throw new Error('The job was not checked by unsupported().');
  return conversation;
};

const bodyOf = (request: ProviderRequest): Buffer => {
  const { job } = request;
  if (isNative(job)) return nativeBody(request);
  const conversation = conversationOf(job);
  return Buffer.from(
    JSON.stringify({ ...writeRequest(job, conversation, request.sold, request.outputCap), model: request.model }),
  );
};

/** An error that the request caused is a refusal, even as the first event of a stream. */
const answerOf = async ({ job }: ProviderRequest, answered: TransportResponse): Promise<ProviderAnswer> => {
  const { response, streams, event } = await readStart(answered);
  const reading = { isNative: isNative(job), customTools: customNames(isNative(job) ? [] : conversationOf(job).tools) };
  if (streams && job.streamed) {
    const refused = event && isFailure(event.data) ? refusedWithin(event.data) : undefined;
    return refused ? refusedAfter(response, refused) : { kind: 'stream', batches: readBatches(response.body, reading) };
  }
  const json = await readText(response, MAX_ANSWER_BYTES);
  const message = readMessage(json, reading);
  if (message) return { kind: 'whole', ...message };
  const refused = isFailure(json) ? refusedWithin(json) : undefined;
  if (refused) return { kind: 'refused', ...refused };
  throw new ProviderFailed('reset', 'the response is not a valid message');
};

const refusedAfter = async ({ body }: TransportResponse, refusal: Refusal): Promise<ProviderAnswer> => {
  await body[Symbol.asyncIterator]().return?.();
  return { kind: 'refused', ...refusal };
};
