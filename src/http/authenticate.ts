import type { Request } from 'express';
import { problem, type Problem } from './problems.ts';

export type Customer = { readonly accountId: string; readonly keyId: string };

/** By the keyed hash of the key. */
export type FindKeyOwner = (
  hash: string,
) => (Customer & { readonly revoked: boolean; readonly expiresAtMs: number | null }) | undefined;
/** Undefined for what cannot be a key of ours. */
export type HashKey = (secret: string) => string | undefined;

export type Authenticate = (request: Request) => Customer | Problem;

const bearer = /^Bearer +(\S+) *$/i;

/**
 * Who asks, from the key in `Authorization: Bearer …`. The hash is keyed, so looking it up tells an attacker nothing about
 * other keys, and no comparison of secrets takes place.
 */
export const createAuthenticate = (hashKey: HashKey, findKeyOwner: FindKeyOwner, now: () => Date): Authenticate => {
  // A connection that is kept alive mostly sends the same key again, and is remembered no longer than it is open.
  const seen = new WeakMap<object, { readonly header: string; readonly hash: string | undefined }>();

  const hashOf = ({ socket }: Request, header: string): string | undefined => {
    const before = seen.get(socket);
    if (before?.header === header) return before.hash;
    const secret = bearer.exec(header)?.[1];
    const hash = secret === undefined ? undefined : hashKey(secret);
    seen.set(socket, { header, hash });
    return hash;
  };

  return (request) => {
    const header = request.headers.authorization;
    if (header === undefined) {
      return problem('invalid_api_key', {
        message: "You didn't provide an API key. Send it in the header Authorization: Bearer YOUR_KEY.",
      });
    }
    const hash = hashOf(request, header);
    const owner = hash === undefined ? undefined : findKeyOwner(hash);
    if (!owner) return problem('invalid_api_key');
    if (owner.revoked) return problem('invalid_api_key', { message: 'This API key was revoked. Use another one.' });
    if (owner.expiresAtMs !== null && now().getTime() >= owner.expiresAtMs) return problem('key_expired');
    return owner;
  };
};
