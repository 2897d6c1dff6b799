import { accountOfStream } from '../domain/account/account.ts';
import type { Consumer } from './follow.ts';

export type KeyOwner = {
  readonly accountId: string;
  readonly keyId: string;
  readonly revoked: boolean;
  /** In ms since the epoch; null where it never does. */
  readonly expiresAtMs: number | null;
};

export type KeyOwners = Consumer & {
  /** By the keyed hash of the key, in hexadecimal. A key that ended is found too, so that its holder can be told. */
  find(hash: string): KeyOwner | undefined;
};

/** Which account a key belongs to, in memory, from the log. */
export const createKeyOwners = (): KeyOwners => {
  const byHash = new Map<string, KeyOwner>();
  const hashOfKey = new Map<string, string>();
  const change = (keyId: string, what: Partial<KeyOwner>): void => {
    const hash = hashOfKey.get(keyId);
    const owner = hash === undefined ? undefined : byHash.get(hash);
    if (hash !== undefined && owner) byHash.set(hash, { ...owner, ...what });
  };
  let position = 0;
  return {
    name: 'key_owners',
    types: new Set(['KeyIssued', 'KeyRevoked', 'KeyLimitsSet']),
    position: () => position,
    apply: (batch, upTo) => {
      for (const { event, stream, position: at } of batch) {
        if (at <= position) continue;
        const accountId = accountOfStream(stream);
        if (accountId === undefined) continue;
        if (event.type === 'KeyIssued') {
          hashOfKey.set(event.keyId, event.hash);
          byHash.set(event.hash, { accountId, keyId: event.keyId, revoked: false, expiresAtMs: null });
        } else if (event.type === 'KeyRevoked') {
          change(event.keyId, { revoked: true });
        } else if (event.type === 'KeyLimitsSet') {
          const { expiresAt } = event.limits;
          change(event.keyId, { expiresAtMs: expiresAt === undefined ? null : Date.parse(expiresAt) });
        }
      }
      position = Math.max(position, upTo);
      return position;
    },
    find: (hash) => byHash.get(hash),
  };
};
