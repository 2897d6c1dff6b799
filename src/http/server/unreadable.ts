import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { problem, problemBody, problemHeaders, sendProblem, type Problem } from './problems.ts';

export type UnreadableOptions = {
  readonly newId: () => string;
  readonly now: () => Date;
  /** Called when a request that reached no route was answered. */
  readonly answered: (status: number) => void;
};

/** The newest request of a connection, its response, and the response before it. */
type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly before: ServerResponse | undefined;
};

/**
 * Answers what Node's server refuses by itself in the shape of all other errors: malformed requests, heads that are too
 * long, incomplete requests and unknown expectations. Each closes its connection, because the start of the next request is
 * unknown.
 */
export const answerUnreadable = (server: Server, { newId, now, answered }: UnreadableOptions): void => {
  const newest = new WeakMap<Duplex, Exchange>();
  const refused = new WeakSet<Duplex>();

  const remember = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    const exchange: Exchange = { request, response, before: newest.get(socket)?.response };
    newest.set(socket, exchange);
    // Idle connections would otherwise keep their last request in memory.
    response.once('close', () => {
      if (request.complete && newest.get(socket) === exchange) newest.delete(socket);
    });
  };
  server.prependListener('request', remember);

  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    remember(request, response);
    response.setHeader('x-content-type-options', 'nosniff');
    // The client may or may not send the body now.
    response.setHeader('connection', 'close');
    const what = problem('expectation_failed');
    sendProblem(response, what, `req_${newId()}`);
    answered(what.status);
  });

  server.on('clientError', (error: ParserError, socket) => {
    // Further data on the connection raises the same error again.
    if (refused.has(socket)) return;
    if (!socket.writable) return void socket.destroy();
    refused.add(socket);
    const exchange = newest.get(socket);
    const unread = exchange && !exchange.request.complete ? exchange : undefined;
    const hasBegun = unread?.response.headersSent === true;
    const refuse = (): void => {
      if (!socket.writable) return;
      // It was answered before it was read completely; there is no second answer.
      if (hasBegun) return hangUp(socket, '');
      const what = problemOf(error);
      const known = unread?.response.getHeader('x-request-id');
      hangUp(socket, responseBytes(what, typeof known === 'string' ? known : `req_${newId()}`, now()));
      if (!unread) answered(what.status);
    };
    // Responses are sent in the order of requests, so the previous one is completed first.
    const first = unread && !hasBegun ? unread.before : exchange?.response;
    if (!first || first.writableFinished) refuse();
    else first.once('close', refuse);
  });
};

type ParserError = Error & { readonly code?: string; readonly reason?: string };

const problemOf = ({ code, reason }: ParserError): Problem => {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return problem('headers_too_large');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return problem('request_too_large', { message: 'The chunk extensions are too long. Omit them.' });
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return problem('request_timeout');
    default: {
      const why = reason === undefined || reason === '' ? '' : ` (${reason})`;
      return problem('invalid_request', { message: `The request is not valid HTTP/1.1${why}. Check the client.` });
    }
  }
};

/** The bytes of a response to a request for which Node created no response object. */
const responseBytes = (what: Problem, requestId: string, at: Date): string => {
  const body = problemBody(what, requestId);
  const headers = {
    ...problemHeaders(what, requestId),
    'x-content-type-options': 'nosniff',
    date: at.toUTCString(),
    connection: 'close',
    'content-length': String(Buffer.byteLength(body)),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${what.status} ${STATUS_CODES[what.status]}\r\n${lines.join('')}\r\n${body}`;
};

const LINGER_MS = 2000;

/** Closing a socket with unread data sends RST and can drop our response, so it is read for a while first. */
const hangUp = (socket: Duplex, response: string): void => {
  socket.end(response);
  const lingering = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(lingering));
};
