import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { ConnectionFault } from './connection-fault.ts';
import { perform, plan } from './reply.ts';
import type { Reply } from './reply.ts';
import type { Endpoint, WireError } from './request.ts';
import { modelsAnswer } from './wire.ts';

export type RequestCounts = {
  /** Requests whose head has arrived. Each ends as exactly one of the next three. */
  started: number;
  /** Answered completely, errors included. */
  completed: number;
  /** Closed by the client. */
  aborted: number;
  /** Closed by the server: a requested reset, or close(). */
  broken: number;
  open: number;
};

export type LastRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Parsed from JSON; undefined if there was no body, or if it was not JSON. */
  readonly body: unknown;
};

export type SimulatedServer = {
  /** The base URL for an OpenAI client, `/v1` included. */
  readonly url: string;
  /** Updated in place. */
  readonly requests: Readonly<RequestCounts>;
  readonly lastRequest: LastRequest | undefined;
  /** Refuses new connections, waits `graceMs` for open answers, then closes their connections. */
  close(graceMs?: number): Promise<void>;
};

// Above any prompt, and below the memory of a laptop.
const MAX_BODY_BYTES = 64 * 1024 * 1024;

const POST_PATHS: Readonly<Record<string, Endpoint>> = {
  '/v1/chat/completions': '/chat/completions',
  '/v1/completions': '/completions',
  '/v1/embeddings': '/embeddings',
};

const invalid = (message: string, code: string | null = null): WireError => ({
  message,
  type: 'invalid_request_error',
  param: null,
  code,
});

const sendJson = (response: ServerResponse, status: number, json: unknown): void => {
  const bytes = Buffer.from(JSON.stringify(json));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes);
};

const readBody = async (request: IncomingMessage): Promise<Uint8Array | 'too_large'> => {
  const chunks: Buffer[] = [];
  let length = 0;
  // Destroying the request would close the connection before the answer 413 is sent.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return 'too_large';
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
};

const sendReply = async (response: ServerResponse, reply: Reply, signal: AbortSignal): Promise<void> => {
  response.writeHead(reply.status, {
    'content-type': reply.contentType,
    'x-request-id': reply.requestId,
    ...(reply.contentLength !== undefined && { 'content-length': reply.contentLength }),
    ...(reply.retryAfterSeconds !== undefined && { 'retry-after': String(reply.retryAfterSeconds) }),
  });
  // Sends the head: in one packet with the first token if that follows at once, otherwise alone.
  if (reply.contentLength === undefined) response.write('');
  for await (const bytes of reply.body) if (!response.write(bytes)) await once(response, 'drain', { signal });
  response.end();
};

/** Resets the connection once all that was written before is sent, so that tests can count the tokens. */
const resetConnection = async ({ socket }: IncomingMessage): Promise<void> => {
  await new Promise<void>((resolve) => socket.write('', () => resolve()));
  socket.resetAndDestroy();
};

/**
 * Serves the simulated provider over HTTP on `host`, for tests over real sockets and for benchmarks. Port 0 picks a free
 * port. Rejects with Node's error (EADDRINUSE, EACCES) if it cannot listen. Must be closed.
 */
export const createSimulatedServer = async ({ port = 0, host = '127.0.0.1' } = {}): Promise<SimulatedServer> => {
  const requests: RequestCounts = { started: 0, completed: 0, aborted: 0, broken: 0, open: 0 };
  const connections = new Map<ServerResponse, AbortController>();
  const cut = new WeakSet<ServerResponse>();
  let lastRequest: LastRequest | undefined;
  let closing: Promise<void> | undefined;

  const answer = async (request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> => {
    const { method = '', headers } = request;
    const path = (request.url ?? '').replace(/\?.*$/s, '');
    lastRequest = { method, path, headers, body: undefined };
    if (path === '/v1/models' && method === 'GET') return sendJson(response, 200, modelsAnswer);
    const endpoint = POST_PATHS[path];
    if (endpoint === undefined || method !== 'POST')
      return sendJson(response, 404, { error: invalid(`Invalid URL (${method} ${path})`) });
    const body = await readBody(request);
    if (body === 'too_large')
      return sendJson(response.setHeader('connection', 'close'), 413, {
        error: invalid('Too large.', 'request_too_large'),
      });
    const planned = plan(endpoint, body);
    lastRequest = { method, path, headers, body: planned.json };
    await sendReply(response, await perform(planned, signal), signal);
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const connection = new AbortController();
    connections.set(response, connection);
    requests.started++;
    requests.open++;
    response.once('close', () => {
      connections.delete(response);
      requests.open--;
      requests[response.writableFinished ? 'completed' : cut.has(response) ? 'broken' : 'aborted']++;
      connection.abort();
      // Node keeps a connection alive after its answer even while the server closes.
      if (closing !== undefined) setImmediate(() => server.closeIdleConnections());
    });
    try {
      await answer(request, response, connection.signal);
    } catch (error) {
      // The client disconnected, possibly before its body was complete.
      if (connection.signal.aborted || !request.complete) return;
      if (!(error instanceof ConnectionFault)) throw error;
      cut.add(response);
      await resetConnection(request);
    }
  };

  const server = createServer({ maxHeaderSize: 64 * 1024, keepAliveTimeout: 75_000, requestTimeout: 0 });
  server.on('request', (request, response) => void serve(request, response));
  server.listen(port, host);
  await once(server, 'listening');

  const shutDown = async (graceMs: number): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    const cutAll = () => {
      for (const response of connections.keys()) cut.add(response);
      server.closeAllConnections();
    };
    const timer = setTimeout(cutAll, graceMs);
    if (graceMs === 0) cutAll();
    await closed;
    clearTimeout(timer);
    // The server emits 'close' before its sockets do; after this the counters are final.
    for (const response of connections.keys()) if (response.socket) await once(response, 'close');
  };

  const { port: actual } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}/v1`,
    requests,
    get lastRequest() {
      return lastRequest;
    },
    close: (graceMs = 0) => (closing ??= shutDown(graceMs)),
  };
};
