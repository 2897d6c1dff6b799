import type { Conversation } from '../../../src/proxy/formats/conversation.ts';

/** What a scripted model answers, in no dialect. */
export type Turn = {
  readonly thinking?: { readonly text: string; readonly signature?: string } | undefined;
  /** The text in the pieces in which it streams. */
  readonly texts?: readonly string[];
  readonly calls?: readonly Call[];
  /** Without it: `tool_calls` if there are calls, else `stop`. */
  readonly finish?: 'stop' | 'length' | 'tool_calls' | 'content_filter';
  /** The reason as the dialect names it, in place of `finish`. */
  readonly nativeFinish?: string;
  readonly usage?: Counts | { readonly raw: unknown };
  readonly fault?: Fault;
};

export type Call = {
  readonly id: string;
  readonly name: string;
  readonly arguments: object;
  /** Google's signature of a call. */
  readonly signature?: string;
};

/** Tokens by class. No class is part of another. */
export type Counts = {
  readonly input: number;
  readonly cached?: number;
  readonly written?: number;
  readonly output: number;
  readonly reasoning?: number;
};

/**
 * `cut`, `hang`, `error`: after the first piece of content, the connection breaks, nothing more is sent, or an error is
 * sent. `no response`: the connection breaks before the response. `repeated start`: the start of the stream comes twice.
 */
export type Fault = 'cut' | 'hang' | 'error' | 'no response' | 'repeated start';

/** An answer with an error status. */
export type Failure = {
  readonly failure: 'request' | 'key' | 'credit' | 'rate' | 'overloaded' | 'broken';
  readonly message?: string;
};

/** What a model was asked. */
export type Asked = Conversation & {
  readonly model: string;
  readonly streamed: boolean;
  readonly maxOutputTokens: number | undefined;
};

/** An event stream: what comes before the content, with it, and after it. */
export type Events = {
  readonly head: readonly string[];
  readonly content: readonly string[];
  readonly tail: readonly string[];
};

/** The wire format of a provider. */
export type Dialect = {
  /** Replaces `/v1` at the end of the base URL. */
  readonly version: string;
  /** Throws BadBody if the real server would refuse the request with status 400. */
  read(body: unknown, path: string): Asked;
  hasKey(headers: Readonly<Record<string, unknown>>): boolean;
  whole(turn: Turn, asked: Asked): object;
  events(turn: Turn, asked: Asked): Events;
  /** The error event within a stream. */
  readonly brokenEvent: string;
  failure(failure: Failure): { readonly status: number; readonly body: object; readonly headers?: object };
};

/** The request is invalid; the message is that of the server. */
export class BadBody extends Error {
  override readonly name = 'BadBody';
}

export const check = (condition: unknown, message: string): void => {
  if (condition !== true) throw new BadBody(message);
};

/** Refuses fields that the dialect does not have, as the real servers do. */
export const checkFields = (value: object, known: readonly string[], at: string): void => {
  for (const name of Object.keys(value)) check(known.includes(name), `${at}.${name}: unknown field`);
};

export const counts = (turn: Turn): Required<Counts> | undefined => {
  if (!turn.usage) return { input: 10, cached: 0, written: 0, output: (turn.texts ?? []).length + 1, reasoning: 0 };
  return 'raw' in turn.usage ? undefined : { cached: 0, written: 0, reasoning: 0, ...turn.usage };
};

/** The usage in the dialect: as the counts, or exactly as the script has it. */
export const usageOf = (turn: Turn, write: (counts: Required<Counts>) => object): unknown => {
  const known = counts(turn);
  return known ? write(known) : (turn.usage as { readonly raw: unknown }).raw;
};

export const finishOf = ({ finish, calls = [] }: Turn): NonNullable<Turn['finish']> =>
  finish ?? (calls.length > 0 ? 'tool_calls' : 'stop');

/** A text in two pieces, as arguments of a tool stream. */
export const halves = (text: string): readonly string[] => [
  text.slice(0, text.length / 2),
  text.slice(text.length / 2),
];

export type Json = Readonly<Record<string, unknown>>;

export const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as Json[]) : []);
export const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});
