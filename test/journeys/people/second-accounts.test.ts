import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import { DAY_MS } from '../../support/clock.ts';
import { ADULT, call, ENTITY, registerPerson, TERMS, type Person } from '../../support/customers/person.ts';
import { ADMIN_TOKEN, createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { query } from '../../support/sql.ts';
import { chat, errorOf } from '../../support/traffic.ts';

let smtp: TestSmtp;
let premises: Premises;
let nodes: readonly [RunningGateway, RunningGateway];
let url: string;

beforeAll(async () => {
  smtp = await createTestSmtp();
  premises = await createPremises();
  const env = {
    ...{ SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'KissAPI <no-reply@example.com>' },
    ...{ TRUSTED_PROXIES: '127.0.0.1', NEW_ACCOUNT_REQUESTS_PER_MINUTE: '2', NEW_ACCOUNT_USD_PER_DAY: '7.50' },
  };
  nodes = [await premises.startGateway(env), await premises.startGateway(env)];
  url = nodes[0].url;
});
afterAll(async () => {
  await premises.close();
  await smtp.close();
});

const soon = () => new Date(Date.now() + DAY_MS).toISOString();
const manage = (path: string, body: unknown, key = path) =>
  call(url, 'POST', path, { token: ADMIN_TOKEN, body, headers: { 'idempotency-key': key } });
let networks = 0;
/** From a network that no other request came from, so that no limit of attempts is met. */
const open = ({ token }: Person, body: unknown, key?: string, node = nodes[1]) =>
  call(node.url, 'POST', '/me/accounts', {
    ...{ token, body },
    headers: {
      'x-forwarded-for': `203.0.${networks++}.1`,
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
  });

const personal = { declaration: ADULT, accept_terms: TERMS };
const ofEntity = (registration_number: string) => ({
  ...{ declaration: ENTITY, accept_terms: TERMS },
  entity: { country: 'DE', registration_number, name: 'Example GmbH' },
});
const terms = async (accountId: string) =>
  (
    await query(premises.databaseUrl, `select data from events where stream = $1 and type = 'TermsAccepted'`, [
      `account-${accountId}`,
    ])
  ).length;

describe('a second personal account', () => {
  let ada: Person;
  const approve = (body: object, key?: string) =>
    manage(`/persons/${ada.personId}/second-account-approvals`, { until: soon(), reason: 'tests', ...body }, key);

  it('403: without an approval', async () => {
    ada = await registerPerson(url, smtp, 'ada@second.example');
    expect(await open(ada, personal)).toMatchObject({ status: 403, code: 'second_account_not_approved' });
  });

  it('is opened once by an approval, with a declaration and terms of its own', async () => {
    const until = soon();
    const approved = await approve({ until }, 'once');
    expect(approved).toMatchObject({ status: 201, json: { person_id: ada.personId, until } });
    expect((await approve({ until }, 'once')).json).toEqual(approved.json);
    expect(await approve({ until: soon() }, 'once')).toMatchObject({ status: 409, code: 'idempotency_key_reused' });

    expect(await open(ada, { ...personal, declaration: ENTITY })).toMatchObject({ status: 400 });
    expect(await open(ada, { ...personal, accept_terms: '2020-01-01' })).toMatchObject({ code: 'terms_not_in_force' });
    const [first, same] = await Promise.all(nodes.map((node) => open(ada, personal, 'second', node)));
    expect(first).toMatchObject({ status: 201, json: { holder: 'person' } });
    expect(same?.json).toEqual(first?.json);
    const accountId = String(first?.json['account_id']);
    expect(accountId).not.toBe(ada.accountId);
    const account = await call(url, 'GET', `/accounts/${accountId}`, { token: ada.token });
    expect(account).toMatchObject({
      status: 200,
      json: { name: 'Ada Lovelace', email: ada.email, terms_version: TERMS, holder: 'person' },
    });
    expect(await terms(accountId)).toBe(1);
    const me = await call(url, 'GET', '/me', { token: ada.token });
    expect(me.json['accounts']).toEqual([
      { account_id: ada.accountId, role: 'owner' },
      { account_id: accountId, role: 'owner' },
    ]);
    expect(await open(ada, personal)).toMatchObject({ status: 403, code: 'second_account_not_approved' });
    // The used approval is not given again.
    await approve({ until }, 'once');
    expect(await open(ada, personal)).toMatchObject({ status: 403 });
  });

  it('400: is not approved for the past; 404: nor for an unknown person', async () => {
    expect(await approve({ until: '2020-01-01T00:00:00Z' }, 'past')).toMatchObject({ code: 'approval_ended' });
    const unknown = await manage('/persons/per_unknown/second-account-approvals', { until: soon(), reason: 'x' });
    expect(unknown).toMatchObject({ status: 404, code: 'person_not_found' });
  });
});

describe('an account of an entity', () => {
  it('is opened by a person who has a personal one, and once for each entity', async () => {
    const [bob, eve] = [
      await registerPerson(url, smtp, 'bob@second.example', { name: 'Bob' }),
      await registerPerson(url, smtp, 'eve@second.example'),
    ];
    const first = await open(bob, ofEntity('HRB 1'));
    expect(first).toMatchObject({ status: 201, json: { holder: 'entity' } });
    const path = `/accounts/${String(first.json['account_id'])}`;
    expect(await call(url, 'GET', path, { token: bob.token })).toMatchObject({
      json: { name: 'Example GmbH', email: bob.email, holder: 'entity' },
    });
    for (const person of [bob, eve]) {
      expect(await open(person, ofEntity('hrb1'))).toMatchObject({ status: 409, code: 'entity_taken' });
    }
    expect(await call(url, 'GET', path, { token: eve.token })).toMatchObject({ status: 404 });

    const approval = { country: 'DE', registration_number: 'HRB 1', until: soon(), reason: 'a branch' };
    expect(await manage('/identities/entity-approvals', approval)).toMatchObject({ status: 201 });
    expect(await open(eve, ofEntity('HRB-1'))).toMatchObject({ status: 201 });
    expect(await manage('/identities/entity-approvals', approval)).toMatchObject({ status: 201 });
    expect(await open(bob, ofEntity('HRB-1'))).toMatchObject({ status: 409, code: 'entity_taken' });
  });

  it('of 10 requests at the same time for one entity, on two nodes, one opens it', async () => {
    const people: Person[] = [];
    for (let n = 0; n < 5; n++) people.push(await registerPerson(url, smtp, `many${n}@second.example`));
    const asked = await Promise.all(
      people.flatMap((person) => nodes.map((node) => open(person, ofEntity('HRB 99'), undefined, node))),
    );
    expect(asked.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(asked.filter(({ code }) => code === 'entity_taken')).toHaveLength(9);
  });
});

describe('the limits of a new account', () => {
  it('are those of the settings, until support raises them; the operator registers without', async () => {
    const dora = await registerPerson(url, smtp, 'dora@second.example');
    const path = `/accounts/${dora.accountId}`;
    const limits = async () => (await call(url, 'GET', path, { token: dora.token })).json['limits'];
    expect(await limits()).toMatchObject({
      ...{ requests_per_minute: 2, concurrent_requests: 50, tokens_per_minute: null },
      spending_usd: { day: '7.50', month: null },
    });
    await nodes[0].manage('POST', `${path}/grants`, { usd: '1.00', reason: 'test' });
    const issued = await call(url, 'POST', `${path}/keys`, { token: dora.token, body: { name: 'mine' } });
    const key = String(issued.json['secret']);
    for (let n = 0; n < 2; n++) expect((await chat(nodes[0], key).answer).status).toBe(200);
    expect(errorOf(await chat(nodes[0], key).answer)).toMatchObject({ code: 'rate_limit_exceeded' });
    await nodes[0].manage('PUT', `${path}/limits`, { requests_per_minute: 100 });
    expect((await chat(nodes[0], key).answer).status).toBe(200);
    expect(await limits()).toMatchObject({ requests_per_minute: 100, concurrent_requests: null });

    const { accountId } = await nodes[0].openAccount();
    expect(await nodes[0].manage('GET', `/accounts/${accountId}`)).toMatchObject({
      limits: { requests_per_minute: null, concurrent_requests: null, spending_usd: { day: null } },
    });
  });
});
