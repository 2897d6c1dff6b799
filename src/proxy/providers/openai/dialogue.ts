import type { Endpoint } from '../http/transport.ts';
import type { Batch, Metered, NeutralAnswer, ProviderRequest, Watch } from '../provider.ts';
import { readAnswer } from './answer.ts';
import type { Dialect } from './dialects.ts';
import { gatherAnswer } from './gathered-answer.ts';
import { bodyFor, endpointOf } from './request-body.ts';
import { nativeResponses } from './responses/native-responses.ts';
import { readBatches } from './stream-reader.ts';
import { translatedChat } from './translated/translated-chat.ts';

/** How a request is written for a server of this wire format, and how its answer is read. */
export type Dialogue = {
  readonly endpoint: Endpoint;
  body(): Buffer;
  batches(body: AsyncIterable<Uint8Array>): AsyncIterable<Batch>;
  /** Reads the JSON of a whole answer. Undefined if it is not a valid one. */
  whole(json: string): WholeContent | undefined;
  /** Builds the JSON of a whole answer from a stream that was not requested. */
  gather(body: AsyncIterable<Uint8Array>, watch: Watch): Promise<string>;
};

export type WholeContent = { readonly metered: Metered; readonly content: string | NeutralAnswer };

/** Formats that the server has itself pass unchanged; requests in other formats become chats. */
export const dialogueOf = (request: ProviderRequest, dialect: Dialect): Dialogue => {
  const { job } = request;
  const endpoint = endpointOf(job, dialect);
  if (endpoint === undefined) return translatedChat(request, dialect);
  return job.format.name === 'responses'
    ? nativeResponses(request, dialect, endpoint)
    : unchanged(request, dialect, endpoint);
};

const unchanged = (request: ProviderRequest, dialect: Dialect, endpoint: Endpoint): Dialogue => ({
  endpoint,
  body: () => bodyFor(request, dialect),
  batches: (body) => readBatches(body),
  whole: (json) => {
    const metered = readAnswer(json);
    return metered && { metered, content: json };
  },
  gather: (body, watch) => gatherAnswer(endpoint, body, watch),
});
