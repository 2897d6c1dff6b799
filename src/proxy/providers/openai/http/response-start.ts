import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { TransportResponse } from './transport.ts';

export type ResponseStart = {
  /** The same response, of which every byte is still to be read, but for a byte order mark. */
  readonly response: TransportResponse;
  readonly streams: boolean;
  /** The first event of a stream, if it came soon. */
  readonly event: Pick<EventSourceMessage, 'data' | 'event'> | undefined;
};

/** Media types are the same in any case, and may have parameters. */
const isEventStream = ({ contentType }: TransportResponse): boolean => /^\s*text\/event-stream\b/i.test(contentType);

/** What a line of an event stream begins with. No JSON does. */
const fields = ['data:', 'event:', 'id:', 'retry:', ':'];

/** So much is looked at: a body that has more blank lines at its start is no stream. */
const MAX_BYTES = 64 * 1024;
/** How long the first event of a stream is waited for. The customer gets no head of a response before that. */
const FIRST_EVENT_WITHIN_MS = 3000;

/** An object of JSON begins with it, and no event stream does. Most responses are decided by it. */
const BRACE = 0x7b;

/** Undefined where that cannot be decided yet. */
const beginsAsStream = (begun: string, declared: boolean): boolean | undefined => {
  if (fields.some((field) => begun.startsWith(field))) return true;
  if (fields.some((field) => field.startsWith(begun))) return undefined;
  return declared && !/^[{[]/.test(begun);
};

/**
 * Reads the start of a response: whether it is an event stream, and its first event. What the body says counts more than
 * its media type, for some send a good stream as JSON or as nothing, and JSON as a stream.
 */
export const readStart = async (response: TransportResponse): Promise<ResponseStart> => {
  const declared = isEventStream(response);
  const pieces = response.body[Symbol.asyncIterator]();
  const begun: Uint8Array[] = [];
  let bytes = 0;
  // It leaves out a byte order mark, also if that came in pieces.
  const decoder = new TextDecoder();
  let text = '';
  let streams: boolean | undefined;
  let event: EventSourceMessage | undefined;
  let pending: Promise<IteratorResult<Uint8Array>> | undefined;
  const parser = createParser({ onEvent: (one) => (event ??= one) });
  let late: ReturnType<typeof lateness> | undefined;

  const isKnown = (): boolean => streams === false || (streams === true && event !== undefined);
  while (!isKnown() && bytes <= MAX_BYTES) {
    pending = pieces.next();
    pending.catch(() => undefined); // It is read again.
    if (declared || streams) late ??= lateness();
    const next = await Promise.race(late ? [pending, late.promise] : [pending]).catch(() => undefined);
    if (!next || next.done) break;
    pending = undefined;
    begun.push(next.value);
    bytes += next.value.length;
    if (begun.length === 1 && next.value[0] === BRACE) {
      streams = false;
      break;
    }
    const more = decoder.decode(next.value, { stream: true });
    text = (text + more).trimStart();
    streams ??= beginsAsStream(text, declared);
    if (streams !== false) parser.feed(more);
  }
  late?.clear();
  return { response: { ...response, body: again(pieces, begun, pending) }, streams: streams ?? declared, event };
};

const lateness = (): { promise: Promise<undefined>; clear: () => void } => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), FIRST_EVENT_WITHIN_MS);
  return { promise, clear: () => clearTimeout(timer) };
};

/** What was read comes first, then what is being read, then the rest. */
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

/** Clients that are strict take the line that begins with it for an unknown field. */
const withoutByteOrderMark = (bytes: Uint8Array): Uint8Array =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
