import type { RequestHandler } from 'express';
import { problem, sendProblem } from './problems.ts';
import { requestIdOf } from './request-id.ts';

/**
 * Headers of which a request may have one. Of two, one program on the way reads the first, another the last, and Node
 * makes one value of some: who asks, what is asked and under which key must not depend on that.
 */
const single = new Map(
  ['Host', 'Authorization', 'Idempotency-Key', 'Content-Type', 'Content-Length'].map((name) => [
    name.toLowerCase(),
    name,
  ]),
);

const hostName = /^[^\s,/?#@\\]*$/;

/** HTTP/1.1 asks for one header Host in every request (RFC 9112, 3.2). */
export const singleHeaders: RequestHandler = ({ rawHeaders, headers, httpVersion }, response, next) => {
  const wrong = (message: string, param: string): void => {
    response.setHeader('connection', 'close');
    sendProblem(response, problem('invalid_request', { message, param }), requestIdOf(response));
  };
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? '';
    const known = single.get(name);
    if (known === undefined) continue;
    if (seen.has(name)) return wrong(`The request has more than one header ${known}. Send one.`, known);
    seen.add(name);
  }
  if (headers.host === undefined && httpVersion === '1.1') {
    return wrong('The request has no header Host, which HTTP/1.1 asks for. Send it.', 'Host');
  }
  if (!hostName.test(headers.host ?? '')) return wrong('The header Host is not a host and a port. Correct it.', 'Host');
  next();
};
