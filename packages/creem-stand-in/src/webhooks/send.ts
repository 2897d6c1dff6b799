import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AttemptOutcome } from '../store/state.ts';

export type SignedRequest = {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

type Sending = {
  readonly url: string;
  readonly signed: SignedRequest;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Ends the connection after this many bytes of the body. */
  readonly cutAfter?: number;
};

/** Posts once, on a connection of its own. Never rejects. */
export const send = ({ url, signed, timeoutMs, signal, cutAfter }: Sending): Promise<AttemptOutcome> =>
  new Promise((resolve) => {
    const fail = (reason: string): void => resolve({ kind: 'failed', reason });
    if (signal.aborted) return fail('closed');
    const request = (url.startsWith('https:') ? httpsRequest : httpRequest)(url, {
      method: 'POST',
      headers: { ...signed.headers, 'content-length': signed.body.length },
      agent: false,
      signal,
    });
    const timer = setTimeout(() => request.destroy(new Error('timeout')), timeoutMs);
    request.on('close', () => {
      clearTimeout(timer);
      fail('closed'); // No effect after an outcome.
    });
    request.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    request.on('response', (response) => {
      // Read to the end: some servers do not complete a request if the client does not read the response.
      response.resume();
      response.on('end', () => resolve({ kind: 'answered', status: response.statusCode ?? 0 }));
      response.on('error', () => fail('closed'));
    });
    if (cutAfter === undefined) return void request.end(signed.body);
    request.write(signed.body.subarray(0, cutAfter), () => {
      fail('cut');
      request.destroy();
    });
  });
