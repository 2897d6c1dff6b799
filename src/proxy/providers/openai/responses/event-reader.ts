import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { field, isThere } from '../../../json/untyped-json.ts';
import type { AnswerEvent, ReportEvent } from '../../provider.ts';
import { refusedWithin } from '../../errors/refusal.ts';
import { isOtherTier } from '../../service-tier.ts';
import { written, type StreamReader } from '../stream-reader.ts';
import { finishReasonOf, partsIn, type ResponseEvent } from './read-event.ts';

/** The limit of a whole answer, because the last event holds it. */
export const MAX_EVENT_CHARS = 64 * 1024 * 1024;
const nothing: AnswerEvent = { kind: 'report' };

/** The state of reading a stream. It changes in place. */
type Reading = { state: 'open' | 'done' | 'failed'; hasId: boolean; events: AnswerEvent[] };

/**
 * Reads the events of a stream of this format. They pass unchanged, but for the last one, which has the usage: the writer
 * of the format adds the cost to it. Errors are withheld, because they may be about our account.
 */
export const createEventReader = (): StreamReader => {
  const decoder = new TextDecoder();
  const reading: Reading = { state: 'open', hasId: false, events: [] };
  const parser = createParser({
    onEvent: (message) => reading.events.push(...readMessage(reading, message)),
    maxBufferSize: MAX_EVENT_CHARS,
    onError: ({ type }) => {
      if (type !== 'max-buffer-size-exceeded' || reading.state !== 'open') return;
      reading.state = 'failed';
      reading.events.push({ kind: 'failed', refusal: undefined });
    },
  });
  const feed = (text: string) => {
    reading.events = [];
    parser.feed(text);
    return { events: reading.events };
  };
  return {
    read: (piece) => feed(decoder.decode(piece, { stream: true })),
    close: () => feed(`${decoder.decode()}\n\n`),
  };
};

/** Undefined if the data of an event is not a JSON object. */
export const parseEvent = ({ data, event }: EventSourceMessage): ResponseEvent | undefined => {
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const parsed = value as ResponseEvent;
    return isThere(parsed['type']) || event === undefined ? parsed : { ...parsed, type: event };
  } catch {
    return undefined;
  }
};

const readMessage = (reading: Reading, message: EventSourceMessage): readonly AnswerEvent[] => {
  const event = parseEvent(message);
  if (reading.state !== 'open' || !event) return [nothing];
  const { type, response } = event;
  if (type === 'error' || type === 'response.failed' || isThere(event['error'])) {
    reading.state = 'failed';
    const error = type === 'response.failed' ? { error: field(response, 'error') } : event;
    return [{ kind: 'failed', refusal: refusedWithin(JSON.stringify(error)) }];
  }
  const report = reportOf(reading, response);
  if (type !== 'response.completed' && type !== 'response.incomplete') {
    const wire = (): string => written(message.data, message.event);
    return [{ kind: 'delta', ...report, parts: partsIn(event), wire, parsed: event }];
  }
  reading.state = 'done';
  const usage = field(response, 'usage');
  const end = { choice: 0, text: '', finishReason: finishReasonOf(response), pieces: [] };
  return [
    {
      ...{ kind: 'delta', ...report, parts: [end], wire: () => '' },
      ...(isThere(usage) ? { usage, usageChunk: event } : {}),
    },
    { kind: 'done' },
  ];
};

const reportOf = (reading: Reading, response: unknown): Omit<ReportEvent, 'kind'> => {
  if (!isThere(response)) return {};
  const id = reading.hasId ? undefined : field(response, 'id');
  if (typeof id === 'string') reading.hasId = true;
  const otherTier = isOtherTier(response as object);
  return { ...(typeof id === 'string' ? { id } : {}), ...(otherTier ? { otherTier } : {}) };
};
