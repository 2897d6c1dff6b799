import { ConnectionFault } from './connection-fault.ts';
import { perform, plan } from './reply.ts';
import type { Endpoint } from './request.ts';

export type SimulatedResponse = {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfterMs?: number;
  /** Read it to its end or call `return()` (as `for await` does), which closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
};

export type Simulator = {
  /** `body` is JSON in the OpenAI wire format. Aborting the signal closes the connection. */
  send(request: {
    readonly endpoint: Endpoint;
    readonly body: Uint8Array;
    readonly signal: AbortSignal;
  }): Promise<SimulatedResponse>;
  /** Breaks all open connections. Later requests are rejected. */
  close(): Promise<void>;
};

type SimulatorOptions = {
  /** Maps what `send` and reading a body reject with: a ConnectionFault, or the reason of the signal. */
  readonly mapError?: (error: unknown) => unknown;
};

type Connection = {
  readonly controller: AbortController;
  readonly mapError: (error: unknown) => unknown;
  /** Called when the body has ended, by itself or by `return()`; possibly more than once. */
  readonly onEnd: () => void;
};

/** A body that can be closed while a read is pending, as a real connection can. */
const closable = (
  body: AsyncGenerator<Uint8Array, void>,
  { controller, mapError, onEnd }: Connection,
): AsyncIterableIterator<Uint8Array> => {
  let closed = false;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (closed) return { done: true, value: undefined };
      try {
        const result = await body.next();
        if (result.done === true) onEnd();
        return result;
      } catch (error) {
        onEnd();
        if (closed) return { done: true, value: undefined };
        throw mapError(error);
      }
    },
    async return() {
      closed = true;
      controller.abort();
      onEnd();
      await body.return();
      return { done: true, value: undefined };
    },
  };
};

/**
 * The simulated provider without a network, deterministic: the same body always gets the same answer. Every answer has
 * `system_fingerprint: "simulated"`. The field `simulate` of a body (see `Knobs`) makes it slow, wrong or broken.
 */
export const createSimulator = ({ mapError = (error) => error }: SimulatorOptions = {}): Simulator => {
  const open = new Set<AbortController>();
  let closed = false;
  return {
    async send({ endpoint, body, signal }) {
      signal.throwIfAborted();
      if (closed) throw mapError(new ConnectionFault('connect', 'The simulated provider is closed.'));
      const controller = new AbortController();
      const abort = () => controller.abort(signal.reason);
      const onEnd = () => {
        signal.removeEventListener('abort', abort);
        open.delete(controller);
      };
      signal.addEventListener('abort', abort, { once: true });
      open.add(controller);
      try {
        const reply = await perform(plan(endpoint, body), controller.signal);
        return {
          status: reply.status,
          contentType: reply.contentType,
          ...(reply.retryAfterSeconds !== undefined && { retryAfterMs: reply.retryAfterSeconds * 1_000 }),
          body: closable(reply.body, { controller, mapError, onEnd }),
        };
      } catch (error) {
        onEnd();
        throw mapError(error);
      }
    },
    async close() {
      closed = true;
      for (const controller of open)
        controller.abort(new ConnectionFault('reset', 'The simulated provider was closed.'));
    },
  };
};
