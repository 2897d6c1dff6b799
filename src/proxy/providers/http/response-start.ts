import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { TransportResponse } from './transport.ts';

export type ResponseStart = {
  /** The same response. Its body is still complete, but without a byte order mark. */
  readonly response: TransportResponse;
  readonly streams: boolean;
  /** The first event of a stream, if it arrived in time. */
  readonly event: Pick<EventSourceMessage, 'data' | 'event'> | undefined;
};

/** Media types are case-insensitive and may have parameters. */
const isEventStream = ({ contentType }: TransportResponse): boolean => /^\s*text\/event-stream\b/i.test(contentType);

/** The prefixes of a line in an event stream. No JSON text begins with one. */
const fields = ['data:', 'event:', 'id:', 'retry:', ':'];

/** At most this much is inspected: a body with more blank lines at its start is not a stream. */
const MAX_BYTES = 64 * 1024;
/** The first event is rarely longer. */
const STEP_BYTES = 512;
/** How long to wait for the first event of a stream. The customer receives no response head before that. */
const FIRST_EVENT_WITHIN_MS = 3000;

/** A JSON object begins with it, and no event stream does. It decides most responses. */
const BRACE = 0x7b;

/** Undefined if more bytes are needed to decide. */
const beginsAsStream = (begun: string, declared: boolean): boolean | undefined => {
  if (fields.some((field) => begun.startsWith(field))) return true;
  if (fields.some((field) => field.startsWith(begun))) return undefined;
  return declared && !/^[{[]/.test(begun);
};

/**
 * Reads the start of a response: whether it is an event stream, and its first event. The content takes precedence over
 * the media type, because some servers send a valid stream as JSON or without a type, and JSON as a stream.
 */
export const readStart = async (response: TransportResponse): Promise<ResponseStart> => {
  const declared = isEventStream(response);
  const pieces = response.body[Symbol.asyncIterator]();
  const begun: Uint8Array[] = [];
  let bytes = 0;
  let pending: Promise<IteratorResult<Uint8Array>> | undefined;
  let late: ReturnType<typeof lateness> | undefined;
  let inspection: Inspection = { streams: undefined, event: undefined };
  let inspect: ((piece: Uint8Array) => Inspection) | undefined;

  while (!isKnown(inspection) && bytes <= MAX_BYTES) {
    pending = pieces.next();
    if (declared || inspection.streams) late ??= lateness();
    const next = await (late ? Promise.race([caught(pending), late.promise]) : caught(pending));
    if (!next || next.done) break;
    pending = undefined;
    begun.push(next.value);
    bytes += next.value.length;
    if (begun.length === 1 && next.value[0] === BRACE) {
      inspection = { streams: false, event: undefined };
      break;
    }
    inspection = (inspect ??= createInspection(declared))(next.value);
  }
  late?.clear();
  const { streams = declared, event } = inspection;
  return { response: { ...response, body: again(pieces, begun, pending) }, streams, event };
};

type Inspection = { readonly streams: boolean | undefined; readonly event: EventSourceMessage | undefined };

const isKnown = ({ streams, event }: Inspection): boolean =>
  streams === false || (streams === true && event !== undefined);

/** Returns what is known after each piece of the start. */
const createInspection = (declared: boolean): ((piece: Uint8Array) => Inspection) => {
  // The decoder removes a byte order mark, even one that arrives in pieces.
  const decoder = new TextDecoder();
  let text = '';
  let streams: boolean | undefined;
  let event: EventSourceMessage | undefined;
  const parser = createParser({ onEvent: (one) => (event ??= one) });
  const add = (bytes: Uint8Array): void => {
    const more = decoder.decode(bytes, { stream: true });
    if (streams === undefined) {
      text = (text + more).trimStart();
      streams = beginsAsStream(text, declared);
    }
    if (streams !== false) parser.feed(more);
  };
  return (piece) => {
    // A piece may hold many events, and they are all parsed again later.
    for (let from = 0; from < piece.length && !isKnown({ streams, event }); from += STEP_BYTES) {
      add(piece.subarray(from, from + STEP_BYTES));
    }
    return { streams, event };
  };
};

/** The reader of the body receives the failure. */
const caught = (pending: Promise<IteratorResult<Uint8Array>>): Promise<IteratorResult<Uint8Array> | undefined> =>
  pending.catch(() => undefined);

const lateness = (): { promise: Promise<undefined>; clear: () => void } => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), FIRST_EVENT_WITHIN_MS);
  return { promise, clear: () => clearTimeout(timer) };
};

/** Yields the pieces that were read, then the pending one, then the rest. */
const again = (
  pieces: AsyncIterator<Uint8Array>,
  begun: Uint8Array[],
  pending: Promise<IteratorResult<Uint8Array>> | undefined,
): AsyncIterableIterator<Uint8Array> => {
  const body: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => body,
    next: () => {
      if (begun.length > 0) {
        const value = withoutByteOrderMark(begun.length === 1 && begun[0] ? begun[0] : Buffer.concat(begun));
        begun = [];
        return Promise.resolve({ done: false, value });
      }
      const next = pending ?? pieces.next();
      pending = undefined;
      return next;
    },
    return: () => pieces.return?.() ?? Promise.resolve({ done: true, value: undefined }),
  };
  return body;
};

/** Strict clients treat a line that begins with a byte order mark as an unknown field. */
const withoutByteOrderMark = (bytes: Uint8Array): Uint8Array =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
