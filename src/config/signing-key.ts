import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { localSecret, readLocalSecret } from './local-secrets.ts';

/** The key that signs the head of the log: Ed25519, PKCS#8, as PEM or as base64 in one line. Throws for anything else. */
export const parseSigningKey = (text: string): KeyObject => {
  const decoded = text.includes('-----BEGIN') ? text : Buffer.from(text, 'base64');
  // In base64 may be either the PEM file as it is, or what stands between its first and last line.
  const isPem = typeof decoded === 'string' || decoded.includes('-----BEGIN');
  const key = createPrivateKey(isPem ? decoded.toString() : { key: decoded as Buffer, format: 'der', type: 'pkcs8' });
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('it is not an Ed25519 key');
  return key;
};

const NAME = 'signing-key';

/** That of a development machine; undefined before its first start. */
export const readLocalSigningKey = async (dataDir: string): Promise<KeyObject | undefined> => {
  const text = await readLocalSecret(dataDir, NAME);
  return text === undefined || text === '' ? undefined : parseSigningKey(text);
};

/** The same, made up at the first call. */
export const localSigningKey = async (dataDir: string): Promise<KeyObject> =>
  parseSigningKey((await localSecret(dataDir, NAME, makeSigningKey)).secret);

const makeSigningKey = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
