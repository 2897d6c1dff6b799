import { accountOfStream } from '../../domain/account/account.ts';
import type { Consumer } from '../follow.ts';

export type KeyOwner = {
  readonly accountId: string;
  readonly keyId: string;
  readonly revoked: boolean;
  /** In ms since the epoch; null if the key does not expire. */
  readonly expiresAtMs: number | null;
  /** The peppers that the key was hashed with. */
  readonly pepperIds: readonly string[];
};

export type KeyOwners = Consumer & {
  /**
   * By the keyed hash of the key, in hexadecimal. Includes revoked and expired keys, so that the error can name the
   * cause.
   */
  find(hash: string): KeyOwner | undefined;
  /**
   * The live keys by the pepper that they depend on: the first of `preferredIds` that the key was hashed with, or the last
   * pepper of the key if there is none. Preferred ids without keys have an empty list.
   */
  byPepper(preferredIds: readonly string[], now: Date): ReadonlyMap<string, readonly KeyOwner[]>;
};

/** The owner of each key, in memory, from the log. */
export const createKeyOwners = (): KeyOwners => {
  // A key has a hash for each pepper that it was used with, and all of them have one owner.
  const keyOfHash = new Map<string, string>();
  const owners = new Map<string, KeyOwner>();
  const change = (key: string, what: (owner: KeyOwner) => Partial<KeyOwner>): void => {
    const owner = owners.get(key);
    if (owner) owners.set(key, { ...owner, ...what(owner) });
  };
  let position = 0;
  return {
    name: 'key_owners',
    types: new Set(['KeyIssued', 'KeyRehashed', 'KeyRevoked', 'KeyLimitsSet']),
    position: () => position,
    apply: (batch, upTo) => {
      for (const { event, stream, position: at } of batch) {
        if (at <= position || !('keyId' in event)) continue;
        const accountId = accountOfStream(stream);
        if (accountId === undefined) continue;
        const { keyId } = event;
        const key = `${accountId}/${keyId}`;
        if (event.type === 'KeyIssued') {
          keyOfHash.set(event.hash, key);
          owners.set(key, { accountId, keyId, revoked: false, expiresAtMs: null, pepperIds: [event.pepperId] });
        } else if (event.type === 'KeyRehashed') {
          keyOfHash.set(event.hash, key);
          change(key, ({ pepperIds }) => ({ pepperIds: [...pepperIds, event.pepperId] }));
        } else if (event.type === 'KeyRevoked') {
          change(key, () => ({ revoked: true }));
        } else if (event.type === 'KeyLimitsSet') {
          const { expiresAt } = event.limits;
          change(key, () => ({ expiresAtMs: expiresAt === undefined ? null : Date.parse(expiresAt) }));
        }
      }
      position = Math.max(position, upTo);
      return position;
    },
    byPepper: (preferredIds, now) => {
      const found = new Map<string, KeyOwner[]>(preferredIds.map((id) => [id, []]));
      for (const owner of owners.values()) {
        const { revoked, expiresAtMs, pepperIds } = owner;
        if (revoked || (expiresAtMs !== null && expiresAtMs <= now.getTime())) continue;
        const id = preferredIds.find((one) => pepperIds.includes(one)) ?? pepperIds.at(-1) ?? '';
        const keys = found.get(id);
        if (keys) keys.push(owner);
        else found.set(id, [owner]);
      }
      return found;
    },
    find: (hash) => {
      const key = keyOfHash.get(hash);
      return key === undefined ? undefined : owners.get(key);
    },
  };
};
