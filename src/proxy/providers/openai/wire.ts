import { unpricedCache } from '../cache-lifetimes.ts';
import { ProviderFailed, type Provider, type ProviderAnswer, type ProviderRequest, type Refusal } from '../provider.ts';
import type { Dialect } from './dialects.ts';
import { isFailure } from './chunk.ts';
import { dialogueOf, type Dialogue } from './dialogue.ts';
import { refusalOf, refusedWithin } from '../errors/refusal.ts';
import { endpointOf } from './request-body.ts';
import { MAX_ANSWER_BYTES, readErrorText, readText } from '../http/response-text.ts';
import { readStart } from '../http/response-start.ts';
import { untranslatable } from './translated/chat-body.ts';
import type { Transport, TransportResponse } from '../http/transport.ts';

/**
 * A provider that uses OpenAI's wire format over a transport. Bodies, chunks and answers of its own formats pass
 * unchanged; requests in other formats become chats.
 */
export const createOpenAiWire = (name: string, transport: Transport, dialect: Dialect): Provider => ({
  name,
  unsupported: (job) => {
    const why = endpointOf(job, dialect) === undefined ? untranslatable(job, dialect) : undefined;
    return why ?? unpricedCache(job, dialect.cacheTtls ?? []);
  },
  ask: async (request) => {
    const { signal } = request;
    const dialogue = dialogueOf(request, dialect);
    signal.throwIfAborted();
    const response = await transport.send({ endpoint: dialogue.endpoint, body: dialogue.body(), signal });
    const { status, retryAfterMs } = response;
    if (status >= 200 && status < 300) return answerOf(request, dialogue, response);
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
  dialogue: Dialogue,
  answered: TransportResponse,
): Promise<ProviderAnswer> => {
  const { response, streams, event } = await readStart(answered);
  const refused = event && isFailure(event) ? refusedWithin(event.data) : undefined;
  if (refused) return refusedAfter(response, refused);
  if (streams && job.streamed) return { kind: 'stream', batches: dialogue.batches(response.body) };
  const json = streams ? await dialogue.gather(response.body, watch) : await readText(response, MAX_ANSWER_BYTES);
  const whole = dialogue.whole(json);
  if (whole) return { kind: 'whole', ...whole };
  const refusal = isFailure({ data: json }) ? refusedWithin(json) : undefined;
  if (refusal) return refusedAfter(response, refusal);
  throw new ProviderFailed('reset', 'the response is not a valid completion');
};

const refusedAfter = async ({ body }: TransportResponse, refusal: Refusal): Promise<ProviderAnswer> => {
  await body[Symbol.asyncIterator]().return?.();
  return { kind: 'refused', ...refusal };
};
