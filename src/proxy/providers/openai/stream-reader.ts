import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { withoutMember } from '../../json/json-text.ts';
import { isThere } from '../../json/untyped-json.ts';
import type { AnswerEvent, Batch, DeltaEvent, DeltaPart, ReportEvent } from '../provider.ts';
import { learnTemplate, pieceOf, textOfPiece, type ChunkTemplate, type ReadChunk } from './chunk-template.ts';
import { choicesOf, idOf, isError, isFilled, parseChunk, partOf, withoutNull, type Chunk } from './chunk.ts';
import { refusedWithin } from '../errors/refusal.ts';
import { isOtherTier } from '../service-tier.ts';
import { usageIn } from './usage-location.ts';

/** The limit of a whole answer, because an event is buffered until its end. */
const MAX_EVENT_CHARS = 64 * 1024 * 1024;
const DONE = '[DONE]';
const nothing: AnswerEvent = { kind: 'report' };
const done: AnswerEvent = { kind: 'done' };
const endless: AnswerEvent = { kind: 'failed', refusal: undefined };

/** Reads the choices of a chunk as pieces. */
export type Translate = (chunk: Chunk) => readonly DeltaPart[];

/** The state of reading a stream. It changes in place. */
type Reading = {
  state: 'open' | 'done' | 'failed';
  /** An event exceeded the limit: nothing more is read. */
  isEndless: boolean;
  /** Whether the bytes so far end with a complete event, and whether those of this piece may pass unchanged. */
  aligned: boolean;
  untouched: boolean;
  hasId: boolean;
  /** Reads chunks as pieces, for a customer of another format. */
  readonly translate: Translate | undefined;
  template: ChunkTemplate | undefined;
  /** How many more chunks are tried as the template. */
  templatesLeft: number;
  events: AnswerEvent[];
};

/** The second chunk is usually the first with output. A stream whose chunks differ otherwise is parsed chunk by chunk. */
const TEMPLATES = 3;

export type StreamReader = {
  read(piece: Uint8Array): Batch;
  /** The server closed in order: the last event counts, even without the blank line after it, as it does for the SDKs. */
  close(): Batch;
};

/**
 * Reads the events of a stream. Chunks pass unchanged, in the same bytes if possible. The end of the stream, usage,
 * errors (which may be about our account) and data that is not a JSON object (which no client can read) are withheld.
 * With `translate`, nothing passes in the wire shape.
 */
export const createStreamReader = (translate?: Translate): StreamReader => {
  const decoder = new TextDecoder();
  const reading: Reading = {
    ...{ state: 'open', isEndless: false, aligned: true, untouched: true, hasId: false },
    ...{ translate, template: undefined, templatesLeft: translate ? 0 : TEMPLATES, events: [] },
  };
  const parser = createParser({
    onEvent: (message) => reading.events.push(readMessage(reading, message)),
    maxBufferSize: MAX_EVENT_CHARS,
    onError: ({ type }) => {
      // A line that is not a field, such as plain JSON, has no meaning for a client.
      reading.untouched = false;
      if (type !== 'max-buffer-size-exceeded') return;
      reading.isEndless = true;
      if (reading.state === 'open') reading.events.push(endless);
      reading.state = 'failed';
    },
  });
  return {
    read: (piece) => {
      reading.events = [];
      if (reading.isEndless) return { events: [] };
      const text = decoder.decode(piece, { stream: true });
      reading.untouched = reading.aligned && !hasEventNames(text);
      parser.feed(text);
      reading.aligned = endsWithEvent(piece);
      return { events: reading.events, bytes: reading.untouched && reading.aligned ? piece : undefined };
    },
    close: () => {
      reading.events = [];
      if (!reading.aligned && !reading.isEndless) parser.feed(`${decoder.decode()}\n\n`);
      reading.aligned = true;
      return { events: reading.events };
    },
  };
};

/** The batches of a stream, one for each piece of its body. `return()` closes the connection. */
export const readBatches = (
  body: AsyncIterable<Uint8Array>,
  reader: StreamReader = createStreamReader(),
): AsyncIterableIterator<Batch> => {
  const pieces = body[Symbol.asyncIterator]();
  let closed = false;
  const read = (piece: IteratorResult<Uint8Array>): IteratorResult<Batch> => {
    if (!piece.done) return { done: false, value: reader.read(piece.value) };
    if (closed) return { done: true, value: undefined };
    closed = true;
    return { done: false, value: reader.close() };
  };
  const batches: AsyncIterableIterator<Batch> = {
    [Symbol.asyncIterator]: () => batches,
    // Not an async function: each piece of every stream passes here.
    next: () => (closed ? Promise.resolve({ done: true, value: undefined }) : pieces.next().then(read)),
    return: async () => {
      await pieces.return?.();
      return { done: true, value: undefined };
    },
  };
  return batches;
};

const readMessage = (reading: Reading, { data, event }: EventSourceMessage): AnswerEvent => {
  if (reading.state === 'failed' || data === DONE) {
    reading.untouched = false;
    if (reading.state === 'failed') return nothing;
    reading.state = 'done';
    return done;
  }
  const known = event === undefined && reading.state === 'open' ? ofTemplate(reading, data) : undefined;
  if (known) return known;
  const chunk = parseChunk(data);
  if (!chunk) {
    reading.untouched = false;
    return reading.state === 'open' && event === 'error' ? failed(reading, data, noReport) : nothing;
  }
  // The usage of a translated stream has another shape.
  const report = reading.translate ? { ...reportOf(reading, chunk), usageChunk: undefined } : reportOf(reading, chunk);
  if (reading.state === 'open' && (event === 'error' || isError(chunk))) return failed(reading, data, report);
  if (reading.state !== 'open' || (report.usage !== undefined && !isFilled(chunk.choices))) {
    reading.untouched = false;
    return { kind: 'report', ...report };
  }
  if (reading.translate) {
    reading.untouched = false;
    return { kind: 'delta', ...report, parts: reading.translate(chunk), wire: undefined };
  }
  const passes = forClients(chunk, data);
  if (passes !== data) reading.untouched = false;
  const parts = choicesOf(chunk).map(partOf);
  const wire = (): string => written(passes, event);
  if (report === noReport && event === undefined && reading.templatesLeft > 0) learn(reading, data, chunk);
  return report === noReport ? { kind: 'delta', parts, wire } : { kind: 'delta', ...report, parts, wire };
};

const ofTemplate = (reading: Reading, data: string): DeltaEvent | undefined => {
  const { template } = reading;
  const piece = template && pieceOf(template, data);
  const text = piece === undefined ? undefined : textOfPiece(piece);
  if (!template || text === undefined) return undefined;
  const { choice, wireBefore, wireAfter, passes } = template;
  if (!passes) reading.untouched = false;
  return {
    kind: 'delta',
    parts: [{ choice, text, finishReason: null }],
    wire: () => `${wireBefore}${piece}${wireAfter}`,
  };
};

const learn = (reading: Reading, data: string, chunk: Chunk): void => {
  reading.templatesLeft--;
  reading.template = learnTemplate(data, chunk, readDelta) ?? reading.template;
};

/** A chunk that is a delta and reports nothing. Whether it has the id of its stream is the same for all chunks. */
const readDelta = (data: string): ReadChunk | undefined => {
  const chunk = parseChunk(data);
  if (!chunk || isError(chunk) || reportOf({ hasId: true }, chunk) !== noReport) return undefined;
  const passes = forClients(chunk, data);
  return { parts: choicesOf(chunk).map(partOf), wire: written(passes, undefined), passes: passes === data };
};

const failed = (reading: Reading, data: string, report: Report): AnswerEvent => {
  reading.state = 'failed';
  reading.untouched = false;
  return { kind: 'failed', ...report, refusal: refusedWithin(data) };
};

type Report = Omit<ReportEvent, 'kind'>;
/** Most chunks report nothing, and share this object. */
const noReport: Report = {};

const reportOf = (reading: Pick<Reading, 'hasId'>, chunk: Chunk): Report => {
  const id = reading.hasId ? undefined : idOf(chunk);
  if (id !== undefined && id !== '') reading.hasId = true;
  const usage = usageIn(chunk);
  const otherTier = isOtherTier(chunk);
  if (id === undefined && !isThere(usage) && !otherTier) return noReport;
  return { id, otherTier, ...(isThere(usage) ? { usage, usageChunk: usageChunkOf(chunk, usage) } : {}) };
};

const usageChunkOf = (chunk: Chunk, usage: unknown): unknown => ({
  ...withoutNull(chunk, 'system_fingerprint'),
  ...{ usage, choices: [] },
});

/** An event as text. */
export const written = (data: string, event: string | undefined): string =>
  `${event === undefined ? '' : `event: ${event}\n`}data: ${data.replaceAll('\n', '\ndata: ')}\n\n`;

/**
 * Whether there are event names. Named events are rewritten: a client may emit an event for a name without data, and
 * fail.
 */
const hasEventNames = (text: string): boolean => text.startsWith('event') || text.includes('\nevent');

const LINE_FEED = 10;
const endsWithEvent = (bytes: Uint8Array): boolean => bytes.at(-1) === LINE_FEED && bytes.at(-2) === LINE_FEED;

/**
 * The usage is sent once, at the end, with the cost, because a client that adds up all reports of a stream counts too
 * much. It is not left as `null` either: the gateway requested the usage, not the customer, and OpenRouter's client
 * raises on null, as it does for the fingerprint.
 */
const forClients = (chunk: Chunk, data: string): string => {
  const json = chunk.usage === undefined ? data : withoutUsage(data);
  return chunk.system_fingerprint === null ? withoutMember(json, 'system_fingerprint') : json;
};

const LAST = ',"usage":null}';

/** OpenAI ends each chunk with a usage of null. Finding it there is faster than parsing. */
const withoutUsage = (data: string): string =>
  data.endsWith(LAST) && data.indexOf('"usage"') === data.length - LAST.length + 1
    ? `${data.slice(0, -LAST.length)}}`
    : withoutMember(data, 'usage');
