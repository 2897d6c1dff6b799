import { createHmac, randomBytes } from 'node:crypto';
import { isWellFormed, newToken, type TokenFormat } from '../../eventstore/secrets/token-format.ts';

/** The secret of a new key, shown once, and the parts that may be stored. */
export type NewSecret = {
  readonly secret: string;
  readonly hash: string;
  readonly pepperId: string;
  readonly hint: string;
};

/** The secret for hashing API keys. It is stored apart from the log, because hashes are useless without it. */
export type Pepper = { readonly id: string; readonly secret: string };

/** The hash of a key under one pepper. */
export type KeyHash = { readonly hash: string; readonly pepperId: string };

export type Keyring = {
  create(): NewSecret;
  /** The hashes of a key under each pepper, newest first; empty if its format or checksum is invalid. */
  hashes(secret: string): readonly KeyHash[];
};

export type KeyringOptions = {
  readonly mode: 'live' | 'test';
  /** The newest first. */
  readonly peppers: readonly [Pepper, ...Pepper[]];
  /** The id of the pepper for new keys: the newest that all running nodes accept. */
  readonly issueWith?: () => string;
};

const formatOf = (mode: 'live' | 'test'): TokenFormat => ({ prefix: `kiss_${mode}_`, randomCharacters: 32 });

/**
 * The format is `kiss_live_` or `kiss_test_`, 32 random characters and a checksum of six, so that typos are refused without
 * a look-up and secret scanners have no false positives.
 */
export const createKeyring = ({ mode, peppers, issueWith }: KeyringOptions): Keyring => {
  const hashWith = (pepper: Pepper, secret: string): KeyHash => ({
    hash: createHmac('sha256', pepper.secret).update(secret).digest('hex'),
    pepperId: pepper.id,
  });
  return {
    create: () => {
      const secret = newToken(formatOf(mode), randomBytes);
      const pepper = peppers.find(({ id }) => id === issueWith?.()) ?? peppers[0];
      return { secret, ...hashWith(pepper, secret), hint: secret.slice(-4) };
    },
    hashes: (secret) => (isKey(secret) ? peppers.map((pepper) => hashWith(pepper, secret)) : []),
  };
};

const isKey = (text: string): boolean => isWellFormed(formatOf('live'), text) || isWellFormed(formatOf('test'), text);
