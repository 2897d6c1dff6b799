import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ada, message, refusal, startManagementApi, type ManagementApi } from './management-api.ts';

let api: ManagementApi;
let path: string;
beforeEach(async () => {
  api = await startManagementApi();
  path = `/accounts/${await api.account()}/keys`;
});
afterEach(() => api.close());

const aRequest = {
  ...{ request_id: 'gen-1', upstream_id: null, key_id: 'key_1', model: 'm', price_version: 1, status: 'settled' },
  ...{ endpoint: '/chat/completions', upstream: 'simulated', streamed: false, held: 9n, cost: 7n, charged: 7n },
  ...{
    written_off: 0n,
    reversed: 0n,
    input_tokens: 1,
    cached_input_tokens: 2,
    cache_write_tokens: 3,
    output_tokens: 4,
  },
  ...{ reasoning_tokens: 5, usage_source: 'reported', ended: 'completed', finish_reason: 'stop', detail: null },
  ...{ first_byte_ms: 1, total_ms: 2, reserved_at: new Date(0), ended_at: null },
};

const log = async (): Promise<string> => JSON.stringify(await api.store.readAll(0, 1000));

describe('POST /accounts/{account_id}/keys', () => {
  it('201: shows the secret once, and keeps nothing of it', async () => {
    const { status, json } = await api.post(path, { name: 'production' });
    expect(status).toBe(201);
    const secret = String(json['secret']);
    expect(json).toMatchObject({ name: 'production', hint: secret.slice(-4), revision: 2 });
    expect(await log()).not.toContain(secret);
    const listed = await api.get(path);
    expect(listed.json).toEqual({
      data: [
        {
          key_id: json['key_id'],
          name: 'production',
          hint: secret.slice(-4),
          revoked: false,
          limits: expect.anything() as unknown,
        },
      ],
    });
    const account = path.replace('/keys', '');
    const events = await api.get(`${account}/events`);
    const everything = JSON.stringify([listed.json, (await api.get(account)).json, events.json]);
    expect(everything).not.toContain(secret);
    expect(everything).not.toContain('hash');
  });

  it('201: answers when this node knows the key', async () => {
    await api.post(path, { name: 'production' });
    expect(api.published).toEqual([3]);
  });

  it('201: repeated with the same key, the same one without its secret', async () => {
    const first = await api.post(path, { name: 'production' }, { key: 'one' });
    const again = await api.post(path, { name: 'production' }, { key: 'one' });
    expect(again.status).toBe(201);
    expect(again.json).toEqual({ ...first.json, secret: null, note: expect.stringContaining('revoke') as unknown });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect((await api.get(path)).json['data']).toHaveLength(1);
  });

  it('201: sent many times at once with the same key, one answer has the secret', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => api.post(path, { name: 'production' }, { key: 'one' })),
    );
    expect(answers.filter(({ json }) => json['secret'] !== null)).toHaveLength(1);
    expect(new Set(answers.map(({ json }) => json['key_id'])).size).toBe(1);
  });

  it('201: owes the secret even where this node does not learn of the key in time', async () => {
    await api.close();
    api = await startManagementApi({ publishKey: () => Promise.reject(new Error('behind')) });
    const { json } = await api.post(`/accounts/${await api.account()}/keys`, { name: 'production' });
    expect(json['secret']).toEqual(expect.any(String));
  });

  it('409: the same key for a key of another name', async () => {
    await api.post(path, { name: 'production' }, { key: 'one' });
    const answer = await api.post(path, { name: 'staging' }, { key: 'one' });
    expect(refusal(answer)).toEqual([409, 'idempotency_key_reused']);
  });

  it('403: before the terms are accepted', async () => {
    const { json } = await api.post('/accounts', ada);
    const answer = await api.post(`/accounts/${String(json['account_id'])}/keys`, { name: 'production' });
    expect(refusal(answer)).toEqual([403, 'terms_not_accepted']);
  });

  it('403: while the account is suspended', async () => {
    await api.post(path.replace('/keys', '/suspend'), { reason: 'Resale' });
    expect(refusal(await api.post(path, { name: 'production' }))).toEqual([403, 'account_suspended']);
  });

  it('404: an account that does not exist', async () => {
    expect(refusal(await api.post('/accounts/acc_nobody/keys', { name: 'x' }))).toEqual([404, 'account_not_found']);
    expect(refusal(await api.get('/accounts/acc_nobody/keys'))).toEqual([404, 'account_not_found']);
  });
});

describe('POST /accounts/{account_id}/keys/{key_id}/rotate', () => {
  let keyId: string;
  beforeEach(async () => {
    const limits = { requests_per_minute: 5 };
    keyId = String((await api.post(path, { name: 'production', limits })).json['key_id']);
  });
  const keys = async () => (await api.get(path)).json['data'] as readonly Record<string, unknown>[];

  it('201: a key with the same name and limits; without an overlap the old one is revoked', async () => {
    const { status, json } = await api.post(`${path}/${keyId}/rotate`, {});
    expect(status).toBe(201);
    expect(json).toMatchObject({ name: 'production', replaces: keyId, limits: { requests_per_minute: 5 } });
    expect(json['secret']).toMatch(/^kiss_/);
    expect(await keys()).toMatchObject([
      { key_id: keyId, revoked: true },
      { key_id: json['key_id'], revoked: false, replaces: keyId },
    ]);
  });

  it('201: with an overlap the old key has an end, and is not revoked', async () => {
    const { json } = await api.post(`${path}/${keyId}/rotate`, { overlap_minutes: 60 });
    const [old, rotated] = await keys();
    expect(old).toMatchObject({
      revoked: false,
      limits: { requests_per_minute: 5, expires_at: expect.any(String) as unknown },
    });
    expect(rotated).toMatchObject({ key_id: json['key_id'], limits: { requests_per_minute: 5, expires_at: null } });
  });

  it('201: repeated with the same Idempotency-Key, the same key without its secret', async () => {
    const first = await api.post(`${path}/${keyId}/rotate`, { overlap_minutes: 60 }, { key: 'one' });
    const again = await api.post(`${path}/${keyId}/rotate`, { overlap_minutes: 60 }, { key: 'one' });
    expect(again.json).toMatchObject({
      key_id: first.json['key_id'],
      secret: null,
      limits: { requests_per_minute: 5 },
    });
  });

  it('409: the same Idempotency-Key with and without an overlap', async () => {
    const rotate = (minutes: number) =>
      api.post(`${path}/${keyId}/rotate`, { overlap_minutes: minutes }, { key: 'one' });
    await rotate(60);
    expect(refusal(await rotate(0))).toEqual([409, 'idempotency_key_reused']);
  });

  it('400: an overlap of more than 30 days', async () => {
    const answer = await api.post(`${path}/${keyId}/rotate`, { overlap_minutes: 43_201 });
    expect(refusal(answer)).toEqual([400, 'invalid_request']);
  });

  it('404: a key that the account does not have', async () => {
    expect(refusal(await api.post(`${path}/key_9/rotate`, {}))).toEqual([404, 'key_not_found']);
  });

  it('409: a key that was rotated before', async () => {
    await api.post(`${path}/${keyId}/rotate`, {});
    expect(refusal(await api.post(`${path}/${keyId}/rotate`, {}))).toEqual([409, 'key_already_replaced']);
  });
});

describe('POST /accounts/{account_id}/keys/{key_id}/leak', () => {
  const asked: unknown[] = [];
  let keyId: string;
  beforeEach(async () => {
    await api.close();
    asked.length = 0;
    api = await startManagementApi({
      listRequests: (...wanted) => {
        asked.push(wanted);
        return Promise.resolve([aRequest]);
      },
    });
    path = `/accounts/${await api.account()}/keys`;
    keyId = String((await api.post(path, { name: 'production' })).json['key_id']);
  });

  it('200: revokes the key, records the leak, and lists the requests since then', async () => {
    const { status, json } = await api.post(`${path}/${keyId}/leak`, { since: '2026-01-30T00:00:00Z' });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      revoked: true,
      is_complete: true,
      requests: [{ generation_id: aRequest.request_id }],
    });
    expect(asked).toEqual([[path.split('/')[2], { keyId, from: new Date('2026-01-30T00:00:00Z'), limit: 501 }]]);
    expect((await api.get(path)).json).toMatchObject({ data: [{ key_id: keyId, revoked: true }] });
    const events = await api.get(`${path.replace('/keys', '')}/events`);
    expect(JSON.stringify(events.json)).toContain('KeyLeakReported');
  });

  it('200: records it once', async () => {
    await api.post(`${path}/${keyId}/leak`, {});
    await api.post(`${path}/${keyId}/leak`, {});
    expect((await log()).match(/KeyLeakReported/g)).toHaveLength(1);
  });

  it('409: the Idempotency-Key of another leak, and the other key is not called revoked', async () => {
    const other = String((await api.post(path, { name: 'other' })).json['key_id']);
    await api.post(`${path}/${keyId}/leak`, {}, { key: 'one' });
    expect((await api.post(`${path}/${keyId}/leak`, {}, { key: 'one' })).status).toBe(200);
    expect(refusal(await api.post(`${path}/${other}/leak`, {}, { key: 'one' }))).toEqual([
      409,
      'idempotency_key_reused',
    ]);
  });

  it('404: a key that the account does not have, and nothing is recorded', async () => {
    expect(refusal(await api.post(`${path}/key_9/leak`, {}))).toEqual([404, 'key_not_found']);
    expect(await log()).not.toContain('KeyLeakReported');
  });
});

describe('GET /accounts/{account_id}/requests', () => {
  it('200: what was asked for, and where the next page begins', async () => {
    const asked: unknown[] = [];
    await api.close();
    api = await startManagementApi({
      listRequests: (_account, wanted) => {
        asked.push(wanted);
        return Promise.resolve([aRequest, { ...aRequest, request_id: 'gen-2' }]);
      },
    });
    const account = `/accounts/${await api.account()}`;
    const { json } = await api.get(`${account}/requests?key_id=key_1&model=m&status=settled&limit=1&before=gen-9`);
    expect(json).toMatchObject({
      data: [{ generation_id: aRequest.request_id, input_tokens: 6, output_tokens: 9 }],
      next: aRequest.request_id,
    });
    expect(asked).toMatchObject([{ keyId: 'key_1', model: 'm', status: 'settled', before: 'gen-9', limit: 2 }]);
    expect((await api.get(`${account}/requests`)).json).toMatchObject({ next: null });
  });

  it('400: a status that does not exist', async () => {
    const answer = await api.get(`${path.replace('/keys', '')}/requests?status=lost`);
    expect(refusal(answer)).toEqual([400, 'invalid_request']);
  });

  it('404: an account that does not exist', async () => {
    expect(refusal(await api.get('/accounts/acc_nobody/requests'))).toEqual([404, 'account_not_found']);
  });
});

describe('DELETE /accounts/{account_id}/keys/{key_id}', () => {
  let key: string;
  beforeEach(async () => {
    key = `${path}/${String((await api.post(path, { name: 'production' })).json['key_id'])}`;
  });

  it('200: revokes it, and answers when this node knows', async () => {
    const { json } = await api.delete(`${key}?reason=Leaked`);
    expect(json).toMatchObject({ revoked: true, changed: true, revision: 3 });
    expect(api.published).toEqual([3, 4]);
    expect((await api.get(path)).json).toMatchObject({ data: [{ revoked: true }] });
    expect(await log()).toContain('Leaked');
  });

  it('200: repeated, changes nothing, and makes sure again that this node knows', async () => {
    await api.delete(key);
    const { json } = await api.delete(key);
    expect(json).toMatchObject({ revoked: true, changed: false, revision: 3, time: null });
    expect(api.published).toEqual([3, 4, 4]);
    expect(await api.store.head()).toBe(4);
  });

  it('404: a key that the account does not have', async () => {
    expect(refusal(await api.delete(`${path}/key_nothing`))).toEqual([404, 'key_not_found']);
    const other = await api.account();
    const foreign = key.replace(/acc_\w+/, other);
    expect(refusal(await api.delete(foreign))).toEqual([404, 'key_not_found']);
  });

  it('503: in the log, but this node has not heard of it', async () => {
    await api.close();
    api = await startManagementApi({ publishKey: () => Promise.reject(new Error('behind')) });
    const keys = `/accounts/${await api.account()}/keys`;
    const issued = await api.post(keys, { name: 'production' });
    const answer = await api.delete(`${keys}/${String(issued.json['key_id'])}`);
    expect(refusal(answer)).toEqual([503, 'store_unavailable']);
    expect(message(answer)).toContain('revoked');
    expect(answer.headers.get('x-should-retry')).toBe('true');
  });

  it('400: a query that it does not know', async () => {
    expect(refusal(await api.delete(`${key}?why=Leaked`))).toEqual([400, 'invalid_request']);
  });
});

describe('a key in place of another', () => {
  const limits = { requests_per_minute: 7, spending_usd: { day: '5.00' } };

  it('201: has its limits, says which key it replaces, and revokes it', async () => {
    const first = await api.post(path, { name: 'production', limits });
    const replaces = String(first.json['key_id']);
    const { status, json } = await api.post(path, { name: 'production', replaces }, { key: 'again' });
    expect([status, json['replaces'], json['limits']]).toEqual([201, replaces, first.json['limits']]);
    const keys = (await api.get(path)).json['data'] as Record<string, unknown>[];
    expect(keys.map(({ key_id: id, revoked, replaces: of, limits }) => [id, revoked, of, limits])).toEqual([
      [replaces, true, undefined, first.json['limits']],
      [json['key_id'], false, replaces, first.json['limits']],
    ]);
    const repeated = await api.post(path, { name: 'production', replaces }, { key: 'again' });
    expect(repeated.json).toMatchObject({ key_id: json['key_id'], limits: first.json['limits'], secret: null });
    const events = (await api.get(`${path.replace('/keys', '')}/events`)).json['data'] as Record<string, unknown>[];
    expect(events.find(({ data }) => (data as Record<string, unknown>)['replaces'] === replaces)).toBeDefined();
    expect(refusal(await api.post(path, { name: 'other', replaces }))).toEqual([409, 'key_already_replaced']);
    expect(refusal(await api.post(path, { name: 'production' }, { key: 'again' }))).toEqual([
      409,
      'idempotency_key_reused',
    ]);
  });

  it('404: of a key that is not of this account', async () => {
    const other = `/accounts/${await api.account()}/keys`;
    const replaces = String((await api.post(other, { name: 'theirs' })).json['key_id']);
    const answer = await api.post(path, { name: 'ours', replaces });
    expect(refusal(answer)).toEqual([404, 'key_not_found']);
    expect(answer.json).toMatchObject({ error: { param: 'replaces' } });
  });
});
