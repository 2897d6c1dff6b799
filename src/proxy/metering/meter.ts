import { storable } from '../json/stored-text.ts';
import { isThere } from '../json/untyped-json.ts';
import type { AnswerEvent, DeltaEvent, DeltaPart, Metered, Refusal } from '../providers/provider.ts';
import { textsOf, type OutputText, type StreamOffset } from './output-text.ts';

/** A delta that may be passed on, and how far the stream has come with it. */
export type Passing = StreamOffset & { readonly event: DeltaEvent; readonly finishes: number };

/** What a stream has delivered and reported so far. Each event changes it in place. */
export type Meter = {
  state: 'open' | 'done' | 'failed';
  /** Set if the stream failed and the request caused it. */
  refusal: Refusal | undefined;
  /** How many events have arrived, of any kind. */
  events: number;
  upstreamId: string | null;
  finishReason: string | null;
  otherTier: boolean;
  /** The last one that the provider reported. */
  usage: unknown;
  usageChunk: unknown;
  usageAtStart: unknown;
  /** How many pieces of the output that usage includes. */
  reportedPieces: number;
  readonly output: OutputText[];
  /** Of the output text, in UTF-8. */
  bytes: number;
  /** Whether any output arrived before the customer disconnected. */
  delivered: boolean;
  /** How many pieces had arrived when the customer disconnected. */
  piecesAtLeaving: number | undefined;
  /** The choice of each finish reason. Some providers send one with every chunk. */
  readonly finishes: number[];
  /** Choices that have finished, and whether one of them sent output after that. */
  readonly silent: Set<number>;
  goesOn: boolean;
  /** The deltas of the current batch, and where the stream was before it. */
  passing: Passing[];
  before: StreamOffset & { readonly finishes: number };
};

export const createMeter = (): Meter => ({
  state: 'open',
  refusal: undefined,
  events: 0,
  upstreamId: null,
  finishReason: null,
  otherTier: false,
  usage: undefined,
  usageChunk: undefined,
  usageAtStart: undefined,
  reportedPieces: 0,
  output: [],
  bytes: 0,
  delivered: false,
  piecesAtLeaving: undefined,
  finishes: [],
  silent: new Set(),
  goesOn: false,
  passing: [],
  before: { bytes: 0, pieces: 0, finishes: 0 },
});

const offsetOf = ({ bytes, output, finishes }: Meter) => ({ bytes, pieces: output.length, finishes: finishes.length });

const passingOf = ({ bytes, output, finishes }: Meter, event: DeltaEvent): Passing => ({
  event,
  bytes,
  pieces: output.length,
  finishes: finishes.length,
});

/** Meters events that arrived together. Their deltas are then in `passing`. */
export const meterBatch = (meter: Meter, events: readonly AnswerEvent[]): void => {
  meter.before = offsetOf(meter);
  meter.passing = [];
  for (const event of events) meterEvent(meter, event);
};

const meterEvent = (meter: Meter, event: AnswerEvent): void => {
  meter.events++;
  if (meter.state === 'failed') return;
  if (event.kind === 'done') {
    meter.state = 'done';
    return;
  }
  if (meter.upstreamId === null && event.id !== undefined) meter.upstreamId = storedId(event.id);
  if (event.otherTier === true) meter.otherTier = true;
  if (event.usageAtStart !== undefined) meter.usageAtStart ??= event.usageAtStart;
  // After the end, a usage counts only if none came before it.
  const reports = isThere(event.usage) && (meter.state === 'open' || !isThere(meter.usage));
  if (reports) [meter.usage, meter.usageChunk] = [event.usage, event.usageChunk];
  if (event.kind === 'failed' && meter.state === 'open') {
    meter.state = 'failed';
    meter.refusal = event.refusal;
  } else if (event.kind === 'delta' && meter.state === 'open') {
    for (const part of event.parts) meterPart(meter, part);
    meter.passing.push(passingOf(meter, event));
  }
  if (reports) meter.reportedPieces = meter.output.length;
};

const meterPart = (meter: Meter, { choice, text, finishReason }: DeltaPart): void => {
  if (text !== '' && meter.silent.has(choice)) meter.goesOn = true;
  if (finishReason !== null) {
    meter.finishReason = storedReason(finishReason);
    meter.finishes.push(choice);
    meter.silent.add(choice);
  }
  if (text === '') return;
  meter.output.push({ choice, text });
  meter.bytes += Buffer.byteLength(text);
  if (meter.piecesAtLeaving === undefined) meter.delivered = true;
};

/** More than any provider needs; without a bound, an event of megabytes would be stored. */
const MAX_ID_CHARS = 256;
const MAX_REASON_CHARS = 64;

/** An id of a provider as it may be stored; null if nothing is left of it. */
export const storedId = (id: string): string | null => storable(id, MAX_ID_CHARS) || null;
export const storedReason = (reason: string): string => storable(reason, MAX_REASON_CHARS);

/** Ends the customer's stream before this delta. Output from there on is neither delivered nor charged. */
export const cutBefore = (meter: Meter, delta: Passing): void => {
  const last = meter.passing[meter.passing.indexOf(delta) - 1] ?? meter.before;
  meter.bytes = last.bytes;
  meter.output.length = last.pieces;
  meter.finishes.length = last.finishes;
  meter.delivered = meter.output.length > 0;
  // These describe the whole stream, including the output that was cut.
  [meter.usage, meter.usageChunk, meter.finishReason] = [undefined, undefined, null];
  meter.state = 'open';
};

/** The customer has disconnected: output from now on is not delivered. */
export const meterLeaving = (meter: Meter): void => {
  meter.piecesAtLeaving ??= meter.output.length;
};

/**
 * Whether at least `choices` choices have finished and sent nothing since. False for a stream that continues after a
 * finish reason.
 */
export const hasFinished = ({ goesOn, silent }: Meter, choices: number): boolean => !goesOn && silent.size >= choices;

export const isReported = ({ usage }: Meter): boolean => isThere(usage);

export const meteredSoFar = (meter: Meter): Metered => {
  const { upstreamId, finishReason, usage, usageAtStart, output, otherTier, piecesAtLeaving, reportedPieces } = meter;
  const unreported = isReported(meter) ? output.slice(reportedPieces, piecesAtLeaving) : [];
  const left = piecesAtLeaving !== undefined && output.length > piecesAtLeaving;
  return {
    ...{ upstreamId, finishReason, usage, texts: textsOf(output) },
    ...(usageAtStart === undefined ? {} : { usageAtStart }),
    ...(otherTier ? { otherTier } : {}),
    ...(unreported.length > 0 ? { unreported: textsOf(unreported) } : {}),
    ...(left
      ? { delivered: textsOf(output.slice(0, piecesAtLeaving)), undelivered: textsOf(output.slice(piecesAtLeaving)) }
      : {}),
  };
};
