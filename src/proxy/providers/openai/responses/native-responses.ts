import { createParser } from 'eventsource-parser';
import { asList, field, isThere } from '../../../json/untyped-json.ts';
import type { Endpoint } from '../../http/transport.ts';
import { ProviderFailed, type ProviderRequest, type Watch } from '../../provider.ts';
import { isError, parseChunk } from '../chunk.ts';
import type { Dialect } from '../dialects.ts';
import type { Dialogue, WholeContent } from '../dialogue.ts';
import { isOtherTier } from '../../service-tier.ts';
import { readBatches } from '../stream-reader.ts';
import { createEventReader, MAX_EVENT_CHARS, parseEvent } from './event-reader.ts';
import { nativeBody } from './native-body.ts';
import { finishReasonOf, textOfItem } from './read-event.ts';

/** A request in OpenAI's responses for a server that has this format. */
export const nativeResponses = (request: ProviderRequest, dialect: Dialect, endpoint: Endpoint): Dialogue => ({
  endpoint,
  body: () => nativeBody(request, dialect),
  batches: (body) => readBatches(body, createEventReader()),
  whole: readResponse,
  gather: gatherResponse,
});

/** Undefined if it is not a response, or a failed one. */
const readResponse = (json: string): WholeContent | undefined => {
  const response = parseChunk(json);
  const output = field(response, 'output');
  if (!response || isError(response) || !Array.isArray(output)) return undefined;
  const [id, usage] = [field(response, 'id'), field(response, 'usage')];
  const metered = {
    upstreamId: typeof id === 'string' ? id : null,
    finishReason: finishReasonOf(response),
    usage: isThere(usage) ? usage : undefined,
    texts: [asList(output).map(textOfItem).join('')],
    ...(isOtherTier(response) ? { otherTier: true } : {}),
  };
  return { metered, content: json };
};

/** The response of the last event of a stream, or the error in it. */
const gatherResponse = async (body: AsyncIterable<Uint8Array>, watch: Watch): Promise<string> => {
  const decoder = new TextDecoder();
  let last: string | undefined;
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARS,
    onEvent: (message) => {
      watch.heard();
      const event = parseEvent(message);
      if (event?.['type'] === 'error') last ??= message.data;
      const hasEnded = /^response\.(?:completed|incomplete|failed)$/.test(String(event?.['type']));
      if (hasEnded) last ??= JSON.stringify(event?.['response']);
    },
  });
  try {
    watch.heard();
    for await (const piece of body) {
      parser.feed(decoder.decode(piece, { stream: true }));
      if (last !== undefined) break;
    }
    if (last === undefined) parser.feed('\n\n');
  } finally {
    watch.pause();
  }
  if (last === undefined) throw new ProviderFailed('reset', 'the stream ended before its answer did');
  return last;
};
