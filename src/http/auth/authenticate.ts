import type { IncomingMessage } from 'node:http';
import type { KeyHash } from './api-keys.ts';
import { problem, type Problem } from '../server/problems.ts';

export type Customer = { readonly accountId: string; readonly keyId: string };

/** Finds the owner by the keyed hash of the key. */
export type FindKeyOwner = (hash: string) => KeyOwner | undefined;
type KeyOwner = Customer & {
  readonly revoked: boolean;
  readonly expiresAtMs: number | null;
  /** The peppers of the stored hashes of the key. */
  readonly pepperIds: readonly string[];
};
/** The hashes of a key under each pepper of this node; empty if its format is invalid. */
export type HashKey = (secret: string) => readonly KeyHash[];
/** Called with the owner and the hashes of a key in use, so that it can be hashed with a newer pepper. */
export type KeyUsed = (owner: KeyOwner, hashes: readonly KeyHash[]) => void;

export type Authenticate = (request: IncomingMessage) => Customer | Problem;

const bearer = /^Bearer +(\S+) *$/i;

/**
 * The header with the key: `Authorization`, else Anthropic's `X-API-Key` or Azure's `API-Key`. Some clients send a key of
 * their own in a second header, so the order matters.
 */
const secretIn = (headers: IncomingMessage['headers']): string | undefined => {
  const { authorization } = headers;
  const [first, second] = [headers['x-api-key'], headers['api-key']].map((value) => value?.toString());
  const plain = first ?? second;
  if (authorization === undefined) return plain === undefined ? undefined : `Bearer ${plain}`;
  return plain !== undefined && !bearer.test(authorization) ? `Bearer ${plain}` : authorization;
};

/**
 * Authenticates by the key in `Authorization: Bearer …`, `X-API-Key` or `API-Key`. The look-up uses a keyed hash, so its
 * timing reveals nothing about other keys, and no secrets are compared.
 */
export const createAuthenticate = (
  hashKey: HashKey,
  findKeyOwner: FindKeyOwner,
  now: () => Date,
  keyUsed: KeyUsed = () => undefined,
): Authenticate => {
  // A kept-alive connection usually sends the same key again. The entry lives as long as the connection.
  const seen = new WeakMap<object, { readonly header: string; readonly hashes: readonly KeyHash[] }>();

  const hashesOf = ({ socket }: IncomingMessage, header: string): readonly KeyHash[] => {
    const before = seen.get(socket);
    if (before?.header === header) return before.hashes;
    const secret = bearer.exec(header)?.[1];
    const hashes = secret === undefined ? [] : hashKey(secret);
    seen.set(socket, { header, hashes });
    return hashes;
  };

  const ownerOf = (hashes: readonly KeyHash[]): KeyOwner | undefined => {
    for (const { hash } of hashes) {
      const owner = findKeyOwner(hash);
      if (owner) return owner;
    }
    return undefined;
  };

  return (request) => {
    const header = secretIn(request.headers);
    if (header === undefined) {
      return problem('invalid_api_key', {
        message:
          "You didn't provide an API key. Send it in the header Authorization: Bearer YOUR_KEY, or in X-API-Key.",
      });
    }
    const hashes = hashesOf(request, header);
    const owner = ownerOf(hashes);
    if (!owner) return problem('invalid_api_key');
    if (owner.revoked) return problem('invalid_api_key', { message: 'This API key was revoked. Use another key.' });
    if (owner.expiresAtMs !== null && now().getTime() >= owner.expiresAtMs) return problem('key_expired');
    keyUsed(owner, hashes);
    return owner;
  };
};
