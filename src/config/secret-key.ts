import { createSecretKey } from 'node:crypto';
import type { SecretKey } from '../eventstore/secrets/sealed-bytes.ts';

/** A key of 32 bytes from base64 (either alphabet) or hexadecimal; undefined if the text is neither. */
export const parseSecretKey = (text: string): SecretKey | undefined => {
  if (/^[0-9a-f]{64}$/i.test(text)) return createSecretKey(Buffer.from(text, 'hex'));
  return /^[\w+/-]{43}=?$/.test(text) ? createSecretKey(Buffer.from(text, 'base64')) : undefined;
};
