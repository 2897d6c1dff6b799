import fc from 'fast-check';
import { linesOf } from '../../src/domain/prices/lines.ts';
import type { PriceVersion } from '../../src/domain/prices/price-book.ts';
import { readModelFacts } from '../../src/config/catalogue.ts';
import { formats } from '../../src/gateway/providers.ts';
import { isBadRequest, type BadRequest, type Job } from '../../src/proxy/formats/format.ts';
import { measureJsonNow } from '../../src/proxy/json/json-shape.ts';
import type { Sink } from '../../src/proxy/engine/relay.ts';
import type { ModelFacts } from '../../src/proxy/metering/model-facts.ts';
import type { TokenCounter } from '../../src/proxy/metering/token-counter.ts';
import type { Dialect } from '../../src/proxy/providers/openai/dialects.ts';
import type { Endpoint, TransportRequest, TransportResponse } from '../../src/proxy/providers/http/transport.ts';
import { createOpenAiWire } from '../../src/proxy/providers/openai/wire.ts';
import type { Provider } from '../../src/proxy/providers/provider.ts';

const rates = {
  input: 1_000_000n,
  cachedInput: 250_000n,
  cacheWrite: 1_250_000n,
  output: 4_000_000n,
  reasoning: 4_000_000n,
};

/** $1 per million tokens in, $4 out. */
export const price: PriceVersion = {
  model: 'm',
  ownedBy: 'somebody',
  upstream: 'test',
  upstreamModel: 'm',
  kind: 'chat',
  contextTokens: 100_000,
  maxOutputTokens: 1000,
  lines: linesOf(rates),
  cost: null,
  rates,
  source: 'test',
  asOf: '2026-01-31',
  version: 1,
  effectiveFrom: new Date(0),
};

const facts = await readModelFacts();

/** The provider's name of a model of the catalogue, and what the catalogue states about it. */
export const like = (model: string): ModelFacts & { readonly upstreamModel: string } => {
  const known = facts.get(model);
  if (!known) throw new Error(`${model} is not in the catalogue`);
  return { upstreamModel: model, ...known };
};

/** A word is a token. */
export const countWords: TokenCounter = {
  count: (texts) => Promise.resolve(texts.join(' ').split(/\s+/).filter(Boolean).length),
  close: () => Promise.resolve(),
};

export const chat = { model: 'm', messages: [{ role: 'user', content: 'How are you?' }] };

export const readJob = (endpoint: Endpoint, body: Buffer): Job | BadRequest => {
  const format = formats.get(endpoint);
  if (!format) throw new Error(`no format ${endpoint}`);
  return format.read(body, measureJsonNow(body));
};

export const goodJob = (body: unknown, endpoint: Endpoint = '/chat/completions'): Job => {
  const read = readJob(endpoint, Buffer.from(JSON.stringify(body)));
  if (isBadRequest(read)) throw new Error(read.message);
  return read;
};

export const request = (fields: object = {}, endpoint: Endpoint = '/chat/completions'): Job =>
  goodJob({ ...chat, ...fields }, endpoint);

export const chunk = (delta: object, more: object = {}): string =>
  JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: null }],
    ...more,
  });

export const usage = (prompt: number, completion: number) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
});
export const usageChunk = (prompt: number, completion: number): string =>
  chunk({}, { choices: [], usage: usage(prompt, completion) });
export const lastChunk = chunk({}, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });

export const sse = (...data: readonly string[]): string => data.map((one) => `data: ${one}\n\n`).join('');

/** Pieces of a body, one by one; an error ends it as a broken connection would, a promise is waited for. */
export type Piece = string | Error | Promise<void>;

/** Left at once when the signal aborts, as a connection is. */
export async function* bodyOf(pieces: Iterable<Piece>, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const aborted = new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  aborted.catch(() => undefined);
  for (const piece of pieces) {
    if (signal?.aborted) throw signal.reason;
    if (piece instanceof Error) throw piece;
    if (typeof piece === 'string') yield Buffer.from(piece);
    else await Promise.race([piece, aborted]);
  }
}

export type Sent = { readonly endpoint: Endpoint; readonly body: Record<string, unknown> };

export const never = new Promise<void>(() => undefined);

/** A provider of OpenAI's wire format with given responses; `sent` is what it received, `bodies` the same as text. */
export const createTestProvider = (
  answer: (signal: AbortSignal) => Partial<TransportResponse> | Promise<Partial<TransportResponse>>,
  dialect: Dialect = { outputLimitField: 'max_completion_tokens' },
): Provider & { readonly sent: readonly Sent[]; readonly bodies: readonly string[] } => {
  const sent: Sent[] = [];
  const bodies: string[] = [];
  const transport = {
    send: async ({ endpoint, body, signal }: TransportRequest) => {
      const text = Buffer.from(body).toString();
      bodies.push(text);
      sent.push({ endpoint, body: JSON.parse(text) as Record<string, unknown> });
      return { status: 200, contentType: 'application/json', body: bodyOf([]), ...(await answer(signal)) };
    },
    close: () => Promise.resolve(),
  };
  return { ...createOpenAiWire('test', transport, dialect), sent, bodies };
};

export const streamOf = (pieces: Iterable<Piece>, signal?: AbortSignal): TransportResponse => ({
  status: 200,
  contentType: 'text/event-stream; charset=utf-8',
  body: bodyOf(pieces, signal),
});

// What JSON is made of, so that texts look like it. No backslashes: after an object with a member of that name, V8 13.6
// takes a member whose name is a quote for another of the same.
const unit = fc.constantFrom(...'{}[]",:ab1- \n\u2028ü😀');
export const name = fc.oneof(fc.constantFrom('usage', 'model'), fc.string({ unit, maxLength: 5 }));
export const jsonValue = fc.jsonValue({ stringUnit: unit });
export const jsonObject = fc.dictionary(name, jsonValue);

/** A reader of a stream. An error is passed to `write` as an event, in the proxy's words. */
export const sinkOf = (write: (passing: Uint8Array | string) => Promise<void> | undefined): Sink => ({
  write,
  fail: (why) => write(sse(JSON.stringify({ error: why }))),
});
