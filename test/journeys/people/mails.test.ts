import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import { call, mailsTo, mailTo, registerPerson, type Person } from '../../support/customers/person.ts';
import { ADMIN_TOKEN, createPremises, type Premises } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';

let smtp: TestSmtp;
let premises: Premises;
let url: string;

beforeAll(async () => {
  smtp = await createTestSmtp();
  premises = await createPremises();
  ({ url } = await premises.startGateway({
    ...{ SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'KissAPI <no-reply@example.com>' },
    SUPPORT_EMAIL: 'support@example.com',
  }));
});
afterAll(async () => {
  await premises.close();
  await smtp.close();
});

const issueKey = async ({ accountId, token }: Person): Promise<{ keyId: string; secret: string }> => {
  const { json } = await call(url, 'POST', `/accounts/${accountId}/keys`, { token, body: { name: 'k' } });
  return { keyId: String(json['key_id']), secret: String(json['secret']) };
};
const grant = (accountId: string, usd: string) =>
  call(url, 'POST', `/accounts/${accountId}/grants`, { token: ADMIN_TOKEN, body: { usd, reason: 'test' } });

const spend = async (secret: string): Promise<void> => {
  const body = { model: 'simulated-chat', max_tokens: 50, messages: [{ role: 'user', content: 'Hello' }] };
  const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
  const ask = async () =>
    (await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body) })).status;
  expect(await ask()).toBe(200);
};

it('a leaked key is reported to support, once', async () => {
  const person = await registerPerson(url, smtp, 'leak@example.com');
  const { keyId } = await issueKey(person);
  const path = `/accounts/${person.accountId}/keys/${keyId}/leak`;
  const reported = await call(url, 'POST', path, { token: person.token, body: {} });
  expect(reported.status).toBeLessThan(300);
  const mail = await mailTo(smtp, 'support@example.com');
  expect(mail.subject).toBe(`Leaked key ${keyId} of ${person.accountId}`);
  expect(mailsTo(smtp, 'support@example.com')).toHaveLength(1);
});

it('a balance that falls below the threshold is mailed to the owner once, and again after it was above', async () => {
  const person = await registerPerson(url, smtp, 'low@example.com');
  const { accountId, token } = person;
  const { secret } = await issueKey(person);
  await grant(accountId, '0.01');
  const path = `/accounts/${accountId}/low-balance`;
  const set = await call(url, 'PUT', path, { token, body: { threshold_usd: '0.01' } });
  expect(set).toMatchObject({ status: 200, json: { threshold_usd: '0.01', balance_usd: '0.01', changed: true } });
  expect((await call(url, 'GET', `/accounts/${accountId}`, { token })).json).toMatchObject({ low_balance_usd: '0.01' });

  await spend(secret);
  const mail = await mailTo(smtp, 'low@example.com', 2);
  expect(mail.subject).toBe('Your balance with KissAPI is low');
  expect(mail.text).toContain('0.01 USD');
  await spend(secret);
  // Each of these requests costs 0.000069 USD.
  await grant(accountId, '0.0002');
  await spend(secret);
  await mailTo(smtp, 'low@example.com', 3);
  expect(mailsTo(smtp, 'low@example.com')).toHaveLength(3);
});

it('the link of such a mail ends them, and may be used again', async () => {
  const person = await registerPerson(url, smtp, 'end@example.com');
  const { accountId, token } = person;
  const { secret } = await issueKey(person);
  await grant(accountId, '0.01');
  await call(url, 'PUT', `/accounts/${accountId}/low-balance`, { token, body: { threshold_usd: '0.01' } });
  await spend(secret);
  const { linkId, linkSecret } = await mailTo(smtp, 'end@example.com', 2);
  const raw = smtp.received.findLast(({ to }) => to === 'end@example.com')?.raw ?? '';
  expect(raw).toMatch(/^List-Unsubscribe:\s+<.*confirm#low-balance-/im);
  const end = (link_secret: string) =>
    call(url, 'POST', `/low-balance-mails/${linkId.replace('low-balance-', '')}/end`, { body: { link_secret } });
  expect(await end(`${linkSecret}x`)).toMatchObject({ status: 400, code: 'code_wrong' });
  for (let n = 0; n < 2; n++) expect(await end(linkSecret)).toMatchObject({ status: 200, json: { ended: true } });
  const read = async () => (await call(url, 'GET', `/accounts/${accountId}`, { token })).json;
  await expect.poll(read, SOON).toMatchObject({ low_balance_usd: null });
});

it('the threshold is more than nothing, and can be removed', async () => {
  const { accountId, token } = await registerPerson(url, smtp, 'set@example.com');
  const put = (threshold_usd: unknown) =>
    call(url, 'PUT', `/accounts/${accountId}/low-balance`, { token, body: { threshold_usd } });
  expect(await put('0')).toMatchObject({ status: 400, code: 'invalid_amount' });
  expect(await put('5')).toMatchObject({ status: 200, json: { threshold_usd: '5.00' } });
  expect(await put(null)).toMatchObject({ status: 200, json: { threshold_usd: null, changed: true } });
});

it('the owner of an account that is closed receives what is owed', async () => {
  const { accountId } = await registerPerson(url, smtp, 'closed@example.com');
  await grant(accountId, '1.00');
  const close = () =>
    call(url, 'POST', `/accounts/${accountId}/close`, {
      token: ADMIN_TOKEN,
      body: { reason: 'The holder asked for it' },
    });
  for (let n = 0; n < 2; n++) expect(await close()).toMatchObject({ status: 200 });
  const mail = await mailTo(smtp, 'closed@example.com', 2);
  expect(mail.subject).toBe('Your account with KissAPI is closed');
  expect(mail.text).toContain('0.00 USD');
  expect(mailsTo(smtp, 'closed@example.com')).toHaveLength(2);
});
