import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { readCommandConfig } from '../../config/config.ts';
import { publicKeyPem } from '../../eventstore/integrity/checkpoint.ts';
import { readLocalSigningKey } from '../../config/signing-key.ts';
import { CliFault } from './fault.ts';
import { fileTrouble } from './file-faults.ts';

/** Collects the values of `--public-key`. */
export const several = (file: string, before: readonly string[] = []): readonly string[] => [...before, file];

const readPublicKey = async (file: string): Promise<string> => {
  let key: KeyObject;
  try {
    const pem = await readFile(file);
    if (pem.length === 0) throw new CliFault('it is empty');
    key = createPublicKey(pem);
  } catch (cause) {
    throw new CliFault(`${file} cannot be read as a public key (PEM): ${reason(cause)}.`, { cause });
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new CliFault(`${file} is not an Ed25519 key, as checkpoints are signed with.`);
  return publicKeyPem(key);
};

/** Public keys as PEM, from the files or, without files, from the gateway on this machine. */
export const publicKeys = async (files: readonly string[]): Promise<readonly string[]> => {
  if (files.length > 0) return Promise.all(files.map(readPublicKey));
  const { signingKey, dataDir } = readCommandConfig();
  const key = signingKey ?? (await readLocalSigningKey(dataDir));
  return key ? [publicKeyPem(key)] : [];
};

/** The cause of an error, described if it is an error of a file. */
export const reason = (cause: unknown): string =>
  fileTrouble(cause) ?? (cause instanceof Error ? cause.message : String(cause));
