import { randomBytes } from 'node:crypto';
import { DestroyedKey, type DataKeys } from '../../../src/eventstore/secrets/data-keys.ts';
import { KEY_BYTES, secretKey, type SecretKey } from '../../../src/eventstore/secrets/sealed-bytes.ts';

/** Data keys that end with the test, and can be destroyed. */
export const createMemoryDataKeys = (): DataKeys & { destroy(accountId: string): void } => {
  const keys = new Map<string, SecretKey | undefined>();
  return {
    obtain: (accountId) => {
      if (!keys.has(accountId)) keys.set(accountId, secretKey(randomBytes(KEY_BYTES)));
      const key = keys.get(accountId);
      return key
        ? Promise.resolve(key)
        : Promise.reject(new DestroyedKey(`the data key of ${accountId} was destroyed`));
    },
    find: (accountId) => Promise.resolve(keys.get(accountId)),
    destroy: (accountId) => void keys.set(accountId, undefined),
  };
};
