import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';

/** What a browser and an authenticator do together, with what may be wrong about it. */
export type Deviations = {
  /** Of the page; by default that of the authenticator's options. */
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  /** The value of the signature counter. By default it grows by one. */
  readonly counter?: number;
  readonly userHandle?: string;
  /** Signs with this key. */
  readonly key?: KeyObject;
  /** Whether a PIN or a finger was checked. By default as the options ask. */
  readonly verifiesUser?: boolean;
  /** Of a new credential. */
  readonly credentialId?: Buffer;
  readonly transports?: readonly string[];
};

export type SoftwareAuthenticator = {
  /** As `navigator.credentials.create`, with attestation "none". */
  create(options: PublicKeyCredentialCreationOptionsJSON, deviations?: Deviations): RegistrationResponseJSON;
  /** As `navigator.credentials.get`. */
  get(options: PublicKeyCredentialRequestOptionsJSON, deviations?: Deviations): AuthenticationResponseJSON;
};

type Credential = { readonly id: string; readonly rpId: string; readonly userHandle: string; readonly key: KeyObject };

/** An authenticator without hardware: keys of ES256 in memory, one signature counter for all of them. */
export const createSoftwareAuthenticator = (
  origin: string,
  /** Passkeys that are synchronised do not count: their counter is always 0. */
  { counts = true }: { readonly counts?: boolean } = {},
): SoftwareAuthenticator => {
  const credentials: Credential[] = [];
  let counter = 0;
  const nextCounter = (): number => (counts ? ++counter : 0);

  return {
    create: (options, deviations = {}) => {
      const rpId = options.rp.id ?? new URL(origin).hostname;
      const known = options.excludeCredentials ?? [];
      if (credentials.some(({ id }) => known.some((one) => one.id === id))) throw new Error('InvalidStateError');
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const id = deviations.credentialId ?? randomBytes(32);
      credentials.push({ id: base64url(id), rpId, userHandle: options.user.id, key: privateKey });
      const authData = authenticatorData({
        rpId: deviations.rpId ?? rpId,
        verified: deviations.verifiesUser ?? asksForUser(options.authenticatorSelection?.userVerification),
        counter: deviations.counter ?? nextCounter(),
        attested: Buffer.concat([Buffer.alloc(16), uint16(id.length), id, coseKey(publicKey)]),
      });
      return {
        ...credentialOf(base64url(id)),
        response: {
          clientDataJSON: clientData('webauthn.create', { origin, challenge: options.challenge, ...deviations }),
          attestationObject: base64url(
            cbor(new Map<string, Cbor>([['fmt', 'none'], ['attStmt', new Map()], ['authData', authData]])), // prettier-ignore
          ),
          transports: [...(deviations.transports ?? ['internal'])] as NonNullable<
            RegistrationResponseJSON['response']['transports']
          >,
        },
      };
    },
    get: (options, deviations = {}) => {
      const rpId = options.rpId ?? new URL(origin).hostname;
      const allowed = options.allowCredentials ?? [];
      const credential = credentials.findLast(
        (one) => one.rpId === rpId && (allowed.length === 0 || allowed.some(({ id }) => id === one.id)),
      );
      if (!credential) throw new Error('NotAllowedError');
      const clientDataJSON = clientData('webauthn.get', { origin, challenge: options.challenge, ...deviations });
      const authData = authenticatorData({
        rpId: deviations.rpId ?? rpId,
        verified: deviations.verifiesUser ?? asksForUser(options.userVerification),
        counter: deviations.counter ?? nextCounter(),
      });
      const signed = Buffer.concat([authData, sha256(Buffer.from(clientDataJSON, 'base64url'))]);
      return {
        ...credentialOf(credential.id),
        response: {
          clientDataJSON,
          authenticatorData: base64url(authData),
          signature: base64url(sign('sha256', signed, deviations.key ?? credential.key)),
          userHandle: deviations.userHandle ?? credential.userHandle,
        },
      };
    },
  };
};

const base64url = (bytes: Buffer): string => bytes.toString('base64url');
const sha256 = (bytes: Buffer | string): Buffer => createHash('sha256').update(bytes).digest();
const asksForUser = (verification: string | undefined): boolean => verification !== 'discouraged';
const credentialOf = (id: string) => ({ id, rawId: id, type: 'public-key', clientExtensionResults: {} }) as const;

const clientData = (type: string, { origin, challenge }: { readonly origin: string; readonly challenge: string }) =>
  base64url(Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false })));

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const ATTESTED_CREDENTIAL = 0x40;

type AuthenticatorData = {
  readonly rpId: string;
  readonly verified: boolean;
  readonly counter: number;
  readonly attested?: Buffer;
};

/** WebAuthn Level 3, section 6.1. */
const authenticatorData = ({ rpId, verified, counter, attested }: AuthenticatorData): Buffer => {
  const flags = USER_PRESENT | (verified ? USER_VERIFIED : 0) | (attested ? ATTESTED_CREDENTIAL : 0);
  const count = Buffer.alloc(4);
  count.writeUInt32BE(counter);
  return Buffer.concat([sha256(rpId), Buffer.from([flags]), count, attested ?? Buffer.alloc(0)]);
};

/** COSE key of ES256 (RFC 9053, sections 2.1 and 7.1.1). */
const coseKey = (publicKey: KeyObject): Buffer => {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  return cbor(new Map<number, Cbor>([[1, 2], [3, -7], [-1, 1], [-2, Buffer.from(x, 'base64url')], [-3, Buffer.from(y, 'base64url')]])); // prettier-ignore
};

type Cbor = number | string | Buffer | Map<number, Cbor> | Map<string, Cbor>;

/** The part of CBOR (RFC 8949) that is needed here. */
const cbor = (value: Cbor): Buffer => {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  const entries = [...(value as Map<number | string, Cbor>)];
  return Buffer.concat([head(5, entries.length), ...entries.flatMap(([key, one]) => [cbor(key), cbor(one)])]);
};

const head = (major: number, argument: number): Buffer => {
  if (argument < 24) return Buffer.from([(major << 5) | argument]);
  if (argument < 256) return Buffer.from([(major << 5) | 24, argument]);
  return Buffer.concat([Buffer.from([(major << 5) | 25]), uint16(argument)]);
};
const uint16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
};
