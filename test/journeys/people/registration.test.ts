import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import { call, ENTITY, mailsTo, mailTo, registerPerson, registration, signIn } from '../../support/customers/person.ts';
import { query } from '../../support/sql.ts';
import { SOON } from '../../support/soon.ts';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';

let smtp: TestSmtp;
let premises: Premises;
let nodes: readonly [RunningGateway, RunningGateway];
let url: string;

beforeAll(async () => {
  smtp = await createTestSmtp();
  premises = await createPremises();
  const env = {
    ...{ SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'KissAPI <no-reply@example.com>' },
    TRUSTED_PROXIES: '127.0.0.1',
  };
  nodes = [await premises.startGateway(env), await premises.startGateway(env)];
  url = nodes[0].url;
});
afterAll(async () => {
  await premises.close();
  await smtp.close();
});

describe('a registration', () => {
  it('opens an account once its code is entered in the browser that registered', async () => {
    const { token, accountId, personId } = await registerPerson(url, smtp, 'ada@example.com');
    const me = await call(url, 'GET', '/me', { token });
    expect(me).toMatchObject({
      status: 200,
      json: { person_id: personId, email: 'ada@example.com', accounts: [{ account_id: accountId, role: 'owner' }] },
    });
    const account = await call(nodes[1].url, 'GET', `/accounts/${accountId}`, { token });
    expect(account).toMatchObject({ status: 200, json: { holder: 'person', terms_version: '2026-11-30' } });
  });

  it('signs in no other browser that opens the link', async () => {
    const email = 'link@example.com';
    const asked = await call(url, 'POST', '/registrations', { body: registration(email) });
    const { linkId, linkSecret } = await mailTo(smtp, email);
    expect(linkId).toBe(`verify-${String(asked.json['registration_id'])}`);
    const path = `/registrations/${String(asked.json['registration_id'])}/verify`;
    const verified = await call(url, 'POST', path, { body: { link_secret: linkSecret } });
    expect(verified).toMatchObject({
      status: 200,
      json: { session: null, account_id: expect.stringMatching(/^acc_/) },
    });
    expect(await signIn(url, smtp, email)).toMatch(/^kiss_ses_/);
  });

  it('that is repeated before verification makes the earlier code invalid', async () => {
    const email = 'again@example.com';
    const first = await call(url, 'POST', '/registrations', { body: registration(email) });
    const { code } = await mailTo(smtp, email);
    const second = await call(url, 'POST', '/registrations', { body: registration(email) });
    const newer = await mailTo(smtp, email, 2);
    const verify = (asked: typeof first, entered: string) =>
      call(url, 'POST', `/registrations/${String(asked.json['registration_id'])}/verify`, {
        body: { code: entered, browser_secret: asked.json['browser_secret'] },
      });
    expect(await verify(first, code)).toMatchObject({ status: 400, code: 'code_expired' });
    expect(await verify(second, newer.code)).toMatchObject({ status: 200 });
  });

  it('of an address with an account is answered alike, and only its owner gets a mail', async () => {
    const email = 'owner@example.com';
    await registerPerson(url, smtp, email);
    const again = await call(url, 'POST', '/registrations', { body: registration(email.toUpperCase()) });
    expect(again).toMatchObject({
      status: 202,
      json: { registration_id: expect.stringMatching(/^per_/), browser_secret: expect.any(String), hint: null },
    });
    expect((await mailTo(smtp, email, 2)).subject).toContain('You already have an account');
    expect(mailsTo(smtp, email)).toHaveLength(2);
  });

  it.each([
    [{ email: 'a@mailinator.com' }, 'disposable_address'],
    [{ email: 'not an address' }, 'invalid_request'],
    [{ declaration: ENTITY }, 'invalid_request'],
    [{ declaration: 'yes' }, 'invalid_request'],
    [{ accept_terms: '2020-01-01' }, 'terms_not_in_force'],
  ])('400: %j', async (more, code) => {
    const refused = await call(url, 'POST', '/registrations', { body: registration('x@example.com', more) });
    expect(refused).toMatchObject({ status: 400, code });
  });

  it('hints at a typo of the domain', async () => {
    const asked = await call(url, 'POST', '/registrations', { body: registration('ada@gmaill.com') });
    expect(asked).toMatchObject({ status: 202, json: { hint: 'Did you mean gmail.com?' } });
  });

  it('of an entity that has an account verifies the person alone', async () => {
    const entity = (number: string) => ({
      ...{ name: 'Example GmbH', declaration: ENTITY },
      entity: { country: 'DE', registration_number: number },
    });
    const first = await registerPerson(url, smtp, 'one@entity.example', entity('HRB 12345'));
    expect(first.accountId).toMatch(/^acc_/);
    const second = await registerPerson(url, smtp, 'two@entity.example', entity('hrb-12345'));
    expect(second.accountId).toBe('null');
    expect(await call(url, 'GET', `/accounts/${first.accountId}`, { token: second.token })).toMatchObject({
      status: 404,
      code: 'account_not_found',
    });
  });
});

it('of 50 registrations of one address in its spellings, on two nodes, one gets an account', async () => {
  const spellings = [
    'Ada.Lovelace@gmail.com',
    'adalovelace+x@googlemail.com',
    'ＡＤＡlovelace@gmail.com',
    'adalovelace@GMAIL.com',
  ];
  const register = (times: number) =>
    Promise.all(
      Array.from({ length: times }, async (_, n) => {
        const node = nodes[n % 2 === 0 ? 0 : 1];
        const asked = await call(node.url, 'POST', '/registrations', {
          body: registration(spellings[n % spellings.length] ?? ''),
          headers: { 'x-forwarded-for': `203.0.${n + times}.1` },
        });
        expect(asked).toMatchObject({ status: 202 });
        return asked.json;
      }),
    );
  const toAny = () => smtp.received.filter(({ to }) => to.includes('lovelace') && !to.includes('example'));
  const registered = async () =>
    (
      await query<{ n: number }>(
        premises.databaseUrl,
        `select count(*)::int n from events where type = 'AccountRegistered'`,
      )
    )[0]?.n;
  const accounts = (await registered()) ?? 0;
  const asked = await register(50);
  await expect.poll(() => toAny().length, SOON).toBeGreaterThan(0);
  const verify = async () => {
    const mails = [...new Set(toAny().map(({ to }) => to))].flatMap((to) => mailsTo(smtp, to));
    const verified = await Promise.all(
      mails.map(({ linkId, code }) => {
        const own = asked.find((one) => linkId === `verify-${String(one['registration_id'])}`);
        const body = { code, browser_secret: own?.['browser_secret'] };
        return call(url, 'POST', `/registrations/${String(own?.['registration_id'])}/verify`, { body });
      }),
    );
    return verified.filter(({ status }) => status === 200);
  };
  await expect.poll(verify, SOON).toHaveLength(1);
  // From now on its owner gets a mail, once an hour.
  const before = toAny().length;
  await register(5);
  await expect.poll(() => toAny().length, SOON).toBe(before + 1);
  expect(await registered()).toBe(accounts + 1);
});

describe('a session', () => {
  it('ends at sign-out, and others when they are revoked', async () => {
    const email = 'sessions@example.com';
    const { token: first } = await registerPerson(url, smtp, email);
    const second = await signIn(url, smtp, email);
    const listed = await call(url, 'GET', '/me/sessions', { token: second });
    expect(listed.json['data']).toHaveLength(2);
    expect(await call(nodes[1].url, 'POST', '/me/sessions/revoke-others', { token: second })).toMatchObject({
      json: { ended: 1 },
    });
    expect(await call(url, 'GET', '/me', { token: first })).toMatchObject({ status: 401, code: 'not_signed_in' });
    expect(await call(url, 'POST', '/me/sign-out', { token: second })).toMatchObject({ status: 200 });
    expect(await call(url, 'GET', '/me', { token: second })).toMatchObject({ status: 401 });
  });

  it('is for an address that is unknown asked alike, and no mail is sent', async () => {
    const email = 'nobody@example.com';
    const asked = await call(url, 'POST', '/sign-in/codes', { body: { email } });
    expect(asked).toMatchObject({ status: 202, json: { sign_in_id: expect.stringMatching(/^sgn_/) } });
    await signIn(url, smtp, 'ada@example.com');
    expect(mailsTo(smtp, email)).toEqual([]);
  });
});

describe('the keys of an account', () => {
  it('are in the hands of its owner, and of no one else', async () => {
    const owner = await registerPerson(url, smtp, 'keys@example.com');
    const stranger = await registerPerson(url, smtp, 'stranger@example.com');
    const body = { name: 'mine' };
    const path = `/accounts/${owner.accountId}/keys`;
    const issued = await call(url, 'POST', path, { token: owner.token, body });
    expect(issued).toMatchObject({ status: 201, json: { secret: expect.stringMatching(/^kiss_test_/) } });
    expect(await call(url, 'POST', path, { token: stranger.token, body })).toMatchObject({
      status: 404,
      code: 'account_not_found',
    });
    expect(
      await call(url, 'POST', `/accounts/${owner.accountId}/grants`, {
        token: owner.token,
        body: { usd: '5.00', reason: 'for me' },
      }),
    ).toMatchObject({ status: 403, code: 'not_allowed' });
  });
});
