import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { message, refusal } from './management-api.ts';
import { FINANCE, startPaymentsApi, type PaymentsApi } from './payments/paid.ts';

let api: PaymentsApi;
let id: string;
/** The row of each generation: the event that ended it. */
let rows: readonly { readonly request_id: string; readonly ended_revision: number | null }[];
beforeEach(async () => {
  rows = [];
  const findGenerations = (wanted: string) => Promise.resolve(rows.filter(({ request_id }) => request_id === wanted));
  api = await startPaymentsApi({ findGenerations });
  id = await api.account();
});
afterEach(() => api.close());

const staff = { token: FINANCE };

/** Charges nano-USD for `gen-1`. */
const charge = async (amount: number): Promise<void> => {
  const usage = { input: amount, cachedInput: 0, cacheWrite: 0, output: 0, reasoning: 0 };
  const rates = { input: 1000n, cachedInput: 0n, cacheWrite: 0n, output: 0n, reasoning: 0n };
  const price = { model: 'm', version: 1, rates };
  const delivery = {
    ...({ usageSource: 'reported', ended: 'completed', finishReason: null, upstreamId: null } as const),
    ...{ firstByteMs: null, totalMs: 1, anomalies: [] },
  };
  await api.execute(id, { type: 'ChargeLateUsage', requestId: 'gen-1', keyId: 'key_1', usage, price, delivery });
  const revision = Number((await api.get(`/accounts/${id}`)).json['revision']);
  const charged = (await api.store.readStream(`account-${id}`, 0, 1000)).findLast(
    ({ type }) => type === 'LateUsageCharged',
  );
  rows = [{ request_id: 'gen-1', ended_revision: charged?.revision ?? revision }];
};

describe('POST /accounts/{account_id}/generations/{generation_id}/reverse', () => {
  const reverse = (body: object = {}, sent = {}, generation = 'gen-1') =>
    api.post(
      `/accounts/${id}/generations/${generation}/reverse`,
      { reason: 'cut off', ...body },
      { ...staff, ...sent },
    );

  it('200: in part, then what is left, back into the lot that paid', async () => {
    await api.pay(id, '10.00');
    await charge(3_000_000_000);
    expect((await reverse({ amount_usd: '1.00' })).json).toMatchObject({
      ...{ account_id: id, generation_id: 'gen-1', amount_usd: '1.00', charged_usd: '3.00', reversed_usd: '1.00' },
      ...{ returned: [{ lot_id: 'lot_1', amount_usd: '1.00' }], debt_reduced: [], granted: [] },
    });
    expect((await reverse()).json).toMatchObject({ amount_usd: '2.00', reversed_usd: '3.00' });
    expect((await api.get(`/accounts/${id}`)).json).toMatchObject({ balance_usd: '10.00' });
    const again = await reverse();
    expect(refusal(again)).toEqual([409, 'more_than_charged']);
    expect(message(again)).toBe('The whole charge was reversed before.');
  });

  it('200: reduces the debt of a payment that was refunded after its credits had been used', async () => {
    await api.pay(id, '10.00');
    await charge(3_000_000_000);
    await api.execute(id, {
      type: 'RecordRefund',
      lotId: 'lot_1',
      reference: 'ref_9',
      refundId: null,
      amount: 10_000_000_000n,
    });
    expect((await reverse()).json).toMatchObject({
      ...{ returned: [], debt_reduced: [{ lot_id: 'lot_1', amount_usd: '3.00' }] },
    });
    expect((await api.get(`/accounts/${id}`)).json).toMatchObject({ debt_usd: '0.00', status: 'active' });
  });

  it('200: repeated under the same key without another effect, and 409 with another amount', async () => {
    await api.pay(id, '10.00');
    await charge(3_000_000_000);
    const first = await reverse({}, { key: 'one' });
    const again = await reverse({}, { key: 'one' });
    expect(again.json).toEqual(first.json);
    expect(refusal(await reverse({ amount_usd: '1.00' }, { key: 'one' }))).toEqual([409, 'idempotency_key_reused']);
  });

  it('409 for more than was charged, and after 120 days; 400 for nothing', async () => {
    await api.pay(id, '10.00');
    await charge(3_000_000_000);
    expect(refusal(await reverse({ amount_usd: '3.000000001' }))).toEqual([409, 'more_than_charged']);
    expect(refusal(await reverse({ amount_usd: '0.00' }))).toEqual([400, 'invalid_amount']);
    api.clock.advance(120 * 24 * 60 * 60 * 1000 + 1);
    expect(refusal(await reverse())).toEqual([409, 'reversal_too_late']);
  });

  it('404 for a generation without a charge, and for an account that does not exist', async () => {
    expect(refusal(await reverse({}, {}, 'gen-none'))).toEqual([404, 'generation_not_found']);
    rows = [{ request_id: 'gen-open', ended_revision: null }];
    expect(refusal(await reverse({}, {}, 'gen-open'))).toEqual([404, 'generation_not_found']);
    rows = [{ request_id: 'gen-1', ended_revision: 0 }];
    expect(refusal(await reverse())).toEqual([404, 'generation_not_found']);
    const path = '/accounts/acc_none/generations/gen-1/reverse';
    expect(refusal(await api.post(path, { reason: 'x' }))).toEqual([404, 'account_not_found']);
  });
});

describe('the debts of an account', () => {
  beforeEach(async () => {
    await api.pay(id, '10.00');
    await charge(3_000_000_000);
    await api.execute(id, {
      type: 'RecordRefund',
      lotId: 'lot_1',
      reference: 'ref_9',
      refundId: null,
      amount: 10_000_000_000n,
    });
  });
  const debts = async () => (await api.get(`/accounts/${id}/debts`)).json;
  const writeOff = (body: object, sent = {}, lotId = 'lot_1') =>
    api.post(`/accounts/${id}/debts/${lotId}/write-off`, { reason: 'too small', ...body }, { ...staff, ...sent });

  it('GET …/debts: 200 with what is open, and what repaid it', async () => {
    expect(await debts()).toEqual({
      ...{ account_id: id, open_usd: '3.00' },
      data: [
        {
          ...{ lot_id: 'lot_1', payment_id: 'pay_1', cause: 'refund', reference: 'ref_9' },
          ...{ amount_usd: '3.00', open_usd: '3.00', repaid: [] },
        },
      ],
    });
    await api.pay(id, '5.00');
    expect(await debts()).toMatchObject({
      open_usd: '0.00',
      data: [{ open_usd: '0.00', repaid: [{ lot_id: 'lot_2', amount_usd: '3.00' }] }],
    });
    expect(refusal(await api.get('/accounts/acc_none/debts'))).toEqual([404, 'account_not_found']);
  });

  it('POST …/write-off: 200 in part, then what is left, which ends the suspension', async () => {
    expect((await writeOff({ amount_usd: '1.00' })).json).toMatchObject({ amount_usd: '1.00', open_usd: '2.00' });
    expect((await api.get(`/accounts/${id}`)).json).toMatchObject({ status: 'suspended' });
    const rest = await writeOff({}, { key: 'one' });
    expect(rest.json).toMatchObject({ lot_id: 'lot_1', amount_usd: '2.00', open_usd: '0.00' });
    expect((await writeOff({}, { key: 'one' })).json).toEqual(rest.json);
    expect((await api.get(`/accounts/${id}`)).json).toMatchObject({ status: 'active' });
  });

  it('POST …/write-off: 409 for more than is owed, 404 for a lot without a debt', async () => {
    expect(refusal(await writeOff({ amount_usd: '3.01' }))).toEqual([409, 'more_than_owed']);
    expect(refusal(await writeOff({ amount_usd: '0.00' }))).toEqual([400, 'invalid_amount']);
    expect(refusal(await writeOff({}, {}, 'lot_none'))).toEqual([404, 'debt_not_found']);
  });
});

describe('the end of paid credits', () => {
  const act = (verb: 'waive' | 'forfeit', body: object = {}, sent = {}) =>
    api.post(`/accounts/${id}/${verb}`, { reason: 'less than a cent', ...body }, { ...staff, ...sent });
  beforeEach(async () => {
    await api.pay(id, '10.00');
    await api.pay(id, '5.00');
  });

  it('409 before the account is closed', async () => {
    for (const verb of ['waive', 'forfeit'] as const) {
      expect(refusal(await act(verb))).toEqual([409, 'account_not_closed']);
    }
  });

  it('POST …/waive: 200 for one lot, then for all', async () => {
    await api.execute(id, { type: 'CloseAccount', reason: 'asked' });
    expect((await act('waive', { lot_id: 'lot_2' })).json).toMatchObject({
      ...{ account_id: id, amount_usd: '5.00', lots: [{ lot_id: 'lot_2', amount_usd: '5.00' }], changed: true },
    });
    const rest = await act('waive', {}, { key: 'one' });
    expect(rest.json).toMatchObject({ amount_usd: '10.00', changed: true });
    expect((await act('waive', {}, { key: 'one' })).json).toEqual(rest.json);
    expect((await act('waive')).json).toMatchObject({ amount_usd: '0.00', lots: [], changed: false });
    expect(refusal(await act('waive', { lot_id: 'lot_none' }))).toEqual([404, 'lot_not_found']);
  });

  it('POST …/forfeit: 409 unless the account was terminated', async () => {
    await api.execute(id, { type: 'CloseAccount', reason: 'asked' });
    expect(refusal(await act('forfeit'))).toEqual([409, 'account_not_terminated']);
  });

  it('POST …/forfeit: 200 for all paid credits', async () => {
    const violation = { violationId: 'vio_1', category: 'resale', evidence: [], reason: 'resale' } as const;
    await api.execute(id, { type: 'RecordViolation', ...violation, consequence: 'termination', forfeit: false });
    expect((await act('forfeit')).json).toMatchObject({ amount_usd: '15.00', changed: true });
    expect((await api.get(`/accounts/${id}`)).json).toMatchObject({ balance_usd: '0.00' });
  });

  it('POST …/forfeit: 409 for an account that was closed for another reason', async () => {
    await api.execute(id, { type: 'CloseAccount', reason: 'asked' });
    expect(refusal(await act('forfeit'))).toEqual([409, 'account_not_terminated']);
  });
});
