import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { problem, problemBody, problemHeaders, sendProblem, type Problem } from './problems.ts';

export type UnreadableOptions = {
  readonly newId: () => string;
  readonly now: () => Date;
  /** What no route has seen was answered. */
  readonly answered: (status: number) => void;
};

/** The newest request of a connection, and the answer to the one before it. */
type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly before: ServerResponse | undefined;
};

/**
 * Gives the shape of all other errors to what Node's server refuses by itself: requests that it cannot read, whose head is
 * too long or whose end does not come, and expectations that nobody here has. Each ends its connection, for nobody knows
 * where in it the next request would begin.
 */
export const answerUnreadable = (server: Server, { newId, now, answered }: UnreadableOptions): void => {
  const newest = new WeakMap<Duplex, Exchange>();
  const refused = new WeakSet<Duplex>();

  const remember = (request: IncomingMessage, response: ServerResponse): void =>
    void newest.set(request.socket, { request, response, before: newest.get(request.socket)?.response });
  server.prependListener('request', remember);

  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    remember(request, response);
    response.setHeader('x-content-type-options', 'nosniff');
    // Whether the body comes all the same is for the client to know.
    response.setHeader('connection', 'close');
    const what = problem('expectation_failed');
    sendProblem(response, what, `req_${newId()}`);
    answered(what.status);
  });

  server.on('clientError', (error: ParserError, socket) => {
    // What else comes on the connection is met as an error again.
    if (refused.has(socket)) return;
    if (!socket.writable) return void socket.destroy();
    refused.add(socket);
    const exchange = newest.get(socket);
    const unread = exchange && !exchange.request.complete ? exchange : undefined;
    const hasBegun = unread?.response.headersSent === true;
    const refuse = (): void => {
      if (!socket.writable) return;
      // It was answered before it was read, and has no second answer.
      if (hasBegun) return hangUp(socket, '');
      const what = whatIsWrong(error);
      const known = unread?.response.getHeader('x-request-id');
      hangUp(socket, written(what, typeof known === 'string' ? known : `req_${newId()}`, now()));
      if (!unread) answered(what.status);
    };
    // Answers leave in the order of their requests, and none is cut for the sake of the next.
    const first = unread && !hasBegun ? unread.before : exchange?.response;
    if (!first || first.writableFinished) refuse();
    else first.once('close', refuse);
  });
};

type ParserError = Error & { readonly code?: string; readonly reason?: string };

const whatIsWrong = ({ code, reason }: ParserError): Problem => {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return problem('headers_too_large');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return problem('request_too_large', { message: 'The extensions of a chunk are too long. Leave them out.' });
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return problem('request_timeout');
    default: {
      const why = reason === undefined || reason === '' ? '' : ` (${reason})`;
      return problem('invalid_request', { message: `The request cannot be read as HTTP/1.1${why}. Check the client.` });
    }
  }
};

/** The bytes of an answer to a request that Node has made no response for. */
const written = (what: Problem, requestId: string, at: Date): string => {
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

/** Closed while there is something unread, a connection is reset, and the last words may be lost to their reader: so it is read for a while. */
const hangUp = (socket: Duplex, lastWords: string): void => {
  socket.end(lastWords);
  const lingering = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(lingering));
};
