import { createParser } from 'eventsource-parser';
import { field, isThere } from '../../json/untyped-json.ts';
import type { AnswerEvent, Batch, DeltaPart } from '../provider.ts';
import { blockReasonOf, candidateOf, idOf, isOtherTier, parseChunk, type Chunk } from './chunk.ts';
import { finishOf } from './finish-reasons.ts';
import { createReading, readParts, type Reading } from './read-parts.ts';
import { refusedWithin } from './refusal.ts';

/** The limit of a whole answer, because an event is buffered until its end. */
const MAX_EVENT_CHARS = 64 * 1024 * 1024;

/** The state of reading a stream. It changes in place. */
type Stream = Reading & { state: 'open' | 'finished' | 'failed'; hasId: boolean; events: AnswerEvent[] };

export type StreamReader = {
  read(piece: Uint8Array): Batch;
  /** The server closed in order. There is no other sign of the end. */
  close(): Batch;
};

/**
 * Reads the events of a stream as deltas in no dialect. The last usage has the usage of the whole answer. `custom` has the
 * names of tools whose input is text.
 */
export const createStreamReader = (custom: ReadonlySet<string>): StreamReader => {
  const decoder = new TextDecoder();
  const stream: Stream = { ...createReading(custom), state: 'open', hasId: false, events: [] };
  const parser = createParser({
    onEvent: ({ data }) => stream.events.push(readEvent(stream, data)),
    maxBufferSize: MAX_EVENT_CHARS,
    onError: ({ type }) => {
      if (type === 'max-buffer-size-exceeded') stream.events.push(failed(stream, undefined));
    },
  });
  const take = (): Batch => {
    const { events } = stream;
    stream.events = [];
    return { events };
  };
  return {
    read: (piece) => {
      if (stream.state !== 'failed') parser.feed(decoder.decode(piece, { stream: true }));
      return take();
    },
    close: () => {
      if (stream.state !== 'failed') parser.feed(`${decoder.decode()}\n\n`);
      if (stream.state === 'finished') stream.events.push({ kind: 'done' });
      return take();
    },
  };
};

const readEvent = (stream: Stream, data: string): AnswerEvent => {
  const chunk = parseChunk(data);
  if (!chunk || stream.state === 'failed') return { kind: 'report' };
  const report = reportOf(stream, chunk);
  if (isThere(chunk.error)) return { ...report, ...failed(stream, data) };
  const { pieces, text } = readParts(stream, chunk);
  const finish = endOf(stream, chunk);
  if (finish.kind === 'failed') return { ...report, ...failed(stream, undefined) };
  if (finish.kind === 'finished') stream.state = 'finished';
  if (pieces.length === 0 && finish.kind === 'open') return { kind: 'report', ...report };
  const part: DeltaPart = {
    ...{ choice: 0, text, pieces },
    ...(finish.kind === 'open'
      ? { finishReason: null }
      : { finishReason: finish.reason, nativeFinishReason: finish.native }),
  };
  return { kind: 'delta', ...report, parts: [part], wire: undefined };
};

/** How a chunk ends the answer, if it does. */
export const endOf = ({ calls }: Reading, chunk: Chunk): ReturnType<typeof finishOf> => {
  const blocked = isThere(candidateOf(chunk)) ? undefined : blockReasonOf(chunk);
  if (blocked !== undefined) return { kind: 'finished', reason: 'content_filter', native: blocked };
  return finishOf(field(candidateOf(chunk), 'finishReason'), calls > 0);
};

const failed = (stream: Stream, data: string | undefined): AnswerEvent => {
  stream.state = 'failed';
  return { kind: 'failed', refusal: data === undefined ? undefined : refusedWithin(data) };
};

const reportOf = (stream: Stream, chunk: Chunk) => {
  const id = stream.hasId ? undefined : idOf(chunk);
  if (id !== undefined) stream.hasId = true;
  const { usageMetadata: usage } = chunk;
  return {
    ...(id === undefined ? {} : { id }),
    ...(isThere(usage) ? { usage } : {}),
    ...(isOtherTier(chunk) ? { otherTier: true } : {}),
  };
};

/** The batches of a stream, one for each piece of its body. `return()` closes the connection. */
export async function* readBatches(
  body: AsyncIterable<Uint8Array>,
  custom: ReadonlySet<string>,
): AsyncGenerator<Batch> {
  const reader = createStreamReader(custom);
  for await (const piece of body) yield reader.read(piece);
  yield reader.close();
}
