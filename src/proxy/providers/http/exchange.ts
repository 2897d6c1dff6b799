import type { IncomingHttpHeaders } from 'node:http';
import { errors, type Dispatcher } from 'undici';
import { ProviderFailed } from '../provider.ts';

export type Head = { readonly status: number; readonly headers: IncomingHttpHeaders };

/** Beyond this many unread bytes, reading from the upstream pauses. */
const MAX_WAITING_BYTES = 64 * 1024;

/**
 * One request and its response, without the streams that undici's own `request` puts between socket and reader. The
 * body has one reader and yields pieces: all data since the last read is one piece, so a slow reader catches up in one
 * step. If the reader stops, the upstream is paused.
 */
export type Exchange = {
  /** Rejects with ProviderFailed, or with the signal's reason if that aborted. Reading the body does the same. */
  readonly head: Promise<Head>;
  readonly body: AsyncIterableIterator<Uint8Array>;
};

export const exchange = (
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  signal: AbortSignal,
): Exchange => {
  const head = Promise.withResolvers<Head>();
  let controller: Dispatcher.DispatchController | undefined;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let ended = false;
  let failure: Error | undefined;
  let wake = (): void => undefined;
  const finish = (): void => {
    signal.removeEventListener('abort', abort);
    wake();
  };
  const fail = (error: Error): void => {
    if (ended || failure) return;
    failure = error;
    head.reject(error);
    finish();
  };
  /** Aborts the exchange and discards unread data. */
  const leave = (reason: Error): void => {
    waiting = [];
    fail(reason);
    controller?.abort(reason);
  };
  const abort = (): void => leave(signal.reason as Error);
  const take = (): Uint8Array => {
    const [first] = waiting;
    const piece = waiting.length === 1 && first ? first : Buffer.concat(waiting);
    waiting = [];
    waitingBytes = 0;
    if (controller?.paused) controller.resume();
    return piece;
  };

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: (started) => {
      controller = started;
      if (failure) started.abort(failure);
    },
    onResponseStart: (_, status, headers) => {
      if (status >= 200) head.resolve({ status, headers });
    },
    onResponseData: (from, piece) => {
      if (failure) return; // The parser can deliver more data in the same turn.
      waiting.push(piece);
      waitingBytes += piece.length;
      if (waitingBytes > MAX_WAITING_BYTES) from.pause();
      wake();
    },
    onResponseEnd: () => {
      ended = true;
      finish();
    },
    onResponseError: (_, error) => fail(asProviderFailed(error)),
  };
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  else dispatcher.dispatch(request, handler);
  const body: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => body,
    next: async () => {
      for (;;) {
        if (waiting.length > 0) return { done: false, value: take() };
        if (failure) throw failure;
        if (ended) return { done: true, value: undefined };
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    return: () => {
      if (!ended) leave(new Error('the reader has left'));
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  return { head: head.promise, body };
};

const asProviderFailed = (error: Error): ProviderFailed => {
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError) {
    return new ProviderFailed('timeout', 'the upstream was silent for too long', { cause: error });
  }
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (error instanceof errors.ConnectTimeoutError || /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)$/.test(code)) {
    return new ProviderFailed('connect', 'the upstream cannot be reached', { cause: error });
  }
  return new ProviderFailed('reset', 'the upstream broke off', { cause: error });
};
