import { createCreemStandIn, type CreemStandIn } from '@kissapi/creem-stand-in';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import { runCommand } from '../../support/command.ts';
import { call, mailsTo, mailTo, registerPerson, type Person, type Reply } from '../../support/customers/person.ts';
import { ADMIN_TOKEN, createPremises, DATA_KEY, type Premises } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';

let smtp: TestSmtp;
let standIn: CreemStandIn;
let premises: Premises;
/** Two nodes. */
let urls: readonly [string, string];

beforeAll(async () => {
  smtp = await createTestSmtp();
  const [apiKey, webhookSecret] = ['creem_test_of_conduct', 'whsec_of_conduct'];
  standIn = createCreemStandIn({ apiKey, webhookSecret, seed: 'conduct', now: Date.now });
  premises = await createPremises();
  const settings = {
    ...{ CREEM_API_KEY: apiKey, CREEM_WEBHOOK_SECRET: webhookSecret, CREEM_PRODUCT_ID: standIn.productId },
    ...{ CREEM_API_URL: await standIn.listen(), MAIL_FROM: 'KissAPI <no-reply@example.com>' },
    ...{ SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, SUPPORT_EMAIL: 'support@example.com' },
  };
  urls = [(await premises.startGateway(settings)).url, (await premises.startGateway(settings)).url];
  standIn.control.deliverTo(`${urls[0]}/webhooks/creem`);
});
afterAll(async () => {
  await premises.close();
  await standIn.close();
  await smtp.close();
});

const admin = async (path: string, body: object): Promise<Reply> => {
  const done = await call(urls[0], 'POST', path, { token: ADMIN_TOKEN, body });
  expect(done.status, JSON.stringify(done.json)).toBeLessThan(300);
  return done;
};
const violate = (accountId: string, body: object): Promise<Reply> =>
  admin(`/accounts/${accountId}/violations`, { category: 'damage', reason: 'attacked the gateway', ...body });

const pay = async ({ accountId, token, email }: Person, amount_usd: string): Promise<void> => {
  const path = `/accounts/${accountId}/top-ups`;
  const { json } = await call(urls[0], 'POST', path, { token, body: { amount_usd } });
  standIn.control.pay(String(json['checkout_url']).split('/').at(-1) ?? '', { email });
  await standIn.control.deliverDue();
  const balance = async () => (await call(urls[0], 'GET', `/accounts/${accountId}`, { token })).json['balance_usd'];
  await expect.poll(balance, SOON).toBe(amount_usd);
  await mailTo(smtp, email, 2);
};

const issueKey = async ({ accountId, token }: Person): Promise<{ keyId: string; secret: string }> => {
  const { json } = await call(urls[0], 'POST', `/accounts/${accountId}/keys`, { token, body: { name: 'k' } });
  return { keyId: String(json['key_id']), secret: String(json['secret']) };
};

/** The status and the message of a completion on a node. */
const ask = async (url: string, secret: string): Promise<readonly [number, string, string]> => {
  const body = { model: 'simulated-chat', max_tokens: 20, messages: [{ role: 'user', content: 'Hello' }] };
  const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
  const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body) });
  const json = (await answer.json()) as { readonly id?: string; readonly error?: { readonly message: string } };
  return [answer.status, json.error?.message ?? '', answer.headers.get('x-kissapi-generation-id') ?? ''];
};
const onBoth = (secret: string) => Promise.all(urls.map((url) => ask(url, secret)));

const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

const replay = async (accountId: string): Promise<string> => {
  const env = { DATABASE_URL: premises.databaseUrl, KISSAPI_DATA_KEY: DATA_KEY };
  return flat((await runCommand('replay', [accountId], { env })).stdout);
};

it('warns, suspends, reinstates, and terminates with forfeiture; each is mailed and is in the replay', async () => {
  const email = 'ada@conduct.example';
  const person = await registerPerson(urls[0], smtp, email);
  const { accountId } = person;
  await pay(person, '25.00');
  const { keyId, secret } = await issueKey(person);
  const [, , generation] = await ask(urls[0], secret);
  // The other node accepts the key within a second.
  await expect.poll(async () => (await ask(urls[1], secret))[0], SOON).toBe(200);

  // Generations are found once the rows include them.
  const warn = () =>
    call(urls[0], 'POST', `/accounts/${accountId}/violations`, {
      ...{ token: ADMIN_TOKEN, headers: { 'idempotency-key': 'warning' } },
      body: { category: 'circumvention', consequence: 'warning', reason: 'many keys', evidence: [generation, keyId] },
    });
  await expect.poll(async () => (await warn()).status, SOON).toBe(201);
  const warning = await mailTo(smtp, email, 3);
  expect([warning.subject, flat(warning.text)]).toEqual([
    'Warning: your account with KissAPI',
    expect.stringContaining('Reason: many keys'),
  ]);

  const suspended = await violate(accountId, { consequence: 'suspension' });
  const violation_id = String(suspended.json['violation_id']);
  for (const [status, message] of await onBoth(secret)) {
    expect([status, message]).toEqual([403, expect.stringContaining('suspended for a violation of the terms')]);
  }
  expect((await mailTo(smtp, email, 4)).subject).toBe('Your account with KissAPI is suspended');

  await admin(`/accounts/${accountId}/reinstate`, { reason: 'explained', cause: { kind: 'violation', violation_id } });
  expect((await mailTo(smtp, email, 5)).subject).toBe('The suspension of your account with KissAPI has ended');
  expect((await onBoth(secret)).map(([status]) => status)).toEqual([200, 200]);

  const { json } = await violate(accountId, { consequence: 'termination', forfeit: true });
  const balance = (await call(urls[0], 'GET', `/accounts/${accountId}`, { token: person.token })).json['balance_usd'];
  expect([json['status'], json['owed_usd'], balance]).toEqual(['closed', '0.00', '0.00']);
  expect((await ask(urls[0], secret))[0]).toBe(401);
  await expect.poll(async () => (await ask(urls[1], secret))[0], SOON).toBe(401);
  const ended = await mailTo(smtp, email, 6);
  expect(ended.subject).toBe('Your account with KissAPI is terminated');
  expect(flat(ended.text)).toContain(`Paid credits that are forfeited: ${String(json['forfeited_usd'])} USD`);

  const story = await replay(accountId);
  for (const sentence of [
    `with a warning: many keys; evidence: ${generation}, ${keyId}.`,
    `Recorded the violation ${violation_id} (damage to the service), with suspension: attacked the gateway`,
    'Terminated for the violation',
    'the remaining paid credits are forfeited',
  ]) {
    expect(story).toContain(sentence);
  }
  // A closing has no second mail. The mails of another account come later.
  await registerPerson(urls[0], smtp, 'later@conduct.example');
  expect(mailsTo(smtp, email)).toHaveLength(6);
});

it('a holder who is terminated without forfeiture asks for a refund of what is owed', async () => {
  const email = 'owed@conduct.example';
  const person = await registerPerson(urls[0], smtp, email);
  await pay(person, '25.00');
  const { json } = await violate(person.accountId, { consequence: 'termination' });
  expect(json).toMatchObject({ forfeited_usd: '0.00', owed_usd: '25.00' });
  expect(flat((await mailTo(smtp, email, 3)).text)).toContain('Paid credits that we still owe you: 25.00 USD');
  const asked = await call(urls[1], 'POST', `/accounts/${person.accountId}/refunds`, {
    ...{ token: person.token, body: { reason: 'not_needed' } },
  });
  expect(asked.status, JSON.stringify(asked.json)).toBe(201);
});

it('a violation by resale is refused until the authorisation of resale ends', async () => {
  const email = 'resale@conduct.example';
  const { accountId } = await registerPerson(urls[0], smtp, email);
  await admin(`/accounts/${accountId}/resale`, { reason: 'contract 7' });
  expect(flat((await mailTo(smtp, email, 2)).text)).toContain('contract 7');
  const body = { category: 'resale', consequence: 'warning', reason: 'sold' };
  const refused = await call(urls[1], 'POST', `/accounts/${accountId}/violations`, { token: ADMIN_TOKEN, body });
  expect(refused).toMatchObject({ status: 409, code: 'resale_authorized' });
  await admin(`/accounts/${accountId}/resale/end`, { reason: 'contract 7 ended' });
  expect((await mailTo(smtp, email, 3)).subject).toBe('You may no longer resell access to KissAPI');
  await admin(`/accounts/${accountId}/violations`, body);
  const story = await replay(accountId);
  expect(story).toContain('Authorised the resale or sharing of access: contract 7.');
  expect(story).toContain('Ended the authorisation of resale: contract 7 ended.');
});
