import type { PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/server';
import { generateSync } from 'otplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import { DAY_MS, forward, HOUR_MS } from '../../support/clock.ts';
import {
  call,
  ENTITY,
  mailsTo,
  mailTo,
  registerPerson,
  registration,
  signIn as signInAt,
  type Person,
} from '../../support/customers/person.ts';
import { ADMIN_TOKEN, createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { createSoftwareAuthenticator } from '../../support/browser/software-authenticator.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';

let smtp: TestSmtp;
let premises: Premises;
let gateway: RunningGateway;
let url: string;

beforeAll(async () => {
  smtp = await createTestSmtp();
  premises = await createPremises();
  gateway = await premises.startGateway({
    ...{ SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'KissAPI <no-reply@example.com>' },
    TRUSTED_PROXIES: '127.0.0.1',
  });
  url = gateway.url;
});
afterAll(async () => {
  await premises.close();
  await smtp.close();
});

/** From a network of its own, so that the limits of attempts of the tests do not add up. */
let networks = 0;
const elsewhere = () => ({ 'x-forwarded-for': `198.${18 + Math.floor(++networks / 250)}.${networks % 250}.1` });

const register = (email: string, more = {}): Promise<Person> => registerPerson(url, smtp, email, more, elsewhere());
const signIn = (email: string): Promise<string> => signInAt(url, smtp, email, elsewhere());

const ask = async ({ token }: { readonly token: string }, email: string) => {
  const asked = await call(url, 'POST', '/me/address-changes', { token, body: { email }, headers: elsewhere() });
  expect(asked).toMatchObject({ status: 202 });
  return { changeId: String(asked.json['change_id']), browserSecret: String(asked.json['browser_secret']) };
};

const confirm = (changeId: string, body: unknown) =>
  call(url, 'POST', `/address-changes/${changeId}/confirm`, { body, headers: elsewhere() });

const undo = (changeId: string, linkSecret: string) =>
  call(url, 'POST', `/address-changes/${changeId}/undo`, { body: { link_secret: linkSecret }, headers: elsewhere() });

/** Changes the address of a person, and returns the link of the notice to the old address. */
const change = async (person: Person, from: string, to: string) => {
  const before = mailsTo(smtp, from).length;
  const { changeId, browserSecret } = await ask(person, to);
  const { code } = await mailTo(smtp, to, mailsTo(smtp, to).length + 1);
  expect(await confirm(changeId, { code, browser_secret: browserSecret })).toMatchObject({ status: 200 });
  const notice = await mailTo(smtp, from, before + 1);
  expect(notice.subject).toContain('was changed');
  return { changeId, linkSecret: notice.linkSecret };
};

const emailOf = async (token: string) => (await call(url, 'GET', '/me', { token })).json['email'];
const admin = (method: string, path: string, body?: unknown) => call(url, method, path, { token: ADMIN_TOKEN, body });

describe('a change of address', () => {
  it('takes effect with the code of the mail, for the person and the account; keys and sessions stay', async () => {
    const ada = await register('ada@old.example');
    const key = await call(url, 'POST', `/accounts/${ada.accountId}/keys`, { token: ada.token, body: { name: 'k' } });
    await change(ada, 'ada@old.example', 'ada@new.example');
    expect(await emailOf(ada.token)).toBe('ada@new.example');
    const account = await call(url, 'GET', `/accounts/${ada.accountId}`, { token: ada.token });
    expect(account.json).toMatchObject({
      email: 'ada@new.example',
      keys: [{ key_id: key.json['key_id'], revoked: false }],
    });
    expect(await signIn('ada@new.example')).toMatch(/^kiss_ses_/);
  });

  it('takes effect with the link in another browser, and once', async () => {
    const person = await register('link@old.example');
    const { changeId } = await ask(person, 'link@new.example');
    const { linkId, linkSecret } = await mailTo(smtp, 'link@new.example');
    expect(linkId).toBe(`change-${changeId}`);
    expect(await confirm(changeId, { link_secret: linkSecret })).toMatchObject({ status: 200 });
    expect(await confirm(changeId, { link_secret: linkSecret })).toMatchObject({ status: 400, code: 'code_used' });
    expect(await emailOf(person.token)).toBe('link@new.example');
  });

  it('changes nothing before that, and not with the code of an earlier request', async () => {
    const person = await register('twice@old.example');
    const first = await ask(person, 'twice@one.example');
    const { code } = await mailTo(smtp, 'twice@one.example');
    await ask(person, 'twice@two.example');
    const late = await confirm(first.changeId, { code, browser_secret: first.browserSecret });
    expect(late).toMatchObject({ status: 400, code: 'code_expired' });
    expect(await emailOf(person.token)).toBe('twice@old.example');
  });

  it('to an address that belongs to somebody is answered alike, and only its owner gets a mail', async () => {
    await register('owner@taken.example');
    const person = await register('wants@taken.example');
    const { changeId, browserSecret } = await ask(person, 'owner@taken.example');
    const hint = await mailTo(smtp, 'owner@taken.example', 2);
    expect(hint.subject).toContain('You already have an account');
    expect(await confirm(changeId, { code: '12345678', browser_secret: browserSecret })).toMatchObject({
      ...{ status: 400, code: 'code_wrong' },
    });
    expect(mailsTo(smtp, 'owner@taken.example')).toHaveLength(2);
  });

  it('of two persons to one address is one change', async () => {
    const persons = [await register('a@race.example'), await register('b@race.example')];
    const asked = await Promise.all(persons.map((person) => ask(person, 'goal@race.example')));
    await mailTo(smtp, 'goal@race.example', 2);
    const mails = mailsTo(smtp, 'goal@race.example');
    const confirmed = await Promise.all(
      asked.map(({ changeId }) =>
        confirm(changeId, { link_secret: mails.find(({ linkId }) => linkId === `change-${changeId}`)?.linkSecret }),
      ),
    );
    expect(confirmed.map(({ status }) => status).toSorted()).toEqual([200, 409]);
  });

  it('is repeated under an Idempotency-Key with the same answer', async () => {
    const person = await register('repeat@old.example');
    const send = (email: string) =>
      call(url, 'POST', '/me/address-changes', {
        ...{ token: person.token, body: { email }, headers: { ...elsewhere(), 'idempotency-key': 'k1' } },
      });
    const first = await send('repeat@new.example');
    expect(await send('repeat@new.example')).toMatchObject({
      status: 202,
      json: { ...first.json, expires_at: expect.any(String) },
    });
    expect(await send('repeat@other.example')).toMatchObject({ status: 409, code: 'idempotency_key_reused' });
    expect(mailsTo(smtp, 'repeat@other.example')).toEqual([]);
  });

  it('is refused to a disposable address, to an invalid one, and to the present address', async () => {
    const { token } = await register('same@old.example');
    for (const email of ['a@mailinator.com', 'not an address', 'Same@old.example']) {
      const refused = await call(url, 'POST', '/me/address-changes', { token, body: { email }, headers: elsewhere() });
      expect(refused, email).toMatchObject({ status: 400 });
    }
  });

  it('stays with its person, who can no longer sign in by the old address', async () => {
    const person = await register('kept@old.example');
    await change(person, 'kept@old.example', 'kept@new.example');
    const [old, present] = [mailsTo(smtp, 'kept@old.example').length, mailsTo(smtp, 'kept@new.example').length];
    await call(url, 'POST', '/sign-in/codes', { body: { email: 'kept@old.example' }, headers: elsewhere() });
    await call(url, 'POST', '/registrations', { body: registration('kept@old.example'), headers: elsewhere() });
    // The owner of the address gets a hint, at the present one.
    await mailTo(smtp, 'kept@new.example', present + 1);
    expect(mailsTo(smtp, 'kept@new.example')).toHaveLength(present + 1);
    expect(mailsTo(smtp, 'kept@old.example')).toHaveLength(old);
  });
});

describe('the undo of a change of address', () => {
  it('brings back the old address, ends all sessions and frees the new address', async () => {
    const person = await register('back@old.example');
    const { changeId, linkSecret } = await change(person, 'back@old.example', 'back@new.example');
    const other = await signIn('back@new.example');
    const open = await call(url, 'POST', '/sign-in/codes', {
      body: { email: 'back@new.example' },
      headers: elsewhere(),
    });
    const { code } = await mailTo(smtp, 'back@new.example', 3);
    const pending = await ask(person, 'back@third.example');
    const third = await mailTo(smtp, 'back@third.example');

    expect(await undo(changeId, linkSecret)).toMatchObject({ status: 200, json: { undone: true } });
    for (const token of [person.token, other]) {
      expect(await call(url, 'GET', '/me', { token })).toMatchObject({ status: 401 });
    }
    const path = `/sign-in/codes/${String(open.json['sign_in_id'])}/redeem`;
    const late = await call(url, 'POST', path, { body: { code, browser_secret: open.json['browser_secret'] } });
    expect(late).toMatchObject({ status: 400, code: 'code_expired' });
    expect(await confirm(pending.changeId, { link_secret: third.linkSecret })).toMatchObject({ status: 400 });

    const token = await signIn('back@old.example');
    expect(await emailOf(token)).toBe('back@old.example');
    const account = await call(url, 'GET', `/accounts/${person.accountId}`, { token });
    expect(account.json).toMatchObject({ email: 'back@old.example' });
    // A second press changes nothing, and ends no new session.
    expect(await undo(changeId, linkSecret)).toMatchObject({ status: 200 });
    expect(await emailOf(token)).toBe('back@old.example');
    expect((await register('back@new.example')).accountId).toMatch(/^acc_/);
  });

  it('of an earlier change undoes the later ones with it', async () => {
    const person = await register('chain@a.example');
    const first = await change(person, 'chain@a.example', 'chain@b.example');
    const second = await change(person, 'chain@b.example', 'chain@c.example');
    expect(await undo(first.changeId, first.linkSecret)).toMatchObject({ status: 200 });
    const token = await signIn('chain@a.example');
    expect(await undo(second.changeId, second.linkSecret)).toMatchObject({ status: 200 });
    expect(await emailOf(token)).toBe('chain@a.example');
    await register('chain@b.example');
    await register('chain@c.example');
  });

  it('keeps a name that was changed meanwhile', async () => {
    const person = await register('named@old.example');
    const { changeId, linkSecret } = await change(person, 'named@old.example', 'named@new.example');
    await call(url, 'PUT', '/me/name', { token: person.token, body: { name: 'Ada King' } });
    expect(await undo(changeId, linkSecret)).toMatchObject({ status: 200 });
    const token = await signIn('named@old.example');
    expect((await call(url, 'GET', '/me', { token })).json).toMatchObject({
      name: 'Ada King',
      email: 'named@old.example',
    });
  });

  it('removes what was added to sign in with since the change was asked for', async () => {
    const person = await register('access@old.example');
    const { token, personId } = person;
    const own = createSoftwareAuthenticator(url.replace('127.0.0.1', 'localhost'));
    const addPasskey = async (authenticator: typeof own) => {
      const { json } = await call(url, 'POST', '/me/passkeys/options', { token, headers: elsewhere() });
      const response = authenticator.create(json['options'] as PublicKeyCredentialCreationOptionsJSON);
      const body = { name: 'Laptop', response };
      expect(await call(url, 'POST', '/me/passkeys', { token, body })).toMatchObject({ status: 201 });
    };
    await addPasskey(own);
    const { changeId, linkSecret } = await change(person, 'access@old.example', 'access@new.example');
    await addPasskey(createSoftwareAuthenticator(url.replace('127.0.0.1', 'localhost')));
    const secret = String((await call(url, 'POST', '/me/totp', { token })).json['secret']);
    const code = generateSync({ secret, epoch: Math.floor(Date.now() / 1000) });
    expect(await call(url, 'POST', '/me/totp/confirm', { token, body: { code } })).toMatchObject({ status: 200 });
    expect(await call(url, 'POST', '/me/recovery-codes', { token })).toMatchObject({ status: 201 });
    const rows = (table: string) =>
      query(premises.databaseUrl, `select person_id from ${table} where person_id = $1`, [personId]);
    expect((await rows('recovery_codes')).length).toBeGreaterThan(0);
    expect(await undo(changeId, linkSecret)).toMatchObject({ status: 200 });
    expect(await rows('passkeys')).toHaveLength(1);
    expect(await rows('totp_seeds')).toEqual([]);
    expect(await rows('recovery_codes')).toEqual([]);
    const present = await signIn('access@old.example');
    expect((await call(url, 'GET', '/me/passkeys', { token: present })).json['data']).toHaveLength(1);
  });

  it('needs the link of the notice', async () => {
    const person = await register('guess@old.example');
    const { changeId } = await change(person, 'guess@old.example', 'guess@new.example');
    expect(await undo(changeId, 'x'.repeat(43))).toMatchObject({ status: 400, code: 'code_wrong' });
    expect(await undo('chg_unknown', 'x'.repeat(43))).toMatchObject({ status: 400, code: 'code_expired' });
    expect(await emailOf(person.token)).toBe('guess@new.example');
  });
});

describe('a name', () => {
  it('is changed for the person and the personal account, and not for an entity', async () => {
    const person = await register('name@example.com');
    const { token } = person;
    expect(await call(url, 'PUT', '/me/name', { token, body: { name: 'Ada King' } })).toMatchObject({ status: 200 });
    expect((await call(url, 'GET', `/accounts/${person.accountId}`, { token })).json).toMatchObject({
      name: 'Ada King',
    });
    const own = `/accounts/${person.accountId}/name`;
    expect(await call(url, 'PUT', own, { token, body: { name: 'X' } })).toMatchObject({ code: 'name_of_person' });

    const entity = { country: 'DE', registration_number: 'HRB 7' };
    const firm = await register('firm@example.com', {
      name: 'Firm GmbH',
      declaration: ENTITY,
      entity,
    });
    const path = `/accounts/${firm.accountId}/name`;
    await call(url, 'PUT', '/me/name', { token: firm.token, body: { name: 'Grace Hopper' } });
    const read = () => call(url, 'GET', `/accounts/${firm.accountId}`, { token: firm.token });
    expect((await read()).json).toMatchObject({ name: 'Firm GmbH' });
    const renamed = await call(url, 'PUT', path, { token: firm.token, body: { name: 'Firm AG' } });
    expect(renamed).toMatchObject({ status: 200, json: { name: 'Firm AG' } });
    expect((await read()).json).toMatchObject({ name: 'Firm AG' });
    await change(firm, 'firm@example.com', 'firm@example.org');
    expect((await read()).json).toMatchObject({ name: 'Firm AG', email: 'firm@example.org' });
    expect(await call(url, 'PUT', path, { token, body: { name: 'Mine' } })).toMatchObject({ status: 404 });
  });
});

describe('a lost mailbox', () => {
  it('is replaced by support after a check; the old address can undo that', async () => {
    const person = await register('lost@old.example');
    const path = `/persons/${person.personId}/address`;
    const body = { email: 'lost@new.example', check: 'called back', reason: 'mailbox lost' };
    expect(await call(url, 'POST', path, { token: person.token, body })).toMatchObject({ status: 403 });
    const asked = await admin('POST', path, body);
    expect(asked).toMatchObject({ status: 202 });
    const { linkSecret, code } = await mailTo(smtp, 'lost@new.example');
    expect(code).toBe('');
    expect(await emailOf(person.token)).toBe('lost@old.example');
    const changeId = String(asked.json['change_id']);
    expect(await confirm(changeId, { link_secret: linkSecret })).toMatchObject({ status: 200 });
    expect(await emailOf(person.token)).toBe('lost@new.example');

    const read = await admin('GET', `/persons/${person.personId}`);
    expect(read.json).toMatchObject({
      ...{ name: 'Ada Lovelace', email: 'lost@new.example', standing: 'verified', is_unreachable: false },
      ...{ accounts: [{ account_id: person.accountId, role: 'owner' }], sessions: 1, passkeys: 0 },
      changes: [
        { kind: 'address_asked', by: 'support', check: 'called back', reason: 'mailbox lost', actor: 'admin' },
        { kind: 'address_changed', by: 'support', change_id: changeId },
      ],
    });
    const notice = await mailTo(smtp, 'lost@old.example', 2);
    expect(await undo(changeId, notice.linkSecret)).toMatchObject({ status: 200 });
    expect((await admin('GET', `/persons/${person.personId}`)).json).toMatchObject({ email: 'lost@old.example' });
  });

  it('is not replaced by an address of somebody else, or of an unknown person', async () => {
    const person = await register('lost2@old.example');
    const body = { email: 'owner@taken.example', check: 'called back', reason: 'mailbox lost' };
    expect(await admin('POST', `/persons/${person.personId}/address`, body)).toMatchObject({ code: 'address_taken' });
    const unknown = { ...body, email: 'free@example.org' };
    expect(await admin('POST', '/persons/per_unknown/address', unknown)).toMatchObject({ code: 'person_not_found' });
    expect(await admin('GET', '/persons/per_unknown')).toMatchObject({ status: 404, code: 'person_not_found' });
  });
});

describe('a mail that is rejected', () => {
  it('marks its person as unreachable for staff', async () => {
    const person = await register('full@example.com');
    smtp.behave({ code: 550, at: 'rcpt' }, 'accept');
    await call(url, 'POST', '/sign-in/codes', { body: { email: 'full@example.com' }, headers: elsewhere() });
    const read = async () => (await admin('GET', `/persons/${person.personId}`)).json;
    await expect.poll(read, SOON).toMatchObject({ is_unreachable: true, changes: [{ kind: 'mail_undelivered' }] });
  });
});

// The last tests: the clock moves only forward.
it('a change of address needs a sign-in of the last 15 minutes', async () => {
  const { token } = await register('stolen@old.example');
  await forward(premises.databaseUrl, 16 * 60_000, [gateway]);
  const send = (session: string) =>
    call(url, 'POST', '/me/address-changes', {
      ...{ token: session, body: { email: 'stolen@new.example' }, headers: elsewhere() },
    });
  expect(await send(token)).toMatchObject({ status: 403, code: 'recent_sign_in_required' });
  expect(await send(await signIn('stolen@old.example'))).toMatchObject({ status: 202 });
  expect(await emailOf(token)).toBe('stolen@old.example');
});

it('the undo works on the sixth day and not on the eighth, when the old address is free again', async () => {
  const sixth = await register('six@old.example');
  const eighth = await register('eight@old.example');
  const inTime = await change(sixth, 'six@old.example', 'six@new.example');
  const late = await change(eighth, 'eight@old.example', 'eight@new.example');
  await forward(premises.databaseUrl, 6 * DAY_MS, [gateway]);
  expect(await undo(inTime.changeId, inTime.linkSecret)).toMatchObject({ status: 200 });
  expect(await emailOf(await signIn('six@old.example'))).toBe('six@old.example');

  const sent = mailsTo(smtp, 'eight@new.example').length;
  await call(url, 'POST', '/registrations', { body: registration('eight@old.example'), headers: elsewhere() });
  await mailTo(smtp, 'eight@new.example', sent + 1); // A hint: the address still belongs to its person.
  await forward(premises.databaseUrl, 2 * DAY_MS + 2 * HOUR_MS, [gateway]);
  expect(await undo(late.changeId, late.linkSecret)).toMatchObject({ status: 400, code: 'code_expired' });
  const next = await register('eight@old.example');
  expect(next.personId).not.toBe(eighth.personId);
  expect(await emailOf(await signIn('eight@new.example'))).toBe('eight@new.example');
});
