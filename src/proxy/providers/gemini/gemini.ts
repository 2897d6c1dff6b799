import { field, isThere } from '../../json/untyped-json.ts';
import { createHttpTransport, type HttpOptions } from '../http/http-transport.ts';
import { readStart } from '../http/response-start.ts';
import { MAX_ANSWER_BYTES, readErrorText, readText } from '../http/response-text.ts';
import type { Endpoint, Transport, TransportResponse } from '../http/transport.ts';
import { ProviderFailed, type Provider, type ProviderAnswer, type ProviderRequest, type Refusal } from '../provider.ts';
import { customNames } from '../custom-tools.ts';
import { readAnswer } from './answer.ts';
import { parseChunk } from './chunk.ts';
import { createTokenCount } from './count-tokens.ts';
import { refusalOf, refusedWithin } from './refusal.ts';
import { bodyFor, conversationOf, whyUnsupported } from './request-body.ts';
import { readBatches } from './stream-reader.ts';

export type GeminiProviderOptions = Omit<HttpOptions, 'keyHeader'> & { readonly name: string };

/** Google's generateContent, over HTTP. The base URL ends with the version of the API. */
export const createGeminiProvider = ({ name, ...http }: GeminiProviderOptions): Provider =>
  createGeminiWire(name, createHttpTransport({ ...http, keyHeader: 'x-goog-api-key' }));

/** A provider that uses the wire format of Google's generateContent over a transport. */
export const createGeminiWire = (name: string, transport: Transport): Provider => ({
  name,
  unsupported: whyUnsupported,
  ask: async (request) => {
    const { signal } = request;
    signal.throwIfAborted();
    const response = await transport.send({ endpoint: endpointOf(request), body: bodyFor(request), signal });
    const { status, retryAfterMs } = response;
    if (status >= 200 && status < 300) return answerOf(request, response);
    return { kind: 'refused', ...refusalOf(status, await readErrorText(response, signal), retryAfterMs) };
  },
  countTokens: createTokenCount(transport),
  close: () => transport.close(),
});

/** Without `alt=sse`, Google sends a stream as the items of one JSON list. */
const endpointOf = ({ job, model }: Pick<ProviderRequest, 'job' | 'model'>): Endpoint =>
  `/models/${encodeURIComponent(model)}:${job.streamed ? 'streamGenerateContent?alt=sse' : 'generateContent'}`;

const answerOf = async ({ job }: ProviderRequest, answered: TransportResponse): Promise<ProviderAnswer> => {
  const { response, streams, event } = await readStart(answered);
  const refused = event && isFailure(event.data) ? refusedWithin(event.data) : undefined;
  if (refused) return refusedAfter(response, refused);
  const custom = customNames(conversationOf(job).tools);
  if (streams && job.streamed) return { kind: 'stream', batches: readBatches(response.body, custom) };
  const json = await readText(response, MAX_ANSWER_BYTES);
  const chunk = parseChunk(json);
  const refusal = isThere(chunk?.error) ? refusedWithin(json) : undefined;
  if (refusal) return { kind: 'refused', ...refusal };
  const answer = chunk && readAnswer(chunk, custom);
  if (!answer) throw new ProviderFailed('reset', 'the response is not a complete answer');
  return answer;
};

const isFailure = (json: string): boolean => isThere(field(parseChunk(json), 'error'));

const refusedAfter = async ({ body }: TransportResponse, refusal: Refusal): Promise<ProviderAnswer> => {
  await body[Symbol.asyncIterator]().return?.();
  return { kind: 'refused', ...refusal };
};
