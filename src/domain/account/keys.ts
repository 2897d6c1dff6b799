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

/**
 * Includes revoked keys, so that support can distinguish a revoked key from an unknown one. The number of keys is bounded.
 * Changes in place: closing an account revokes all of them at once.
 */
export type Keys = Map<string, Key>;

/** Keys that are neither revoked nor expired. */
export const MAX_LIVE_KEYS = 500;
/** Of all keys that an account ever had, because they are part of its state. */
export const MAX_KEYS = 10_000;

export const evolveKeys = (keys: Keys, event: KeyEvent): Keys => {
  const change = (changed: (key: Key) => Key): Keys => {
    const key = keys.get(event.keyId);
    return key ? keys.set(event.keyId, changed(key)) : keys;
  };
  switch (event.type) {
    case 'KeyIssued': {
      const { keyId, name, hint, pepperId, replaces } = event;
      const issued = { name, hint, pepperIds: [pepperId], revoked: false };
      return keys.set(keyId, replaces === undefined ? issued : { ...issued, replaces });
    }
    case 'KeyRehashed':
      return change((key) => ({ ...key, pepperIds: [...key.pepperIds, event.pepperId] }));
    case 'KeyRevoked':
      return change((key) => ({ ...key, revoked: true }));
    case 'KeyLeakReported':
      return change((key) => ({ ...key, leaked: true }));
  }
};

/** Whether another key replaces it. */
export const isReplaced = (keys: Keys, keyId: string): boolean =>
  [...keys.values()].some(({ replaces }) => replaces === keyId);
