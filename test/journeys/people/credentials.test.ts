import { generateKeyPairSync } from 'node:crypto';
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { generateSync } from 'otplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { personStream } from '../../../src/domain/identity/person.ts';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import { forward } from '../../support/clock.ts';
import { onPerson, onStaff } from '../../support/customers/appoint.ts';
import { call, registerPerson, signIn, type Reply } from '../../support/customers/person.ts';
import { ADMIN_TOKEN, createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { createSoftwareAuthenticator, type Deviations } from '../../support/browser/software-authenticator.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';

const MINUTE_MS = 60_000;

let smtp: TestSmtp;
let premises: Premises;
let nodes: readonly [RunningGateway, RunningGateway];
/** How far the clock of the log is ahead. */
let movedMs = 0;

beforeAll(async () => {
  smtp = await createTestSmtp();
  premises = await createPremises();
  const env = {
    ...{ SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'KissAPI <no-reply@example.com>' },
    TRUSTED_PROXIES: '127.0.0.1',
  };
  nodes = [await premises.startGateway(env), await premises.startGateway(env)];
});
afterAll(async () => {
  await premises.close();
  await smtp.close();
});

/** Passkeys belong to the public address, which is that of the first node. */
const newAuthenticator = () => createSoftwareAuthenticator(nodes[0].url.replace('127.0.0.1', 'localhost'));
let turn = 0;
/** Alternately on both nodes, except passkeys; each time from another network, so that only the limits of persons apply. */
const ask = (method: string, path: string, { headers, ...given }: Parameters<typeof call>[3] = {}): Promise<Reply> => {
  const { url } = nodes[/passkey|second-step/.test(path) || turn++ % 2 === 0 ? 0 : 1];
  return call(url, method, path, { ...given, headers: { 'x-forwarded-for': `198.51.${turn % 250}.1`, ...headers } });
};
const register = (email: string) =>
  registerPerson(nodes[0].url, smtp, email, {}, { 'x-forwarded-for': `198.51.${++turn % 250}.2` });
/** There is another owner, so that each of them can be dismissed. The process ends the sessions from before. */
const appoint = async (personId: string, role: 'support' | 'owner') => {
  await onStaff(premises.databaseUrl, { type: 'AppointStaff', personId: 'per_other', role: 'owner', reason: 'first' });
  await onStaff(premises.databaseUrl, { type: 'AppointStaff', personId, role, reason: 'hired' });
  await onPerson(premises.databaseUrl, personId, { type: 'SetStaffRole', role });
};

const refused = (status: number, code: string) => ({ status, code });
const tokenOf = ({ json }: Reply): string => String((json['session'] as Readonly<Record<string, unknown>>)['token']);
const creation = ({ json }: Reply) => json['options'] as PublicKeyCredentialCreationOptionsJSON;
const requested = ({ json }: Reply) => json['options'] as PublicKeyCredentialRequestOptionsJSON;

/** Adds a passkey to an authenticator of its own. */
const addPasskey = async (token: string, authenticator = newAuthenticator()) => {
  const response = authenticator.create(creation(await ask('POST', '/me/passkeys/options', { token })));
  const added = await ask('POST', '/me/passkeys', { token, body: { name: 'Laptop', response } });
  expect(added).toMatchObject({ status: 201, json: { name: 'Laptop', used_at: null } });
  return { authenticator, passkeyId: String(added.json['passkey_id']) };
};

type Authenticator = ReturnType<typeof createSoftwareAuthenticator>;
const askSignIn = async () => requested(await ask('POST', '/sign-in/passkey/options'));
const signInWith = async (authenticator: Authenticator, deviations: Deviations = {}) =>
  ask('POST', '/sign-in/passkey', { body: { response: authenticator.get(await askSignIn(), deviations) } });

/** The code of an authenticator app, some steps of 30 seconds from now. */
const codeOf = (secret: string, steps = 0): string =>
  generateSync({ secret, epoch: Math.floor((Date.now() + movedMs) / 1000) + steps * 30 });

/** Sets an app up with the code of now, so that the next one is not used yet. */
const enrol = async (token: string): Promise<string> => {
  const enrolled = await ask('POST', '/me/totp', { token });
  expect(enrolled).toMatchObject({ status: 201, json: { otpauth_uri: expect.stringMatching(/^otpauth:\/\/totp\//) } });
  const secret = String(enrolled.json['secret']);
  const confirmed = await ask('POST', '/me/totp/confirm', { token, body: { code: codeOf(secret) } });
  expect(confirmed).toMatchObject({ status: 200, json: { has_totp: true } });
  return secret;
};

const eventsOf = async (personId: string): Promise<readonly string[]> => {
  const text = 'select type from events where stream = $1 order by revision';
  const types = (await query<{ type: string }>(premises.databaseUrl, text, [personStream(personId)])).map(
    ({ type }) => type,
  );
  return types.filter((type) => !['PersonRegistered', 'AddressVerified', 'AccountOpened'].includes(type));
};

describe('a passkey', () => {
  it('is added, named and removed, signs its person in, and each of these is in the log', async () => {
    const { token, personId } = await register('passkey@example.com');
    const { authenticator, passkeyId } = await addPasskey(token);
    const path = `/me/passkeys/${passkeyId}`;
    expect(await ask('PUT', path, { token, body: { name: 'Phone' } })).toMatchObject({ json: { name: 'Phone' } });
    const signedIn = await signInWith(authenticator);
    expect(signedIn).toMatchObject({ status: 201, json: { person_id: personId, session: { kind: 'customer' } } });
    const other = tokenOf(signedIn);
    expect(await ask('GET', '/me/passkeys', { token: other })).toMatchObject({
      json: { data: [{ passkey_id: passkeyId, name: 'Phone', used_at: expect.any(String) }] },
    });
    expect(await ask('DELETE', path, { token: other })).toMatchObject({ status: 200, json: { removed: true } });
    expect(await ask('DELETE', path, { token: other })).toMatchObject(refused(404, 'passkey_not_found'));
    expect(await signInWith(authenticator)).toMatchObject(refused(400, 'passkey_refused'));
    expect(await eventsOf(personId)).toEqual(['SignedIn', 'PasskeyAdded', 'SignedIn', 'PasskeyRemoved']);
  });

  it('is added once by a repetition with the same Idempotency-Key', async () => {
    const { token } = await register('repeat@example.com');
    const response = newAuthenticator().create(creation(await ask('POST', '/me/passkeys/options', { token })));
    const add = (name: string) =>
      ask('POST', '/me/passkeys', { token, body: { name, response }, headers: { 'idempotency-key': 'once' } });
    const first = await add('Laptop');
    expect(await add('Laptop')).toEqual(first);
    expect(await add('Phone')).toMatchObject(refused(409, 'idempotency_key_reused'));
    expect((await ask('GET', '/me/passkeys', { token })).json['data']).toHaveLength(1);
  });

  it('that is unknown, of another person, wrongly signed or without its event gets the same answer', async () => {
    const [ada, bob] = [await register('same@example.com'), await register('other@example.com')];
    const [own, foreign] = [await addPasskey(ada.token), await addPasskey(bob.token)];
    const unknown = newAuthenticator();
    unknown.create({ ...creation(await ask('POST', '/me/passkeys/options', { token: ada.token })) });
    const handle = Buffer.from(bob.personId).toString('base64url');
    const answers = [
      await signInWith(unknown),
      await signInWith(own.authenticator, { userHandle: handle }),
      await signInWith(own.authenticator, { challenge: (await askSignIn()).challenge.toUpperCase() }),
      await signInWith(own.authenticator, { origin: 'https://evil.example' }),
      await signInWith(own.authenticator, { key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }),
    ];
    await query(premises.databaseUrl, `update passkeys set id = 'pky_void' where id = $1`, [foreign.passkeyId]);
    answers.push(await signInWith(foreign.authenticator));
    const plain = answers.map(({ status, json }) => [status, { ...(json['error'] as object), request_id: '' }]);
    expect(plain[0]).toMatchObject([400, { code: 'passkey_refused' }]);
    expect(plain).toEqual(plain.map(() => plain[0]));
    expect(await ask('GET', '/me/passkeys', { token: bob.token })).toMatchObject({ json: { data: [] } });
  });

  it.each([
    ['nothing', '{}'],
    ['values that nest deeper than a stack', `{"id":${'['.repeat(30_000)}${']'.repeat(30_000)}}`],
  ])('is refused with %s in place of a response', async (_, response) => {
    const answer = await fetch(`${nodes[1].url}/api/sign-in/passkey`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: `{"response":${response}}` },
    });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { code: 'passkey_refused' } }]);
  });

  it('whose counter did not grow is refused', async () => {
    const { token } = await register('counter@example.com');
    const { authenticator } = await addPasskey(token);
    expect(await signInWith(authenticator, { counter: 7 })).toMatchObject({ status: 201 });
    const copied = await signInWith(authenticator, { counter: 7 });
    expect(copied).toMatchObject(refused(400, 'passkey_refused'));
    expect((copied.json['error'] as { message: string }).message).toContain('may have been copied');
    expect(await signInWith(authenticator, { counter: 8 })).toMatchObject({ status: 201 });
  });

  it('of another person cannot be named or removed', async () => {
    const [ada, bob] = [await register('mine@example.com'), await register('yours@example.com')];
    const path = `/me/passkeys/${(await addPasskey(ada.token)).passkeyId}`;
    const notFound = refused(404, 'passkey_not_found');
    expect(await ask('PUT', path, { token: bob.token, body: { name: 'x' } })).toMatchObject(notFound);
    expect(await ask('DELETE', path, { token: bob.token })).toMatchObject(notFound);
  });
});

describe('an authenticator app', () => {
  it('is set up with a code of it, and removed in a session that passed the second step', async () => {
    const { token, personId } = await register('totp@example.com');
    expect(await ask('POST', '/me/second-step', { token, body: { totp_code: '000000' } })).toMatchObject(
      refused(409, 'second_step_not_set_up'),
    );
    const secret = String((await ask('POST', '/me/totp', { token })).json['secret']);
    const wrong = codeOf(secret) === '123456' ? '654321' : '123456';
    expect(await ask('POST', '/me/totp/confirm', { token, body: { code: wrong } })).toMatchObject(
      refused(400, 'code_wrong'),
    );
    expect(await ask('POST', '/me/totp/confirm', { token, body: { code: codeOf(secret) } })).toMatchObject({
      status: 200,
    });
    expect(await ask('DELETE', '/me/totp', { token })).toMatchObject(refused(403, 'second_step_required'));
    const pass = (code: string) => ask('POST', '/me/second-step', { token, body: { totp_code: code } });
    const code = codeOf(secret, 1);
    expect(await pass(code)).toMatchObject({ status: 200, json: { second_step_passed: true } });
    expect(await pass(code)).toMatchObject(refused(400, 'code_wrong'));
    expect(await ask('DELETE', '/me/totp', { token })).toMatchObject({ json: { has_totp: false, changed: true } });
    expect(await ask('DELETE', '/me/totp', { token })).toMatchObject({ json: { has_totp: false, changed: false } });
    expect(await eventsOf(personId)).toEqual(['SignedIn', 'TotpEnabled', 'SecondStepPassed', 'TotpDisabled']);
  });

  it('that is lost is replaced by recovery codes, each of which works once', async () => {
    const { token, personId } = await register('recovery@example.com');
    const renew = (key: string) => ask('POST', '/me/recovery-codes', { token, headers: { 'idempotency-key': key } });
    expect(await renew('first')).toMatchObject(refused(409, 'second_step_not_set_up'));
    await enrol(token);
    const codes = (await renew('second')).json['codes'] as readonly string[];
    expect(codes).toHaveLength(10);
    expect(await renew('second')).toMatchObject({ status: 201, json: { codes: null } });
    expect(await ask('GET', '/me', { token })).toMatchObject({ json: { has_totp: true, recovery_codes: 10 } });
    const pass = () => ask('POST', '/me/second-step', { token, body: { recovery_code: codes[0] } });
    expect(await pass()).toMatchObject({ status: 200 });
    expect(await pass()).toMatchObject(refused(400, 'code_wrong'));
    expect(await ask('GET', '/me', { token })).toMatchObject({ json: { recovery_codes: 9 } });
    expect(await eventsOf(personId)).toEqual(['SignedIn', 'TotpEnabled', 'RecoveryCodesRenewed', 'SecondStepPassed']);
  });
});

describe('staff', () => {
  const newStaff = async (email: string) => {
    const { personId, accountId } = await register(email);
    await appoint(personId, 'support');
    return { personId, accountId, token: await signIn(nodes[0].url, smtp, email) };
  };

  it('use no route of the staff before the second step, and keep one', async () => {
    const { token, personId } = await newStaff('staff@example.com');
    const { accountId } = await register('customer@example.com');
    const readAccount = () => ask('GET', `/accounts/${accountId}`, { token });
    const addAnother = () => ask('POST', '/me/passkeys/options', { token });
    const required = refused(403, 'second_step_required');
    expect(await readAccount()).toMatchObject(required);
    const secret = await enrol(token);
    for (const refusal of [readAccount, addAnother, () => ask('POST', '/me/totp', { token })])
      expect(await refusal()).toMatchObject(required);
    expect(await ask('POST', '/me/recovery-codes', { token })).toMatchObject(required);
    const body = { totp_code: codeOf(secret, 1) };
    const passed = await ask('POST', '/me/second-step', { token, body, headers: { 'idempotency-key': 'step' } });
    expect(passed).toMatchObject({ status: 200, json: { kind: 'staff', second_step_passed: true } });
    const repeated = await ask('POST', '/me/second-step', { token, body, headers: { 'idempotency-key': 'step' } });
    expect(repeated).toEqual(passed);
    expect(await readAccount()).toMatchObject({ status: 200 });
    expect(await ask('DELETE', '/me/totp', { token })).toMatchObject(refused(409, 'last_second_step'));
    const { passkeyId } = await addPasskey(token);
    expect(await ask('DELETE', '/me/totp', { token })).toMatchObject({ status: 200 });
    expect(await ask('DELETE', `/me/passkeys/${passkeyId}`, { token })).toMatchObject(refused(409, 'last_second_step'));
    expect(await eventsOf(personId)).toContain('SecondStepPassed');
  });

  it('pass the second step by signing in with a passkey that has verified them, and not by a touch', async () => {
    const { token, accountId, personId } = await newStaff('finger@example.com');
    const { authenticator } = await addPasskey(token);
    const verified = await signInWith(authenticator);
    expect(verified).toMatchObject({ json: { session: { kind: 'staff', second_step_passed: true } } });
    expect((await eventsOf(personId)).slice(-2)).toEqual(['SignedIn', 'SecondStepPassed']);
    const touched = await signInWith(authenticator, { verifiesUser: false });
    expect(touched).toMatchObject({ status: 201, json: { session: { second_step_passed: false } } });
    const session = tokenOf(touched);
    const pass = async (deviations: Deviations) => {
      const options = requested(await ask('POST', '/me/second-step/options', { token: session }));
      return ask('POST', '/me/second-step', {
        ...{ token: session, body: { passkey: authenticator.get(options, deviations) } },
      });
    };
    expect(await pass({ verifiesUser: false })).toMatchObject(refused(400, 'passkey_refused'));
    const unasked = authenticator.get(await askSignIn(), { verifiesUser: false });
    expect(await ask('POST', '/me/second-step', { token: session, body: { passkey: unasked } })).toMatchObject(
      refused(400, 'passkey_refused'),
    );
    expect(await ask('GET', `/accounts/${accountId}/events`, { token: session })).toMatchObject({ status: 200 });
    expect(await pass({})).toMatchObject({ status: 200, json: { second_step_passed: true } });
  });

  it('cannot pass the second step with the passkey of another person', async () => {
    const [one, other] = [await newStaff('one@staff.example'), await newStaff('two@staff.example')];
    const own = await addPasskey(one.token);
    const foreign = await addPasskey(other.token);
    const options = requested(await ask('POST', '/me/second-step/options', { token: one.token }));
    expect(() => foreign.authenticator.get(options)).toThrow('NotAllowedError');
    for (const asked of [{ ...options, allowCredentials: [] }, await askSignIn()]) {
      const body = { passkey: foreign.authenticator.get(asked) };
      expect(await ask('POST', '/me/second-step', { token: one.token, body })).toMatchObject(
        refused(400, 'passkey_refused'),
      );
    }
    const body = { passkey: own.authenticator.get(await askSignIn()) };
    expect(await ask('POST', '/me/second-step', { token: one.token, body })).toMatchObject({ status: 200 });
  });

  it('who guess codes have to wait', async () => {
    const { token } = await newStaff('guess@example.com');
    const secret = await enrol(token);
    const taken = [-1, 0, 1, 2, 3].map((steps) => codeOf(secret, steps));
    const guesses = Array.from({ length: 9 }, (_, n) => `00000${n}`).filter((code) => !taken.includes(code));
    const pass = (code: string) => ask('POST', '/me/second-step', { token, body: { totp_code: code } });
    const answers = await Promise.all(guesses.slice(0, 6).map(pass));
    expect(answers.map(({ status }) => status).sort()).toEqual([400, 400, 400, 400, 400, 429]);
    expect(await pass(codeOf(secret, 1))).toMatchObject(refused(429, 'too_many_attempts'));
  });
});

describe('a management token', () => {
  const inDays = (days: number): string => new Date(Date.now() + movedMs + days * 86_400_000).toISOString();
  const wish = (more = {}) => ({ name: 'Deploy of Ada', scopes: ['read'], ends_at: inDays(30), ...more });

  it('does what its scopes name for its account alone, and both ends are in the log without its name', async () => {
    const [ada, bob] = [await register('scripts@example.com'), await register('foreign@example.com')];
    const path = `/accounts/${ada.accountId}/tokens`;
    const created = await ask('POST', path, {
      ...{ token: ada.token, body: wish(), headers: { 'idempotency-key': 'deploy' } },
    });
    expect(created).toMatchObject({ status: 201, json: { scopes: ['read'], created_by: ada.personId } });
    const secret = String(created.json['secret']);
    const repeated = await ask('POST', path, {
      ...{ token: ada.token, body: wish({ ends_at: created.json['ends_at'] }) },
      headers: { 'idempotency-key': 'deploy' },
    });
    expect(repeated).toMatchObject({ status: 201, json: { token_id: created.json['token_id'], secret: null } });
    expect(await ask('GET', `/accounts/${ada.accountId}`, { token: secret })).toMatchObject({ status: 200 });
    expect(await ask('GET', `/accounts/${bob.accountId}`, { token: secret })).toMatchObject(
      refused(404, 'account_not_found'),
    );
    const key = { token: secret, body: { name: 'made by a script' } };
    expect(await ask('POST', `/accounts/${ada.accountId}/keys`, key)).toMatchObject(refused(403, 'not_allowed'));
    expect(await ask('POST', path, { token: secret, body: wish() })).toMatchObject(refused(403, 'not_allowed'));
    const tokenPath = `${path}/${String(created.json['token_id'])}`;
    expect(await ask('GET', path, { token: bob.token })).toMatchObject(refused(404, 'account_not_found'));
    expect(await ask('DELETE', tokenPath, { token: bob.token })).toMatchObject(refused(404, 'account_not_found'));
    expect(await ask('DELETE', tokenPath, { token: ada.token })).toMatchObject({ status: 200 });
    expect(await ask('DELETE', tokenPath, { token: ada.token })).toMatchObject(refused(404, 'token_not_found'));
    expect(await ask('GET', `/accounts/${ada.accountId}`, { token: secret })).toMatchObject({ status: 401 });
    const events = await ask('GET', `/accounts/${ada.accountId}/events`, { token: ada.token });
    expect((events.json['data'] as readonly { type: string }[]).slice(-2)).toMatchObject([
      { type: 'TokenCreated', data: { scopes: ['read'] }, actor: `person:${ada.personId}` },
      { type: 'TokenRevoked', data: { reason: 'revoked through the management API' } },
    ]);
    expect(JSON.stringify(events.json)).not.toContain('Deploy of Ada');
  });

  it('is refused with an end in the past or beyond a year, and without known scopes', async () => {
    const { token, accountId } = await register('refused@example.com');
    for (const [more, param] of [
      [{ ends_at: inDays(367) }, 'ends_at'],
      [{ ends_at: inDays(-1) }, 'ends_at'],
      [{ scopes: [] }, 'scopes'],
      [{ scopes: ['money'] }, 'scopes.0'],
    ] as const) {
      const answer = await ask('POST', `/accounts/${accountId}/tokens`, { token, body: wish(more) });
      expect(answer).toMatchObject({ status: 400, code: 'invalid_request', json: { error: { param } } });
    }
  });
});

it('a service token does what staff of its role may, until it is revoked', async () => {
  const { accountId } = await register('served@example.com');
  const body = { name: 'Books', role: 'finance', ends_at: new Date(Date.now() + movedMs + 86_400_000).toISOString() };
  const created = await ask('POST', '/service-tokens', { token: ADMIN_TOKEN, body });
  expect(created).toMatchObject({ status: 201, json: { role: 'finance', created_by: null } });
  const secret = String(created.json['secret']);
  expect(await ask('GET', `/accounts/${accountId}`, { token: secret })).toMatchObject({ status: 200 });
  expect(await ask('POST', '/service-tokens', { token: secret, body })).toMatchObject(refused(403, 'not_allowed'));
  const path = `/service-tokens/${String(created.json['token_id'])}`;
  expect(await ask('GET', '/service-tokens', { token: ADMIN_TOKEN })).toMatchObject({
    json: { data: [{ name: 'Books' }] },
  });
  expect(await ask('DELETE', path, { token: ADMIN_TOKEN })).toMatchObject({ status: 200 });
  expect(await ask('GET', `/accounts/${accountId}`, { token: secret })).toMatchObject({ status: 401 });
  const events = 'select type from events where stream = $1 order by revision';
  const stream = `service-token-${String(created.json['token_id'])}`;
  expect(await query(premises.databaseUrl, events, [stream])).toEqual([
    { type: 'ServiceTokenCreated' },
    { type: 'ServiceTokenRevoked' },
  ]);
});

it('a service token of an owner ends with the role of the owner', async () => {
  const { personId, accountId } = await register('boss@example.com');
  await appoint(personId, 'owner');
  const token = await signIn(nodes[0].url, smtp, 'boss@example.com');
  const body = { name: 'Books', role: 'finance' };
  expect(await ask('POST', '/service-tokens', { token, body })).toMatchObject(refused(403, 'second_step_required'));
  const secret = await enrol(token);
  const passed = await ask('POST', '/me/second-step', { token, body: { totp_code: codeOf(secret, 1) } });
  expect(passed).toMatchObject({ status: 200 });
  const created = await ask('POST', '/service-tokens', { token, body });
  expect(created).toMatchObject({ status: 201, json: { created_by: personId } });
  const read = () => ask('GET', `/accounts/${accountId}`, { token: String(created.json['secret']) });
  expect(await read()).toMatchObject({ status: 200 });
  await onStaff(premises.databaseUrl, { type: 'DismissStaff', personId, reason: 'left' });
  expect(await read()).toMatchObject({ status: 401 });
  const stream = `service-token-${String(created.json['token_id'])}`;
  const events = `select type, metadata::jsonb ->> 'actor' as actor from events where stream = $1 order by revision`;
  await expect
    .poll(() => query(premises.databaseUrl, events, [stream]), SOON)
    .toEqual([
      { type: 'ServiceTokenCreated', actor: `staff:${personId}` },
      { type: 'ServiceTokenRevoked', actor: 'system:tokens' },
    ]);
});

it('another credential needs a recent sign-in or a second step, and removes what has no event', async () => {
  const { token, personId } = await register('recent@example.com');
  const { authenticator, passkeyId } = await addPasskey(token);
  // As a node leaves it that stops before the event.
  const copy = `insert into passkeys select 'left-over', 'pky_left', person_id, public_key, counter, transports, name, created_at
    from passkeys where id = $1`;
  await query(premises.databaseUrl, copy, [passkeyId]);
  movedMs += 16 * MINUTE_MS;
  await forward(premises.databaseUrl, 16 * MINUTE_MS, nodes);
  const options = () => ask('POST', '/me/passkeys/options', { token });
  expect(await options()).toMatchObject(refused(403, 'recent_sign_in_required'));
  expect(await ask('POST', '/me/totp', { token })).toMatchObject(refused(403, 'recent_sign_in_required'));
  const asked = requested(await ask('POST', '/me/second-step/options', { token }));
  const body = { passkey: authenticator.get(asked) };
  expect(await ask('POST', '/me/second-step', { token, body })).toMatchObject({ status: 200 });
  expect(await options()).toMatchObject({ status: 200 });
  const left = await query(premises.databaseUrl, 'select id from passkeys where person_id = $1', [personId]);
  expect(left).toEqual([{ id: passkeyId }]);
});
