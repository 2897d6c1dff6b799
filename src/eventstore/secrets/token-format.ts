import { crc32 } from 'node:zlib';

/** Random bytes of the given number, such as `randomBytes` of node:crypto. */
export type RandomBytes = (size: number) => Buffer;

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const CHECK_CHARACTERS = 6;
/** Bytes from here on are drawn again, so that each character is equally likely. */
const UNBIASED = 256 - (256 % ALPHABET.length);

/** A bearer secret: a prefix such as `kiss_live_`, random characters, and a checksum of six characters. */
export type TokenFormat = {
  readonly prefix: string;
  /** Each is worth 5.95 bits: 32 are more than 190 bits, 43 more than 256 bits. */
  readonly randomCharacters: number;
};

export const newToken = ({ prefix, randomCharacters }: TokenFormat, randomBytes: RandomBytes): string => {
  let body = prefix;
  while (body.length < prefix.length + randomCharacters) {
    for (const byte of randomBytes(randomCharacters)) {
      if (byte < UNBIASED && body.length < prefix.length + randomCharacters) body += ALPHABET.charAt(byte % 62);
    }
  }
  return body + checksum(body);
};

/** Whether prefix, length and checksum are valid: typos are refused without a look-up, and secret scanners find no others. */
export const isWellFormed = ({ prefix, randomCharacters }: TokenFormat, text: string): boolean =>
  text.startsWith(prefix) &&
  text.length === prefix.length + randomCharacters + CHECK_CHARACTERS &&
  /^[0-9A-Za-z]+$/.test(text.slice(prefix.length)) &&
  checksum(text.slice(0, -CHECK_CHARACTERS)) === text.slice(-CHECK_CHARACTERS);

const checksum = (text: string): string => {
  let value = crc32(text);
  let digits = '';
  for (let n = 0; n < CHECK_CHARACTERS; n++) {
    digits = ALPHABET.charAt(value % 62) + digits;
    value = Math.floor(value / 62);
  }
  return digits;
};
