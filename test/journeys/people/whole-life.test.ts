import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import { DAY_MS, forward } from '../../support/clock.ts';
import { runCommand } from '../../support/command.ts';
import { call, mailTo, registerPerson, signIn, type Reply } from '../../support/customers/person.ts';
import { ADMIN_TOKEN, createPremises, DATA_KEY, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { createSoftwareAuthenticator } from '../../support/browser/software-authenticator.ts';
import { SOON } from '../../support/soon.ts';

let smtp: TestSmtp;
let premises: Premises;
let gateway: RunningGateway;
let url: string;

beforeAll(async () => {
  smtp = await createTestSmtp();
  premises = await createPremises();
  gateway = await premises.startGateway({
    ...{ SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'KissAPI <no-reply@example.com>' },
    SUPPORT_EMAIL: 'support@gateway.example',
  });
  url = gateway.url;
});
afterAll(async () => {
  await premises.close();
  await smtp.close();
});

const OLD = 'ada@old.example';
const NEW = 'ada@new.example';

const expectOk = (reply: Reply, json: object = {}): Reply => {
  expect(reply).toMatchObject({ status: expect.toSatisfy((status: number) => status < 300), json });
  return reply;
};
const admin = (method: string, path: string, body?: unknown) => call(url, method, path, { token: ADMIN_TOKEN, body });
const replay = async (accountId: string): Promise<string> => {
  const env = { DATABASE_URL: premises.databaseUrl, KISSAPI_DATA_KEY: DATA_KEY };
  return (await runCommand('replay', [accountId], { env })).stdout;
};

const ask = async (apiKey: string): Promise<string> => {
  const messages = [{ role: 'user' as const, content: 'Hello' }];
  const client = gateway.client(apiKey);
  const answer = await client.chat.completions.create({ model: 'simulated-chat', messages, max_tokens: 20 });
  return answer.id;
};

/** Adds a passkey, and signs in with it. */
const signInWithPasskey = async (token: string): Promise<string> => {
  const authenticator = createSoftwareAuthenticator(url.replace('127.0.0.1', 'localhost'));
  const creation = expectOk(await call(url, 'POST', '/me/passkeys/options', { token })).json['options'];
  const response = authenticator.create(creation as PublicKeyCredentialCreationOptionsJSON);
  expectOk(await call(url, 'POST', '/me/passkeys', { token, body: { name: 'Laptop', response } }));
  const options = expectOk(await call(url, 'POST', '/sign-in/passkey/options')).json['options'];
  const body = { response: authenticator.get(options as PublicKeyCredentialRequestOptionsJSON) };
  const { json } = expectOk(await call(url, 'POST', '/sign-in/passkey', { body }));
  return String((json['session'] as { readonly token: string }).token);
};

it('a person registers, works, loses a key and an address, and leaves, and the log names who did what', async () => {
  const { personId, accountId } = await registerPerson(url, smtp, OLD);
  const token = await signIn(url, smtp, OLD);
  const account = `/accounts/${accountId}`;
  expectOk(await admin('POST', `${account}/grants`, { usd: '5.00', reason: 'welcome' }));

  // A key with a limit, and completions.
  const issued = expectOk(await call(url, 'POST', `${account}/keys`, { token, body: { name: 'laptop' } })).json;
  const keyId = String(issued['key_id']);
  await ask(String(issued['secret']));
  const limits = { spending_usd: { total: '0.000001' } };
  expectOk(await call(url, 'PUT', `${account}/keys/${keyId}/limits`, { token, body: limits }));
  await expect(ask(String(issued['secret']))).rejects.toMatchObject({ code: 'key_limit_exceeded' });
  expectOk(await call(url, 'PUT', `${account}/keys/${keyId}/limits`, { token, body: {} }));

  // Rotation with an overlap, and a leak of the new key.
  const rotate = `${account}/keys/${keyId}/rotate`;
  const rotated = expectOk(await call(url, 'POST', rotate, { token, body: { overlap_minutes: 60 } })).json;
  await ask(String(issued['secret']));
  await ask(String(rotated['secret']));
  const leak = `${account}/keys/${String(rotated['key_id'])}/leak`;
  const leaked = expectOk(await call(url, 'POST', leak, { token, body: {} }), { revoked: true });
  expect(leaked.json['requests']).toHaveLength(1);
  await expect(ask(String(rotated['secret']))).rejects.toMatchObject({ status: 401 });
  expect((await mailTo(smtp, 'support@gateway.example')).subject).toContain(accountId);

  // A passkey, and another address, which is taken back on the sixth day.
  const passkeyToken = await signInWithPasskey(token);
  const change = { token: passkeyToken, body: { email: NEW } };
  const asked = expectOk(await call(url, 'POST', '/me/address-changes', change)).json;
  const { code } = await mailTo(smtp, NEW);
  const confirm = `/address-changes/${String(asked['change_id'])}/confirm`;
  expectOk(await call(url, 'POST', confirm, { body: { code, browser_secret: asked['browser_secret'] } }));
  expect((await call(url, 'GET', '/me', { token: passkeyToken })).json).toMatchObject({ email: NEW });
  const mails = () => smtp.received.filter(({ to }) => to === OLD).length;
  await expect.poll(mails, SOON).toBe(3);
  const { linkSecret } = await mailTo(smtp, OLD, 3);
  await forward(premises.databaseUrl, 6 * DAY_MS, [gateway]);
  const undo = `/address-changes/${String(asked['change_id'])}/undo`;
  expectOk(await call(url, 'POST', undo, { body: { link_secret: linkSecret } }));
  expect(await call(url, 'GET', '/me', { token: passkeyToken })).toMatchObject({ status: 401 });

  // Closing by support on request, and erasure.
  const last = await signIn(url, smtp, OLD);
  expect((await call(url, 'GET', '/me', { token: last })).json).toMatchObject({ email: OLD });
  expectOk(await admin('POST', `${account}/close`, { reason: 'asked for by mail', asked_by: personId }));
  await expect(ask(String(issued['secret']))).rejects.toMatchObject({ status: 401 });
  const before = await replay(accountId);
  for (const told of [
    /Registered for Ada Lovelace.*\[Ada Lovelace, person:per_/,
    /Issued the key "laptop".*\[Ada Lovelace, person:per_/,
    /Set the limits of the key.*\[Ada Lovelace, person:per_/,
    /Reported that the key .* leaked.*\[Ada Lovelace, person:per_/,
    /Added 5\.00 USD.*\[admin\]/,
    /[Cc]losed.*asked for by mail.*\[admin\]/,
  ]) {
    expect(before).toMatch(told);
  }
  expectOk(await call(url, 'POST', '/me/erase', { token: last, body: { confirm: 'erase' } }));
  expect(await call(url, 'GET', '/me', { token: last })).toMatchObject({ status: 401 });
  await expect.poll(() => replay(accountId), SOON).not.toContain('Lovelace');
  expect(await replay(accountId)).toContain(`person:${personId}`);
});
