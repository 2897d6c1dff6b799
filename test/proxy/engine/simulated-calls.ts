import type { Endpoint } from '../../../src/proxy/providers/openai/transport.ts';

export type Json = Record<string, unknown>;

/** How one asks the provider, in process or over HTTP. */
export type Send = (endpoint: Endpoint, body: unknown, signal?: AbortSignal) => Promise<Response>;
type Response = {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfterMs?: number;
  readonly body: AsyncIterable<Uint8Array>;
};

export const user = (content: string) => [{ role: 'user', content }];
export const chat = (extra: Json = {}) => ({ model: 'simulated-small', messages: user('How are you?'), ...extra });
export const simulate = (knobs: Json, extra: Json = {}) => chat({ ...extra, simulate: knobs });
export const streamed = (knobs: Json = {}, extra: Json = {}) => simulate(knobs, { stream: true, ...extra });

/** A string stands for itself, so that a test can send what is no JSON. */
export const bytesOf = (body: unknown): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));

/** Reads to the end, or to where it breaks. */
export const drain = async (body: AsyncIterable<Uint8Array>) => {
  const chunks: Uint8Array[] = [];
  let broke: unknown;
  try {
    for await (const chunk of body) chunks.push(chunk);
  } catch (error) {
    broke = error;
  }
  return { chunks, text: Buffer.concat(chunks).toString(), broke };
};

// Tests look into answers without proving their shape first: a wrong shape fails them anyway.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Loose = Record<string, any>;

export const json = async ({ body }: Response) => JSON.parse((await drain(body)).text) as Loose;

/** The data of an SSE stream, without `[DONE]` and comments. */
export const eventsIn = (text: string): Loose[] =>
  text
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice(6)) as Loose);

export const textIn = (text: string): string =>
  eventsIn(text)
    .map(({ choices }) => choices?.[0]?.delta?.content ?? choices?.[0]?.text ?? '')
    .join('');
