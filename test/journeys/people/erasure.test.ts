import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataKeys } from '../../../src/eventstore/secrets/data-keys.ts';
import { secretKey } from '../../../src/eventstore/secrets/sealed-bytes.ts';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import { dumpDatabase, isIn } from '../../support/canary.ts';
import { DAY_MS, forward, HOUR_MS } from '../../support/clock.ts';
import { runCommand } from '../../support/command.ts';
import { onPerson } from '../../support/customers/appoint.ts';
import { call, ENTITY, mailsTo, mailTo, registerPerson, registration, signIn } from '../../support/customers/person.ts';
import { ADMIN_TOKEN, createPremises, DATA_KEY, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';

let smtp: TestSmtp;
let premises: Premises;
let nodes: readonly [RunningGateway, RunningGateway];
let url: string;
let folder: string;

beforeAll(async () => {
  smtp = await createTestSmtp();
  premises = await createPremises();
  folder = await mkdtemp(join(tmpdir(), 'kissapi-erasure-'));
  const env = {
    ...{ SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'KissAPI <no-reply@example.com>' },
    ...{ KISSAPI_LOG: 'debug', TRUSTED_PROXIES: '127.0.0.1' },
  };
  nodes = [await premises.startGateway(env), await premises.startGateway(env)];
  url = nodes[0].url;
});
afterAll(async () => {
  await premises.close();
  await smtp.close();
  await rm(folder, { recursive: true, force: true });
});

const admin = { token: ADMIN_TOKEN };
const find = async (q: string) => {
  const found = await call(nodes[1].url, 'POST', '/search', { ...admin, body: { q } });
  expect(found.status).toBe(200);
  return found.json['data'] as readonly Readonly<Record<string, unknown>>[];
};
const close = (accountId: string) =>
  nodes[0].manage('POST', `/accounts/${accountId}/close`, { reason: 'asked for by the holder' });
const eventsOf = (stream: string) =>
  query<{ type: string }>(premises.databaseUrl, 'select type from events where stream = $1 order by revision', [
    stream,
  ]);
const typesOf = async (stream: string) => (await eventsOf(stream)).map(({ type }) => type);
const hasKey = async (id: string) =>
  (await query(premises.databaseUrl, 'select from data_keys where account_id = $1 and wrapped is not null', [id]))
    .length > 0;

/** A word that is in nothing else. */
const canary = () => `canary${randomBytes(8).toString('hex')}`;

const exported = async (): Promise<string> => {
  const env = { DATABASE_URL: premises.databaseUrl, KISSAPI_DATA_KEY: DATA_KEY };
  const { code, stdout, stderr } = await runCommand('export', [], { env });
  expect(code, stderr).toBe(0);
  return stdout;
};

const placesWith = async (text: string): Promise<readonly string[]> => {
  const places = {
    database: await dumpDatabase(premises.databaseUrl),
    logs: nodes.map(({ process }) => process.output()).join('\n'),
    export: await exported(),
  };
  // Before the search: a place without the log would have nothing.
  expect(places.database).toContain('PersonRegistered');
  expect(places.export).toContain('PersonRegistered');
  return Object.entries(places).flatMap(([name, place]) =>
    isIn(place, text) || isIn(place.toLowerCase(), text) ? [name] : [],
  );
};

describe('a person who wants to be forgotten', () => {
  const [name, email] = [canary(), `${canary()}@erasure.example`];
  let ada: Awaited<ReturnType<typeof registerPerson>>;

  it('is found by support, and name and address are nowhere unsealed', async () => {
    ada = await registerPerson(url, smtp, email, { name: `Ada ${name.toUpperCase()}` });
    await call(url, 'POST', `/accounts/${ada.accountId}/keys`, { token: ada.token, body: { name: 'mine' } });
    await signIn(url, smtp, email);
    await expect.poll(() => find(name), SOON).toHaveLength(2);
    expect(await find(email.toUpperCase())).toHaveLength(2);
    for (const text of [name, email, email.split('@')[0] ?? '']) expect(await placesWith(text)).toEqual([]);
  });

  it('409: as long as an account is open', async () => {
    const body = { confirm: 'erase' };
    expect(await call(url, 'POST', '/me/erase', { token: ada.token, body: {} })).toMatchObject({ status: 400 });
    const refused = await call(url, 'POST', '/me/erase', { token: ada.token, body });
    expect(refused).toMatchObject({ status: 409, code: 'accounts_open' });
    expect(await call(url, 'GET', '/me', { token: ada.token })).toMatchObject({ status: 200, json: { email } });
  });

  it('is forgotten on every node, with the account, and no key is left that opens anything', async () => {
    await close(ada.accountId);
    const erased = await call(url, 'POST', '/me/erase', { token: ada.token, body: { confirm: 'erase' } });
    expect(erased).toMatchObject({ status: 200, json: { erased: true } });
    for (const node of nodes) {
      expect(await call(node.url, 'GET', '/me', { token: ada.token })).toMatchObject({ status: 401 });
      const account = await call(node.url, 'GET', `/accounts/${ada.accountId}`, admin);
      expect(account).toMatchObject({ status: 200, json: { name: null, email: null, personal_data_erased: true } });
    }
    expect(await find(email)).toEqual([]);
    expect(await find(name)).toEqual([]);
    await expect.poll(() => dumpRows('search_terms'), SOON).not.toContain(`${ada.accountId})`);
    expect(await find(ada.personId)).toMatchObject([
      { kind: 'person', name: null, email: null },
      { kind: 'account', name: null, email: null },
    ]);
    const keys = createDataKeys(premises.databaseUrl, [{ id: '1', key: secretKey(Buffer.from(DATA_KEY, 'hex')) }]);
    for (const id of [ada.personId, ada.accountId]) {
      await expect.poll(() => keys.find(id), SOON).toBeUndefined();
      await expect(keys.obtain(id)).rejects.toThrow('destroyed');
    }
    await keys.close();
    for (const table of ['sessions', 'search_terms', 'pending_registrations']) {
      expect(await dumpRows(table)).not.toContain(ada.personId);
    }
    for (const text of [name, email]) expect(await placesWith(text)).toEqual([]);
  });

  it('may register again, as another person', async () => {
    const again = await registerPerson(url, smtp, email, { name: 'Ada Again' });
    expect(again.personId).not.toBe(ada.personId);
    expect(again.accountId).toMatch(/^acc_/);
  });
});

const dumpRows = async (table: string): Promise<string> =>
  JSON.stringify(await query(premises.databaseUrl, `select t::text as row from ${table} t`));

describe('a person whom support erases', () => {
  const erase = (personId: string, body: unknown) =>
    call(url, 'POST', `/persons/${personId}/erase`, { ...admin, body, headers: { 'idempotency-key': personId } });

  it('after a violation cannot register again, and only a mail to the address reveals that', async () => {
    const email = `${canary()}@violation.example`;
    const { personId, accountId } = await registerPerson(url, smtp, email);
    await close(accountId);
    const asked = { reason: 'fraud', cause: 'violation' };
    expect(await erase(personId, asked)).toMatchObject({ status: 200, json: { erased: true, changed: true } });
    expect(await erase(personId, asked)).toMatchObject({ status: 200, json: { erased: true } });
    const before = mailsTo(smtp, email).length;
    const again = await call(url, 'POST', '/registrations', { body: registration(email.toUpperCase()) });
    expect(again).toMatchObject({ status: 202 });
    const told = await mailTo(smtp, email, before + 1);
    expect([told.code, told.text.replaceAll(/\s+/g, ' ')]).toEqual([
      '',
      expect.stringContaining('we do not open another one'),
    ]);
    const pending = String(again.json['registration_id']);
    expect(await typesOf(`person-${pending}`)).toEqual(['PersonRegistered']);
  });

  it('leaves the number of an entity to the next one who registers it', async () => {
    const entity = { country: 'DE', registration_number: 'HRB 4711' };
    const more = { name: 'Example GmbH', declaration: ENTITY, entity };
    const first = await registerPerson(url, smtp, 'one@gmbh.example', more);
    await close(first.accountId);
    expect(await erase(first.personId, { reason: 'asked for' })).toMatchObject({ status: 200 });
    const second = await registerPerson(url, smtp, 'two@gmbh.example', more);
    expect(second.accountId).toMatch(/^acc_/);
  });

  it('409: after a suspension, only support can do it', async () => {
    const { accountId, token, personId } = await registerPerson(url, smtp, 'suspended@erasure.example');
    await nodes[0].manage('POST', `/accounts/${accountId}/suspend`, { reason: 'abuse' });
    await close(accountId);
    const refused = await call(url, 'POST', '/me/erase', { token, body: { confirm: 'erase' } });
    expect(refused).toMatchObject({ status: 409, code: 'erasure_by_support' });
    expect(await erase(personId, { reason: 'abuse', cause: 'violation' })).toMatchObject({ status: 200 });
  });

  it('404: does not exist', async () =>
    expect(await erase('per_unknown', { reason: 'x' })).toMatchObject({ status: 404, code: 'person_not_found' }));
});

describe('an invitation that is not accepted', () => {
  it('loses its address once it has ended', async () => {
    const email = `${canary()}@invited.example`;
    const body = { email, role: 'support', reason: 'hired' };
    const sent = await call(url, 'POST', '/staff/invitations', { ...admin, body });
    const id = String(sent.json['invitation_id']);
    await expect.poll(() => dumpRows('pending_registrations'), SOON).toContain(id);
    await forward(premises.databaseUrl, 6 * DAY_MS, nodes);
    expect(await hasKey(id)).toBe(true);
    await forward(premises.databaseUrl, DAY_MS + 2 * HOUR_MS, nodes);
    await expect.poll(() => hasKey(id), SOON).toBe(false);
    await expect.poll(() => dumpRows('pending_registrations'), SOON).not.toContain(id);
  });
});

describe('a registration that is not verified', () => {
  it('lapses after 24 hours: nothing is left of it, and the address can register', async () => {
    const [name, email] = [canary(), `${canary()}@lapse.example`];
    const verified = await registerPerson(url, smtp, `${canary()}@lapse.example`);
    const asked = await call(url, 'POST', '/registrations', { body: registration(email, { name }) });
    await mailTo(smtp, email);
    const personId = String(asked.json['registration_id']);
    await expect.poll(() => dumpRows('pending_registrations'), SOON).toContain(personId);
    // By an invitation whose acceptance was refused.
    const invited = { type: 'RegisterPerson', personal: 'v1.c2VhbGVk', how: 'invitation' } as const;
    await onPerson(premises.databaseUrl, 'per_invited', invited);
    await expect.poll(() => dumpRows('pending_registrations'), SOON).toContain('per_invited');
    await forward(premises.databaseUrl, DAY_MS - HOUR_MS, nodes);
    await forward(premises.databaseUrl, 2 * HOUR_MS, nodes);
    await expect.poll(() => typesOf(`person-${personId}`), SOON).toEqual(['PersonRegistered', 'RegistrationLapsed']);
    await expect.poll(() => typesOf('person-per_invited'), SOON).toContain('RegistrationLapsed');
    await expect.poll(() => hasKey(personId), SOON).toBe(false);
    await expect.poll(() => dumpRows('pending_registrations'), SOON).not.toContain(personId);
    for (const text of [name, email]) expect(await placesWith(text)).toEqual([]);
    expect(await hasKey(verified.personId)).toBe(true);
    expect((await registerPerson(url, smtp, email)).accountId).toMatch(/^acc_/);
  });
});
