import type { IncomingMessage } from 'node:http';
import { problem, type Problem } from './problems.ts';

/**
 * Headers that may occur only once. If there are two, one proxy reads the first and another the last, and Node joins some:
 * authentication, content and idempotency must not depend on that.
 */
const single = new Map(
  ['Host', 'Authorization', 'X-API-Key', 'API-Key', 'Idempotency-Key', 'Content-Type', 'Content-Length'].map((name) => [
    name.toLowerCase(),
    name,
  ]),
);

const hostName = /^[^\s,/?#@\\]*$/;

/** The problem of a request with such a header twice, or without a valid Host: HTTP/1.1 requires one (RFC 9112, 3.2). */
export const wrongHeader = ({ rawHeaders, headers, httpVersion }: IncomingMessage): Problem | undefined => {
  const wrong = (message: string, param: string): Problem => problem('invalid_request', { message, param });
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? '';
    const known = single.get(name);
    if (known === undefined) continue;
    if (seen.has(name)) return wrong(`The request has more than one header ${known}. Send one.`, known);
    seen.add(name);
  }
  if (headers.host === undefined && httpVersion === '1.1') {
    return wrong('The request lacks the header Host, which HTTP/1.1 requires. Send it.', 'Host');
  }
  if (!hostName.test(headers.host ?? '')) return wrong('The header Host is not a host and a port. Correct it.', 'Host');
  return undefined;
};
