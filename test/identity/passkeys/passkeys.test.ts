import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSoftwareAuthenticator, type Deviations } from '../../support/browser/software-authenticator.ts';
import { query } from '../../support/sql.ts';
import { MINUTE_MS, onBoth, openNodes, ORIGIN, type Nodes } from '../nodes.ts';

let nodes: Nodes;
beforeAll(async () => void (nodes = await openNodes()));
afterAll(() => nodes.close());

const registrationOptions = (personId: string, verifyUser = false) =>
  nodes.one.passkeys.registrationOptions({ personId, userName: 'anna@example.com', verifyUser });
const signInOptions = (given: { readonly personId?: string; readonly verifyUser?: boolean } = {}) =>
  nodes.one.passkeys.signInOptions({ verifyUser: false, ...given });
const signIn = (body: unknown) => nodes.other.passkeys.signIn(body);

/** A person with a passkey on an authenticator of its own. */
const withPasskey = async (given: { readonly counts?: boolean } = {}) => {
  const personId = nodes.person();
  const authenticator = createSoftwareAuthenticator(ORIGIN, given);
  const response = authenticator.create(await registrationOptions(personId));
  const registered = await nodes.other.passkeys.register(personId, response, 'Laptop');
  if (registered.kind !== 'registered') throw new Error(registered.reason);
  return { personId, authenticator, response, passkeyId: registered.passkey.id };
};

describe('registering a passkey', () => {
  it('asks for a discoverable credential of the public host name, for a person without personal data', async () => {
    const personId = nodes.person();
    expect(await registrationOptions(personId, true)).toMatchObject({
      rp: { id: 'kissapi.test', name: 'KissAPI' },
      user: { id: Buffer.from(personId).toString('base64url'), name: 'anna@example.com' },
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      excludeCredentials: [],
      timeout: 5 * MINUTE_MS,
    });
    expect(await nodes.dump()).not.toContain('anna@example.com');
  });

  it('stores the credential, and excludes it from the next registration', async () => {
    const { personId, authenticator, passkeyId, response } = await withPasskey();
    expect(passkeyId).toMatch(/^pky_[0-9a-f]{24}$/);
    expect(await nodes.one.passkeys.list(personId)).toEqual([
      { id: passkeyId, name: 'Laptop', createdAt: nodes.now(), usedAt: null },
    ]);
    const again = await registrationOptions(personId);
    expect(again.excludeCredentials).toEqual([{ id: response.id, type: 'public-key', transports: ['internal'] }]);
    expect(() => authenticator.create(again)).toThrow('InvalidStateError');
  });

  it.each<[string, Deviations]>([
    ['the page of another origin', { origin: 'https://kissapi.test.evil.example' }],
    ['the same host without TLS', { origin: 'http://kissapi.test' }],
    ['another port', { origin: 'https://kissapi.test:8443' }],
    ['another RP id', { rpId: 'evil.example' }],
  ])('is refused from %s', async (_, deviations) => {
    const personId = nodes.person();
    const response = createSoftwareAuthenticator(ORIGIN).create(await registrationOptions(personId), deviations);
    expect(await nodes.one.passkeys.register(personId, response, 'x')).toEqual({
      ...{ kind: 'refused', reason: 'not_verified' },
    });
    expect(await nodes.one.passkeys.list(personId)).toEqual([]);
  });

  it('is refused with a challenge that was not issued, was used, has ended, or is of another person or purpose', async () => {
    const [personId, stranger] = [nodes.person(), nodes.person()];
    const create = async (challenge?: string, person = personId) =>
      createSoftwareAuthenticator(ORIGIN).create(await registrationOptions(person), challenge ? { challenge } : {});
    const refused = { kind: 'refused', reason: 'unknown_challenge' };
    const register = (body: unknown) => nodes.one.passkeys.register(personId, body, 'x');

    expect(await register(await create(Buffer.from(randomUUID()).toString('base64url')))).toEqual(refused);
    expect(await register(await create((await signInOptions()).challenge))).toEqual(refused);
    expect(await register(await create(undefined, stranger))).toEqual(refused);
    const late = await create();
    nodes.forward(5 * MINUTE_MS);
    expect(await register(late)).toEqual(refused);
    const good = await create();
    expect(await register(good)).toMatchObject({ kind: 'registered' });
    expect(await register(good)).toEqual(refused);
    expect(await nodes.one.passkeys.list(personId)).toHaveLength(1);
  });

  it('is refused without user verification if the options required it', async () => {
    const personId = nodes.person();
    const authenticator = createSoftwareAuthenticator(ORIGIN);
    const touch = { verifiesUser: false } as const;
    // The flag is not set, whatever the options ask for.
    const options = { ...(await registrationOptions(personId, true)), authenticatorSelection: { userVerification: 'discouraged' } } as const; // prettier-ignore
    expect(await nodes.one.passkeys.register(personId, authenticator.create(options, touch), 'x')).toMatchObject({
      reason: 'not_verified',
    });
    const relaxed = { ...(await registrationOptions(personId)), authenticatorSelection: { userVerification: 'discouraged' } } as const; // prettier-ignore
    expect(await nodes.one.passkeys.register(personId, authenticator.create(relaxed, touch), 'x')).toMatchObject({
      kind: 'registered',
    });
  });

  it('is refused for a credential that another person has', async () => {
    const { response, personId } = await withPasskey();
    const stranger = nodes.person();
    const { challenge } = await registrationOptions(stranger);
    const clientDataJSON = Buffer.from(JSON.stringify({ type: 'webauthn.create', challenge, origin: ORIGIN }));
    const copied = {
      ...response,
      response: { ...response.response, clientDataJSON: clientDataJSON.toString('base64url') },
    };
    expect(await nodes.one.passkeys.register(stranger, copied, 'x')).toEqual({
      ...{ kind: 'refused', reason: 'already_registered' },
    });
    expect(await nodes.one.passkeys.list(personId)).toHaveLength(1);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a text', 'text'],
    ['an object of another shape', { id: 'a' }],
    ['client data that is not JSON', { id: 'YQ', rawId: 'YQ', type: 'public-key', response: { clientDataJSON: 'YQ', attestationObject: 'YQ' } }], // prettier-ignore
  ])('is refused with %s', async (_, body) => {
    expect(await nodes.one.passkeys.register(nodes.person(), body, 'x')).toEqual({
      ...{ kind: 'refused', reason: 'malformed' },
    });
  });

  it.each<[string, Pick<Deviations, 'credentialId' | 'transports'>]>([
    ['a transport that is no word', { transports: ['a\0b'] }],
    ['a credential id of more than 1023 bytes', { credentialId: Buffer.alloc(1024, 7) }],
  ])('is refused with %s', async (_, deviations) => {
    const personId = nodes.person();
    const response = createSoftwareAuthenticator(ORIGIN).create(await registrationOptions(personId), deviations);
    expect(await nodes.one.passkeys.register(personId, response, 'x')).toEqual({
      ...{ kind: 'refused', reason: 'malformed' },
    });
  });

  it('is refused with bytes that are not an attestation', async () => {
    const personId = nodes.person();
    const response = createSoftwareAuthenticator(ORIGIN).create(await registrationOptions(personId));
    const broken = { ...response, response: { ...response.response, attestationObject: 'YQ' } };
    expect(await nodes.one.passkeys.register(personId, broken, 'x')).toMatchObject({ reason: 'not_verified' });
  });
});

describe('signing in with a passkey', () => {
  it('needs no name: the credential is discoverable', async () => {
    const { personId, authenticator, passkeyId } = await withPasskey();
    nodes.forward(MINUTE_MS);
    const options = await signInOptions();
    expect(options).toMatchObject({ rpId: 'kissapi.test', allowCredentials: [], userVerification: 'preferred' });
    expect(await signIn(authenticator.get(options))).toEqual({
      ...{ kind: 'verified', personId, passkeyId, userVerified: true },
    });
    expect(await nodes.one.passkeys.list(personId)).toMatchObject([{ usedAt: nodes.now() }]);
  });

  it('reports whether the user was verified, and requires it if the options did', async () => {
    const { authenticator } = await withPasskey();
    const touch = async (verifyUser: boolean) => {
      const { challenge, rpId = '' } = await signInOptions({ verifyUser });
      return signIn(authenticator.get({ challenge, rpId, userVerification: 'discouraged' }));
    };
    expect(await touch(false)).toMatchObject({ kind: 'verified', userVerified: false });
    expect(await touch(true)).toEqual({ kind: 'refused', reason: 'not_verified' });
  });

  it.each<[string, Deviations]>([
    ['the page of another origin', { origin: 'https://kissapi.test.evil.example' }],
    ['another RP id', { rpId: 'evil.example' }],
    ['another key', { key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }],
  ])('is refused from %s', async (_, deviations) => {
    const { authenticator } = await withPasskey();
    const response = authenticator.get(await signInOptions(), deviations);
    expect(await signIn(response)).toEqual({ kind: 'refused', reason: 'not_verified' });
  });

  it('is refused with a challenge that was not issued, has ended, or is of another purpose', async () => {
    const { personId, authenticator } = await withPasskey();
    const refused = { kind: 'refused', reason: 'unknown_challenge' };
    const options = await signInOptions();
    const other = Buffer.from(randomUUID()).toString('base64url');
    expect(await signIn(authenticator.get(options, { challenge: other }))).toEqual(refused);
    const { challenge } = await registrationOptions(personId);
    expect(await signIn(authenticator.get(options, { challenge }))).toEqual(refused);
    nodes.forward(5 * MINUTE_MS);
    expect(await signIn(authenticator.get(options))).toEqual(refused);
  });

  it('is refused when an assertion is replayed, and one of fifty at once is accepted', async () => {
    const { authenticator } = await withPasskey({ counts: false });
    const response = authenticator.get(await signInOptions());
    const results = await onBoth(nodes, 50, ({ passkeys }) => passkeys.signIn(response));
    expect(results.filter(({ kind }) => kind === 'verified')).toHaveLength(1);
    expect(await signIn(response)).toEqual({ kind: 'refused', reason: 'unknown_challenge' });
  });

  it('uses up the challenge even if it is refused', async () => {
    const { authenticator } = await withPasskey();
    const options = await signInOptions();
    expect(await signIn(authenticator.get(options, { rpId: 'evil.example' }))).toMatchObject({
      reason: 'not_verified',
    });
    expect(await signIn(authenticator.get(options))).toMatchObject({ reason: 'unknown_challenge' });
  });

  it('is refused with a credential that is not registered, or has been removed', async () => {
    const { personId, authenticator, passkeyId } = await withPasskey();
    const stranger = createSoftwareAuthenticator(ORIGIN);
    stranger.create(await registrationOptions(nodes.person()));
    const refused = { kind: 'refused', reason: 'unknown_credential' };
    expect(await signIn(stranger.get(await signInOptions()))).toEqual(refused);
    await nodes.one.passkeys.remove(personId, passkeyId);
    expect(await signIn(authenticator.get(await signInOptions()))).toEqual(refused);
  });

  it('is refused if the credential names another person than its own', async () => {
    const [{ authenticator }, { personId }] = [await withPasskey(), await withPasskey()];
    const userHandle = Buffer.from(personId).toString('base64url');
    expect(await signIn(authenticator.get(await signInOptions(), { userHandle }))).toMatchObject({
      reason: 'unknown_credential',
    });
  });

  it('as a second step accepts only the passkeys of the person who is asked', async () => {
    const [mine, theirs] = [await withPasskey(), await withPasskey()];
    const options = await signInOptions({ personId: mine.personId, verifyUser: true });
    expect(options).toMatchObject({ userVerification: 'required', allowCredentials: [{ id: mine.response.id }] });
    const { allowCredentials: _, ...anyone } = options;
    expect(await signIn(theirs.authenticator.get(anyone))).toMatchObject({ reason: 'unknown_credential' });
    const again = await signInOptions({ personId: mine.personId, verifyUser: true });
    expect(await signIn(mine.authenticator.get(again))).toMatchObject({ kind: 'verified', personId: mine.personId });
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['a text', 'text'],
    ['an object of another shape', { id: 'a', response: {} }],
  ])('is refused with %s', async (_, body) => {
    expect(await signIn(body)).toEqual({ kind: 'refused', reason: 'malformed' });
  });
});

describe('the signature counter', () => {
  const counterOf = async (id: string) =>
    (await query<{ counter: string }>(nodes.url, 'select counter from passkeys where id = $1', [id]))[0]?.counter;

  it('is refused if it does not grow: the authenticator may have been copied', async () => {
    const { authenticator, passkeyId } = await withPasskey();
    const get = async (counter: number) => signIn(authenticator.get(await signInOptions(), { counter }));
    expect(await get(7)).toMatchObject({ kind: 'verified' });
    for (const counter of [7, 6, 0])
      expect(await get(counter)).toEqual({ kind: 'refused', reason: 'counter_regressed' });
    expect(await counterOf(passkeyId)).toBe('7');
    expect(await get(8)).toMatchObject({ kind: 'verified' });
  });

  it('is accepted once if copies of an authenticator sign at the same time', async () => {
    const { authenticator } = await withPasskey();
    const responses = await Promise.all(
      Array.from({ length: 10 }, async () => authenticator.get(await signInOptions(), { counter: 9 })),
    );
    const results = await onBoth(nodes, 10, ({ passkeys }) => passkeys.signIn(responses.pop()));
    expect(results.filter(({ kind }) => kind === 'verified')).toHaveLength(1);
    expect(results.filter((one) => one.kind === 'refused' && one.reason === 'counter_regressed')).toHaveLength(9);
  });

  it('may stay 0, as that of synchronised passkeys does', async () => {
    const { authenticator } = await withPasskey({ counts: false });
    for (let n = 0; n < 3; n++) {
      expect(await signIn(authenticator.get(await signInOptions()))).toMatchObject({ kind: 'verified' });
    }
  });

  it('does not change by a signature that is invalid', async () => {
    const { authenticator, passkeyId } = await withPasskey();
    const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const before = await counterOf(passkeyId);
    await signIn(authenticator.get(await signInOptions(), { key, counter: 1000 }));
    expect(await counterOf(passkeyId)).toBe(before);
  });
});

describe('the passkeys of a person', () => {
  it('are listed, renamed and removed by that person only', async () => {
    const { personId, passkeyId } = await withPasskey();
    const stranger = nodes.person();
    expect(await nodes.one.passkeys.rename(stranger, passkeyId, 'Mine')).toBe(false);
    expect(await nodes.one.passkeys.remove(stranger, passkeyId)).toBe(false);
    expect(await nodes.one.passkeys.list(stranger)).toEqual([]);
    expect(await nodes.one.passkeys.rename(personId, passkeyId, 'Old laptop')).toBe(true);
    expect(await nodes.other.passkeys.list(personId)).toMatchObject([{ name: 'Old laptop' }]);
    expect(await nodes.one.passkeys.remove(personId, passkeyId)).toBe(true);
    expect(await nodes.one.passkeys.remove(personId, passkeyId)).toBe(false);
    expect(await nodes.other.passkeys.list(personId)).toEqual([]);
  });

  it('leave no challenge behind: those that were not answered are deleted after their end', async () => {
    const personId = nodes.person();
    await registrationOptions(personId);
    await nodes.one.passkeys.deleteExpired();
    const rows = () => query(nodes.url, 'select hash from passkey_challenges where person_id = $1', [personId]);
    expect(await rows()).toHaveLength(1);
    nodes.forward(5 * MINUTE_MS);
    expect(await nodes.one.passkeys.deleteExpired()).toBeGreaterThan(0);
    expect(await rows()).toEqual([]);
  });
});
