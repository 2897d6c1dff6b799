import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Session } from '../../../../src/identity/sessions.ts';
import { param, refusal, startManagementApi, type ManagementApi, type Send } from '../management-api.ts';

let api: ManagementApi;
let id: string;
const AT = new Date(0);
const roles = { support: 'support', finance: 'finance', operator: 'operator' } as const;

const sessionOf = (token: string): Session | undefined => {
  const role = token.replace('kiss_ses_', '');
  if (!(role in roles)) return undefined;
  return {
    ...{ id: 'ses_1', personId: `per_${role}`, createdAt: AT, seenAt: AT, endsAt: AT, network: null, agent: null },
    ...{ kind: 'staff', secondStepAt: AT },
  };
};

beforeEach(async () => {
  api = await startManagementApi({
    findGenerations: (wanted) =>
      Promise.resolve(wanted === 'gen-1' ? [{ request_id: 'gen-1', ended_revision: null }] : []),
    sessions: { find: (token) => Promise.resolve(sessionOf(token)), list: () => Promise.resolve([]) },
    readStaff: () => Promise.resolve(new Map(Object.values(roles).map((role) => [`per_${role}`, role]))),
  });
  id = await api.account();
});
afterEach(() => api.close());

const SUPPORT: Send = { token: 'kiss_ses_support' };
const FINANCE: Send = { token: 'kiss_ses_finance' };
const OPERATOR: Send = { token: 'kiss_ses_operator' };

const pay = (amount: bigint) =>
  api.execute(id, { type: 'TopUp', lotId: 'lot_1', amount, source: { kind: 'payment', reference: 'pay_1' } });
const violate = (body: object = {}, sent: Send = SUPPORT, account = id) =>
  api.post(
    `/accounts/${account}/violations`,
    { category: 'damage', consequence: 'warning', reason: 'attack', ...body },
    sent,
  );
const account = async () => (await api.get(`/accounts/${id}`)).json;

describe('POST /accounts/{account_id}/violations', () => {
  it('201: records a warning, once for one Idempotency-Key', async () => {
    const first = await violate({ evidence: ['gen-1', 'req_1', 'ctc_1'] }, { ...SUPPORT, key: 'one' });
    expect(first).toMatchObject({
      status: 201,
      json: { category: 'damage', consequence: 'warning', status: 'active' },
    });
    const again = await violate({ evidence: ['gen-1', 'req_1', 'ctc_1'] }, { ...SUPPORT, key: 'one' });
    expect(again.json).toEqual(first.json);
    expect(await account()).toMatchObject({
      violations: [{ violation_id: first.json['violation_id'], category: 'damage', consequence: 'warning' }],
    });
    expect(refusal(await violate({ evidence: [] }, { ...SUPPORT, key: 'one' }))).toEqual([
      409,
      'idempotency_key_reused',
    ]);
  });

  it('201: suspends until the violation is reinstated', async () => {
    const { json } = await violate({ consequence: 'suspension' }, OPERATOR);
    const violation_id = String(json['violation_id']);
    expect(json).toMatchObject({ status: 'suspended' });
    expect(await account()).toMatchObject({ suspensions: [{ cause: 'violation', violation_id, reason: 'attack' }] });
    const reinstate = (cause: object) => api.post(`/accounts/${id}/reinstate`, { reason: 'explained', cause }, SUPPORT);
    expect(refusal(await reinstate({ kind: 'violation', violation_id: 'vio_2' }))).toEqual([
      409,
      'account_not_suspended',
    ]);
    expect((await reinstate({ kind: 'violation', violation_id })).json).toMatchObject({ status: 'active' });
  });

  it('201: terminates, and what was paid stays owed', async () => {
    await pay(7_000_000_000n);
    const { json } = await violate({ consequence: 'termination' });
    expect(json).toMatchObject({ status: 'closed', forfeited_usd: '0.00', owed_usd: '7.00' });
    expect(api.published.length).toBeGreaterThan(0);
    expect(await account()).toMatchObject({ termination: { violation_id: json['violation_id'], forfeited: false } });
    expect(refusal(await violate({ consequence: 'termination' }))).toEqual([403, 'account_closed']);
  });

  it('201: terminates with forfeiture, by finance', async () => {
    await pay(7_000_000_000n);
    const asked = { consequence: 'termination', forfeit: true };
    const first = await violate(asked, { ...FINANCE, key: 'one' });
    expect(first.json).toMatchObject({ status: 'closed', forfeited_usd: '7.00', owed_usd: '0.00' });
    expect((await violate(asked, { ...FINANCE, key: 'one' })).json).toEqual(first.json);
    const without = await violate({ ...asked, forfeit: false }, { ...FINANCE, key: 'one' });
    expect(refusal(without)).toEqual([409, 'idempotency_key_reused']);
  });

  it('403: support and operators do not forfeit', async () => {
    for (const sent of [SUPPORT, OPERATOR]) {
      const answer = await violate({ consequence: 'termination', forfeit: true }, sent);
      expect(refusal(answer)).toEqual([403, 'not_allowed']);
    }
    expect(await account()).toMatchObject({ status: 'active', violations: [] });
  });

  it('400: a forfeiture without a termination, or evidence that is not an id', async () => {
    expect(param(await violate({ forfeit: true }, FINANCE))).toBe('forfeit');
    const content = await violate({ evidence: ['tell me how'] });
    expect([refusal(content), param(content)]).toEqual([[400, 'invalid_request'], 'evidence.0']);
  });

  it('404: evidence that is a key or a generation of another account', async () => {
    for (const foreign of ['key_other', 'gen-other']) {
      const answer = await violate({ evidence: ['gen-1', foreign] });
      expect([refusal(answer), param(answer)]).toEqual([[404, 'evidence_not_found'], 'evidence.1']);
    }
  });

  it('404: an account that does not exist', async () => {
    expect(refusal(await violate({}, SUPPORT, 'acc_unknown'))).toEqual([404, 'account_not_found']);
  });
});

describe('GET /accounts/{account_id}/violations', () => {
  it('200: with who recorded each, and when', async () => {
    await violate({ evidence: ['gen-1'] }, { ...SUPPORT, key: 'one' });
    await violate({ category: 'circumvention', consequence: 'none' }, OPERATOR);
    const { json } = await api.get(`/accounts/${id}/violations`, FINANCE);
    expect(json['data']).toMatchObject([
      { category: 'damage', evidence: ['gen-1'], recorded_by: 'staff:per_support', time: '2026-01-31T10:00:00.000Z' },
      { category: 'circumvention', consequence: 'none', recorded_by: 'staff:per_operator' },
    ]);
  });

  it('200: the holder reads the same in the events of the account', async () => {
    await violate({ evidence: ['gen-1'] });
    const { json } = await api.get(`/accounts/${id}/events`);
    expect(json['data']).toContainEqual(
      expect.objectContaining({
        type: 'ViolationRecorded',
        data: expect.objectContaining({ category: 'damage', evidence: ['gen-1'], reason: 'attack' }) as unknown,
      }),
    );
  });

  it('404: an account that does not exist', async () =>
    expect(refusal(await api.get('/accounts/acc_unknown/violations', SUPPORT))).toEqual([404, 'account_not_found']));
});

describe('POST /accounts/{account_id}/resale', () => {
  const resale = (end = '', sent: Send = OPERATOR) =>
    api.post(`/accounts/${id}/resale${end}`, { reason: 'contract' }, sent);

  it('200: authorises it, and a violation of that kind is refused until it ends', async () => {
    expect((await resale()).json).toMatchObject({ may_resell: true, changed: true });
    expect((await resale()).json).toMatchObject({ may_resell: true, changed: false });
    expect(refusal(await violate({ category: 'resale' }))).toEqual([409, 'resale_authorized']);
    expect((await resale('/end')).json).toMatchObject({ may_resell: false, changed: true });
    expect(await violate({ category: 'resale' })).toMatchObject({ status: 201 });
  });

  it('409: an end without an authorisation', async () =>
    expect(refusal(await resale('/end'))).toEqual([409, 'resale_not_authorized']));

  it('403: a closed account, or a role that does not decide it', async () => {
    expect(refusal(await resale('', SUPPORT))).toEqual([403, 'not_allowed']);
    await api.execute(id, { type: 'CloseAccount', reason: 'asked' });
    expect(refusal(await resale())).toEqual([403, 'account_closed']);
  });
});
