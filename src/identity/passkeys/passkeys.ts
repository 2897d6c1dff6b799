import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { derivedId } from '../../eventstore/ids.ts';
import { CHALLENGE_TTL_MS, createChallenges, type ChallengesOptions } from './challenges.ts';
import { MAX_CREDENTIAL_ID, readAssertion, readRegistration } from './responses.ts';

export type Passkey = {
  /** `pky_…`. Derives from the credential id, which may have a thousand bytes. */
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  /** Null if it was never used. */
  readonly usedAt: Date | null;
};

export type PasskeyRegistration =
  | { readonly kind: 'registered'; readonly passkey: Passkey }
  | {
      readonly kind: 'refused';
      readonly reason: 'malformed' | 'unknown_challenge' | 'not_verified' | 'already_registered';
    };

export type PasskeySignIn =
  | {
      readonly kind: 'verified';
      readonly personId: string;
      readonly passkeyId: string;
      /** Whether the authenticator checked a PIN or a finger, and not only a touch. */
      readonly userVerified: boolean;
    }
  | {
      readonly kind: 'refused';
      /** `counter_regressed`: the signature is valid, but older than the last one, so the authenticator may have been copied. */
      readonly reason: 'malformed' | 'unknown_challenge' | 'unknown_credential' | 'not_verified' | 'counter_regressed';
    };

export type PasskeyUser = {
  readonly personId: string;
  /** What the authenticator shows, such as the address. It is not stored here. */
  readonly userName: string;
  /** Whether the authenticator must verify the user: required for staff. */
  readonly verifyUser: boolean;
};

export type Passkeys = {
  /** For `navigator.credentials.create`. The challenge is valid for five minutes and for one answer. */
  registrationOptions(user: PasskeyUser): Promise<PublicKeyCredentialCreationOptionsJSON>;
  /** `body` is the browser's response. The person must be the one that asked for the options. */
  register(personId: string, body: unknown, name: string): Promise<PasskeyRegistration>;
  /** For `navigator.credentials.get`. With a person, for a second step: only that person's passkeys are accepted. */
  signInOptions(options: {
    readonly personId?: string | undefined;
    readonly verifyUser: boolean;
  }): Promise<PublicKeyCredentialRequestOptionsJSON>;
  /** `body` is the browser's response. If the options named a person, only that person is verified. */
  signIn(body: unknown): Promise<PasskeySignIn>;
  /** The oldest first. */
  list(personId: string): Promise<readonly Passkey[]>;
  /** False if the person has no such passkey. */
  rename(personId: string, passkeyId: string, name: string): Promise<boolean>;
  /** False if the person has no such passkey. */
  remove(personId: string, passkeyId: string): Promise<boolean>;
  /** Deletes challenges that were not answered, and resolves to their number. */
  deleteExpired(): Promise<number>;
};

export type PasskeysOptions = ChallengesOptions & {
  /** `PUBLIC_URL`. Passkeys belong to its host name: under another one they do not work. */
  readonly publicUrl: () => string;
  /** Shown by the authenticator. */
  readonly serviceName: string;
};

/**
 * EdDSA, ES256 and RS256, as COSE numbers. The library would add ML-DSA, which is experimental in Node.js and makes it print a
 * warning.
 */
const ALGORITHMS = [-8, -7, -257];
const COLUMNS = 'id, name, created_at as "createdAt", used_at as "usedAt"';

type Stored = {
  /** Of the credential. */
  readonly id: string;
  readonly passkeyId: string;
  readonly personId: string;
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly transports: string[];
};
const STORED = 'credential_id as id, id as "passkeyId", person_id as "personId", public_key as "publicKey", transports';

export const createPasskeys = (options: PasskeysOptions): Passkeys => {
  const context = contextOf(options);
  const { query, challenges } = context;
  return {
    ...registrations(context),
    ...signIns(context),
    list: (personId) =>
      query<Passkey>(`select ${COLUMNS} from passkeys where person_id = $1 order by created_at, id`, [personId]),
    rename: async (personId, passkeyId, name) => (await query(RENAME, [personId, passkeyId, name])).length > 0,
    remove: async (personId, passkeyId) => (await query(REMOVE, [personId, passkeyId])).length > 0,
    deleteExpired: challenges.deleteExpired,
  };
};

const RENAME = 'update passkeys set name = $3 where person_id = $1 and id = $2 returning id';
const REMOVE = 'delete from passkeys where person_id = $1 and id = $2 returning id';

type Context = ReturnType<typeof contextOf>;

const contextOf = (options: PasskeysOptions) => {
  const { database, now, serviceName, publicUrl } = options;
  const { query } = database;
  const hostname = (): string => new URL(publicUrl()).hostname;
  const expected = () => ({ expectedOrigin: new URL(publicUrl()).origin, expectedRPID: hostname() });
  const findOf = (personId: string) => query<Stored>(`select ${STORED} from passkeys where person_id = $1`, [personId]);
  return { query, now, serviceName, hostname, expected, findOf, challenges: createChallenges(options) };
};

type Registrations = Pick<Passkeys, 'registrationOptions' | 'register'>;

const registrations = (context: Context): Registrations => {
  const { query, now, serviceName, hostname, expected, findOf, challenges } = context;
  return {
    registrationOptions: async ({ personId, userName, verifyUser }) =>
      generateRegistrationOptions({
        ...{ rpName: serviceName, rpID: hostname(), userName, timeout: CHALLENGE_TTL_MS },
        userID: new Uint8Array(Buffer.from(personId)),
        supportedAlgorithmIDs: ALGORITHMS,
        challenge: await challenges.create('register', { personId, verifyUser }),
        excludeCredentials: (await findOf(personId)).map(({ id, transports }) => ({ id, transports })),
        authenticatorSelection: {
          residentKey: 'required', // Discoverable: nothing needs to be typed at sign-in.
          userVerification: verifyUser ? 'required' : 'preferred',
        },
      }),
    register: async (personId, body, name) => {
      const answer = readRegistration(body);
      if (!answer) return { kind: 'refused', reason: 'malformed' };
      const { response, challenge } = answer;
      const asked = await challenges.take('register', challenge);
      if (asked?.personId !== personId) return { kind: 'refused', reason: 'unknown_challenge' };
      const { registrationInfo } = await verified(() =>
        verifyRegistrationResponse({
          ...expected(),
          response: { ...response, response: withoutUndefined(response.response), clientExtensionResults: {} },
          expectedChallenge: challenge,
          requireUserVerification: asked.verifyUser,
          supportedAlgorithmIDs: ALGORITHMS,
        }),
      );
      if (!registrationInfo) return { kind: 'refused', reason: 'not_verified' };
      const { id, publicKey, counter, transports = [] } = registrationInfo.credential;
      if (id.length > MAX_CREDENTIAL_ID) return { kind: 'refused', reason: 'malformed' };
      const [passkey] = await query<Passkey>(
        `insert into passkeys (credential_id, id, person_id, public_key, counter, transports, name, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning ${COLUMNS}`,
        [id, derivedId('pky', id), personId, Buffer.from(publicKey), counter, transports, name, now()],
      );
      return passkey ? { kind: 'registered', passkey } : { kind: 'refused', reason: 'already_registered' };
    },
  };
};

type SignIns = Pick<Passkeys, 'signInOptions' | 'signIn'>;

const signIns = ({ query, now, hostname, expected, findOf, challenges }: Context): SignIns => ({
  signInOptions: async ({ personId, verifyUser }) => {
    const own = personId === undefined ? [] : await findOf(personId);
    return generateAuthenticationOptions({
      rpID: hostname(),
      timeout: CHALLENGE_TTL_MS,
      challenge: await challenges.create('sign_in', { personId: personId ?? null, verifyUser }),
      allowCredentials: own.map(({ id, transports }) => ({ id, transports })),
      userVerification: verifyUser ? 'required' : 'preferred',
    });
  },
  signIn: async (body) => {
    const answer = readAssertion(body);
    if (!answer) return { kind: 'refused', reason: 'malformed' };
    const { response, challenge } = answer;
    const asked = await challenges.take('sign_in', challenge);
    if (!asked) return { kind: 'refused', reason: 'unknown_challenge' };
    const [stored] = await query<Stored>(`select ${STORED} from passkeys where credential_id = $1`, [response.id]);
    const { userHandle } = response.response;
    const isForeign =
      (asked.personId !== null && asked.personId !== stored?.personId) ||
      (userHandle != null && Buffer.from(userHandle, 'base64url').toString() !== stored?.personId);
    if (!stored || isForeign) return { kind: 'refused', reason: 'unknown_credential' };
    const { personId, passkeyId, publicKey } = stored;
    const { verified: isVerified, authenticationInfo } = await verified(() =>
      verifyAuthenticationResponse({
        ...expected(),
        response: { ...response, response: withoutUndefined(response.response), clientExtensionResults: {} },
        expectedChallenge: challenge,
        requireUserVerification: asked.verifyUser,
        // The counter is compared below, in the statement that stores it: two nodes may verify at the same time.
        credential: { id: stored.id, publicKey: new Uint8Array(publicKey), counter: 0 },
      }),
    );
    if (!isVerified || !authenticationInfo) return { kind: 'refused', reason: 'not_verified' };
    const counted = await query(COUNT, [passkeyId, authenticationInfo.newCounter, now()]);
    if (counted.length === 0) return { kind: 'refused', reason: 'counter_regressed' };
    return { kind: 'verified', personId, passkeyId, userVerified: authenticationInfo.userVerified };
  },
});

// WebAuthn Level 3, section 6.1.1: a counter that is not 0 must grow.
const COUNT = `update passkeys set counter = $2, used_at = $3
  where id = $1 and (counter < $2 or (counter = 0 and $2 = 0)) returning id`;

/** The library throws on a response that is not as expected: another origin, challenge or RP id, or invalid bytes. */
const verified = async <T extends { readonly verified: boolean }>(verify: () => Promise<T>): Promise<Partial<T>> => {
  try {
    return await verify();
  } catch {
    return {};
  }
};

type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined | null> };
const withoutUndefined = <T extends object>(value: T): Defined<T> =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one != null)) as Defined<T>;
