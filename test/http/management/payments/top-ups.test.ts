import { afterEach, describe, expect, it } from 'vitest';
import { paymentStream } from '../../../../src/domain/payments/payment.ts';
import { derivedId } from '../../../../src/eventstore/ids.ts';
import type { Payments, TopUpAsked } from '../../../../src/payments/payments.ts';
import { message, param, refusal } from '../management-api.ts';
import { GRACE, simulatedPartner, startPaymentsApi, type PaymentsApi } from './paid.ts';

let api: PaymentsApi;
afterEach(() => api.close());

/** As the service of payments does it. */
const opening = (asked: TopUpAsked): ReturnType<Payments['openTopUp']> => openTopUp(asked);
const openTopUp: Payments['openTopUp'] = async ({ accountId, amount, metadata, mayRepeat }) => {
  const paymentId = derivedId('pay', metadata.commandId);
  const command = { type: 'OpenPayment', accountId, amount, partner: 'creem' } as const;
  const outcome = await api.paymentCommands.execute(paymentStream(paymentId), command, metadata, { mayRepeat });
  if (outcome.kind === 'refused') return outcome;
  const { state } = await api.paymentCommands.read(paymentStream(paymentId));
  if (state.status === 'unknown') return { kind: 'partner_failed' };
  return { kind: 'opened', paymentId, url: `https://creem.io/${paymentId}`, payment: state };
};

const open = async (overrides = simulatedPartner(opening)) => {
  api = await startPaymentsApi(overrides);
  return api.account();
};
const topUp = (id: string, amount_usd: string, sent = {}) => api.post(`/accounts/${id}/top-ups`, { amount_usd }, sent);

describe('GET /accounts/{account_id}/top-ups/options', () => {
  it('200 with the amounts that can be asked for, the debt, and whether payments are simulated', async () => {
    const id = await open();
    expect((await api.get(`/accounts/${id}/top-ups/options`, { token: GRACE })).json).toEqual({
      ...{ account_id: id, available: true, simulated: true, debt_usd: '0.00' },
      ...{ least_usd: '5.00', most_usd: '1000.00', presets_usd: ['10.00', '25.00'] },
    });
  });

  it('200 without a payment partner', async () => {
    const id = await open({} as never);
    const { json } = await api.get(`/accounts/${id}/top-ups/options`);
    expect(json).toMatchObject({ available: false, simulated: false });
  });

  it('404 for an account that does not exist', async () => {
    await open();
    expect(refusal(await api.get('/accounts/acc_none/top-ups/options'))).toEqual([404, 'account_not_found']);
  });
});

describe('POST /accounts/{account_id}/top-ups', () => {
  it('201 with the page on which it can be paid, and the debt that it repays first', async () => {
    const id = await open();
    const paid = await api.pay(id, '10.00');
    const lotId = paid.replace('pay', 'lot');
    await api.execute(id, { type: 'RecordRefund', lotId, reference: 'ref_1', refundId: null, amount: 12_000_000_000n });
    const { status, json } = await topUp(id, '25', { token: GRACE });
    expect(status).toBe(201);
    expect(json).toEqual({
      ...{ payment_id: json['payment_id'], account_id: id, status: 'open', amount_usd: '25.00', debt_usd: '2.00' },
      checkout_url: `https://creem.io/${String(json['payment_id'])}`,
      ...{ simulated: true, expires_at: expect.stringMatching(/Z$/) as string },
    });
  });

  it('201 under the same key with the same payment, and 409 with another amount', async () => {
    const id = await open();
    const first = await topUp(id, '25.00', { key: 'one' });
    const again = await topUp(id, '25', { key: 'one' });
    expect(again.json).toEqual(first.json);
    expect([first, again].map(({ headers }) => headers.get('idempotent-replayed'))).toEqual([null, 'true']);
    expect(refusal(await topUp(id, '26.00', { key: 'one' }))).toEqual([409, 'idempotency_key_reused']);
    expect((await topUp(id, '25.00')).json['payment_id']).not.toBe(first.json['payment_id']);
  });

  it.each(['4.99', '1000.01', '25.001', '0'])(
    '400: %s is outside the limits, or not in whole cents',
    async (amount) => {
      const answer = await topUp(await open(), amount);
      expect(refusal(answer)).toEqual([400, 'invalid_amount']);
      expect(message(answer)).toContain('whole cents from 5.00 to 1000.00 USD');
      expect(param(answer)).toBe('amount_usd');
    },
  );

  it('403 for a closed account', async () => {
    const id = await open();
    await api.execute(id, { type: 'CloseAccount', reason: 'asked' });
    expect(refusal(await topUp(id, '25.00'))).toEqual([403, 'account_closed']);
  });

  it('404 for an account that does not exist', async () => {
    await open();
    expect(refusal(await topUp('acc_none', '25.00'))).toEqual([404, 'account_not_found']);
  });

  it('503 without a payment partner, which no repetition changes', async () => {
    const answer = await topUp(await open({} as never), '25.00');
    expect(refusal(answer)).toEqual([503, 'payments_unavailable']);
    expect(answer.headers.get('x-should-retry')).toBe('false');
  });

  it('429 if the account has too many unpaid payments', async () => {
    const id = await open(simulatedPartner(() => Promise.resolve({ kind: 'too_many' })));
    const answer = await topUp(id, '25.00');
    expect(refusal(answer)).toEqual([429, 'too_many_attempts']);
    expect(message(answer)).toContain('too many unpaid payments');
  });

  it('502 if the payment partner opens no page', async () => {
    const id = await open(simulatedPartner(() => Promise.resolve({ kind: 'partner_failed' })));
    const answer = await topUp(id, '25.00');
    expect(refusal(answer)).toEqual([502, 'payment_partner_failed']);
    expect(answer.headers.get('x-should-retry')).toBe('true');
  });
});
