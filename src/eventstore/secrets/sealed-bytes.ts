import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';

/** 256 bits. A KeyObject instead of bytes, because printing it does not reveal the key. */
export type SecretKey = KeyObject;

export const KEY_BYTES = 32;
/** The recommended length (NIST SP 800-38D). With random nonces, one key may seal about four billion times. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export const secretKey = (bytes: Buffer): SecretKey => createSecretKey(bytes);

/** AES-256-GCM: nonce, ciphertext and tag, concatenated. `context` is authenticated but not included. */
export const sealBytes = (key: SecretKey, bytes: Buffer, context: string): Buffer => {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
};

/** Undefined if the bytes were sealed with another key or context, or changed since. */
export const openBytes = (key: SecretKey, sealed: Buffer, context: string): Buffer | undefined => {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
};
