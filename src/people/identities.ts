import { createHmac } from 'node:crypto';
import type { Address } from '../domain/identity/address.ts';
import { identityStream } from '../domain/identity/claims.ts';
import { canonicalEntity, type Entity } from '../domain/identity/entity.ts';

/** The keyed hashes of identities. Without the secret, an address cannot be compared with a stream of the log. */
export type Identities = {
  /** Of a mailbox, in hexadecimal: the same for all spellings that reach it. */
  hashOf(address: Pick<Address, 'canonical'>): string;
  /** The stream of the claims of a mailbox. */
  ofAddress(address: Pick<Address, 'canonical'>): string;
  ofEntity(entity: Entity): string;
};

/** `secret` is `identities` of the shared secrets. With another one, the same person could register again. */
export const createIdentities = (secret: string): Identities => {
  const hash = (kind: string, canonical: string): string =>
    createHmac('sha256', secret).update(`kissapi identity v1\n${kind}\n${canonical}`).digest('hex');
  const hashOf: Identities['hashOf'] = ({ canonical }) => hash('address', canonical);
  return {
    hashOf,
    ofAddress: (address) => identityStream(hashOf(address)),
    ofEntity: (entity) => identityStream(hash('entity', canonicalEntity(entity))),
  };
};
