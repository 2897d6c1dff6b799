import { Pool } from 'undici';
import type { Upstream, UpstreamRequest, UpstreamResponse } from '../provider.ts';
import { decodedBody } from './decoded-body.ts';
import { dialects } from './dialects.ts';
import { exchange } from './exchange.ts';
import { readRetryAfter } from './retry-after.ts';

export type OpenAiUpstreamOptions = {
  readonly name: string;
  /** With its version path: `https://api.openai.com/v1`. From configuration only, never from a customer. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** How long to wait for the head of the response. */
  readonly firstByteTimeoutMs: number;
  /** How long a response may be silent. */
  readonly idleTimeoutMs: number;
  readonly outputLimitField: Upstream['outputLimitField'];
};

/** A stream has a connection to itself for as long as it lasts, and who comes beyond these waits. */
const MAX_CONNECTIONS = 16_384;

/** Any server that speaks the OpenAI wire format, over a pool of kept-alive connections. */
export const createOpenAiUpstream = (options: OpenAiUpstreamOptions): Upstream => {
  const { name, baseUrl, apiKey, outputLimitField, firstByteTimeoutMs, idleTimeoutMs } = options;
  const { origin, pathname } = new URL(baseUrl);
  const path = pathname.replace(/\/$/, '');
  const pool = new Pool(origin, {
    connections: MAX_CONNECTIONS,
    headersTimeout: firstByteTimeoutMs,
    bodyTimeout: idleTimeoutMs,
    connectTimeout: 10_000,
    keepAliveTimeout: 30_000,
  });
  // Built here and nowhere else: nothing of the customer's request but its body reaches the upstream.
  const headers = {
    authorization: `Bearer ${apiKey}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'accept-encoding': 'identity',
    'user-agent': 'kissapi',
  };

  const send = async ({ endpoint, body, signal }: UpstreamRequest): Promise<UpstreamResponse> => {
    const { head, body: answer } = exchange(pool, { path: path + endpoint, method: 'POST', headers, body }, signal);
    const { status, headers: received } = await head;
    const retryAfterMs = readRetryAfter(received);
    return {
      status,
      contentType: String(received['content-type'] ?? ''),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      body: decodedBody(answer, String(received['content-encoding'] ?? '')),
    };
  };

  return { name, outputLimitField, ...dialects[name], send, close: () => pool.destroy() };
};
