import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { message, param, refusal, startManagementApi, type ManagementApi } from './management-api.ts';

let api: ManagementApi;
let path: string;
let id: string;
beforeEach(async () => {
  api = await startManagementApi();
  id = await api.account();
  path = `/accounts/${id}/grants`;
});
afterEach(() => api.close());

const grant = { usd: '5.00', reason: 'Welcome credits' };

describe('POST /accounts/{account_id}/grants', () => {
  it('201: the credits can be used', async () => {
    const { status, json } = await api.post(path, grant);
    expect(status).toBe(201);
    expect(json).toMatchObject({ account_id: id, amount_usd: '5.00', reason: 'Welcome credits', revision: 2 });
    const account = (await api.get(`/accounts/${id}`)).json;
    expect(account).toMatchObject({
      balance_usd: '5.00',
      available_usd: '5.00',
      lots: [{ lot_id: json['lot_id'], amount_usd: '5.00', remaining_usd: '5.00' }],
    });
  });

  it('201: to the last nano-dollar', async () => {
    expect((await api.post(path, { ...grant, usd: '0.000000001' })).json).toMatchObject({ amount_usd: '0.000000001' });
    expect((await api.post(path, { ...grant, usd: '1000000' })).json).toMatchObject({ amount_usd: '1000000.00' });
  });

  it('201: repeated with the same key, grants once', async () => {
    const first = await api.post(path, grant, { key: 'one' });
    const again = await Promise.all(
      Array.from({ length: 5 }, () => api.post(path, { usd: '5', reason: 'Welcome credits' }, { key: 'one' })),
    );
    for (const { json, headers } of again) {
      expect(json).toEqual(first.json);
      expect(headers.get('idempotent-replayed')).toBe('true');
    }
    expect((await api.get(`/accounts/${id}`)).json).toMatchObject({ balance_usd: '5.00' });
  });

  it('201: without a key, grants as often as asked', async () => {
    await api.post(path, grant);
    await api.post(path, grant);
    expect((await api.get(`/accounts/${id}`)).json).toMatchObject({ balance_usd: '10.00' });
  });

  it('201: the same key is of no meaning to another account', async () => {
    await api.post(path, grant, { key: 'one' });
    const other = await api.account();
    const { headers } = await api.post(`/accounts/${other}/grants`, grant, { key: 'one' });
    expect(headers.get('idempotent-replayed')).toBeNull();
  });

  it('409: the same key with another body, or for something else', async () => {
    await api.post(path, grant, { key: 'one' });
    const answers = [
      await api.post(path, { ...grant, usd: '5.01' }, { key: 'one' }),
      await api.post(path, { ...grant, reason: 'Other' }, { key: 'one' }),
      await api.post(`/accounts/${id}/suspend`, { reason: 'Welcome credits' }, { key: 'one' }),
      await api.post(`/accounts/${id}/keys`, { name: 'Welcome credits' }, { key: 'one' }),
    ];
    for (const answer of answers) expect(refusal(answer)).toEqual([409, 'idempotency_key_reused']);
    expect(await api.store.head()).toBe(3);
  });

  it('201: until an end, after which they can no longer be used; repeated after it, answers as before', async () => {
    const ends_at = '2026-01-31T13:00:00+01:00';
    const first = await api.post(path, { ...grant, ends_at }, { key: 'one' });
    expect(first.json).toMatchObject({ ends_at: '2026-01-31T12:00:00.000Z' });
    const { lots } = (await api.get(`/accounts/${id}`)).json;
    expect(lots).toMatchObject([{ ends_at: '2026-01-31T12:00:00.000Z', remaining_usd: '5.00' }]);
    expect(refusal(await api.post(path, grant, { key: 'one' }))).toEqual([409, 'idempotency_key_reused']);
    api.clock.advance(3 * 3_600_000);
    const again = await api.post(path, { ...grant, ends_at }, { key: 'one' });
    expect(again.json).toEqual(first.json);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });

  it.each(['2026-01-31T09:59:59Z', '2026-01-31T10:00:00Z', '2026-01-31', 1_800_000_000_000])(
    '400: an end that is not in the future, or no time: %j',
    async (ends_at) => {
      const answer = await api.post(path, { ...grant, ends_at });
      expect(refusal(answer)).toEqual([400, 'invalid_request']);
      expect(param(answer)).toBe('ends_at');
    },
  );

  it('400: nothing', async () => {
    const nothing = await api.post(path, { ...grant, usd: '0.00' });
    expect(refusal(nothing)).toEqual([400, 'invalid_amount']);
    expect(param(nothing)).toBe('usd');
  });

  it.each(['-5', '+5', '5e3', '5,00', '', ' 5', '0.0000000001', '1000000.01', 5, null, 'NaN'])(
    '400: %j is no amount',
    async (usd) => {
      const answer = await api.post(path, { ...grant, usd });
      expect(refusal(answer)).toEqual([400, 'invalid_request']);
      expect(param(answer)).toBe('usd');
      expect(message(answer)).toMatch(/5\.00|at most/);
    },
  );

  it('404: an account that does not exist', async () => {
    for (const nobody of ['acc_nobody', 'x%2F..%2Fprices', 'a'.repeat(65)]) {
      expect(refusal(await api.post(`/accounts/${nobody}/grants`, grant))).toEqual([404, 'account_not_found']);
    }
  });
});
