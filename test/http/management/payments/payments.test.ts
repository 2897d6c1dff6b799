import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PaymentRow } from '../../../../src/projections/rows/payments.ts';
import type { WantedPayments } from '../../../../src/projections/queries.ts';
import { refusal, TOKEN } from '../management-api.ts';
import { GRACE, startPaymentsApi, usd, type PaymentsApi } from './paid.ts';

let api: PaymentsApi;
let id: string;
let rows: readonly PaymentRow[] = [];
const wanted: WantedPayments[] = [];
beforeEach(async () => {
  api = await startPaymentsApi({
    listPayments: (_, asked) => {
      wanted.push(asked);
      return Promise.resolve(rows.slice(0, asked.limit));
    },
  });
  id = await api.account();
});
afterEach(() => api.close());

const row = (payment_id: string): PaymentRow => ({
  ...{ payment_id, account_id: id, partner: 'creem', status: 'completed', amount: usd('25'), paid: usd('29.75') },
  ...{ tax: usd('4.75'), credited: usd('25'), refunded: usd('10'), charged_back: 0n, checkout_id: 'ch_1' },
  ...{ order_id: 'ord_1', opened_at: new Date(0), completed_at: new Date(1000) },
});

describe('GET /accounts/{account_id}/payments', () => {
  it('200 with pages, the newest first', async () => {
    rows = ['pay_3', 'pay_2', 'pay_1'].map(row);
    const { json } = await api.get(`/accounts/${id}/payments?limit=2&before=pay_9`, { token: GRACE });
    expect(wanted.at(-1)).toEqual({ before: 'pay_9', limit: 3 });
    expect(json).toMatchObject({ data: [{ payment_id: 'pay_3' }, { payment_id: 'pay_2' }], next: 'pay_2' });
    expect((json['data'] as unknown[])[0]).toEqual({
      ...{ payment_id: 'pay_3', account_id: id, status: 'completed', partner: 'creem', amount_usd: '25.00' },
      ...{ credited_usd: '25.00', refunded_usd: '10.00', charged_back_usd: '0.00', order_id: 'ord_1' },
      ...{ opened_at: '1970-01-01T00:00:00.000Z', completed_at: '1970-01-01T00:00:01.000Z' },
    });
    expect((await api.get(`/accounts/${id}/payments`)).json).toMatchObject({ next: null });
  });

  it('400 for a page that begins at no id, and 404 for an account that does not exist', async () => {
    expect(refusal(await api.get(`/accounts/${id}/payments?before=a%00`))).toEqual([400, 'invalid_request']);
    expect(refusal(await api.get('/accounts/acc_none/payments'))).toEqual([404, 'account_not_found']);
  });
});

describe('GET /accounts/{account_id}/payments/{payment_id}', () => {
  const read = async (paymentId: string, token = TOKEN) =>
    (await api.get(`/accounts/${id}/payments/${paymentId}`, { token })).json;

  it('200 with what was paid, what is left, and what became of it', async () => {
    const paymentId = await api.pay(id, '25.00');
    const asked = await api.ask(id, { amount_usd: '10.00' }, GRACE);
    expect(asked.json).toMatchObject({ amount_usd: '10.00', data: [{ payment_id: paymentId }] });
    expect(await read(paymentId, GRACE)).toMatchObject({
      ...{ payment_id: paymentId, status: 'completed', amount_usd: '25.00', credited_usd: '25.00' },
      ...{ checkout_url: null, expires_at: null, lot_id: 'lot_1', refundable_usd: '15.00', simulated: false },
      lot: { remaining_usd: '25.00', held_for_refund_usd: '10.00', used_usd: '0.00' },
      sale: { transaction_id: 'tran_1', order_id: 'ord_1', currency: 'USD', paid: '29.75', tax: '4.75' },
      refunds: [{ status: 'requested', amount_usd: '10.00', gross: '11.90', is_full: false, answer_reason: null }],
      ...{ partner_refunds: [], disputes: [], quarantined: [] },
      events: [
        { type: 'PaymentOpened' },
        { type: 'PaymentCompleted', actor: 'partner:creem' },
        { type: 'RefundRequested' },
      ],
    });
  });

  it('200 with refunds, disputes and transactions in quarantine; the notes of staff are for staff', async () => {
    const paymentId = await api.pay(id, '25.00');
    await api.executeOnPayment(paymentId, {
      ...{ type: 'RecordPaid', transactionId: 'tran_2', orderId: 'ord_2', checkoutId: null },
      ...{ paid: 2000n, tax: 0n, currency: 'EUR' },
    });
    await api.executeOnPayment(paymentId, { type: 'RejectQuarantine', transactionId: 'tran_2', reason: 'paid twice' });
    const about = { transactionId: 'tran_1', currency: 'USD' };
    const refund = { reference: 'ref_9', gross: 1190n, status: 'succeeded' as const };
    await api.executeOnPayment(paymentId, { type: 'RecordRefund', ...about, ...refund });
    await api.executeOnPayment(paymentId, { type: 'RecordDispute', ...about, disputeId: 'tran_1#1', gross: 1785n });
    const forStaff = await read(paymentId);
    expect(forStaff).toMatchObject({
      ...{ refunded_usd: '10.00', charged_back_usd: '0.00', refundable_usd: '15.00' },
      partner_refunds: [
        { reference: 'ref_9', refund_id: null, status: 'succeeded', gross: '11.90', amount_usd: '10.00' },
      ],
      disputes: [{ dispute_id: 'tran_1-1', status: 'open', gross: '17.85', amount_usd: '15.00', closed_at: null }],
      quarantined: [
        {
          ...{ transaction_id: 'tran_2', status: 'rejected', reason: 'second_transaction', currency: 'EUR' },
          ...{ paid: '2000', tax: '0', returned: '0', decision_reason: 'paid twice' },
        },
      ],
    });
    expect(await read(paymentId, GRACE)).toMatchObject({ quarantined: [{ decision_reason: null }] });
  });

  it('200 with the page of an open payment, and the time at which it expires', async () => {
    const command = { type: 'OpenPayment', accountId: id, amount: usd('25'), partner: 'creem' } as const;
    await api.executeOnPayment('pay_open', command);
    await api.executeOnPayment('pay_open', { type: 'RecordCheckout', checkoutId: 'ch_1', url: 'https://creem.io/1' });
    expect(await read('pay_open')).toMatchObject({
      ...{ status: 'open', checkout_url: 'https://creem.io/1', lot: null, sale: null, refundable_usd: '0.00' },
      expires_at: '2026-02-01T10:00:00.000Z',
    });
  });

  it('404 for a payment that does not exist, or is of another account', async () => {
    const paymentId = await api.pay(id, '25.00');
    const other = await api.account();
    for (const path of [`${other}/payments/${paymentId}`, `${id}/payments/pay_none`, `${id}/payments/a%00`]) {
      expect(refusal(await api.get(`/accounts/${path}`))).toEqual([404, 'payment_not_found']);
    }
  });
});

describe('GET /accounts/{account_id}/payments/{payment_id}/receipt', () => {
  it('200 with the amounts, the holder and the numbers', async () => {
    const paymentId = await api.pay(id, '25.00');
    const { json } = await api.get(`/accounts/${id}/payments/${paymentId}/receipt`, { token: GRACE });
    expect(json).toMatchObject({
      ...{ payment_id: paymentId, order_id: 'ord_1', account: { id, holder: 'Ada Lovelace' }, simulated: false },
      ...{ net: '25.00', tax: '4.75', total_paid: '29.75', credited_usd: '25.00', debt_repaid_usd: '0.00' },
      date: '2026-01-31T10:00:00.000Z',
    });
  });

  it('200 with a PDF, named after the number', async () => {
    const paymentId = await api.pay(id, '25.00');
    const { json } = await api.get(`/accounts/${id}/payments/${paymentId}/receipt`);
    const headers = { authorization: `Bearer ${GRACE}` };
    const response = await fetch(`${api.url}/accounts/${id}/payments/${paymentId}/receipt.pdf`, { headers });
    expect(response.headers.get('content-type')).toBe('application/pdf');
    expect(response.headers.get('content-disposition')).toBe(`attachment; filename="${String(json['number'])}.pdf"`);
    expect(
      Buffer.from(await response.arrayBuffer())
        .subarray(0, 5)
        .toString(),
    ).toBe('%PDF-');
  });

  it('409 before it is paid, and 404 for a payment of another account', async () => {
    const command = { type: 'OpenPayment', accountId: id, amount: usd('25'), partner: 'creem' } as const;
    await api.executeOnPayment('pay_open', command);
    const other = await api.account();
    for (const file of ['receipt', 'receipt.pdf']) {
      expect(refusal(await api.get(`/accounts/${id}/payments/pay_open/${file}`))).toEqual([
        409,
        'payment_not_completed',
      ]);
      expect(refusal(await api.get(`/accounts/${other}/payments/pay_open/${file}`))).toEqual([
        404,
        'payment_not_found',
      ]);
    }
  });
});
