import type { Endpoint, SimulatedResponse } from '@kissapi/simulator';

export type Json = Record<string, unknown>;

/** Sends a request to the simulated provider, in process or over HTTP. */
export type Send = (endpoint: Endpoint, body: unknown, signal?: AbortSignal) => Promise<SimulatedResponse>;

export const user = (content: string) => [{ role: 'user', content }];
export const chat = (extra: Json = {}) => ({ model: 'simulated-small', messages: user('How are you?'), ...extra });
export const simulate = (knobs: Json, extra: Json = {}) => chat({ ...extra, simulate: knobs });
export const streamed = (knobs: Json = {}, extra: Json = {}) => simulate(knobs, { stream: true, ...extra });

/** A string is sent as it is, so that a test can send a body that is not JSON. */
export const bytesOf = (body: unknown): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));

/** Reads to the end, or until the connection breaks. */
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

// Tests read answers without checking their shape first: a wrong shape fails them anyway.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Loose = Record<string, any>;

export const json = async ({ body }: SimulatedResponse) => JSON.parse((await drain(body)).text) as Loose;

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
