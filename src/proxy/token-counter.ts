import { Worker } from 'node:worker_threads';

/** Counts tokens as OpenAI's newer models do; for others it is close. */
export type TokenCounter = {
  /** The tokens of several texts together. Never blocks this thread, and never rejects. */
  count(texts: readonly string[]): Promise<number>;
  close(): Promise<void>;
};

/** Where the worker fails: few tokens are longer than this, so that nobody is charged for more than was there. */
const BYTES_PER_TOKEN_AT_MOST = 8;

export const createTokenCounter = (): TokenCounter => {
  const waiting = new Map<number, { texts: readonly string[]; resolve: (tokens: number) => void }>();
  let worker: Worker | undefined;
  let next = 0;

  /** Of a worker that has ended, by whatever; the next one has questions of its own. */
  const failed = (ended: Worker): void => {
    if (worker !== ended) return;
    worker = undefined;
    for (const { texts, resolve } of waiting.values()) resolve(lowerBound(texts));
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
    count: (texts) =>
      new Promise((resolve) => {
        const id = next++;
        waiting.set(id, { texts, resolve });
        const running = started();
        running.ref(); // The process must not end before it is answered.
        running.postMessage({ id, texts });
      }),
    close: async () => {
      await worker?.terminate();
    },
  };
};

const lowerBound = (texts: readonly string[]): number =>
  Math.ceil(texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0) / BYTES_PER_TOKEN_AT_MOST);
