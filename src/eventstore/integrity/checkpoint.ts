import { createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { GENESIS } from './chain.ts';

/** A signed statement about the log up to a position: the hash of the event there covers all events before it. */
export type Checkpoint = {
  readonly position: number;
  /** When it was signed; not before the time of the event. */
  readonly time: Date;
  /** Of the event at that position. */
  readonly hash: string;
  /** The digest of the checkpoint before this one, so that a removed checkpoint is detected; zeros for the first. */
  readonly previous: string;
  readonly keyId: string;
  /** Ed25519, in base64. */
  readonly signature: string;
};

export type UnsignedCheckpoint = Omit<Checkpoint, 'keyId' | 'signature'>;

/** The digest before the first checkpoint. */
export const NO_CHECKPOINT = GENESIS;

/** The text that is signed. It starts with its own name, so that the signature is valid for nothing else: docs/export-format.md. */
export const signedText = ({ position, time, hash, previous, keyId }: Omit<Checkpoint, 'signature'>): string =>
  `kissapi checkpoint v1\n${position}\n${time.toISOString()}\n${hash}\n${previous}\n${keyId}\n`;

export const digestOf = (checkpoint: Omit<Checkpoint, 'signature'>): string =>
  hash('sha256', signedText(checkpoint), 'hex');

export const publicKeyOf = (key: KeyObject): KeyObject => (key.type === 'private' ? createPublicKey(key) : key);

/** The first 16 hexadecimal digits of SHA-256 over the public key (SPKI, DER). */
export const keyIdOf = (key: KeyObject): string =>
  hash('sha256', publicKeyOf(key).export({ type: 'spki', format: 'der' }), 'hex').slice(0, 16);

export const publicKeyPem = (key: KeyObject): string =>
  publicKeyOf(key).export({ type: 'spki', format: 'pem' }).toString();

export const signCheckpoint = (unsigned: UnsignedCheckpoint, privateKey: KeyObject): Checkpoint => {
  const named = { ...unsigned, keyId: keyIdOf(privateKey) };
  return { ...named, signature: sign(null, Buffer.from(signedText(named)), privateKey).toString('base64') };
};

export const isSignedBy = (checkpoint: Checkpoint, publicKey: KeyObject): boolean =>
  verify(null, Buffer.from(signedText(checkpoint)), publicKey, Buffer.from(checkpoint.signature, 'base64'));

const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** A checkpoint as JSON: in exports, in log lines, over HTTP, and in files that are kept elsewhere. */
export const checkpointJson = z.strictObject({
  position: z.int().positive(),
  time: z.iso.datetime({ precision: 3 }),
  hash: digest,
  previous: digest,
  key_id: z.string().regex(/^[0-9a-f]{16}$/),
  signature: z.base64().length(88),
});

export type CheckpointJson = z.output<typeof checkpointJson>;

export const toJson = ({ position, time, hash, previous, keyId, signature }: Checkpoint): CheckpointJson => ({
  ...{ position, time: time.toISOString(), hash, previous, key_id: keyId, signature },
});

/** Throws a ZodError if the JSON is not a checkpoint. */
export const fromJson = (json: unknown): Checkpoint => {
  const { key_id: keyId, time, ...rest } = checkpointJson.parse(json);
  return { ...rest, keyId, time: new Date(time) };
};
