import type { Transport } from '../openai/transport.ts';
import { createOpenAiWire } from '../openai/wire.ts';
import { ProviderFailed, type Provider } from '../provider.ts';
import { perform, plan } from './simulated-play.ts';

/** A body that may be left at any time, even while a read is pending, as a real connection may be closed. */
const leavable = (
  body: AsyncGenerator<Uint8Array, void>,
  connection: AbortController,
  onEnd: () => void,
): AsyncIterableIterator<Uint8Array> => {
  let left = false;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (left) return { done: true, value: undefined };
      try {
        const result = await body.next();
        if (result.done === true) onEnd();
        return result;
      } catch (error) {
        onEnd();
        if (left) return { done: true, value: undefined };
        throw error;
      }
    },
    async return() {
      left = true;
      connection.abort();
      onEnd();
      await body.return();
      return { done: true, value: undefined };
    },
  };
};

/**
 * A model provider for development and tests: no model, no network, and the same answer to the same body every time.
 * Every answer is marked by `system_fingerprint: "simulated"`. The field `simulate` of a body makes it slow, wrong or
 * broken on purpose; see Knobs.
 */
export const createSimulatedProvider = (): Provider =>
  createOpenAiWire('simulated', createSimulatedTransport(), { outputLimitField: 'max_tokens' });

/** The simulated server without sockets. */
export const createSimulatedTransport = (): Transport => {
  const open = new Set<AbortController>();
  let closed = false;
  return {
    async send({ endpoint, body, signal }) {
      signal.throwIfAborted();
      if (closed) throw new ProviderFailed('connect', 'The simulated provider is closed.');
      const connection = new AbortController();
      const abort = () => connection.abort(signal.reason);
      const end = () => {
        signal.removeEventListener('abort', abort);
        open.delete(connection);
      };
      signal.addEventListener('abort', abort, { once: true });
      open.add(connection);
      try {
        const reply = await perform(plan(endpoint, body), connection.signal);
        return {
          status: reply.status,
          contentType: reply.contentType,
          ...(reply.retryAfterSeconds !== undefined && { retryAfterMs: reply.retryAfterSeconds * 1_000 }),
          body: leavable(reply.body, connection, end),
        };
      } catch (error) {
        end();
        throw error;
      }
    },
    async close() {
      closed = true;
      for (const connection of open)
        connection.abort(new ProviderFailed('reset', 'The simulated provider was closed.'));
    },
  };
};
