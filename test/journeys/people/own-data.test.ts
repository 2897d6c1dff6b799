import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import { call, ENTITY, registerPerson, signIn, type Person } from '../../support/customers/person.ts';
import { accept, invitedBy } from '../../support/customers/roles.ts';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { chat } from '../../support/traffic.ts';

let smtp: TestSmtp;
let premises: Premises;
let gateway: RunningGateway;
let ada: Person;

type Event = Readonly<Record<string, unknown>>;
type Data = {
  readonly person: object;
  readonly sessions: readonly object[];
  readonly events: readonly Event[];
  readonly accounts: readonly { readonly account_id: string; readonly events: readonly Event[] }[];
};

beforeAll(async () => {
  smtp = await createTestSmtp();
  premises = await createPremises();
  gateway = await premises.startGateway({
    ...{ SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'KissAPI <no-reply@example.com>' },
  });
});
afterAll(async () => {
  await premises.close();
  await smtp.close();
});

const download = async (token: string) => {
  const response = await fetch(`${gateway.url}/api/me/data`, { headers: { authorization: `Bearer ${token}` } });
  return { response, data: (await response.json()) as Data };
};

it('the own data are a file with the person, the sessions and all events, also of a long history', async () => {
  ada = await registerPerson(gateway.url, smtp, 'ada@own.example');
  await registerPerson(gateway.url, smtp, 'eve@own.example', { name: 'Eve Other' });
  const path = `/accounts/${ada.accountId}`;
  const issued = await call(gateway.url, 'POST', `${path}/keys`, { token: ada.token, body: { name: 'mine' } });
  // More than a page of the file.
  for (let n = 0; n < 510; n += 10) {
    const ten = Array.from({ length: 10 }, (_, m) => ({ usd: '0.01', reason: `grant ${n + m}` }));
    await Promise.all(ten.map((grant) => gateway.manage('POST', `${path}/grants`, grant)));
  }
  expect((await chat(gateway, String(issued.json['secret'])).answer).status).toBe(200);

  const { response, data } = await download(ada.token);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(response.headers.get('content-disposition')).toBe('attachment; filename="kissapi-data.json"');
  expect(data.person).toEqual({
    ...{ person_id: ada.personId, name: 'Ada Lovelace', email: 'ada@own.example', entity: null },
  });
  expect(data.sessions).toHaveLength(1);
  expect(data.accounts).toMatchObject([{ account_id: ada.accountId, role: 'owner', name: 'Ada Lovelace' }]);
  const listed = await call(gateway.url, 'GET', `${path}/events?limit=1000`, { token: ada.token });
  expect(data.accounts[0]?.events).toEqual(listed.json['data']);
  expect(data.accounts[0]?.events.length).toBeGreaterThan(510);
  expect(JSON.stringify(data)).not.toMatch(/Eve Other|eve@own/);
  expect(JSON.stringify(data)).not.toContain(ada.token);
});

it('accounts that the person has joined are in the file until the person leaves', async () => {
  const { url } = gateway;
  const entity = { country: 'DE', registration_number: 'HRB 7' };
  const more = { name: 'Example GmbH', declaration: ENTITY, entity };
  const owner = await registerPerson(url, smtp, 'owner@own.example', more);
  const grace = await registerPerson(url, smtp, 'grace@own.example');
  const path = `/accounts/${owner.accountId}`;
  const body = { email: grace.email, role: 'developer' };
  const mail = await invitedBy(smtp, grace.email, () =>
    call(url, 'POST', `${path}/invitations`, { token: owner.token, body }),
  );
  expect(await accept(url, mail, {})).toMatchObject({ status: 200 });
  const accounts = async () => (await download(grace.token)).data.accounts.map(({ account_id }) => account_id);
  expect(await accounts()).toEqual([grace.accountId, owner.accountId]);
  await call(url, 'DELETE', `${path}/members/${grace.personId}`, { token: grace.token });
  expect(await accounts()).toEqual([grace.accountId]);
});

it('the events of the own person are listed in pages, and without name and address', async () => {
  const token = await signIn(gateway.url, smtp, ada.email);
  const page = async (query: string) => (await call(gateway.url, 'GET', `/me/events${query}`, { token })).json;
  const { data, next_revision } = (await page('')) as { data: readonly Event[]; next_revision: unknown };
  expect(data.map(({ type }) => type)).toEqual([
    ...['PersonRegistered', 'AddressVerified', 'AccountOpened', 'SignedIn', 'SignedIn'],
  ]);
  expect(next_revision).toBeNull();
  expect(data[0]).toMatchObject({
    ...{ revision: 0, actor: `person:${ada.personId}` },
    data: { how: 'registration', holder: 'person', adult: true, wording: 'I am 18 or older.' },
  });
  expect(JSON.stringify(data)).not.toMatch(/Lovelace|ada@own|personal/);
  expect(await page('?from_revision=1&limit=2')).toEqual({ data: data.slice(1, 3), next_revision: 3 });
  expect((await download(token)).data.events).toEqual(data);
});

it('401: without a session; 403: for a token of the operator', async () => {
  for (const path of ['/me/data', '/me/events']) {
    expect(await call(gateway.url, 'GET', path)).toMatchObject({ status: 401 });
    await expect(gateway.manage('GET', path)).rejects.toThrow(/403.*not_allowed/);
  }
});
