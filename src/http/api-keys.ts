import { createHmac, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** A new key's secret, to be shown once, and what may be kept of it. */
export type NewSecret = {
  readonly secret: string;
  readonly hash: string;
  readonly pepperId: string;
  readonly hint: string;
};

export type Keyring = {
  create(): NewSecret;
  /** The keyed hash of a key, to look its owner up by; undefined where it cannot be a key of ours. */
  hash(secret: string): string | undefined;
};

export type KeyringOptions = {
  readonly mode: 'live' | 'test';
  /** Without it, hashes say nothing about keys, so it is kept apart from the log. */
  readonly pepper: string;
  readonly pepperId: string;
};

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 62^32 is more than 190 bits. */
const RANDOM_CHARACTERS = 32;
const CHECK_CHARACTERS = 6;
const pattern = new RegExp(`^kiss_(?:live|test)_[0-9A-Za-z]{${RANDOM_CHARACTERS + CHECK_CHARACTERS}}$`);

/**
 * Keys look like `kiss_live_` or `kiss_test_`, 32 random characters and a checksum of six, so that a typo is refused
 * without a look-up and scanners for leaked secrets can be sure.
 */
export const createKeyring = ({ mode, pepper, pepperId }: KeyringOptions): Keyring => {
  const hashOf = (secret: string): string => createHmac('sha256', pepper).update(secret).digest('hex');
  return {
    create: () => {
      const random = Array.from({ length: RANDOM_CHARACTERS }, () => ALPHABET.charAt(randomInt(ALPHABET.length)));
      const body = `kiss_${mode}_${random.join('')}`;
      const secret = body + checksum(body);
      return { secret, hash: hashOf(secret), pepperId, hint: secret.slice(-4) };
    },
    hash: (secret) => (isWellFormed(secret) ? hashOf(secret) : undefined),
  };
};

const isWellFormed = (secret: string): boolean =>
  pattern.test(secret) && checksum(secret.slice(0, -CHECK_CHARACTERS)) === secret.slice(-CHECK_CHARACTERS);

const checksum = (text: string): string => {
  let value = crc32(text);
  let digits = '';
  for (let n = 0; n < CHECK_CHARACTERS; n++) {
    digits = ALPHABET.charAt(value % 62) + digits;
    value = Math.floor(value / 62);
  }
  return digits;
};
