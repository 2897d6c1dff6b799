import type { PriceEntry } from '../../domain/prices/events.ts';
import type { Credits, Usage } from '../../domain/money.ts';
import type { JsonShape } from '../json/json-shape.ts';
import type { DeltaEvent, NeutralAnswer } from '../providers/answer.ts';
import type { RoutingWish } from '../routing/routing-wish.ts';
import type { Conversation } from './conversation.ts';

/**
 * A wire format that customers use. It reads a body into a job, and writes answers in its own shape. A format is
 * stateless, and the engine depends on this port only.
 */
export interface Format {
  readonly name: string;
  /** The path under `/v1`. The log records it for each request. */
  readonly endpoint: string;
  /** The kind of model that serves it. */
  readonly modelKind: PriceEntry['kind'];
  read(body: Buffer, shape: JsonShape): Job | BadRequest;
  /** Reads the body of a request that only counts its input tokens. Undefined if the format has no such request. */
  readonly readForCount?: (body: Buffer, shape: JsonShape) => Job | BadRequest;
  /** Writes an answer from another wire format as the JSON of this format. */
  writeAnswer(frame: Frame, answer: NeutralAnswer, job: Job): string;
  /** Adds usage and cost to an answer; every other byte stays as it is. */
  addSettlement(body: string, settlement: Settlement): string;
  /** Adds the reason to an answer that ended at a limit which credits set; other answers stay as they are. */
  addShortage(body: string, notice: Notice): string;
  /** Undefined if the format has no streams. */
  readonly stream: StreamFormat | undefined;
}

export interface StreamFormat {
  /** A writer for one stream. */
  open(job: Job): StreamWriter;
  /** An answer in the JSON of this format, with its settlement, as a whole stream. */
  fromAnswer(body: string, includeUsage: boolean): string;
  /** Assembles an answer in the JSON of this format from the text of one of its streams. */
  gather(): Gathering;
}

export interface Gathering {
  feed(piece: Uint8Array | string): void;
  /** The answer, once all of the stream was fed. */
  answer(): string;
}

/** Writes the events of one stream as text. It may keep state: every delta passes it, in order. */
export interface StreamWriter {
  /** The wire shape of the event, if it has one; else the format's own. */
  writeDelta(frame: Frame, event: DeltaEvent): string;
  /**
   * The last events of a stream: usage with the cost, if the customer asked for it, and the end. `usageChunk` is what
   * the provider sent with the usage, if it has the wire shape of the format.
   */
  writeEnd(frame: Frame, settlement: Settlement | undefined, usageChunk: unknown): string;
  /** The end of choices that a limit cut. */
  writeCut(frame: Frame, choices: readonly number[], notice: Notice | undefined): string;
  /** The error that breaks the stream off, from the JSON of a problem in the format's shape. */
  writeError(problem: string): string;
}

/** What all events of an answer repeat. */
export type Frame = { readonly id: string; readonly model: string; readonly createdAt: Date };

export type Settlement = {
  /** What the customer pays. */
  readonly charged: Credits;
  readonly usage: Usage;
  /** The provider's report, if it states exactly this usage. */
  readonly reported?: Readonly<Record<string, unknown>>;
};

/** Why an answer ends early, for our own field beside the format. */
export type Notice = { readonly generationId: string; readonly error: object };

/** A request of a customer, read once. */
export type Job = {
  readonly format: Format;
  /** The JSON as received, for providers of the same dialect. */
  readonly body: Buffer;
  /** The parsed body. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly model: string;
  /** How the request wants its provider to be chosen. These fields are neither in `body` nor in `fields`. */
  readonly routing: RoutingWish;
  readonly streamed: boolean;
  /**
   * The customer asked for the answer in one piece. It is requested as a stream, so `streamed` is true, and assembled: the
   * hold can then grow in steps.
   */
  readonly gathered?: true;
  readonly includeUsage: boolean;
  /** The limit for each choice; undefined if the customer set none. */
  readonly maxOutputTokens: number | undefined;
  /** How many answers are generated and paid for. */
  readonly choices: number;
  /** The lifetimes that the request asks of a provider's prompt cache. */
  readonly cacheLifetimes: readonly CacheLifetime[];
  /** Whether a provider may bill output that it does not return, such as rejected predictions. */
  readonly mayBillUnseen: boolean;
  /** Whether all input is read together, so that the model's context bounds it: once, and for each choice. */
  readonly sharesContext: { readonly once: boolean; readonly each: boolean };
  /** The texts that a model reads, for an exact count. Computed on each call. */
  texts(): readonly string[];
  /** How many tokens arrived as numbers, which need no count. */
  tokenIds(): number;
  media(): Iterable<MediaPart>;
  /** By how many bytes the body grows at most if the customer sets this limit on the output, or lowers the present one. */
  bytesOfLimit(limit: number): number;
  /**
   * The same request for a provider with another wire format, or why it cannot be carried over; undefined if the job is
   * not a conversation.
   */
  conversation(): Conversation | BadRequest | undefined;
};

export type CacheLifetime = { readonly param: string; readonly value: unknown };

/** Part of a request that is not text. Nothing in the request bounds the tokens of `other`. */
export type MediaPart =
  | { readonly kind: 'picture'; readonly url: string | undefined; readonly detail: unknown }
  | { readonly kind: 'sound'; readonly base64: string | undefined }
  | { readonly kind: 'stored_file' }
  | { readonly kind: 'other'; readonly bytes: number };

/** Refusal: the body is not a valid request, or asks for something that is not sold. `param` names the field. */
export type BadRequest = {
  readonly code: 'invalid_json' | 'invalid_request' | 'unsupported_parameter';
  readonly message: string;
  readonly param: string | null;
};

export const isBadRequest = (read: object): read is BadRequest => 'code' in read;

export const unsupported = (param: string, why: string): BadRequest => ({
  code: 'unsupported_parameter',
  message: `${param}: ${why}`,
  param,
});
