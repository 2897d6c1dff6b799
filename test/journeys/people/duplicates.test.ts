import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import { call, ENTITY, registerPerson, type Person } from '../../support/customers/person.ts';
import { ADMIN_TOKEN, createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';

let smtp: TestSmtp;
let premises: Premises;
let nodes: readonly [RunningGateway, RunningGateway];
let older: Person;
let newer: Person;

const asAdmin = (method: string, path: string, body?: unknown) =>
  call(nodes[1].url, method, path, { token: ADMIN_TOKEN, body });
const listed = async (): Promise<unknown> => {
  const found = await asAdmin('GET', '/duplicates');
  expect(found).toMatchObject({ status: 200, json: { has_more: false } });
  return found.json['data'];
};
const typesOf = async (token: string, accountId: string): Promise<readonly unknown[]> => {
  const { json } = await call(nodes[0].url, 'GET', `/accounts/${accountId}/events`, { token });
  return (json['data'] as readonly { type: unknown }[]).map(({ type }) => type);
};
const register = (email: string, more: object) => registerPerson(nodes[0].url, smtp, email, { ...more });
const dismiss = (reason: string) =>
  asAdmin('POST', `/accounts/${newer.accountId}/duplicates/${older.accountId}/dismiss`, { reason });

beforeAll(async () => {
  smtp = await createTestSmtp();
  premises = await createPremises();
  const env = { SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'KissAPI <no-reply@example.com>' };
  nodes = [await premises.startGateway(env), await premises.startGateway(env)];
});
afterAll(async () => {
  await premises.close();
  await smtp.close();
});

describe('a suspected duplicate', () => {
  it('is listed for staff if a person registers with the name and the mail domain of another one', async () => {
    older = await register('ada@analytical.example', { name: 'Ada Lovelace' });
    await register('ada@gmail.com', { name: 'Ada Lovelace' });
    newer = await register('info@analytical.example', { name: 'LOVELACE, Ada' });
    const pair = { account_id: newer.accountId, other_id: older.accountId };
    await expect.poll(listed, SOON).toMatchObject([{ ...pair, signal: 'same_name_and_domain' }]);
    expect(await typesOf(ADMIN_TOKEN, newer.accountId)).toContain('DuplicateSuspected');
  });

  it('is not shown to customers, and changes nothing for them', async () => {
    expect(await typesOf(newer.token, newer.accountId)).not.toContain('DuplicateSuspected');
    const data = await call(nodes[0].url, 'GET', '/me/data', { token: newer.token });
    expect(data.status).toBe(200);
    expect(JSON.stringify(data.json)).toContain('AccountRegistered');
    expect(JSON.stringify(data.json)).not.toContain('DuplicateSuspected');
    expect(JSON.stringify(data.json)).not.toContain(older.accountId);
    const account = await call(nodes[0].url, 'GET', `/accounts/${newer.accountId}`, { token: newer.token });
    expect(account).toMatchObject({ status: 200, json: { status: 'active' } });
  });

  it('is dismissed once, on any node', async () => {
    expect(await dismiss('Father and daughter')).toMatchObject({
      status: 200,
      json: { dismissed: true, changed: true },
    });
    expect(await listed()).toEqual([]);
    expect(await dismiss('again')).toMatchObject({ status: 200, json: { dismissed: true, changed: false } });
    const path = `/accounts/${older.accountId}/duplicates/${newer.accountId}/dismiss`;
    expect(await asAdmin('POST', path, { reason: 'x' })).toMatchObject({ status: 404, code: 'duplicate_not_found' });
    expect(await typesOf(newer.token, newer.accountId)).not.toContain('DuplicateDismissed');
  });

  it('is an entity with the name of another one in its country, until its account is closed', async () => {
    const of = (registration_number: string) => ({
      ...{ name: 'Müller & Söhne GmbH', declaration: ENTITY, entity: { country: 'DE', registration_number } },
    });
    const first = await register('one@gmail.com', of('HRB 1'));
    const second = await register('two@gmail.com', of('HRB 2'));
    const pair = { account_id: second.accountId, other_id: first.accountId, signal: 'same_entity_name' };
    await expect.poll(listed, SOON).toMatchObject([pair]);
    expect(await asAdmin('POST', `/accounts/${second.accountId}/close`, { reason: 'asked' })).toMatchObject({
      status: 200,
    });
    expect(await listed()).toEqual([]);
  });
});
