import { z } from 'zod';
import type { DataKeys } from '../secrets/data-keys.ts';
import { openBytes, sealBytes } from '../secrets/sealed-bytes.ts';

/** The longest text that can be sealed, in UTF-16 units. */
export const MAX_SEALED_TEXT = 10_000;

const schema = z.strictObject({
  name: z.string(),
  email: z.string(),
  entity: z.strictObject({ country: z.string(), number: z.string() }).exactOptional(),
  text: z.string().max(MAX_SEALED_TEXT).exactOptional(),
  about: z.string().max(100).exactOptional(),
});

/**
 * Name and e-mail address of a person or an account's holder, and the registration of an entity. Of a contact with support
 * also its text, and the id that it is about. Sealed in the log; in clear text only while a request runs.
 */
export type PersonalData = Readonly<z.output<typeof schema>>;

/** Seals personal data before it is logged, and opens it for authorised readers. */
export type Vault = {
  /** Never returns the same text twice. The key that opens the text is durable when this resolves. */
  seal(accountId: string, data: PersonalData): Promise<string>;
  /** Undefined if the data was erased. Rejects with BrokenSeal if the text was not sealed for the account. */
  open(accountId: string, sealed: string): Promise<PersonalData | undefined>;
};

/** Broken promise: a sealed text in the log cannot be opened with the key of its account. */
export class BrokenSeal extends Error {
  override readonly name = 'BrokenSeal';
  readonly code = 'broken_seal';

  constructor(accountId: string, why: string) {
    super(`the personal data of ${accountId} cannot be opened: ${why}`);
  }
}

/** The version of the sealed format. A new format gets a new version; older ones remain readable. */
const VERSION = 'v1';
const PLAIN = 'plain:';

const contextOf = (accountId: string): string => `kissapi personal-data ${VERSION}\n${accountId}`;

/** The format of data that was never sealed: version 1 of AccountRegistered, and demo accounts. It cannot be erased. */
export const asPlain = ({ name, email }: PersonalData): string => `${PLAIN}${JSON.stringify({ name, email })}`;

/** Reads data that was never sealed; undefined if it is sealed. */
export const readPlain = (accountId: string, personal: string): PersonalData | undefined =>
  personal.startsWith(PLAIN) ? parse(accountId, personal.slice(PLAIN.length)) : undefined;

const parse = (accountId: string, json: string): PersonalData => {
  try {
    return schema.parse(JSON.parse(json));
  } catch {
    // Without the cause, which may quote the text.
    throw new BrokenSeal(accountId, 'it is not personal data');
  }
};

export const createVault = (keys: DataKeys): Vault => ({
  seal: async (accountId, data) => {
    const key = await keys.obtain(accountId);
    const bytes = sealBytes(key, Buffer.from(JSON.stringify(schema.parse(data))), contextOf(accountId));
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
  // Node ignores characters outside base64, so that different texts would open to the same data.
  return bytes.toString('base64url') === text ? bytes : undefined;
};
