import { z } from 'zod';
import type { DataKeys } from '../secrets/data-keys.ts';
import { openBytes, sealBytes } from '../secrets/sealed-bytes.ts';

const schema = z.strictObject({ name: z.string(), email: z.string() });

/** Who an account's holder is. In the log only as a sealed text; in the clear only while a request runs. */
export type PersonalData = Readonly<z.output<typeof schema>>;

/** Seals personal data before it comes near the log, and opens it for those who may read it. */
export type Vault = {
  /** Never the same text twice. The key that opens it is durable when this resolves. */
  seal(accountId: string, data: PersonalData): Promise<string>;
  /** Undefined where the data was erased. Rejects with BrokenSeal where the text is not what was sealed for the account. */
  open(accountId: string, sealed: string): Promise<PersonalData | undefined>;
};

/** Broken promise: what the log holds as sealed cannot be opened by the account's own key. */
export class BrokenSeal extends Error {
  override readonly name = 'BrokenSeal';
  readonly code = 'broken_seal';

  constructor(accountId: string, why: string) {
    super(`the personal data of ${accountId} cannot be opened: ${why}`);
  }
}

/** Of the sealed text: a new way of sealing gets a new version, and the old one is still opened. */
const VERSION = 'v1';
const PLAIN = 'plain:';

const contextOf = (accountId: string): string => `kissapi personal-data ${VERSION}\n${accountId}`;

/** The form of what was never sealed: version 1 of AccountRegistered, and made-up people. It cannot be erased. */
export const asPlain = ({ name, email }: PersonalData): string => `${PLAIN}${JSON.stringify({ name, email })}`;

/** What can be read without a key; undefined where it is sealed. */
export const readPlain = (accountId: string, personal: string): PersonalData | undefined =>
  personal.startsWith(PLAIN) ? parse(accountId, personal.slice(PLAIN.length)) : undefined;

const parse = (accountId: string, json: string): PersonalData => {
  try {
    return schema.parse(JSON.parse(json));
  } catch {
    // Without its cause, which may quote the text.
    throw new BrokenSeal(accountId, 'it is no personal data');
  }
};

export const createVault = (keys: DataKeys): Vault => ({
  seal: async (accountId, { name, email }) => {
    const key = await keys.obtain(accountId);
    const bytes = sealBytes(key, Buffer.from(JSON.stringify({ name, email })), contextOf(accountId));
    return `${VERSION}.${bytes.toString('base64url')}`;
  },
  open: async (accountId, sealed) => {
    const plain = readPlain(accountId, sealed);
    if (plain) return plain;
    const bytes = bytesOf(sealed);
    if (!bytes) throw new BrokenSeal(accountId, 'it is not in a known form');
    const key = await keys.find(accountId);
    if (!key) return undefined;
    const opened = openBytes(key, bytes, contextOf(accountId));
    if (!opened) throw new BrokenSeal(accountId, 'it was changed, or sealed for another account');
    return parse(accountId, opened.toString());
  },
});

const bytesOf = (sealed: string): Buffer | undefined => {
  const [version, text = '', ...rest] = sealed.split('.');
  if (version !== VERSION || rest.length > 0) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  // Node passes over what is not base64, so that several texts would open to the same.
  return bytes.toString('base64url') === text ? bytes : undefined;
};
