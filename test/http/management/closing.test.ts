import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { release, reserve } from '../../domain/account/examples.ts';
import { param, refusal, startManagementApi, TERMS, type ManagementApi } from './management-api.ts';

let api: ManagementApi;
let accountId: string;
let account: string;
beforeEach(async () => {
  api = await startManagementApi();
  accountId = await api.account();
  account = `/accounts/${accountId}`;
});
afterEach(() => api.close());

const issueKey = async (): Promise<string> =>
  String((await api.post(`${account}/keys`, { name: 'production' })).json['key_id']);
const grant = (usd: string) => api.post(`${account}/grants`, { usd, reason: 'Welcome' });
const close = (reason = 'Asked', sent = {}) => api.post(`${account}/close`, { reason }, sent);
const erase = (reason = 'Asked', sent = {}) => api.post(`${account}/erase`, { reason }, sent);

describe('POST /accounts/{account_id}/close', () => {
  it('200: closes it, revokes its keys, and ends its promotional credits', async () => {
    for (let n = 0; n < 2; n++) await issueKey();
    await grant('5.00');
    await grant('0.50');
    const { json } = await close();
    expect(json).toMatchObject({
      ...{ status: 'closed', reason: 'Asked', changed: true, revoked_keys: 2, expired_usd: '5.50', revision: 10 },
    });
    expect((await api.get(account)).json).toMatchObject({
      ...{ status: 'closed', closing_reason: 'Asked', suspension_reason: null, personal_data_erased: false },
      ...{ balance_usd: '0.00', topped_up_usd: '5.50', charged_usd: '0.00', expired_usd: '5.50', lots: [] },
      keys: [{ revoked: true }, { revoked: true }],
    });
  });

  it('200: answers once the keys are refused on this node', async () => {
    await issueKey();
    await close();
    expect(api.published.at(-1)).toBe(await api.store.head());
  });

  it('200: what is closed stays so, for the reason that it was', async () => {
    await close();
    expect((await close('Other')).json).toMatchObject({
      ...{ status: 'closed', reason: 'Asked', changed: false, revision: 2, time: null },
      ...{ revoked_keys: 0, expired_usd: '0.00' },
    });
  });

  it('200: repeated with the same key, answers as before', async () => {
    await grant('5.00');
    const first = await close('Asked', { key: 'one' });
    const again = await close('Asked', { key: 'one' });
    expect(again.json).toEqual(first.json);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(refusal(await close('Other', { key: 'one' }))).toEqual([409, 'idempotency_key_reused']);
  });

  it('200: closes a suspended account, whose reason stays known', async () => {
    await api.post(`${account}/suspend`, { reason: 'Resale' });
    await close();
    expect((await api.get(account)).json).toMatchObject({
      ...{ status: 'closed', suspension_reason: 'Resale', closing_reason: 'Asked' },
    });
  });

  it('200: records the member who asked for it', async () => {
    await api.execute(accountId, { type: 'AddMember', personId: 'per_1', role: 'owner' });
    await api.post(`${account}/close`, { reason: 'Asked', asked_by: 'per_1' });
    const { data } = (await api.get(`${account}/events`)).json as { data: { type: string; data: unknown }[] };
    expect(data.find(({ type }) => type === 'AccountClosed')?.data).toEqual({ reason: 'Asked', asked_by: 'per_1' });
  });

  it('200: with the wish of the holder for the paid credits: refund, waive, or none', async () => {
    for (const [wish, rest, owed_usd, waived_usd] of [
      ['refund', 'refund', '5.00', '0.00'],
      ['waive', 'waived', '0.00', '5.00'],
      [undefined, null, '5.00', '0.00'],
    ] as const) {
      const id = await api.account();
      const payment = { kind: 'payment', reference: 'pay_1' } as const;
      await api.execute(id, { type: 'TopUp', lotId: 'lot_1', amount: 5_000_000_000n, source: payment });
      const body = { reason: 'Asked', ...(wish ? { rest: wish } : {}) };
      const first = await api.post(`/accounts/${id}/close`, body, { key: `close ${wish}` });
      expect(first.json).toMatchObject({ rest, owed_usd, waived_usd, held_for_refund_usd: '0.00' });
      expect((await api.get(`/accounts/${id}`)).json).toMatchObject({ rest, owed_usd, waived_usd });
      // A repetition is answered as the first request, whatever has become of the credits since.
      await api.execute(id, { type: 'WaiveCredits', reason: 'asked' });
      expect((await api.post(`/accounts/${id}/close`, body, { key: `close ${wish}` })).json).toEqual(first.json);
    }
  });

  it('400: with another wish', async () => {
    const answer = await api.post(`${account}/close`, { reason: 'Asked', rest: 'waived' });
    expect([refusal(answer), param(answer)]).toEqual([[400, 'invalid_request'], 'rest']);
  });

  it('404: a person who is no member asked for it', async () => {
    const answer = await api.post(`${account}/close`, { reason: 'Asked', asked_by: 'per_1' });
    expect([refusal(answer), param(answer)]).toEqual([[404, 'member_not_found'], 'asked_by']);
  });

  it.each(['ada@example.com', 'per_', 'per_\u0000', `per_${'x'.repeat(61)}`])(
    '400: %j, which is not the id of a person, asked for it',
    async (asked_by) => {
      const answer = await api.post(`${account}/close`, { reason: 'Asked', asked_by });
      expect([refusal(answer), param(answer)]).toEqual([[400, 'invalid_request'], 'asked_by']);
    },
  );

  it('400: without a reason', async () => {
    const answer = await api.post(`${account}/close`, {});
    expect([refusal(answer), param(answer)]).toEqual([[400, 'invalid_request'], 'reason']);
  });

  it('404: an account that does not exist', async () => {
    const answer = await api.post('/accounts/acc_nobody/close', { reason: 'x' });
    expect(refusal(answer)).toEqual([404, 'account_not_found']);
  });
});

describe('a closed account', () => {
  it('403: is granted nothing, is issued no key, accepts no terms, and is neither suspended nor reinstated', async () => {
    const keyId = await issueKey();
    await close();
    for (const answer of [
      await grant('1.00'),
      await api.post(`${account}/keys`, { name: 'new' }),
      await api.post(`${account}/keys/${keyId}/rotate`, {}),
      await api.post(`${account}/terms`, { version: TERMS }),
      await api.post(`${account}/suspend`, { reason: 'x' }),
      await api.post(`${account}/reinstate`, { reason: 'x' }),
    ]) {
      expect(refusal(answer)).toEqual([403, 'account_closed']);
    }
  });
});

describe('POST /accounts/{account_id}/erase', () => {
  it('200: the account has no name and no address from then on', async () => {
    await close();
    expect((await erase()).json).toMatchObject({ erased: true, changed: true, revision: 3 });
    expect((await api.get(account)).json).toMatchObject({
      ...{ status: 'closed', personal_data_erased: true, name: null, email: null, holder: 'person' },
    });
    expect((await api.get(`${account}?revision=0`)).json).toMatchObject({ name: null, email: null });
    expect((await api.get(`${account}/events?limit=1`)).json).toMatchObject({ data: [{ data: { name: null } }] });
    expect((await erase('Other')).json).toMatchObject({ erased: true, changed: false, revision: 3, time: null });
  });

  it('200: repeated with the same key, answers as before', async () => {
    await close();
    const first = await erase('Asked', { key: 'one' });
    expect((await erase('Asked', { key: 'one' })).json).toEqual(first.json);
    expect(refusal(await erase('Other', { key: 'one' }))).toEqual([409, 'idempotency_key_reused']);
  });

  it('409: an account that is not closed', async () => {
    expect(refusal(await erase())).toEqual([409, 'account_not_closed']);
    await api.post(`${account}/suspend`, { reason: 'x' });
    expect(refusal(await erase())).toEqual([409, 'account_not_closed']);
  });

  it('409: an account with requests in progress, until they have ended', async () => {
    const keyId = await issueKey();
    await grant('5.00');
    await api.execute(accountId, reserve(1000n, 'gen-1', keyId));
    await close();
    const answer = await erase();
    expect(refusal(answer)).toEqual([409, 'holds_open']);
    expect(answer.headers.get('x-should-retry')).toBe('true');
    await api.execute(accountId, release('gen-1'));
    expect((await erase()).json).toMatchObject({ erased: true, changed: true });
    expect((await api.get(account)).json).toMatchObject({ balance_usd: '0.00', expired_usd: '5.00' });
  });

  it('404: an account that does not exist', async () => {
    const answer = await api.post('/accounts/acc_nobody/erase', { reason: 'x' });
    expect(refusal(answer)).toEqual([404, 'account_not_found']);
  });
});
