import { hash } from 'node:crypto';
import { answerChat, answerLegacy, embed } from './answer.ts';
import { ConnectionFault } from './connection-fault.ts';
import { parseRequest } from './request.ts';
import type { Endpoint, Knobs, SimulatedRequest, WireError } from './request.ts';
import { answerEvents, embeddingsAnswer, wholeAnswer } from './wire.ts';
import type { StreamEvent } from './wire.ts';

type Failure = { readonly kind: 'failure'; readonly status: number; readonly error: WireError };
type Whole = { readonly kind: 'whole'; readonly json: unknown; readonly tokens: number };
type Stream = { readonly kind: 'stream'; readonly events: Iterable<StreamEvent>; readonly tokens: number };

/** The answer to a request, computed without a clock or a socket. */
export type Plan = {
  readonly requestId: string;
  /** The parsed body; undefined if it was not JSON. */
  readonly json: unknown;
  readonly knobs: Knobs;
  readonly outcome: Failure | Whole | Stream;
};

export type Reply = {
  readonly status: number;
  readonly contentType: string;
  readonly requestId: string;
  readonly retryAfterSeconds?: number;
  /** Undefined for a stream. */
  readonly contentLength?: number;
  readonly body: AsyncGenerator<Uint8Array, void>;
};

const FAILED_HALF_WAY = 'The simulated provider failed half-way.';
const serverError = (message: string): WireError => ({ message, type: 'server_error', param: null, code: null });

// Type and code as OpenAI sends them with each status.
const errorFor = (status: number, message = `The simulated provider was asked to fail with ${status}.`): WireError => {
  if (status === 401) return { message, type: 'invalid_request_error', param: null, code: 'invalid_api_key' };
  if (status === 404) return { message, type: 'invalid_request_error', param: null, code: 'model_not_found' };
  if (status === 429) return { message, type: 'requests', param: null, code: 'rate_limit_exceeded' };
  if (status >= 500) return serverError(message);
  return { message, type: 'invalid_request_error', param: null, code: null };
};

const outcomeOf = (request: SimulatedRequest, digest: string, bodyBytes: number): Failure | Whole | Stream => {
  const knobs = request.body.simulate ?? {};
  if (knobs.status !== undefined)
    return { kind: 'failure', status: knobs.status, error: errorFor(knobs.status, knobs.message) };
  if (request.endpoint === '/embeddings') {
    const { model, encoding_format: format } = request.body;
    return {
      kind: 'whole',
      json: embeddingsAnswer(model, embed(request.body, bodyBytes), format ?? 'float'),
      tokens: 0,
    };
  }
  const { endpoint, body } = request;
  const answer =
    request.endpoint === '/completions'
      ? answerLegacy(request.body, digest, bodyBytes)
      : answerChat(request.body, digest, bodyBytes);
  const tokens = answer.choices.reduce((sum, choice) => sum + choice.tokens.length, 0);
  if (body.stream === true) {
    const includeUsage = body.stream_options?.include_usage === true;
    return { kind: 'stream', events: answerEvents(endpoint, answer, includeUsage), tokens };
  }
  if (knobs.errorMidStream !== undefined) return { kind: 'failure', status: 500, error: serverError(FAILED_HALF_WAY) };
  return { kind: 'whole', json: wholeAnswer(endpoint, answer), tokens };
};

/** `body` is JSON in the OpenAI wire format. An invalid body gets a plan to answer 400; nothing throws. */
export const plan = (endpoint: Endpoint, body: Uint8Array): Plan => {
  const digest = hash('sha256', body);
  const requestId = `req_${digest.slice(32)}`;
  const parsed = parseRequest(endpoint, body);
  const { json } = parsed;
  if (parsed.kind === 'rejected')
    return { requestId, json, knobs: {}, outcome: { kind: 'failure', status: 400, error: parsed.error } };
  const { request } = parsed;
  return { requestId, json, knobs: request.body.simulate ?? {}, outcome: outcomeOf(request, digest, body.length) };
};

/** Rejects with the reason of the signal when it aborts. `ms` may be infinite. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const wake = () => {
      signal.removeEventListener('abort', abort);
      resolve();
    };
    const timer = Number.isFinite(ms) ? setTimeout(wake, ms) : undefined;
    signal.addEventListener('abort', abort, { once: true });
  });

/** Cuts bytes into pieces of one size. An incomplete piece is kept until `flush`. */
const createCutter = (size: number) => {
  let held: Uint8Array = new Uint8Array();
  return {
    *push(bytes: Uint8Array): Generator<Uint8Array> {
      let rest = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
      for (; rest.length >= size; rest = rest.subarray(size)) yield rest.subarray(0, size);
      held = rest;
    },
    *flush(): Generator<Uint8Array> {
      if (held.length > 0) yield held;
      held = new Uint8Array();
    },
  };
};

const NO_CUTTER: ReturnType<typeof createCutter> = {
  *push(bytes) {
    yield bytes;
  },
  *flush() {},
};

const cutterFor = ({ chunkBytes }: Knobs) => (chunkBytes === undefined ? NO_CUTTER : createCutter(chunkBytes));

const reset = (): ConnectionFault => new ConnectionFault('reset', 'The simulated provider reset the connection.');

const sse = (json: unknown): Uint8Array => Buffer.from(`data: ${JSON.stringify(json)}\n\n`);
const DONE = Buffer.from('data: [DONE]\n\n');
const COMMENT = Buffer.from(': keep-alive\n\n');

// A stream without delays never leaves the microtask queue and would starve all timers and sockets of the process. A
// macrotask every so many events prevents that at no measurable cost.
const EVENTS_PER_TURN = 128;

/** The delay between two tokens, with its comments. */
const interlude = async function* ({ tokenMs = 0, comments = 0 }: Knobs, signal: AbortSignal) {
  for (let at = 0; at < comments; at++) {
    if (tokenMs > 0) await pause(tokenMs / (comments + 1), signal);
    yield COMMENT;
  }
  if (tokenMs > 0) await pause(tokenMs / (comments + 1), signal);
};

const playStream = async function* ({ events, tokens }: Stream, knobs: Knobs, signal: AbortSignal) {
  const cutter = cutterFor(knobs);
  const reached = (after: number | undefined) => after !== undefined && sent >= Math.min(after, tokens);
  const hangAfter = knobs.hang === 'midStream' ? Math.ceil(tokens / 2) : undefined;
  const interrupted = (knobs.tokenMs ?? 0) > 0 || (knobs.comments ?? 0) > 0;
  let sent = 0;
  let turn = 0;
  for (const { isToken, json } of events) {
    if (++turn % EVENTS_PER_TURN === 0) await new Promise(setImmediate);
    // A failure takes the place of a token or of the end; the chunk with the role is always sent.
    const due = isToken || sent === tokens;
    if (due && reached(knobs.breakAfter)) {
      yield* cutter.flush();
      throw reset();
    }
    if (due && reached(hangAfter)) {
      yield* cutter.flush();
      await pause(Infinity, signal);
    }
    if (due && reached(knobs.errorMidStream)) {
      yield* cutter.push(sse({ error: serverError(FAILED_HALF_WAY) }));
      yield* cutter.flush();
      return;
    }
    if (isToken && sent > 0 && interrupted)
      for await (const bytes of interlude(knobs, signal)) yield* cutter.push(bytes);
    signal.throwIfAborted();
    // Delegating costs more than building the event, so it is done only for chunkBytes.
    if (knobs.chunkBytes === undefined) yield sse(json);
    else yield* cutter.push(sse(json));
    if (isToken) sent++;
  }
  signal.throwIfAborted();
  if (knobs.done !== false) yield* cutter.push(DONE);
  yield* cutter.flush();
};

const playWhole = async function* (bytes: Uint8Array, knobs: Knobs, signal: AbortSignal) {
  const cutter = cutterFor(knobs);
  const breaks = knobs.breakAfter !== undefined;
  const hangs = knobs.hang === 'midStream';
  const sent = breaks || hangs ? bytes.subarray(0, bytes.length / 2) : bytes;
  for (const piece of [...cutter.push(sent), ...cutter.flush()]) {
    signal.throwIfAborted();
    yield piece;
  }
  if (hangs) await pause(Infinity, signal);
  if (breaks) throw reset();
};

/**
 * Executes a plan. Resolves when the head of the response is due. `perform` and reading the body reject with
 * ConnectionFault if the plan breaks the connection, and with the reason of the signal if it aborts. To stop reading while
 * a read is pending, abort the signal.
 */
export const perform = async ({ requestId, knobs, outcome }: Plan, signal: AbortSignal): Promise<Reply> => {
  signal.throwIfAborted();
  const tokensMs = outcome.kind === 'whole' ? outcome.tokens * (knobs.tokenMs ?? 0) : 0;
  const waitMs = (knobs.firstByteMs ?? 0) + tokensMs;
  if (waitMs > 0) await pause(waitMs, signal);
  if (knobs.hang === 'beforeHead') await pause(Infinity, signal);
  if (knobs.resetBeforeHead === true) throw reset();
  if (outcome.kind === 'stream')
    return {
      status: 200,
      contentType: 'text/event-stream; charset=utf-8',
      requestId,
      body: playStream(outcome, knobs, signal),
    };
  const failed = outcome.kind === 'failure';
  const bytes = Buffer.from(JSON.stringify(failed ? { error: outcome.error } : outcome.json));
  return {
    status: failed ? outcome.status : 200,
    contentType: 'application/json',
    requestId,
    contentLength: bytes.length,
    ...(failed && knobs.retryAfter !== undefined && { retryAfterSeconds: knobs.retryAfter }),
    body: playWhole(bytes, failed ? {} : knobs, signal),
  };
};
