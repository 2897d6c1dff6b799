import { createHmac, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** A new key's secret, to be shown once, and what may be kept of it. */
export type NewSecret = {
  readonly secret: string;
  readonly hash: string;
  readonly pepperId: string;
  readonly hint: string;
};

/** A secret that API keys are hashed with. Without it, hashes say nothing about keys, so it is kept apart from the log. */
export type Pepper = { readonly id: string; readonly secret: string };

/** The hash of a key under one pepper. */
export type KeyHash = { readonly hash: string; readonly pepperId: string };

export type Keyring = {
  create(): NewSecret;
  /** The hashes of a key under each pepper, the newest first, to look its owner up by; empty if it cannot be a key of ours. */
  hashes(secret: string): readonly KeyHash[];
};

export type KeyringOptions = {
  readonly mode: 'live' | 'test';
  /** The newest first. */
  readonly peppers: readonly [Pepper, ...Pepper[]];
  /** The id of the pepper that new keys are hashed with: the newest that every running node accepts. */
  readonly issueWith?: () => string;
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
export const createKeyring = ({ mode, peppers, issueWith }: KeyringOptions): Keyring => {
  const hashWith = (pepper: Pepper, secret: string): KeyHash => ({
    hash: createHmac('sha256', pepper.secret).update(secret).digest('hex'),
    pepperId: pepper.id,
  });
  return {
    create: () => {
      const random = Array.from({ length: RANDOM_CHARACTERS }, () => ALPHABET.charAt(randomInt(ALPHABET.length)));
      const body = `kiss_${mode}_${random.join('')}`;
      const secret = body + checksum(body);
      const pepper = peppers.find(({ id }) => id === issueWith?.()) ?? peppers[0];
      return { secret, ...hashWith(pepper, secret), hint: secret.slice(-4) };
    },
    hashes: (secret) => (isWellFormed(secret) ? peppers.map((pepper) => hashWith(pepper, secret)) : []),
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
