import type { KeyEvent } from './events.ts';

export type Key = {
  readonly name: string;
  readonly hint: string;
  /** The peppers that its secret was hashed with, in that order. */
  readonly pepperIds: readonly string[];
  readonly revoked: boolean;
};

/** Revoked keys stay, so that support can tell a revoked key from one that never was; the number of keys is bounded. */
export type Keys = ReadonlyMap<string, Key>;

export const MAX_KEYS = 500;

export const evolveKeys = (keys: Keys, event: KeyEvent): Keys => {
  switch (event.type) {
    case 'KeyIssued': {
      const { keyId, name, hint, pepperId } = event;
      return new Map(keys).set(keyId, { name, hint, pepperIds: [pepperId], revoked: false });
    }
    case 'KeyRehashed': {
      const key = keys.get(event.keyId);
      return key ? new Map(keys).set(event.keyId, { ...key, pepperIds: [...key.pepperIds, event.pepperId] }) : keys;
    }
    case 'KeyRevoked': {
      const key = keys.get(event.keyId);
      return key ? new Map(keys).set(event.keyId, { ...key, revoked: true }) : keys;
    }
  }
};
