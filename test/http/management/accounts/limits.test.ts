import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { param, refusal, startManagementApi, type ManagementApi } from '../management-api.ts';

let api: ManagementApi;
let account: string;
let key: string;
beforeEach(async () => {
  api = await startManagementApi();
  account = `/accounts/${await api.account()}`;
  key = `${account}/keys/${String((await api.post(`${account}/keys`, { name: 'production' })).json['key_id'])}`;
});
afterEach(() => api.close());

const put = (path: string, body: unknown) => api.send('PUT', path, { body });
const none = {
  ...{ requests_per_minute: null, tokens_per_minute: null, concurrent_requests: null, models: null },
  spending_usd: { day: null, month: null, total: null },
};
const all = {
  ...{ requests_per_minute: 60, tokens_per_minute: 90_000, concurrent_requests: 4, models: ['gpt-5-mini'] },
  spending_usd: { day: '0.000000001', month: '5.00', total: '0.00' },
};
const until = '2027-01-01T00:00:00.000Z';

describe('PUT /accounts/{account_id}/keys/{key_id}/limits', () => {
  it('200: sets them, and shows them wherever the key is shown', async () => {
    const limits = { ...all, expires_at: until };
    const { status, json } = await put(`${key}/limits`, limits);
    expect(status).toBe(200);
    expect(json).toMatchObject({ limits, changed: true, revision: 3 });
    expect((await api.get(`${account}/keys`)).json).toMatchObject({ data: [{ limits }] });
    expect((await api.get(account)).json).toMatchObject({ keys: [{ limits }], limits: none });
    const { json: events } = await api.get(`${account}/events`);
    expect((events['data'] as unknown[]).at(-1)).toMatchObject({ type: 'KeyLimitsSet', data: { limits } });
  });

  it('200: what was read may be sent back, and changes nothing', async () => {
    const { json: first } = await put(`${key}/limits`, all);
    const { json: again } = await put(`${key}/limits`, first['limits']);
    expect(again).toEqual({ ...first, changed: false, time: null });
  });

  it('200: what is left out is not limited any more', async () => {
    await put(`${key}/limits`, all);
    const { json } = await put(`${key}/limits`, {});
    expect(json).toMatchObject({ limits: { ...none, expires_at: null }, changed: true, revision: 4 });
  });

  it.each([
    [{ requests_per_minute: 0 }, 'requests_per_minute'],
    [{ tokens_per_minute: 1.5 }, 'tokens_per_minute'],
    [{ concurrent_requests: '5' }, 'concurrent_requests'],
    [{ spending_usd: { day: '-1' } }, 'spending_usd.day'],
    [{ spending_usd: { month: 5 } }, 'spending_usd.month'],
    [{ spending_usd: { week: '5' } }, 'spending_usd.week'],
    [{ models: [] }, 'models'],
    [{ expires_at: 'tomorrow' }, 'expires_at'],
    [{ expires_at: '9999-12-31T23:30:00-01:00' }, 'expires_at'],
    [{ expires_at: '0000-01-01T00:30:00+01:00' }, 'expires_at'],
    [{ rpm: 5 }, 'rpm'],
  ])('400: %o', async (body, field) => {
    const answer = await put(`${key}/limits`, body);
    expect(refusal(answer)).toEqual([400, 'invalid_request']);
    expect(param(answer)).toBe(field);
    expect(await api.store.head()).toBe(3);
  });

  it('404: a key that the account does not have', async () => {
    expect(refusal(await put(`${account}/keys/key_nothing/limits`, all))).toEqual([404, 'key_not_found']);
  });
});

describe('PUT /accounts/{account_id}/limits', () => {
  it('200: sets them, and shows them with the account', async () => {
    const { json } = await put(`${account}/limits`, all);
    expect(json).toMatchObject({ limits: all, changed: true, revision: 3 });
    expect((await api.get(account)).json).toMatchObject({ limits: all });
    expect((await put(`${account}/limits`, all)).json).toMatchObject({ limits: all, changed: false });
  });

  it('400: an account does not expire', async () => {
    const answer = await put(`${account}/limits`, { expires_at: until });
    expect(refusal(answer)).toEqual([400, 'invalid_request']);
    expect(param(answer)).toBe('expires_at');
  });

  it('404: an account that does not exist', async () => {
    expect(refusal(await put('/accounts/acc_nobody/limits', all))).toEqual([404, 'account_not_found']);
  });
});

describe('POST /accounts/{account_id}/keys with limits', () => {
  const issue = (limits: unknown, name = 'staging') => api.post(`${account}/keys`, { name, limits }, { key: 'one' });

  it('201: the key has them from the beginning, and once', async () => {
    const { json } = await issue(all);
    expect(json).toMatchObject({ name: 'staging', limits: all, revision: 4 });
    const again = await issue(all);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.json).toMatchObject({ key_id: json['key_id'], limits: all, revision: 4, secret: null });
    expect((await api.get(`${account}/keys`)).json).toMatchObject({ data: [{ limits: none }, { limits: all }] });
  });

  it('409: the same key for other limits', async () => {
    await issue(all);
    expect(refusal(await issue({ ...all, concurrent_requests: 5 }))).toEqual([409, 'idempotency_key_reused']);
    expect(refusal(await issue(undefined))).toEqual([409, 'idempotency_key_reused']);
  });

  it('400: limits that are none', async () => {
    const answer = await issue({ concurrent_requests: 0 });
    expect(refusal(answer)).toEqual([400, 'invalid_request']);
    expect(param(answer)).toBe('limits.concurrent_requests');
  });
});
