import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refusal } from '../management-api.ts';
import { FINANCE, startPaymentsApi, usd, type PaymentsApi } from './paid.ts';

let api: PaymentsApi;
let id: string;
beforeEach(async () => {
  api = await startPaymentsApi();
  id = await api.account();
});
afterEach(() => api.close());

const dispute = async (disputeId: string): Promise<string> => {
  const paymentId = await api.pay(id, '25.00');
  await api.executeOnPayment(paymentId, {
    ...{ type: 'RecordDispute', disputeId, transactionId: paymentId.replace('pay', 'tran') },
    ...{ gross: 2975n, currency: 'USD' },
  });
  return paymentId;
};
const close = (paymentId: string, disputeId: string, outcome: string, sent = {}) =>
  api.post(
    `/accounts/${id}/payments/${paymentId}/disputes/${disputeId}/close`,
    { outcome },
    { token: FINANCE, ...sent },
  );

describe('GET /disputes', () => {
  it('200 with those that have no outcome', async () => {
    const [first, second] = [await dispute('dis_1'), await dispute('dis_2')];
    await close(first, 'dis_1', 'won');
    expect((await api.get('/disputes', { token: FINANCE })).json).toEqual({
      data: [
        {
          ...{ account_id: id, payment_id: second, dispute_id: 'dis_2', status: 'open', gross: '29.75' },
          ...{ amount_usd: '25.00', charged_back_usd: '0.00', closed_at: null },
          opened_at: '2026-01-31T10:00:00.000Z',
        },
      ],
    });
  });
});

describe('POST …/disputes/{dispute_id}/close', () => {
  it('200: lost by a decision of staff, and won after all', async () => {
    const paymentId = await dispute('dis_1');
    expect((await close(paymentId, 'dis_1', 'lost')).json).toEqual({
      ...{ account_id: id, payment_id: paymentId, dispute_id: 'dis_1', status: 'lost', changed: true },
    });
    expect((await close(paymentId, 'dis_1', 'lost')).json).toMatchObject({ changed: false });
    expect((await close(paymentId, 'dis_1', 'won')).json).toMatchObject({ status: 'won', changed: true });
    const [closed] = (await api.store.readStream(`payment-${paymentId}`, 3, 1)).map(({ data }) => JSON.parse(data));
    expect(closed).toMatchObject({ disputeId: 'dis_1', outcome: 'lost', how: 'staff' });
  });

  it('200: also if it was found without its id', async () => {
    const paymentId = await dispute('tran_1#2975');
    expect((await close(paymentId, 'tran_1-2975', 'lost')).json).toMatchObject({ status: 'lost' });
    expect((await api.get('/disputes')).json).toEqual({ data: [] });
  });

  it('409 if it was won, and for another outcome under the same key', async () => {
    const paymentId = await dispute('dis_1');
    await close(paymentId, 'dis_1', 'won', { key: 'one' });
    expect(refusal(await close(paymentId, 'dis_1', 'lost'))).toEqual([409, 'dispute_closed']);
    expect(refusal(await close(paymentId, 'dis_1', 'lost', { key: 'one' }))).toEqual([409, 'idempotency_key_reused']);
  });

  it('404 for a dispute that does not exist, or a payment of another account; 400 for another outcome', async () => {
    const paymentId = await dispute('dis_1');
    expect(refusal(await close(paymentId, 'dis_9', 'won'))).toEqual([404, 'dispute_not_found']);
    const other = await api.account();
    const path = `/accounts/${other}/payments/${paymentId}/disputes/dis_1/close`;
    expect(refusal(await api.post(path, { outcome: 'won' }))).toEqual([404, 'payment_not_found']);
    expect(refusal(await close(paymentId, 'dis_1', 'drawn'))).toEqual([400, 'invalid_request']);
  });
});

/** Opens a payment of 25 USD, and pays it with another amount. */
const quarantine = async (paid: bigint, tax: bigint, currency: string): Promise<string> => {
  const command = { type: 'OpenPayment', accountId: id, amount: usd('25'), partner: 'creem' } as const;
  await api.executeOnPayment('pay_odd', command);
  const transaction = { transactionId: 'tran_odd', orderId: 'ord_odd', checkoutId: null, paid, tax, currency };
  await api.executeOnPayment('pay_odd', { type: 'RecordPaid', ...transaction });
  return `/accounts/${id}/payments/pay_odd/transactions/tran_odd`;
};
const release = (path: string, credited_usd: string, sent = {}) =>
  api.post(`${path}/release`, { credited_usd, reason: 'at the rate of today' }, { token: FINANCE, ...sent });

describe('GET /payments/quarantined', () => {
  it('200 with what waits for a decision', async () => {
    const path = await quarantine(2975n, 475n, 'EUR');
    const { json } = await api.get('/payments/quarantined', { token: FINANCE });
    expect(json).toMatchObject({
      data: [
        {
          ...{ account_id: id, payment_id: 'pay_odd', payment_status: 'quarantined', asked_usd: '25.00' },
          ...{ transaction_id: 'tran_odd', status: 'waiting', currency: 'EUR', paid: '2975', tax: '475' },
        },
      ],
    });
    await release(path, '27.00');
    expect((await api.get('/payments/quarantined')).json).toEqual({ data: [] });
  });
});

describe('POST …/transactions/{transaction_id}/release and …/reject', () => {
  it('200: credited as staff decide, once', async () => {
    const path = await quarantine(2975n, 475n, 'EUR');
    const first = await release(path, '27.00', { key: 'one' });
    expect(first.json).toEqual({
      ...{ account_id: id, payment_id: 'pay_odd', transaction_id: 'tran_odd', status: 'released' },
      ...{ changed: true, credited_usd: '27.00' },
    });
    expect((await release(path, '27.00', { key: 'one' })).json).toEqual(first.json);
    expect(refusal(await release(path, '28.00', { key: 'one' }))).toEqual([409, 'idempotency_key_reused']);
    expect(refusal(await release(path, '28.00'))).toEqual([409, 'quarantine_closed']);
  });

  it('400 for more than was paid in USD', async () => {
    const path = await quarantine(5000n, 0n, 'USD');
    expect(refusal(await release(path, '50.01'))).toEqual([400, 'invalid_amount']);
  });

  it('409 if the payment has credits from another transaction', async () => {
    const paymentId = await api.pay(id, '25.00');
    const transaction = { transactionId: 'tran_2', orderId: 'ord_2', checkoutId: null, paid: 2500n, tax: 0n };
    await api.executeOnPayment(paymentId, { type: 'RecordPaid', ...transaction, currency: 'USD' });
    const path = `/accounts/${id}/payments/${paymentId}/transactions/tran_2`;
    expect(refusal(await release(path, '25.00'))).toEqual([409, 'payment_completed']);
  });

  it('200: rejected, after which it can still be read', async () => {
    const path = await quarantine(2975n, 475n, 'EUR');
    const { json } = await api.post(`${path}/reject`, { reason: 'unknown payer' }, { token: FINANCE });
    expect(json).toMatchObject({ status: 'rejected', changed: true });
    expect((await api.get(`/accounts/${id}/payments/pay_odd`)).json).toMatchObject({ status: 'rejected' });
    expect(refusal(await release(path, '25.00'))).toEqual([409, 'quarantine_closed']);
  });

  it('404 for a transaction that is not in quarantine', async () => {
    const paymentId = await api.pay(id, '25.00');
    const path = `/accounts/${id}/payments/${paymentId}/transactions/tran_1`;
    expect(refusal(await release(path, '25.00'))).toEqual([404, 'quarantine_not_found']);
    expect(refusal(await api.post(`${path}/reject`, { reason: 'no' }))).toEqual([404, 'quarantine_not_found']);
  });
});
