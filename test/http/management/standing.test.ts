import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { param, refusal, startManagementApi, type ManagementApi } from './management-api.ts';

let api: ManagementApi;
let account: string;
beforeEach(async () => {
  api = await startManagementApi();
  account = `/accounts/${await api.account()}`;
});
afterEach(() => api.close());

describe('POST /accounts/{account_id}/suspend', () => {
  it('200: suspends it, with the reason', async () => {
    const { json } = await api.post(`${account}/suspend`, { reason: 'Resale' });
    expect(json).toMatchObject({ status: 'suspended', reason: 'Resale', changed: true, revision: 2 });
    expect((await api.get(account)).json).toMatchObject({ status: 'suspended', suspension_reason: 'Resale' });
  });

  it('200: what is suspended stays so, for the reason that it was', async () => {
    await api.post(`${account}/suspend`, { reason: 'Resale' });
    const { json } = await api.post(`${account}/suspend`, { reason: 'Other' });
    expect(json).toMatchObject({ status: 'suspended', reason: 'Resale', changed: false, revision: 2, time: null });
  });

  it('200: repeated with the same key after it was reinstated, answers as before and suspends nobody', async () => {
    const first = await api.post(`${account}/suspend`, { reason: 'Resale' }, { key: 'one' });
    await api.post(`${account}/reinstate`, { reason: 'Explained' });
    const again = await api.post(`${account}/suspend`, { reason: 'Resale' }, { key: 'one' });
    expect(again.json).toEqual(first.json);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect((await api.get(account)).json).toMatchObject({ status: 'active' });
  });

  it('409: the same key with another reason', async () => {
    await api.post(`${account}/suspend`, { reason: 'Resale' }, { key: 'one' });
    const answer = await api.post(`${account}/suspend`, { reason: 'Other' }, { key: 'one' });
    expect(refusal(answer)).toEqual([409, 'idempotency_key_reused']);
  });

  it('400: without a reason', async () => {
    const answer = await api.post(`${account}/suspend`, {});
    expect(refusal(answer)).toEqual([400, 'invalid_request']);
    expect(param(answer)).toBe('reason');
  });

  it('404: an account that does not exist', async () => {
    expect(refusal(await api.post('/accounts/acc_nobody/suspend', { reason: 'x' }))).toEqual([
      404,
      'account_not_found',
    ]);
  });
});

describe('POST /accounts/{account_id}/reinstate', () => {
  it('200: makes it active again; repeated with the same key, answers as before', async () => {
    await api.post(`${account}/suspend`, { reason: 'Resale' });
    const first = await api.post(`${account}/reinstate`, { reason: 'Explained' }, { key: 'one' });
    expect(first.json).toMatchObject({ status: 'active', reason: 'Explained', changed: true, revision: 3 });
    const again = await api.post(`${account}/reinstate`, { reason: 'Explained' }, { key: 'one' });
    expect(again.json).toEqual(first.json);
    expect((await api.get(account)).json).toMatchObject({ status: 'active', suspension_reason: null });
  });

  it('200: removes one cause; the account is active once none is left', async () => {
    const id = account.slice('/accounts/'.length);
    const pay = { type: 'TopUp', lotId: 'lot_1', amount: 5n, source: { kind: 'payment', reference: 'pay_1' } } as const;
    await api.execute(id, pay);
    await api.execute(id, { type: 'FreezeLot', lotId: 'lot_1', disputeId: 'disp_1' });
    await api.post(`${account}/suspend`, { reason: 'Resale' });
    expect((await api.get(account)).json).toMatchObject({
      ...{ status: 'suspended', suspension_reason: 'a payment is disputed; Resale' },
      suspensions: [
        { cause: 'dispute', reason: 'a payment is disputed', dispute_id: 'disp_1' },
        { cause: 'staff', reason: 'Resale' },
      ],
    });
    const first = await api.post(`${account}/reinstate`, { reason: 'Explained' }, { key: 'one' });
    expect(first.json).toMatchObject({ status: 'suspended', reason: 'Explained', changed: true });
    const other = { reason: 'Explained', cause: { kind: 'dispute', dispute_id: 'disp_2' } };
    expect(refusal(await api.post(`${account}/reinstate`, other))).toEqual([409, 'account_not_suspended']);
    const dispute = { reason: 'Explained', cause: { kind: 'dispute', dispute_id: 'disp_1' } };
    expect((await api.post(`${account}/reinstate`, dispute)).json).toMatchObject({ status: 'active' });
    expect((await api.get(account)).json).toMatchObject({ status: 'active', suspensions: [] });
    const again = await api.post(`${account}/reinstate`, { reason: 'Explained' }, { key: 'one' });
    expect(again.json).toEqual(first.json);
    expect(refusal(await api.post(`${account}/reinstate`, dispute, { key: 'one' }))).toEqual([
      409,
      'idempotency_key_reused',
    ]);
  });

  it('400: a cause that does not exist', async () => {
    const answer = await api.post(`${account}/reinstate`, { reason: 'x', cause: { kind: 'dispute' } });
    expect(refusal(answer)).toEqual([400, 'invalid_request']);
  });

  it('409: what is not suspended', async () => {
    const answer = await api.post(`${account}/reinstate`, { reason: 'Explained' });
    expect(refusal(answer)).toEqual([409, 'account_not_suspended']);
  });

  it('404: an account that does not exist', async () => {
    const answer = await api.post('/accounts/acc_nobody/reinstate', { reason: 'x' });
    expect(refusal(answer)).toEqual([404, 'account_not_found']);
  });
});
