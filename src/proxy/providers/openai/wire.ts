import { unsupported } from '../../formats/format.ts';
import { unpricedCache } from '../cache-lifetimes.ts';
import { ProviderFailed, type Provider, type ProviderAnswer, type ProviderRequest, type Refusal } from '../provider.ts';
import type { Dialect } from './dialects.ts';
import { gatherAnswer } from './gathered-answer.ts';
import { isFailure } from './chunk.ts';
import { readAnswer } from './answer.ts';
import { refusalOf, refusedWithin } from './refusal.ts';
import { bodyFor, endpointOf } from './request-body.ts';
import { MAX_ANSWER_BYTES, readErrorText, readText } from '../http/response-text.ts';
import { readStart } from '../http/response-start.ts';
import { readBatches } from './stream-reader.ts';
import type { Endpoint, Transport, TransportResponse } from '../http/transport.ts';

/** A provider that uses OpenAI's wire format over a transport. Bodies, chunks and answers pass unchanged. */
export const createOpenAiWire = (name: string, transport: Transport, dialect: Dialect): Provider => ({
  name,
  unsupported: (job) => {
    if (endpointOf(job) === undefined) return unsupported('model', `is not sold in the format ${job.format.name}.`);
    return unpricedCache(job, dialect.cacheTtls ?? []);
  },
  ask: async (request) => {
    const { job, signal } = request;
    const endpoint = endpointOf(job);
    if (endpoint === undefined) throw new Error('The job was not checked by unsupported().');
    signal.throwIfAborted();
    const response = await transport.send({ endpoint, body: bodyFor(request, dialect), signal });
    const { status, retryAfterMs } = response;
    if (status >= 200 && status < 300) return answerOf(request, endpoint, response);
    return { kind: 'refused', ...refusalOf(status, await readErrorText(response, signal), retryAfterMs) };
  },
  close: () => transport.close(),
});

/**
 * Returns a stream if the customer requested one, else a whole answer, in whatever form the provider sent it. An error
 * that the request caused is a refusal, even as the first event of a stream.
 */
const answerOf = async (
  { job, watch }: ProviderRequest,
  endpoint: Endpoint,
  answered: TransportResponse,
): Promise<ProviderAnswer> => {
  const { response, streams, event } = await readStart(answered);
  const refused = event && isFailure(event) ? refusedWithin(event.data) : undefined;
  if (refused) return refusedAfter(response, refused);
  if (streams && job.streamed) return { kind: 'stream', batches: readBatches(response.body) };
  const json = streams
    ? await gatherAnswer(endpoint, response.body, watch)
    : await readText(response, MAX_ANSWER_BYTES);
  const metered = readAnswer(json);
  if (metered) return { kind: 'whole', metered, content: json };
  const refusal = isFailure({ data: json }) ? refusedWithin(json) : undefined;
  if (refusal) return refusedAfter(response, refusal);
  throw new ProviderFailed('reset', 'the response is not a valid completion');
};

const refusedAfter = async ({ body }: TransportResponse, refusal: Refusal): Promise<ProviderAnswer> => {
  await body[Symbol.asyncIterator]().return?.();
  return { kind: 'refused', ...refusal };
};
