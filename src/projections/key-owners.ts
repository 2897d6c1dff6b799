import { accountOfStream } from '../domain/account/account.ts';
import type { Consumer } from './follow.ts';

export type KeyOwner = { readonly accountId: string; readonly keyId: string; readonly revoked: boolean };

export type KeyOwners = Consumer & {
  /** By the keyed hash of the key, in hexadecimal. A revoked key is found too, so that its holder can be told. */
  find(hash: string): KeyOwner | undefined;
};

/** Which account a key belongs to, in memory, from the log. */
export const createKeyOwners = (): KeyOwners => {
  const byHash = new Map<string, KeyOwner>();
  const hashOfKey = new Map<string, string>();
  let position = 0;
  return {
    name: 'key_owners',
    types: new Set(['KeyIssued', 'KeyRevoked']),
    position: () => position,
    apply: (batch, upTo) => {
      for (const { event, stream, position: at } of batch) {
        if (at <= position) continue;
        const accountId = accountOfStream(stream);
        if (accountId === undefined) continue;
        if (event.type === 'KeyIssued') {
          hashOfKey.set(event.keyId, event.hash);
          byHash.set(event.hash, { accountId, keyId: event.keyId, revoked: false });
        } else if (event.type === 'KeyRevoked') {
          const hash = hashOfKey.get(event.keyId);
          if (hash !== undefined) byHash.set(hash, { accountId, keyId: event.keyId, revoked: true });
        }
      }
      position = Math.max(position, upTo);
      return position;
    },
    find: (hash) => byHash.get(hash),
  };
};
