import { inRounds } from './rounds.ts';

/** A key in use, and its hash with the current pepper. */
export type OutdatedKey = {
  readonly accountId: string;
  readonly keyId: string;
  readonly hash: string;
  readonly pepperId: string;
};

export type RehashKeysOptions = {
  /** Records the hash, unless it is recorded; resolves once this node can look the key up by it. */
  readonly rehash: (key: OutdatedKey) => Promise<void>;
  readonly failed: (error: unknown) => void;
  /** The interval between keys, so that many keys do not slow down completions. */
  readonly everyMs?: number;
};

export type RehashKeys = {
  /** Returns immediately. A key that is already queued is not added again. */
  add(key: OutdatedKey): void;
  close(): Promise<void>;
};

const EVERY_MS = 50;
/** Further keys are dropped, and added again at their next use. */
const MAX_WAITING = 1000;
const AFTER_FAILURE_MS = 5000;

/** Records hashes with a new pepper for keys in use, one after another, in the background. */
export const rehashKeys = ({ rehash, failed, everyMs = EVERY_MS }: RehashKeysOptions): RehashKeys => {
  const waiting = new Map<string, OutdatedKey>();
  let wake = (): void => undefined;
  let closing = false;

  const someWaiting = (): Promise<void> =>
    new Promise((resolve) => {
      if (closing || waiting.size > 0) return resolve();
      wake = resolve;
    });

  const rounds = inRounds(async (rest) => {
    while (!rest.ended) {
      await someWaiting();
      const [next] = waiting;
      if (!next || rest.ended) continue;
      const [id, key] = next;
      const wait = await rehash(key).then(
        () => everyMs,
        (error: unknown) => {
          failed(error);
          return AFTER_FAILURE_MS;
        },
      );
      waiting.delete(id);
      await rest.pause(wait);
    }
  });

  return {
    add: (key) => {
      const id = `${key.accountId}/${key.keyId}`;
      if (waiting.size >= MAX_WAITING || waiting.has(id)) return;
      waiting.set(id, key);
      wake();
    },
    close: async () => {
      closing = true;
      wake();
      await rounds.close();
    },
  };
};
