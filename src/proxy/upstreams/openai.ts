import { Pool } from 'undici';
import type { Upstream, UpstreamRequest, UpstreamResponse } from '../upstream.ts';
import { dialects } from './dialects.ts';
import { exchange } from './exchange.ts';

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
    'user-agent': 'kissapi',
  };

  const send = async ({ endpoint, body, signal }: UpstreamRequest): Promise<UpstreamResponse> => {
    const { head, body: answer } = exchange(pool, { path: path + endpoint, method: 'POST', headers, body }, signal);
    const { status, headers: told } = await head;
    const retryAfterMs = readRetryAfter(told);
    return {
      status,
      contentType: String(told['content-type'] ?? ''),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      body: answer,
    };
  };

  return { name, outputLimitField, ...dialects[name], send, close: () => pool.destroy() };
};

const readRetryAfter = (headers: Readonly<Record<string, string | string[] | undefined>>): number | undefined => {
  const ms = Number(headers['retry-after-ms']);
  if (Number.isFinite(ms) && ms >= 0 && headers['retry-after-ms'] !== undefined) return ms;
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds >= 0 && headers['retry-after'] !== undefined ? seconds * 1000 : undefined;
};
