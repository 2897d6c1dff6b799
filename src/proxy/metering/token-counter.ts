import { Worker } from 'node:worker_threads';

/** Counts tokens with the tokenizer of OpenAI's newer models. For other models the count is approximate. */
export type TokenCounter = {
  /**
   * Counts the tokens of several texts together. Never blocks this thread and never rejects: if the count fails, it
   * returns a lower or an upper bound. Counting stops once there are more than `enough`.
   */
  count(texts: readonly string[], otherwise?: 'at_least' | 'at_most', enough?: number): Promise<number>;
  close(): Promise<void>;
};

/** Few tokens are longer than 8 bytes, so the lower bound does not overcharge. Every token has at least one byte. */
const BYTES_PER_TOKEN = { at_least: 8, at_most: 1 };

export const createTokenCounter = (): TokenCounter => {
  const waiting = new Map<number, { otherwise: () => number; resolve: (tokens: number) => void }>();
  let worker: Worker | undefined;
  let next = 0;

  /**
   * Resolves all pending counts with their bounds after a worker has ended. Ignores a worker that was replaced already.
   */
  const failed = (ended: Worker): void => {
    if (worker !== ended) return;
    worker = undefined;
    for (const { otherwise, resolve } of waiting.values()) resolve(otherwise());
    waiting.clear();
  };

  const started = (): Worker => {
    if (worker) return worker;
    const own = new Worker(new URL('./token-counter-worker.ts', import.meta.url));
    own.unref();
    own.on('message', ({ id, tokens }: { id: number; tokens: number }) => {
      waiting.get(id)?.resolve(tokens);
      waiting.delete(id);
      if (waiting.size === 0) own.unref();
    });
    own.on('error', () => failed(own));
    own.on('exit', () => failed(own));
    worker = own;
    return own;
  };

  return {
    count: (texts, otherwise = 'at_least', enough = Infinity) =>
      new Promise((resolve) => {
        const id = next++;
        waiting.set(id, { otherwise: () => Math.ceil(bytesOf(texts) / BYTES_PER_TOKEN[otherwise]), resolve });
        const running = started();
        running.ref(); // The process must not exit before the count arrives.
        running.postMessage({ id, texts, enough });
      }),
    close: async () => {
      await worker?.terminate();
    },
  };
};

const bytesOf = (texts: readonly string[]): number => texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0);
