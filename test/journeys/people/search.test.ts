import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import { call, ENTITY, registerPerson, type Person } from '../../support/customers/person.ts';
import { ADMIN_TOKEN, createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';
import { chat } from '../../support/traffic.ts';

let smtp: TestSmtp;
let premises: Premises;
let nodes: readonly [RunningGateway, RunningGateway];
let ada: Person;
let key: { readonly key_id: string; readonly secret: string };

type Result = Readonly<Record<string, unknown>>;

const ask = (q: string, token = ADMIN_TOKEN) => call(nodes[1].url, 'POST', '/search', { token, body: { q } });
const find = async (q: string): Promise<readonly Result[]> => {
  const found = await ask(q);
  expect(found).toMatchObject({ status: 200 });
  return found.json['data'] as readonly Result[];
};
/** The terms are written soon after the event. */
const findSoon = (q: string) => expect.poll(() => find(q), SOON);

const EMAIL = 'Ada.Lovelace@gmail.com';

beforeAll(async () => {
  smtp = await createTestSmtp();
  premises = await createPremises();
  const env = {
    ...{ SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'KissAPI <no-reply@example.com>' },
    KISSAPI_LOG: 'debug',
  };
  nodes = [await premises.startGateway(env), await premises.startGateway(env)];
});
afterAll(async () => {
  await premises.close();
  await smtp.close();
});

const person = () => ({ kind: 'person', person_id: ada.personId, name: 'Ada King Løvelace', email: ada.email });
const account = () => ({ kind: 'account', account_id: ada.accountId, person_id: ada.personId });

describe('a search', () => {
  it('is of a person who registered, and has an account and a key', async () => {
    const { url } = nodes[0];
    ada = await registerPerson(url, smtp, EMAIL.toLowerCase(), { name: 'Ada King Løvelace' });
    const body = { name: 'mine' };
    const issued = await call(url, 'POST', `/accounts/${ada.accountId}/keys`, { token: ada.token, body });
    expect(issued).toMatchObject({ status: 201 });
    key = issued.json as never;
    await nodes[0].manage('POST', `/accounts/${ada.accountId}/grants`, { usd: '1.00', reason: 'test' });
  });

  it('finds a person and their accounts by the address in any spelling', async () => {
    for (const spelling of [EMAIL, ' adalovelace+tag@googlemail.com ', 'ＡＤＡlovelace@gmail.com']) {
      const [first, second, ...rest] = await find(spelling);
      expect(first).toMatchObject({ ...person(), matched: 'email' });
      expect(second).toMatchObject({ ...account(), matched: 'person' });
      expect(rest).toEqual([]);
    }
    expect(await find('other@gmail.com')).toEqual([]);
  });

  it('finds by all words of a name, without case and diacritics', async () => {
    await findSoon('LOVELACE ada').toMatchObject([{ ...person(), matched: 'name' }, account()]);
    expect(await find('king')).toHaveLength(2);
    expect(await find('love')).toEqual([]);
    expect(await find('ada byron')).toEqual([]);
  });

  it('finds an account that the operator registered by its address and its name', async () => {
    const contact = { name: 'Grace Hopper', email: 'grace+ops@gmail.com', adult: true };
    const { account_id } = await nodes[0].manage<{ account_id: string }>('POST', '/accounts', contact);
    const found = { kind: 'account', account_id, person_id: null, name: contact.name, email: contact.email };
    await findSoon('Grace@gmail.com').toMatchObject([{ ...found, matched: 'email' }]);
    expect(await find('hopper, grace')).toMatchObject([{ ...found, matched: 'name' }]);
  });

  it('finds by ids of accounts, persons and keys, and by the hint of a key', async () => {
    expect(await find(ada.accountId)).toMatchObject([{ kind: 'account', matched: 'account_id', email: ada.email }]);
    expect(await find(ada.personId)).toMatchObject([{ ...person(), matched: 'person_id' }, account()]);
    const found = { kind: 'key', account_id: ada.accountId, key_id: key.key_id, name: null, email: null };
    await findSoon(key.key_id).toMatchObject([{ ...found, matched: 'key_id' }]);
    expect(await find(key.secret.slice(-4))).toMatchObject([{ ...found, matched: 'key_hint' }]);
    for (const unknown of ['acc_nothing', 'per_nothing', 'key_nothing', 'xyz']) expect(await find(unknown)).toEqual([]);
  });

  it('finds a key by its text, which is in no log', async () => {
    await expect
      .poll(() => find(key.secret), SOON)
      .toMatchObject([{ kind: 'key', account_id: ada.accountId, key_id: key.key_id, matched: 'key' }]);
    for (const { process } of nodes) expect(process.output()).not.toContain(key.secret);
  });

  it('finds a generation by its id, by its request and by the id at the provider', async () => {
    const answer = await chat(nodes[0], key.secret).answer;
    expect(answer.status).toBe(200);
    const requestId = answer.headers.get('x-request-id') ?? '';
    const generationId = requestId.replace('req_', 'gen-');
    const { id: providerId } = JSON.parse(answer.body) as { id: string };
    const found = { kind: 'generation', account_id: ada.accountId, key_id: key.key_id, generation_id: generationId };
    expect(await find(generationId)).toMatchObject([{ ...found, matched: 'generation_id' }]);
    expect(await find(requestId)).toMatchObject([{ ...found, matched: 'request_id' }]);
    expect(await find(providerId)).toMatchObject([{ ...found, matched: 'provider_id' }]);
  });

  it('finds the accounts of a request that changed one, or was refused', async () => {
    const url = `${nodes[0].url}/api/accounts/${ada.accountId}/grants`;
    const granted = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ usd: '1.00', reason: 'test' }),
    });
    const found = { kind: 'request', account_id: ada.accountId, matched: 'request_id' };
    const request_id = granted.headers.get('x-request-id') ?? '';
    expect(await find(request_id)).toMatchObject([{ ...found, request_id }]);
    const refused = await chat(nodes[0], key.secret, { more: { model: 'unknown' } }).answer;
    expect(refused.status).toBe(404);
    await findSoon(refused.headers.get('x-request-id') ?? '').toMatchObject([found]);
  });

  it('returns at most 50 results, and whether there are more', async () => {
    const word = `w${randomBytes(6).toString('hex')}`;
    const register = (n: number) =>
      nodes[0].manage('POST', '/accounts', { name: `${word} ${n}`, email: `many${n}@x.example`, adult: true });
    for (let n = 0; n < 50; n++) await register(n);
    await findSoon(word).toHaveLength(50);
    expect((await ask(word)).json).toMatchObject({ has_more: false });
    await register(50);
    await expect.poll(async () => (await ask(word)).json['has_more'], SOON).toBe(true);
    expect(await find(word)).toHaveLength(50);
  });

  it('403: of customers', async () => {
    expect(await ask(EMAIL, ada.token)).toMatchObject({ status: 403, code: 'not_allowed' });
  });

  it('finds an entity by its name', async () => {
    const number = 'HRB 77';
    const more = { name: 'Müller & Söhne GmbH', declaration: ENTITY };
    const entity = { country: 'DE', registration_number: number };
    const { accountId } = await registerPerson(nodes[0].url, smtp, 'boss@sons.example', { ...more, entity });
    await findSoon('muller sohne').toMatchObject([{ kind: 'person' }, { kind: 'account', account_id: accountId }]);
  });
});
