import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ada, message, param, refusal, startManagementApi, TERMS, type ManagementApi } from './management-api.ts';

let api: ManagementApi;
beforeEach(async () => (api = await startManagementApi()));
afterEach(() => api.close());

describe('POST /accounts', () => {
  it('201: registers a person who is 18 or older', async () => {
    const { status, json, headers } = await api.post('/accounts', ada);
    expect(status).toBe(201);
    expect(json).toMatchObject({
      ...{ name: 'Ada Lovelace', email: 'ada@example.com', holder: 'person', status: 'active', revision: 0 },
      ...{ terms_version: null, balance_usd: '0.00', keys: [], lots: [], open_holds: [] },
    });
    expect(headers.get('idempotent-replayed')).toBeNull();
  });

  it('201: registers and records the acceptance of the terms in force', async () => {
    const { json } = await api.post('/accounts', { ...ada, accept_terms: TERMS });
    expect(json).toMatchObject({ terms_version: TERMS, revision: 1 });
  });

  it('201: an entity need not be 18', async () => {
    const { json } = await api.post('/accounts', { name: 'Ada Ltd', email: 'ada@example.com', holder: 'entity' });
    expect(json).toMatchObject({ holder: 'entity' });
  });

  it('201: repeated with the same key, answers as before and writes nothing', async () => {
    const body = { ...ada, accept_terms: TERMS };
    const first = await api.post('/accounts', body, { key: 'one' });
    await api.post(`/accounts/${String(first.json['account_id'])}/suspend`, { reason: 'later' });
    const head = await api.store.head();
    const second = await api.post('/accounts', body, { key: 'one' });
    expect(second.status).toBe(201);
    expect(second.json).toEqual(first.json);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(await api.store.head()).toBe(head);
  });

  it('201: sent many times at once with the same key, registers once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => api.post('/accounts', { ...ada, accept_terms: TERMS }, { key: 'one' })),
    );
    expect(new Set(answers.map(({ json }) => JSON.stringify(json))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === null)).toHaveLength(1);
    expect(await api.store.head()).toBe(2);
  });

  it('201: a crash between registration and terms is made good by asking again', async () => {
    await api.post('/accounts', ada, { key: 'one' });
    const { json, headers } = await api.post('/accounts', { ...ada, accept_terms: TERMS }, { key: 'one' });
    expect(json).toMatchObject({ terms_version: TERMS, revision: 1 });
    expect(headers.get('idempotent-replayed')).toBeNull();
  });

  it('201: repeated after new terms came into force, answers as before', async () => {
    await api.close();
    let inForce = TERMS;
    api = await startManagementApi({ termsInForce: () => inForce });
    const first = await api.post('/accounts', { ...ada, accept_terms: TERMS }, { key: 'one' });
    inForce = '2027-01-01';
    const second = await api.post('/accounts', { ...ada, accept_terms: TERMS }, { key: 'one' });
    expect(second.json).toEqual(first.json);
  });

  it('409: the same key with another body', async () => {
    await api.post('/accounts', { ...ada, accept_terms: TERMS }, { key: 'one' });
    const others = [
      { ...ada, accept_terms: TERMS, name: 'Grace' },
      { ...ada, accept_terms: TERMS, email: 'grace@example.com' },
      { ...ada, accept_terms: TERMS, holder: 'entity' },
      ada,
    ];
    for (const body of others) {
      expect(refusal(await api.post('/accounts', body, { key: 'one' }))).toEqual([409, 'idempotency_key_reused']);
    }
  });

  it('409: the same key once the personal data was erased, for nobody can tell whether it is the same', async () => {
    const body = { ...ada, accept_terms: TERMS };
    const { json } = await api.post('/accounts', body, { key: 'one' });
    const accountId = String(json['account_id']);
    api.dataKeys.destroy(accountId);
    const head = await api.store.head();
    const again = await api.post('/accounts', body, { key: 'one' });
    expect(refusal(again)).toEqual([409, 'idempotency_key_reused']);
    expect(message(again)).toContain('erased');
    expect(await api.store.head()).toBe(head);
    expect(await api.dataKeys.find(accountId)).toBeUndefined();
  });

  it('writes neither name nor e-mail address into the log', async () => {
    await api.post('/accounts', { ...ada, accept_terms: TERMS });
    const log = JSON.stringify(await api.store.readAll(0, 10));
    expect(log).toContain('AccountRegistered');
    expect(log).not.toMatch(/lovelace|example\.com/i);
  });

  it('403: a person who did not declare to be 18', async () => {
    const answer = await api.post('/accounts', { ...ada, adult: false });
    expect(refusal(answer)).toEqual([403, 'under_age']);
    expect(param(answer)).toBe('adult');
    expect(await api.store.head()).toBe(0);
  });

  it('400: terms that are not in force, before anything is written', async () => {
    const answer = await api.post('/accounts', { ...ada, accept_terms: '1999' });
    expect(refusal(answer)).toEqual([400, 'terms_not_in_force']);
    expect(message(answer)).toContain(TERMS);
    expect(await api.store.head()).toBe(0);
  });

  it.each([
    ['name', { ...ada, name: ' ' }],
    ['name', { ...ada, name: 'A\u0000' }],
    ['name', { ...ada, name: 'A\u001b[31m' }],
    ['name', { ...ada, name: '\ud800' }],
    ['name', { email: 'ada@example.com' }],
    ['email', { ...ada, email: 'not an address' }],
    ['holder', { ...ada, holder: 'cat' }],
    ['adult', { ...ada, adult: 'yes' }],
    ['balance', { ...ada, balance: '1000' }],
    ['__proto__', '{"name":"A","email":"a@example.com","__proto__":{}}'],
  ])('400: names the field that is wrong: %s', async (field, body) => {
    const answer = await api.post('/accounts', body);
    expect(refusal(answer)).toEqual([400, 'invalid_request']);
    expect(param(answer)).toBe(field);
    expect(message(answer)).toContain(field);
  });
});

describe('POST /accounts/{account_id}/terms', () => {
  it('200: records the acceptance; repeated, nothing changes', async () => {
    const { json } = await api.post('/accounts', ada);
    const path = `/accounts/${String(json['account_id'])}/terms`;
    const first = await api.post(path, { version: TERMS }, { key: 'one' });
    expect(first.json).toMatchObject({ terms_version: TERMS, changed: true, revision: 1 });
    const repeated = await api.post(path, { version: TERMS }, { key: 'one' });
    expect(repeated.json).toEqual(first.json);
    expect(repeated.headers.get('idempotent-replayed')).toBe('true');
    const again = await api.post(path, { version: TERMS });
    expect(again.json).toMatchObject({ changed: false, revision: 1, time: null });
    expect(await api.store.head()).toBe(2);
  });

  it('400: a version that is not in force', async () => {
    const id = await api.account();
    expect(refusal(await api.post(`/accounts/${id}/terms`, { version: '1999' }))).toEqual([400, 'terms_not_in_force']);
  });

  it('404: an account that does not exist', async () => {
    const answer = await api.post('/accounts/acc_nobody/terms', { version: TERMS });
    expect(refusal(answer)).toEqual([404, 'account_not_found']);
  });
});
