import { createParser } from 'eventsource-parser';
import type { Said } from '../engine/allowance.ts';
import { membersOf, withoutMember } from '../json/json-text.ts';
import { asList, field, isThere } from '../json/untyped-json.ts';
import { isOtherTier } from './service-tier.ts';
import { textsOf, type Spoken } from './choice-texts.ts';
import { storable } from '../json/stored-text.ts';
import { usageIn } from './usage-dialects.ts';
import { saidIn } from './output-text.ts';

/** What is known of an answer so far, whether it came whole or in pieces. */
export type Metered = {
  readonly upstreamId: string | null;
  readonly finishReason: string | null;
  /** As the upstream reported it, unchecked. */
  readonly usage: unknown;
  /** What the model said in each choice, in memory only, to be counted where the upstream does not say how much it was. */
  readonly texts: readonly string[];
  /** What of that was said after the usage was reported, and so cannot be in it. */
  readonly unreported?: readonly string[];
  /** If the customer left before the end: what was said before, and what came later. */
  readonly delivered?: readonly string[];
  readonly undelivered?: readonly string[];
  /** The upstream says that it served the request in another tier than the one that is priced. */
  readonly otherTier?: boolean;
};

/** An event that may be passed on, and how far the stream has come with it. */
export type Passing = Said & {
  /** As it is written on the wire. */
  wire(): string;
};

export type StreamMeter = {
  /** Takes in bytes of the upstream's stream, and gives back what may be passed on now: the same bytes, where it can. */
  feed(bytes: Uint8Array): Uint8Array | string;
  /** The upstream closed in good order: its last event counts, if it left out the blank line after it, as it does for the SDKs. */
  close(): void;
  /** The same, event by event, for when not all of it may be passed on at once. */
  readonly passing: readonly Passing[];
  /** The stream ends before this event, for the customer, and whatever else has come was never said. */
  cutBefore(event: Passing): void;
  /** All that was said, as it came. */
  readonly spoken: readonly Spoken[];
  /** Which choices said how they finished. */
  readonly finished: ReadonlySet<number>;
  /**
   * Whether so many choices have finished, and are silent since. Never of a stream that says more after a finish reason:
   * some upstreams send one with every chunk.
   */
  hasFinished(choices: number): boolean;
  /** Whether a usage was reported. */
  readonly isReported: boolean;
  /** The customer has left: what is said from now on is not delivered. */
  leave(): void;
  /** `done` once the stream said that it is complete; `error` once it said that it failed. Either is its last word. */
  readonly state: 'open' | 'done' | 'error';
  /** The event that said that the stream failed. */
  readonly failure: string | undefined;
  /** How many events have come. Comments are none: they tell that the connection lives, and nothing of the model. */
  readonly events: number;
  /** Whether anything that a customer pays for has come. */
  readonly delivered: boolean;
  /** The chunk with the usage, for a customer who asked for it: withheld, so that it can carry the cost. */
  readonly usageChunk: Readonly<Record<string, unknown>> | undefined;
  metered(): Metered;
};

const DONE = '[DONE]';
/** As much as an answer may have that comes whole; until its end an event must be kept. */
const MAX_EVENT_CHARS = 64 * 1024 * 1024;

/** The fields of a streamed chunk that are looked at, in either format; whatever else it has passes through. */
type Chunk = {
  readonly id?: unknown;
  readonly object?: unknown;
  readonly usage?: unknown;
  readonly service_tier?: unknown;
  readonly error?: unknown;
  /** What Groq has to say beside the format: a usage, or an error that ended the stream. */
  readonly x_groq?: unknown;
  /** What MiniMax has, in place of an HTTP status. */
  readonly base_resp?: unknown;
  /** Of embeddings: the vectors. */
  readonly data?: unknown;
  readonly choices?: unknown;
  readonly system_fingerprint?: unknown;
};

/**
 * Reads a stream as it passes. Each event's data goes on as it came; withheld are the end of the stream, which must wait
 * for the settlement, the usage, which the customer may not have asked for, an error, which may be about our account at
 * the upstream, and what is no JSON object, which no client could read and nobody could meter.
 */
export const createStreamMeter = (): StreamMeter => {
  const decoder = new TextDecoder();
  let passing: (Passing & { readonly finishes: number })[] = [];
  /** Whether the bytes so far ended with an event, and whether those of this feed may go on as they are. */
  let aligned = true;
  let untouched = true;
  /** How far the stream had come before this feed. */
  let before = { bytes: 0, pieces: 0, finishes: 0 };
  let state: StreamMeter['state'] = 'open';
  let failure: string | undefined;
  /** An event was longer than any is: nothing more is read. */
  let endless = false;
  let events = 0;
  let delivered = false;
  const spoken: Spoken[] = [];
  let bytes = 0;
  /** Choices, each as often as it said how it finished, which some say in each of their chunks. */
  const finished: number[] = [];
  /** The choices that said how they finished, and nothing after it; and whether one of them went on. */
  const silent = new Set<number>();
  let goesOn = false;
  /** How many pieces had been said when the customer left. */
  let deliveredPieces: number | undefined;
  let usage: unknown;
  /** How many pieces of what was said came no later than that. */
  let reportedPieces = 0;
  let usageChunk: StreamMeter['usageChunk'];
  let upstreamId: string | null = null;
  let finishReason: string | null = null;
  let otherTier = false;

  const readChoice = (choice: object): void => {
    const told = field(choice, 'index');
    const index = typeof told === 'number' ? told : 0;
    const reason = finishReasonOf(choice);
    const words = saidIn(choice, 'delta');
    goesOn ||= words !== '' && silent.has(index);
    if (reason !== null) {
      finishReason = storable(reason, MAX_REASON_CHARS);
      finished.push(index);
      silent.add(index);
    }
    if (words === '') return;
    spoken.push({ choice: index, words });
    bytes += Buffer.byteLength(words);
    delivered ||= deliveredPieces === undefined;
  };

  const parser = createParser({
    onEvent: ({ data, event }) => {
      events++;
      if (state === 'error' || data === DONE) {
        if (state === 'open') state = 'done';
        untouched = false;
        return;
      }
      const chunk = parse(data);
      if (upstreamId === null) upstreamId = idOf(chunk);
      if (chunk && isOtherTier(chunk)) otherTier = true;
      const reported = chunk && usageIn(chunk);
      // What comes after the end can but tell what was not told before it.
      if (isThere(reported) && (state === 'open' || !isThere(usage))) {
        usage = reported;
        usageChunk = { ...withoutNull(chunk ?? {}, 'system_fingerprint'), usage, choices: [] };
        reportedPieces = spoken.length;
      }
      if (state === 'open' && (event === 'error' || (chunk && isError(chunk)))) {
        state = 'error';
        failure = data;
      }
      if (!chunk || state !== 'open' || (isThere(reported) && !isFilled(chunk.choices))) {
        untouched = false;
        return;
      }
      choicesOf(chunk).forEach(readChoice);
      // It counts what it comes with.
      if (isThere(reported)) reportedPieces = spoken.length;
      const passes = forClients(chunk, data);
      if (passes !== data) untouched = false;
      passing.push({ wire: () => written(passes, event), bytes, pieces: spoken.length, finishes: finished.length });
    },
    maxBufferSize: MAX_EVENT_CHARS,
    onError: ({ type }) => {
      // A line of no field, such as JSON by itself: no client takes it for anything, and nobody could meter it.
      untouched = false;
      if (type !== 'max-buffer-size-exceeded') return;
      endless = true;
      if (state === 'open') state = 'error';
    },
  });

  const begin = (): void => {
    before = { bytes, pieces: spoken.length, finishes: finished.length };
    passing = [];
  };

  return {
    feed: (piece) => {
      begin();
      if (endless) return '';
      const text = decoder.decode(piece, { stream: true });
      untouched = aligned && !hasNames(text);
      parser.feed(text);
      aligned = endsWithEvent(piece);
      return untouched && aligned ? piece : passing.map(({ wire }) => wire()).join('');
    },
    close: () => {
      begin();
      if (!aligned && !endless) parser.feed(`${decoder.decode()}\n\n`);
      aligned = true;
    },
    get passing() {
      return passing;
    },
    cutBefore: (event) => {
      const last = passing[passing.findIndex((one) => one === event) - 1] ?? before;
      bytes = last.bytes;
      spoken.length = last.pieces;
      finished.length = last.finishes;
      delivered = spoken.length > 0;
      // They tell of all that came, and not of what was said.
      [usage, usageChunk, finishReason] = [undefined, undefined, null];
      state = 'open';
    },
    spoken,
    get finished() {
      return new Set(finished);
    },
    hasFinished: (choices) => !goesOn && silent.size >= choices,
    get isReported() {
      return isThere(usage);
    },
    leave: () => void (deliveredPieces ??= spoken.length),
    get state() {
      return state;
    },
    get failure() {
      return failure;
    },
    get events() {
      return events;
    },
    get delivered() {
      return delivered;
    },
    get usageChunk() {
      return usageChunk;
    },
    metered: () => ({
      upstreamId,
      finishReason,
      usage,
      texts: textsOf(spoken),
      ...(otherTier ? { otherTier } : {}),
      ...(isThere(usage) && (deliveredPieces ?? spoken.length) > reportedPieces
        ? { unreported: textsOf(spoken.slice(reportedPieces, deliveredPieces)) }
        : {}),
      ...(deliveredPieces !== undefined && spoken.length > deliveredPieces
        ? {
            delivered: textsOf(spoken.slice(0, deliveredPieces)),
            undelivered: textsOf(spoken.slice(deliveredPieces)),
          }
        : {}),
    }),
  };
};

const written = (data: string, event: string | undefined): string =>
  `${event === undefined ? '' : `event: ${event}\n`}data: ${data.replaceAll('\n', '\ndata: ')}\n\n`;

/** Whether there are names of events, which are written anew: of a name without data a client may make an event, and fail at that. */
const hasNames = (text: string): boolean => text.startsWith('event') || text.includes('\nevent');

const LINE_FEED = 10;
const endsWithEvent = (bytes: Uint8Array): boolean => bytes.at(-1) === LINE_FEED && bytes.at(-2) === LINE_FEED;

/**
 * The usage is sent once, at the end, with the cost: a client that adds up the reports in the midst of a stream counts too
 * much. Nor is `null` left in its place: we asked for the usage, not the customer, and OpenRouter's client raises on null,
 * as it does for the fingerprint.
 */
const forClients = (chunk: Chunk, data: string): string => {
  const json = chunk.usage === undefined ? data : withoutUsage(data);
  return chunk.system_fingerprint === null ? withoutMember(json, 'system_fingerprint') : json;
};

/**
 * Reads an answer that came whole; undefined where it is none: no JSON object, an error in spite of its status (as some
 * providers tell them), or neither choices nor vectors nor a usage.
 */
export const readAnswer = (body: string): Metered | undefined => {
  const answer = parse(body);
  if (!answer || isError(answer)) return undefined;
  const choices = choicesOf(answer);
  const usage = usageIn(answer);
  if (choices.length === 0 && !isFilled(answer.data) && !isThere(usage)) return undefined;
  const reason = finishReasonOf(choices[0]);
  return {
    upstreamId: idOf(answer),
    finishReason: reason === null ? null : storable(reason, MAX_REASON_CHARS),
    usage,
    texts: choices.map((choice) => saidIn(choice, 'message')),
    ...(isOtherTier(answer) ? { otherTier: true } : {}),
  };
};

/** What is stored of an upstream's own words: far more than any has, and far less than an event may have. */
const MAX_ID_CHARS = 256;
const MAX_REASON_CHARS = 64;

const idOf = (chunk: Chunk | undefined): string | null => {
  const id = typeof chunk?.id === 'string' ? storable(chunk.id, MAX_ID_CHARS) : '';
  return id === '' ? null : id;
};

/**
 * Told at the top by most, in a choice by OpenRouter, aside by Groq, and by MiniMax as a status that is not 0; by older vLLM
 * and by Mistral it is the object itself.
 */
const isError = ({ error, object, x_groq: aside, base_resp: outcome, choices }: Chunk): boolean =>
  isThere(error) ||
  object === 'error' ||
  isThere(field(aside, 'error')) ||
  (field(outcome, 'status_code') ?? 0) !== 0 ||
  asList(choices).some((choice) => isThere(field(choice, 'error')) || failures.has(field(choice, 'finish_reason')));

/** To have finished so is to have failed, as OpenRouter, Zhipu and DeepSeek tell it. */
const failures = new Set<unknown>(['error', 'network_error', 'insufficient_system_resource']);

/** A choice that has not finished says null, or, at some, an empty string. */
const finishReasonOf = (choice: unknown): string | null => {
  const reason = field(choice, 'finish_reason');
  return typeof reason === 'string' && reason !== '' ? reason : null;
};

/** Whatever else is in their list is none. */
const choicesOf = ({ choices }: Chunk): readonly object[] =>
  asList(choices).filter((one) => typeof one === 'object' && one !== null);

const isFilled = (value: unknown): boolean => Array.isArray(value) && value.length > 0;

/** A chunk without that field, if it is null. */
export const withoutNull = (
  chunk: Readonly<Record<string, unknown>>,
  name: string,
): Readonly<Record<string, unknown>> =>
  chunk[name] === null ? Object.fromEntries(Object.entries(chunk).filter(([one]) => one !== name)) : chunk;

const LAST = ',"usage":null}';

/** OpenAI ends each chunk with a usage of null, which is found there faster than by reading the text. */
const withoutUsage = (data: string): string =>
  data.endsWith(LAST) && data.indexOf('"usage"') === data.length - LAST.length + 1
    ? `${data.slice(0, -LAST.length)}}`
    : withoutMember(data, 'usage');

/** Whether an event says that its stream failed. */
export const isFailure = ({ data, event }: { readonly data: string; readonly event?: string | undefined }): boolean => {
  const chunk = parse(data);
  return event === 'error' || (chunk !== undefined && isError(chunk));
};

/** Undefined where it is no JSON object. Gemini sends an error as the first of a list. */
const parse = (json: string): Chunk | undefined => {
  try {
    const read: unknown = JSON.parse(json);
    const value = Array.isArray(read) && isThere(field(read[0], 'error')) ? (read[0] as unknown) : read;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

/**
 * Puts the usage and its cost into an answer that came whole. Only the bytes of the usage change: an embedding's
 * numbers and a model's words stay as they were written. To a usage as the upstream wrote it, the cost alone is added.
 */
export const withCost = (body: string, usage: Readonly<Record<string, unknown>>, costUsd: string): string => {
  const told = JSON.stringify({ ...usage, cost: JSON.rawJSON(costUsd), cost_usd: costUsd });
  const span = membersOf(body, 'usage').at(-1);
  if (!span) return withMember(body, 'usage', told);
  const { start, end } = span;
  const written = body.slice(start, end);
  const isKept = JSON.stringify(parse(written)) === JSON.stringify(usage) && !Object.hasOwn(usage, 'cost');
  const cost = `"cost":${costUsd},"cost_usd":"${costUsd}"`;
  const spoken = isKept && Object.keys(usage).length > 0 ? `${written.slice(0, -1)},${cost}}` : told;
  return body.slice(0, start) + spoken + body.slice(end);
};

/** Puts a member into an answer that came whole, in the place of one of that name or behind all others; no other byte changes. */
export const withMember = (body: string, name: string, json: string): string => {
  const span = membersOf(body, name).at(-1);
  if (span) return body.slice(0, span.start) + json + body.slice(span.end);
  const end = body.lastIndexOf('}');
  return `${body.slice(0, end)},"${name}":${json}${body.slice(end)}`;
};
