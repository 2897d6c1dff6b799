import type { KeyEvent } from './events.ts';

export type Key = {
  readonly name: string;
  readonly hint: string;
  /** The peppers that its secret was hashed with, in that order. */
  readonly pepperIds: readonly string[];
  readonly revoked: boolean;
  /** The key that it replaces. */
  readonly replaces?: string;
  readonly leaked?: true;
};

/** Includes revoked keys, so that support can distinguish a revoked key from an unknown one. The number of keys is bounded. */
export type Keys = ReadonlyMap<string, Key>;

/** Keys that are neither revoked nor expired. */
export const MAX_LIVE_KEYS = 500;
/** Of all keys that an account ever had, because they are part of its state. */
export const MAX_KEYS = 10_000;

export const evolveKeys = (keys: Keys, event: KeyEvent): Keys => {
  switch (event.type) {
    case 'KeyIssued': {
      const { keyId, name, hint, pepperId, replaces } = event;
      const issued = { name, hint, pepperIds: [pepperId], revoked: false };
      return new Map(keys).set(keyId, replaces === undefined ? issued : { ...issued, replaces });
    }
    case 'KeyRehashed': {
      const key = keys.get(event.keyId);
      return key ? new Map(keys).set(event.keyId, { ...key, pepperIds: [...key.pepperIds, event.pepperId] }) : keys;
    }
    case 'KeyRevoked': {
      const key = keys.get(event.keyId);
      return key ? new Map(keys).set(event.keyId, { ...key, revoked: true }) : keys;
    }
    case 'KeyLeakReported': {
      const key = keys.get(event.keyId);
      return key ? new Map(keys).set(event.keyId, { ...key, leaked: true }) : keys;
    }
  }
};

/** Whether another key replaces it. */
export const isReplaced = (keys: Keys, keyId: string): boolean =>
  [...keys.values()].some(({ replaces }) => replaces === keyId);
