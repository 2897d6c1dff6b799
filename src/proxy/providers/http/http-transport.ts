import { Pool } from 'undici';
import { decodedBody } from './decoded-body.ts';
import { exchange } from './exchange.ts';
import { readRetryAfter } from './retry-after.ts';
import type { Transport } from './transport.ts';

export type HttpOptions = {
  /** With its version path: `https://api.openai.com/v1`. From configuration only, never from a customer. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** The header that carries the key. */
  readonly keyHeader?: 'authorization' | 'x-api-key' | 'x-goog-api-key' | 'api-key' | undefined;
  /** Further headers of every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How long to wait for the head of a response. */
  readonly firstByteTimeoutMs: number;
  /** How long a response may send no data. */
  readonly idleTimeoutMs: number;
};

/** Each stream occupies a connection; further requests queue. */
const MAX_CONNECTIONS = 16_384;

/** A pool of kept-alive connections to one server. */
export const createHttpTransport = (options: HttpOptions): Transport => {
  const { baseUrl, apiKey, keyHeader = 'authorization', firstByteTimeoutMs, idleTimeoutMs } = options;
  const { origin, pathname } = new URL(baseUrl);
  const path = pathname.replace(/\/$/, '');
  const pool = new Pool(origin, {
    connections: MAX_CONNECTIONS,
    headersTimeout: firstByteTimeoutMs,
    bodyTimeout: idleTimeoutMs,
    connectTimeout: 10_000,
    keepAliveTimeout: 30_000,
  });
  // Only the body of the customer's request reaches the provider.
  const headers = {
    [keyHeader]: keyHeader === 'authorization' ? `Bearer ${apiKey}` : apiKey,
    ...options.headers,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'accept-encoding': 'identity',
    'user-agent': 'kissapi',
  };
  return {
    send: async ({ endpoint, body, signal }) => {
      const { head, body: answer } = exchange(pool, { path: path + endpoint, method: 'POST', headers, body }, signal);
      const { status, headers: received } = await head;
      const retryAfterMs = readRetryAfter(received);
      return {
        status,
        contentType: String(received['content-type'] ?? ''),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        body: decodedBody(answer, String(received['content-encoding'] ?? '')),
      };
    },
    close: () => pool.destroy(),
  };
};
