import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { message, param, refusal } from '../management-api.ts';
import type { Payments, Returns } from '../../../../src/payments/payments.ts';
import { FINANCE, GRACE, OTHER_FINANCE, refundsIn, startPaymentsApi, type PaymentsApi } from './paid.ts';

let api: PaymentsApi;
let id: string;
beforeEach(async () => {
  api = await startPaymentsApi();
  id = await api.account();
});
afterEach(() => api.close());

const post = (body: object, sent = {}) => api.post(`/accounts/${id}/refunds`, { reason: 'not_needed', ...body }, sent);
const lots = async () => (await api.get(`/accounts/${id}`)).json['lots'];
/** Uses credits, in part of a cent. */
const use = async (amount: bigint) => {
  const usage = { input: Number(amount), cachedInput: 0, cacheWrite: 0, output: 0, reasoning: 0 };
  const rates = { input: 1000n, cachedInput: 0n, cacheWrite: 0n, output: 0n, reasoning: 0n };
  const price = { model: 'm', version: 1, rates };
  const delivery = {
    ...({ usageSource: 'reported', ended: 'completed', finishReason: null, upstreamId: null } as const),
    ...{ firstByteMs: null, totalMs: 1, anomalies: [] },
  };
  const command = { type: 'ChargeLateUsage', requestId: 'gen-1', keyId: 'key_1', usage, price, delivery } as const;
  await api.execute(id, command);
};

describe('POST /accounts/{account_id}/refunds', () => {
  it('201: holds the credits of the newest payments first, one request for each', async () => {
    const [old, newest] = [await api.pay(id, '10.00'), await api.pay(id, '25.00')];
    const { status, json } = await post({ amount_usd: '30' }, { token: GRACE });
    expect(status).toBe(201);
    expect(json).toMatchObject({
      amount_usd: '30.00',
      data: [
        { payment_id: newest, lot_id: 'lot_2', amount_usd: '25.00' },
        { payment_id: old, lot_id: 'lot_1', amount_usd: '5.00' },
      ],
    });
    expect((await api.get(`/accounts/${id}`)).json).toMatchObject({
      available_usd: '5.00',
      held_for_refund_usd: '30.00',
    });
  });

  it('201: by default all that can be refunded now, in whole cents', async () => {
    await api.pay(id, '10.00');
    await use(1_234_567n);
    expect((await post({})).json).toMatchObject({ amount_usd: '9.99', data: [{ amount_usd: '9.99' }] });
    expect(await lots()).toMatchObject([{ remaining_usd: '9.998765433', held_for_refund_usd: '9.99' }]);
  });

  it('201: of one payment, if it is named', async () => {
    const [old] = [await api.pay(id, '10.00'), await api.pay(id, '25.00')];
    expect((await post({ payment_id: old })).json).toMatchObject({ data: [{ payment_id: old, amount_usd: '10.00' }] });
  });

  it('201: never of grants', async () => {
    await api.post(`/accounts/${id}/grants`, { usd: '5.00', reason: 'Welcome' });
    await api.pay(id, '10.00');
    expect((await post({})).json).toMatchObject({ amount_usd: '10.00' });
  });

  it('201: repeated under the same key without another effect, and 409 with other content', async () => {
    await api.pay(id, '10.00');
    const first = await post({ amount_usd: '10.00' }, { key: 'one' });
    const again = await post({ amount_usd: '10.00' }, { key: 'one' });
    expect(again.json).toEqual(first.json);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    for (const body of [{ amount_usd: '9.00' }, { reason: 'by_mistake' }, { payment_id: 'pay_9' }]) {
      expect(refusal(await post(body, { key: 'one' }))).toEqual([409, 'idempotency_key_reused']);
    }
  });

  it('409 for more than can be refunded, with what can be', async () => {
    await api.pay(id, '10.00');
    const answer = await post({ amount_usd: '10.01' });
    expect(refusal(answer)).toEqual([409, 'more_than_refundable']);
    expect(message(answer)).toBe('At most 10.00 USD can be refunded now. Ask for less.');
    await post({});
    expect(refusal(await post({}))).toEqual([409, 'more_than_refundable']);
  });

  it('409 for a disputed payment', async () => {
    const paymentId = await api.pay(id, '10.00');
    await api.execute(id, { type: 'FreezeLot', lotId: 'lot_1', disputeId: 'dis_1' });
    expect(refusal(await post({ payment_id: paymentId }))).toEqual([409, 'lot_disputed']);
    expect(refusal(await post({}))).toEqual([409, 'more_than_refundable']);
  });

  it('400 for an amount that is not in whole cents, and for another reason', async () => {
    await api.pay(id, '10.00');
    for (const amount_usd of ['0.00', '1.001']) {
      const answer = await post({ amount_usd });
      expect(refusal(answer)).toEqual([400, 'invalid_amount']);
      expect(param(answer)).toBe('amount_usd');
    }
    expect(refusal(await post({ reason: 'because' }))).toEqual([400, 'invalid_request']);
  });

  it('404 for an account or a payment that does not exist', async () => {
    expect(refusal(await post({ payment_id: 'pay_none' }))).toEqual([404, 'payment_not_found']);
    const none = await api.post('/accounts/acc_none/refunds', { reason: 'other' });
    expect(refusal(none)).toEqual([404, 'account_not_found']);
  });
});

const asked = async (amount: string, paid = amount) => {
  const paymentId = await api.pay(id, paid);
  const [one] = refundsIn(await api.ask(id, { amount_usd: amount, payment_id: paymentId }, GRACE));
  return `/accounts/${id}/payments/${paymentId}/refunds/${one?.refund_id}`;
};
const approve = (path: string, token = FINANCE, key?: string) =>
  api.post(`${path}/approve`, { reason: 'within 14 days' }, { token, ...(key === undefined ? {} : { key }) });
const refuse = (path: string) => api.post(`${path}/refuse`, { reason: 'too late' }, { token: FINANCE });
const withdraw = (path: string) => api.send('POST', `${path}/withdraw`, { token: GRACE });
const statusOf = async (path: string): Promise<unknown> => {
  const { json } = await api.get(path.replace(/\/refunds.*/, ''), { token: FINANCE });
  return (json['refunds'] as { status: string }[]).map(({ status }) => status);
};

describe('POST …/refunds/{refund_id}/approve', () => {
  it('200: approves, once', async () => {
    const path = await asked('10.00');
    expect((await approve(path)).json).toMatchObject({ status: 'approved', changed: true });
    expect((await approve(path)).json).toMatchObject({ status: 'approved', changed: false });
    expect(await statusOf(path)).toEqual(['approved']);
  });

  it('202 above the limit: a second person carries it out by giving the approval', async () => {
    const path = await asked('100.01');
    const waiting = await approve(path, FINANCE, 'one');
    expect(waiting).toMatchObject({
      status: 202,
      json: { status: 'waiting', act: { kind: 'refund', account_id: id, amount_usd: '100.01' }, given_by: [] },
    });
    expect((await approve(path, FINANCE, 'one')).json).toEqual(waiting.json);
    expect(await statusOf(path)).toEqual(['requested']);
    const give = `/approvals/${String(waiting.json['approval_id'])}/give`;
    expect(refusal(await api.send('POST', give, { token: FINANCE }))).toEqual([403, 'second_person_required']);
    const given = await api.send('POST', give, { token: OTHER_FINANCE });
    expect(given.json).toMatchObject({ status: 'done', given_by: ['per_other_finance'] });
    expect(await statusOf(path)).toEqual(['approved']);
  });

  it('202, and the approval fails if the refund was refused meanwhile', async () => {
    const path = await asked('100.01');
    const waiting = await approve(path);
    await refuse(path);
    const give = `/approvals/${String(waiting.json['approval_id'])}/give`;
    const given = await api.send('POST', give, { token: OTHER_FINANCE });
    expect(given.json).toMatchObject({ status: 'failed', failure: 'refund_closed' });
  });

  it('200 alone up to the limit', async () => {
    expect((await approve(await asked('100.00'))).status).toBe(200);
  });

  it('409 for a disputed payment, also above the limit', async () => {
    for (const amount of ['10.00', '200.00']) {
      const path = await asked(amount);
      const paymentId = path.split('/')[4] ?? '';
      await api.executeOnPayment(paymentId, {
        ...{ type: 'RecordDispute', disputeId: `dis_${amount}`, transactionId: paymentId.replace('pay', 'tran') },
        ...{ gross: 100n, currency: 'USD' },
      });
      expect(refusal(await approve(path))).toEqual([409, 'payment_disputed']);
    }
  });

  it('409 once it is refused', async () => {
    const path = await asked('10.00');
    await refuse(path);
    expect(refusal(await approve(path))).toEqual([409, 'refund_closed']);
  });

  it('404 for a refund that does not exist, or is of another account', async () => {
    const path = await asked('10.00');
    const other = await api.account();
    expect(refusal(await approve(path.replace(id, other)))).toEqual([404, 'payment_not_found']);
    expect(refusal(await approve(path.replace(/[^/]+$/, 'ref_none')))).toEqual([404, 'refund_not_found']);
  });

  it('404 that may be repeated, while the request is on its way from the account to the payment', async () => {
    const paymentId = await api.pay(id, '10.00');
    const [one] = refundsIn(await post({ payment_id: paymentId }));
    const answer = await approve(`/accounts/${id}/payments/${paymentId}/refunds/${one?.refund_id}`);
    expect(refusal(answer)).toEqual([404, 'refund_not_found']);
    expect(answer.headers.get('x-should-retry')).toBe('true');
  });
});

describe('POST …/refunds/{refund_id}/refuse', () => {
  it('200: refuses with a reason that the holder sees', async () => {
    const path = await asked('10.00');
    expect((await refuse(path)).json).toMatchObject({ status: 'refused', changed: true });
    const { json } = await api.get(path.replace(/\/refunds.*/, ''), { token: GRACE });
    expect(json).toMatchObject({ refunds: [{ status: 'refused', answer_reason: 'too late' }] });
  });

  it('200: refuses what was approved', async () => {
    const approved = await asked('10.00');
    await approve(approved);
    expect((await refuse(approved)).json).toMatchObject({ status: 'refused' });
  });

  describe('a refund that the partner is making', () => {
    let returns: Returns;
    const sent = async (): Promise<string> => {
      await api.close();
      const payments = { lookUpReturns: () => Promise.resolve(returns) } as unknown as Payments;
      api = await startPaymentsApi({ payments });
      id = await api.account();
      const path = await asked('20.00');
      await approve(path);
      const [, , , , paymentId = '', , refundId = ''] = path.split('/');
      await api.executeOnPayment(paymentId, { type: 'RecordRefundSent', refundId });
      return path;
    };
    const refuseOnce = (path: string) =>
      api.post(`${path}/refuse`, { reason: 'it failed at the partner' }, { token: FINANCE, key: 'one' });

    it('200: fails, if the partner does not show that it was made', async () => {
      returns = 'as_recorded';
      const path = await sent();
      expect((await refuseOnce(path)).json).toMatchObject({ status: 'failed', changed: true });
      expect((await refuseOnce(path)).json).toMatchObject({ status: 'failed' });
      expect(await statusOf(path)).toEqual(['failed']);
    });
    it.each([
      ['409 if the partner shows that it was made', 'more', [409, 'refund_sent']],
      ['502 if the partner gives no answer', 'no_answer', [502, 'payment_partner_failed']],
    ] as const)('%s', async (_, answer, expected) => {
      returns = answer;
      const path = await sent();
      expect(refusal(await refuseOnce(path))).toEqual(expected);
      expect(await statusOf(path)).toEqual(['sent']);
    });
  });
});

describe('POST …/refunds/{refund_id}/withdraw', () => {
  it('200: the holder withdraws what is not answered', async () => {
    const path = await asked('10.00');
    expect((await withdraw(path)).json).toMatchObject({ status: 'refused', changed: true });
    const { json } = await api.get(path.replace(/\/refunds.*/, ''), { token: GRACE });
    expect(json).toMatchObject({ refunds: [{ answer_reason: 'withdrawn by the holder' }] });
  });

  it('409 once it is approved', async () => {
    const path = await asked('10.00');
    await approve(path);
    expect(refusal(await withdraw(path))).toEqual([409, 'refund_sent']);
    expect(await statusOf(path)).toEqual(['approved']);
  });
});

describe('GET /refunds', () => {
  it('200 with what waits: what to enter at the partner, or that the gateway makes it', async () => {
    const [part, whole] = [await asked('10.00', '25.00'), await asked('40.00')];
    await approve(part);
    await refuse(await asked('5.00'));
    const { json } = await api.get('/refunds', { token: FINANCE });
    expect(json).toMatchObject({
      data: [
        {
          ...{ account_id: id, payment_id: 'pay_1', status: 'approved', amount_usd: '10.00', gross: '11.90' },
          ...{ made_by: 'staff', answer_reason: 'within 14 days', order_id: 'ord_1', approval_id: null },
        },
        {
          ...{ payment_id: 'pay_2', status: 'requested', amount_usd: '40.00', gross: '47.60', made_by: 'gateway' },
          ...{ refund_id: whole.split('/').at(-1), transaction_id: 'tran_2', currency: 'USD' },
        },
      ],
    });
    expect(json['data']).toHaveLength(2);
  });
});
