import { createHmac, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

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

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 62^32 is more than 190 bits. */
const RANDOM_CHARACTERS = 32;
const CHECK_CHARACTERS = 6;
const pattern = new RegExp(`^kiss_(?:live|test)_[0-9A-Za-z]{${RANDOM_CHARACTERS + CHECK_CHARACTERS}}$`);

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
