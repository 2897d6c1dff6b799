import { asList, field, isThere } from '../../json/untyped-json.ts';
import { textOf } from './delta-text.ts';

/** The fields of a chunk or of an answer that are read; all others pass through. */
export type Chunk = {
  readonly id?: unknown;
  readonly object?: unknown;
  readonly usage?: unknown;
  readonly service_tier?: unknown;
  readonly error?: unknown;
  /** Groq's additions: a usage, or an error that ended the stream. */
  readonly x_groq?: unknown;
  /** MiniMax's outcome, in place of an HTTP status. */
  readonly base_resp?: unknown;
  /** The vectors of embeddings. */
  readonly data?: unknown;
  readonly choices?: unknown;
  readonly system_fingerprint?: unknown;
};

/** Undefined if the text is not a JSON object. Gemini sends an error as the first item of a list. */
export const parseChunk = (json: string): Chunk | undefined => {
  try {
    const read: unknown = JSON.parse(json);
    const value = Array.isArray(read) && isThere(field(read[0], 'error')) ? (read[0] as unknown) : read;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

/**
 * Most providers send `error` at the top level, OpenRouter in a choice, Groq in `x_groq`, and MiniMax a status that is not
 * 0. For older vLLM and Mistral the object itself is the error.
 */
export const isError = ({ error, object, x_groq: groq, base_resp: outcome, choices }: Chunk): boolean =>
  isThere(error) ||
  object === 'error' ||
  isThere(field(groq, 'error')) ||
  (field(outcome, 'status_code') ?? 0) !== 0 ||
  asList(choices).some(isFailed);

const isFailed = (choice: unknown): boolean =>
  isThere(field(choice, 'error')) || failures.has(field(choice, 'finish_reason'));

/** Finish reasons of a failed stream, from OpenRouter, Zhipu and DeepSeek. */
const failures = new Set<unknown>(['error', 'network_error', 'insufficient_system_resource']);

/** Whether an event reports that its stream failed. */
export const isFailure = ({ data, event }: { readonly data: string; readonly event?: string | undefined }): boolean => {
  const chunk = parseChunk(data);
  return event === 'error' || (chunk !== undefined && isError(chunk));
};

/** A choice that has not finished has null here, or, from some providers, an empty string. */
export const finishReasonOf = (choice: unknown): string | null => {
  const reason = field(choice, 'finish_reason');
  return typeof reason === 'string' && reason !== '' ? reason : null;
};

/** The entries of `choices` that are objects. */
export const choicesOf = ({ choices }: Chunk): readonly object[] =>
  asList(choices).filter((one) => typeof one === 'object' && one !== null);

export const idOf = ({ id }: Chunk): string | undefined => (typeof id === 'string' ? id : undefined);

export const isFilled = (value: unknown): boolean => Array.isArray(value) && value.length > 0;

/** A choice of a stream, as it is metered. */
export const partOf = (choice: object) => {
  const index = field(choice, 'index');
  return {
    choice: typeof index === 'number' ? index : 0,
    text: textOf(choice, 'delta'),
    finishReason: finishReasonOf(choice),
  };
};

/** A chunk without that field, if it is null. */
export const withoutNull = (
  chunk: Readonly<Record<string, unknown>>,
  name: string,
): Readonly<Record<string, unknown>> =>
  chunk[name] === null ? Object.fromEntries(Object.entries(chunk).filter(([one]) => one !== name)) : chunk;
