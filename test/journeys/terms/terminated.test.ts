import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import {
  call,
  ENTITY,
  mailsTo,
  mailTo,
  registerPerson,
  registration,
  signIn,
  TERMS,
} from '../../support/customers/person.ts';
import { accept, invitedBy } from '../../support/customers/roles.ts';
import { ADMIN_TOKEN, createPremises, type Premises } from '../../support/gateway.ts';

let smtp: TestSmtp;
let premises: Premises;
let url: string;
let other: string;
const admin = { token: ADMIN_TOKEN };

beforeAll(async () => {
  smtp = await createTestSmtp();
  premises = await createPremises();
  const settings = {
    ...{ SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'KissAPI <no-reply@example.com>' },
    SUPPORT_EMAIL: 'support@example.com',
  };
  const nodes = [await premises.startGateway(settings), await premises.startGateway(settings)] as const;
  [url, other] = [nodes[0].url, nodes[1].url];
});
afterAll(async () => {
  await premises.close();
  await smtp.close();
});

const terminate = async (accountId: string, email: string): Promise<void> => {
  const before = mailsTo(smtp, email).length;
  const body = { category: 'damage', consequence: 'termination', reason: 'attacked the gateway' };
  const done = await call(url, 'POST', `/accounts/${accountId}/violations`, { ...admin, body });
  expect(done).toMatchObject({ status: 201, json: { status: 'closed' } });
  // The process that mails it excludes the holder first.
  const mail = await mailTo(smtp, email, before + 1);
  expect(mail.subject).toBe('Your account with KissAPI is terminated');
};

/** The mail to an address that registers again on the other node. */
const registerAgain = async (spelling: string, mailbox = spelling): Promise<string> => {
  const before = mailsTo(smtp, mailbox).length;
  expect(await call(other, 'POST', '/registrations', { body: registration(spelling) })).toMatchObject({ status: 202 });
  const { code, text } = await mailTo(smtp, mailbox, before + 1);
  expect(code).toBe('');
  return text.replaceAll(/\s+/g, ' ');
};

describe('the owner of a terminated account', () => {
  const email = 'ada.lovelace@gmail.com';
  let person: Awaited<ReturnType<typeof registerPerson>>;

  it('signs in, and reads the account and its events', async () => {
    person = await registerPerson(url, smtp, email);
    await terminate(person.accountId, email);
    const token = await signIn(url, smtp, email);
    const account = await call(url, 'GET', `/accounts/${person.accountId}`, { token });
    expect(account.json).toMatchObject({ status: 'closed', termination: { forfeited: false } });
    const { json } = await call(url, 'GET', `/accounts/${person.accountId}/events`, { token });
    expect(JSON.stringify(json)).toContain('attacked the gateway');
  });

  it('does not register again, however the address is written', async () => {
    expect(await registerAgain('Ada.Lovelace+2@googlemail.com', email)).toContain('already have an account');
  });

  it('403: opens no other account, also with an approval and for an entity', async () => {
    const { token, personId, accountId } = person;
    const approval = { until: '2099-12-31T00:00:00Z', reason: 'asked for' };
    await call(url, 'POST', `/persons/${personId}/second-account-approvals`, { ...admin, body: approval });
    const entity = { country: 'DE', registration_number: 'HRB 99', name: 'Ada GmbH' };
    const second = { declaration: 'I am 18 or older.', accept_terms: TERMS };
    for (const body of [second, { entity, declaration: ENTITY, accept_terms: TERMS }]) {
      const refused = await call(other, 'POST', '/me/accounts', { token, body });
      expect(refused).toMatchObject({ status: 403, code: 'holder_excluded' });
    }
    expect((await call(url, 'GET', '/me', { token })).json).toMatchObject({ accounts: [{ account_id: accountId }] });
  });

  it('does not register again after an erasure by its own wish, however the address is written', async () => {
    const token = await signIn(url, smtp, email);
    const erased = await call(url, 'POST', '/me/erase', { token, body: { confirm: 'erase' } });
    expect(erased).toMatchObject({ status: 200, json: { erased: true } });
    for (const spelling of [email, 'adalovelace@gmail.com', 'ADA.LOVELACE+new@googlemail.com']) {
      const mailbox = spelling.toLowerCase();
      expect(await registerAgain(spelling, mailbox)).toContain('we do not open another one');
    }
  });
});

describe('two owners of a terminated account', () => {
  const [first, second] = ['first@owners.example', 'second@owners.example'];
  const entityOf = (number: string) => ({
    ...{ name: 'Owners GmbH', declaration: ENTITY, entity: { country: 'DE', registration_number: number } },
  });
  const invite = (host: { readonly accountId: string; readonly token: string }, email: string) =>
    invitedBy(smtp, email, () =>
      call(url, 'POST', `/accounts/${host.accountId}/invitations`, {
        ...{ token: host.token, body: { email, role: 'owner' } },
      }),
    );
  let owner: Awaited<ReturnType<typeof registerPerson>>;
  let friend: typeof owner;
  let token: string;

  it('403: open no account after they change their roles, or leave', async () => {
    owner = await registerPerson(url, smtp, first, entityOf('HRB 501'));
    const accepted = await accept(url, await invite(owner, second));
    token = await signIn(url, smtp, second);
    await terminate(owner.accountId, first);
    const path = `/accounts/${owner.accountId}/members/${String(accepted.json['person_id'])}`;
    const demoted = await call(url, 'PUT', path, { token: owner.token, body: { role: 'developer' } });
    expect(demoted).toMatchObject({ status: 200 });
    const body = { declaration: 'I am 18 or older.', accept_terms: TERMS };
    const excluded = { status: 403, code: 'holder_excluded' };
    expect(await call(other, 'POST', '/me/accounts', { token, body })).toMatchObject(excluded);
    expect(await call(url, 'DELETE', path, { token })).toMatchObject({ status: 200 });
    // The process that mails the code of a registration has handled the end of the membership before.
    friend = await registerPerson(url, smtp, 'friend@owners.example', entityOf('HRB 502'));
    expect(await call(other, 'POST', '/me/accounts', { token, body })).toMatchObject(excluded);
  });

  it('409: join no other account by an invitation, also to an address that they have changed to', async () => {
    const address = 'changed@owners.example';
    const asked = await call(url, 'POST', '/me/address-changes', { token: owner.token, body: { email: address } });
    const { code } = await mailTo(smtp, address);
    const confirmation = { code, browser_secret: asked.json['browser_secret'] };
    const change = `/address-changes/${String(asked.json['change_id'])}/confirm`;
    expect(await call(url, 'POST', change, { body: confirmation })).toMatchObject({ status: 200 });
    for (const email of [second, address]) {
      expect(await accept(url, await invite(friend, email), {})).toMatchObject({
        ...{ status: 409, code: 'invitation_ended' },
      });
    }
  });
});

describe('an entity whose account is terminated', () => {
  const entity = { country: 'DE', registration_number: 'HRB 4711' };
  const more = { name: 'Example GmbH', declaration: ENTITY, entity };

  it('gets no other account: at registration, or from a person who is signed in', async () => {
    const email = 'owner@gmbh.example';
    const { accountId } = await registerPerson(url, smtp, email, more);
    await terminate(accountId, email);
    const approval = { ...entity, until: '2099-12-31T00:00:00Z', reason: 'asked for' };
    await call(url, 'POST', '/identities/entity-approvals', { ...admin, body: approval });
    const next = await registerPerson(other, smtp, 'next@gmbh.example', more);
    expect(next.accountId).toBe('null');
    const written = { country: 'DE', registration_number: 'hrb-4711', name: 'Another GmbH' };
    const body = { entity: written, declaration: ENTITY, accept_terms: TERMS };
    const refused = await call(url, 'POST', '/me/accounts', { token: next.token, body });
    expect(refused).toMatchObject({ status: 403, code: 'holder_excluded' });
  });
});

describe('an account that the operator registered', () => {
  it('is mailed to its contact, whose address does not register again', async () => {
    const email = 'contact@operator.example';
    const body = { name: 'Eve', email, adult: true, accept_terms: TERMS };
    const { json } = await call(url, 'POST', '/accounts', { ...admin, body });
    await terminate(String(json['account_id']), email);
    expect(await registerAgain(email)).toContain('we do not open another one');
  });
});

it('the answer to a violation names the other open accounts of the owners', async () => {
  const email = 'two@accounts.example';
  const { accountId, token } = await registerPerson(url, smtp, email);
  const entity = { country: 'DE', registration_number: 'HRB 777', name: 'Two GmbH' };
  const opened = await call(url, 'POST', '/me/accounts', {
    ...{ token, body: { entity, declaration: ENTITY, accept_terms: TERMS } },
  });
  const body = { category: 'damage', consequence: 'none', reason: 'attacked the gateway' };
  const answer = await call(url, 'POST', `/accounts/${accountId}/violations`, { ...admin, body });
  expect(answer.json).toMatchObject({ other_accounts: [opened.json['account_id']] });
  await call(url, 'POST', `/accounts/${String(opened.json['account_id'])}/close`, {
    ...admin,
    body: { reason: 'asked' },
  });
  const again = await call(url, 'POST', `/accounts/${accountId}/violations`, { ...admin, body });
  expect(again.json).toMatchObject({ other_accounts: [] });
});
