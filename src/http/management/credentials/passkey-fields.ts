import { z } from 'zod';
import type { Passkey } from '../../../identity/passkeys/passkeys.ts';
import { text, time } from '../router/fields.ts';

const json = z.record(z.string(), z.json());
type Json = z.output<typeof json>;

export const passkeyId = z.string().meta({ description: 'Passkey', example: 'pky_4c1b7e92d05f4a38b6e1c947' });
export const passkeyName = text(100).meta({ description: 'Your name for it. It is not in the log', example: 'Laptop' });

export const passkeyView = z
  .strictObject({
    passkey_id: passkeyId,
    name: z.string(),
    created_at: time,
    used_at: time.nullable().meta({ description: 'null if it was never used' }),
  })
  .meta({ id: 'Passkey' });

export const viewPasskey = ({ id, name, createdAt, usedAt }: Passkey): z.output<typeof passkeyView> => ({
  passkey_id: id,
  name,
  created_at: createdAt.toISOString(),
  used_at: usedAt?.toISOString() ?? null,
});

export const passkeyExample: z.output<typeof passkeyView> = {
  passkey_id: 'pky_4c1b7e92d05f4a38b6e1c947',
  name: 'Laptop',
  created_at: '2026-01-31T10:00:00.000Z',
  used_at: null,
};

/** What the browser returned, as its `toJSON` writes it. Only `identity/` reads it: a check here would recurse into it. */
export const browserResponse = z.record(z.string(), z.unknown()).meta({
  description: 'What `navigator.credentials` returned for the options, as its method `toJSON` writes it',
});

/** What the browser is given. */
export const browserOptions = z.strictObject({
  options: json.meta({
    description: 'For `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`',
  }),
});

/** The options of the library have the shape of the standard. */
export const viewOptions = (options: object): z.output<typeof browserOptions> => ({ options: options as Json });

export const creationOptionsExample = {
  options: {
    challenge: 'Y2hhbGxlbmdlIG9mIHRoZSBleGFtcGxl',
    rp: { id: 'api.example.com', name: 'KissAPI' },
    user: { id: 'cGVyXzE', name: 'ada@example.com', displayName: '' },
    pubKeyCredParams: [{ alg: -8, type: 'public-key' }],
    timeout: 300_000,
    excludeCredentials: [],
    authenticatorSelection: { residentKey: 'required', userVerification: 'preferred', requireResidentKey: true },
    attestation: 'none',
  },
};

export const requestOptionsExample = {
  options: {
    challenge: 'Y2hhbGxlbmdlIG9mIHRoZSBleGFtcGxl',
    rpId: 'api.example.com',
    timeout: 300_000,
    allowCredentials: [],
    userVerification: 'preferred',
  },
};

export const registrationExample = {
  ...{ id: 'ZXhhbXBsZQ', rawId: 'ZXhhbXBsZQ', type: 'public-key', clientExtensionResults: {} },
  response: { clientDataJSON: 'e30', attestationObject: 'oA', transports: ['internal'] },
};

export const assertionExample = {
  ...{ id: 'ZXhhbXBsZQ', rawId: 'ZXhhbXBsZQ', type: 'public-key', clientExtensionResults: {} },
  response: { clientDataJSON: 'e30', authenticatorData: 'AA', signature: 'AA', userHandle: 'cGVyXzE' },
};
