import { Worker } from 'node:worker_threads';

/** Counts tokens as OpenAI's newer models do; for others it is close. */
export type TokenCounter = {
  /**
   * The tokens of several texts together. Never blocks this thread, and never rejects: where they cannot be counted it
   * tells how many there are at least, or at most. It goes no further than where there are more than enough.
   */
  count(texts: readonly string[], otherwise?: 'at_least' | 'at_most', enough?: number): Promise<number>;
  close(): Promise<void>;
};

/** Few tokens are longer than this, so that nobody is charged for more than was there; and none has less than a byte. */
const BYTES_PER_TOKEN = { at_least: 8, at_most: 1 };

export const createTokenCounter = (): TokenCounter => {
  const waiting = new Map<number, { otherwise: () => number; resolve: (tokens: number) => void }>();
  let worker: Worker | undefined;
  let next = 0;

  /** Of a worker that has ended, by whatever; the next one has questions of its own. */
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
        running.ref(); // The process must not end before it is answered.
        running.postMessage({ id, texts, enough });
      }),
    close: async () => {
      await worker?.terminate();
    },
  };
};

const bytesOf = (texts: readonly string[]): number => texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0);
