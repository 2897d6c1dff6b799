import { Agent, errors } from 'undici';
import { UpstreamFailed, type Upstream, type UpstreamRequest, type UpstreamResponse } from '../upstream.ts';

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
  readonly maxConnections?: number;
};

/** A stream has a connection to itself for as long as it lasts, and who comes beyond these waits. */
const MAX_CONNECTIONS = 16_384;

/** Any server that speaks the OpenAI wire format, over a pool of kept-alive connections. */
export const createOpenAiUpstream = (options: OpenAiUpstreamOptions): Upstream => {
  const { name, baseUrl, apiKey, outputLimitField, firstByteTimeoutMs, idleTimeoutMs } = options;
  const { origin, pathname } = new URL(baseUrl);
  const path = pathname.replace(/\/$/, '');
  const agent = new Agent({
    connections: options.maxConnections ?? MAX_CONNECTIONS,
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
    try {
      const response = await agent.request({ origin, path: path + endpoint, method: 'POST', headers, body, signal });
      const retryAfterMs = readRetryAfter(response.headers);
      return {
        status: response.statusCode,
        contentType: String(response.headers['content-type'] ?? ''),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        body: failingAsUpstream(response.body, signal),
      };
    } catch (error) {
      throw asUpstreamFailure(error, signal);
    }
  };

  return { name, outputLimitField, send, close: () => agent.destroy() };
};

/** The body with its failures told as the port tells them. Not a generator, which would cost a promise more per piece. */
const failingAsUpstream = (body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> => ({
  [Symbol.asyncIterator]: () => {
    const pieces = body[Symbol.asyncIterator]();
    const fail = (error: unknown): never => {
      throw asUpstreamFailure(error, signal);
    };
    return {
      next: () => pieces.next().catch(fail),
      return: () => pieces.return?.() ?? Promise.resolve({ done: true, value: undefined }),
    };
  },
});

const asUpstreamFailure = (error: unknown, signal: AbortSignal): unknown => {
  if (signal.aborted) return signal.reason;
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError) {
    return new UpstreamFailed('timeout', 'the upstream was silent for too long', { cause: error });
  }
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (error instanceof errors.ConnectTimeoutError || /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)$/.test(code)) {
    return new UpstreamFailed('connect', 'the upstream cannot be reached', { cause: error });
  }
  return new UpstreamFailed('reset', 'the upstream broke off', { cause: error });
};

const readRetryAfter = (headers: Readonly<Record<string, string | string[] | undefined>>): number | undefined => {
  const ms = Number(headers['retry-after-ms']);
  if (Number.isFinite(ms) && ms >= 0 && headers['retry-after-ms'] !== undefined) return ms;
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds >= 0 && headers['retry-after'] !== undefined ? seconds * 1000 : undefined;
};
