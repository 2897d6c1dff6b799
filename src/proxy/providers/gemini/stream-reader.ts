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
type Stream = Reading & {
  state: 'open' | 'finished' | 'failed';
  hasId: boolean;
  /**
   * The last usage before the end. Every chunk has one, and it is withheld: Google bills an answer to its end whether or
   * not it is read, so a customer that disconnects must not end the reading before the usage of the whole answer.
   */
  interim: unknown;
  events: AnswerEvent[];
};

export type StreamReader = {
  read(piece: Uint8Array): Batch;
  /** The server closed in order. There is no other sign of the end. */
  close(): Batch;
  /** The usage so far, of a stream that broke. */
  broken(): Batch;
};

/**
 * Reads the events of a stream as deltas in no dialect. The last usage has the usage of the whole answer. `custom` has the
 * names of tools whose input is text.
 */
export const createStreamReader = (custom: ReadonlySet<string>): StreamReader => {
  const decoder = new TextDecoder();
  const stream: Stream = { ...createReading(custom), state: 'open', hasId: false, interim: undefined, events: [] };
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
      if (stream.state === 'open') stream.events.push(...interimOf(stream));
      return take();
    },
    broken: () => ({ events: stream.state === 'open' ? interimOf(stream) : [] }),
  };
};

const interimOf = ({ interim: usage }: Stream): AnswerEvent[] => (isThere(usage) ? [{ kind: 'report', usage }] : []);

const readEvent = (stream: Stream, data: string): AnswerEvent => {
  const chunk = parseChunk(data);
  if (!chunk || stream.state === 'failed') return { kind: 'report' };
  if (isThere(chunk.error)) return { ...reportOf(stream, chunk), ...failed(stream, data) };
  const { pieces, text } = readParts(stream, chunk);
  const finish = endOf(stream, chunk);
  if (finish.kind === 'failed') return { ...reportOf(stream, chunk), ...failed(stream, undefined) };
  if (finish.kind === 'finished') stream.state = 'finished';
  const report = reportOf(stream, chunk);
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
  const usage = isThere(stream.interim) ? { usage: stream.interim } : {};
  return { kind: 'failed', ...usage, refusal: data === undefined ? undefined : refusedWithin(data) };
};

const reportOf = (stream: Stream, chunk: Chunk) => {
  const id = stream.hasId ? undefined : idOf(chunk);
  if (id !== undefined) stream.hasId = true;
  const { usageMetadata: usage } = chunk;
  if (isThere(usage)) stream.interim = usage;
  return {
    ...(id === undefined ? {} : { id }),
    ...(isThere(usage) && stream.state === 'finished' ? { usage } : {}),
    ...(isOtherTier(chunk) ? { otherTier: true } : {}),
  };
};

/** The batches of a stream, one for each piece of its body. `return()` closes the connection. */
export async function* readBatches(
  body: AsyncIterable<Uint8Array>,
  custom: ReadonlySet<string>,
): AsyncGenerator<Batch> {
  const reader = createStreamReader(custom);
  try {
    for await (const piece of body) yield reader.read(piece);
  } catch (error) {
    yield reader.broken();
    throw error;
  }
  yield reader.close();
}
