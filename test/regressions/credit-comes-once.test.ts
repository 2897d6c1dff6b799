import { sign } from '@kissapi/creem-stand-in';
import { describe, expect, it, type TestContext } from 'vitest';
import { nanoUsd } from '../support/money.ts';
import { SOON } from '../support/soon.ts';
import { expectSettled } from './support/customers.ts';
import { need, useTarget, type Customer } from './support/target.ts';

const at = useTarget({ nodes: 2, payments: true });

const MINUTE_MS = 60_000;

/** A customer with 1.00 of granted credit, and what is needed to pay. */
const openPayer = async (context: TestContext) => {
  const customer = await at.target.openCustomer('1.00');
  const payments = need(context, at.target.payments, 'payments through a partner');
  const own = need(context, customer.payments, 'payments through a partner');
  return { customer, payments, own, partner: payments.partner };
};
type Payer = Awaited<ReturnType<typeof openPayer>>;
type Paid = Parameters<Payer['partner']['pay']>[1];

/** Pays 10.00 on the page of the partner, unless stated otherwise. Nothing is delivered yet. */
const pay = async ({ own, partner }: Payer, paid: Paid = { country: 'FR' }) => {
  const { paymentId, checkoutId } = await own.topUp('10.00');
  const outcome = partner.pay(checkoutId, paid);
  if (outcome.kind !== 'paid') throw new Error(outcome.kind);
  return { paymentId, eventId: outcome.eventId, transactionId: outcome.transaction.id };
};

const expectBalance = async (customer: Customer, usd: string): Promise<void> => {
  await expect.poll(async () => (await customer.balance()).balance, SOON).toBe(nanoUsd(usd));
  await expectSettled(at.target, customer, nanoUsd(usd));
};

/** Nothing of what was reported before is credited later: a further payment of 10.00, which comes after it, is all that is. */
const expectNothingElse = async (payer: Payer, usd: string): Promise<void> => {
  const { eventId } = await pay(payer);
  expect(await payer.payments.deliver(eventId)).toBe(200);
  await expectBalance(payer.customer, usd);
};

describe('payment credited twice, never, or wrongly', () => {
  it('credits a payment once if its webhook is retried: at the same time, on two nodes, and later', async (context) => {
    const payer = await openPayer(context);
    const { eventId, paymentId } = await pay(payer);
    const deliver = (node: number) => payer.payments.deliver(eventId, { node });
    expect(await Promise.all([deliver(0), deliver(1), deliver(0), deliver(1)])).toEqual([200, 200, 200, 200]);
    await expectBalance(payer.customer, '11.00');
    expect([await deliver(1), await payer.own.returns(paymentId)]).toEqual([200, 200]);
    await expectNothingElse(payer, '21.00');
  });

  it('credits a payment once if its refund is reported before it', async (context) => {
    const payer = await openPayer(context);
    const { payments, partner, customer } = payer;
    const { eventId, transactionId } = await pay(payer);
    partner.refund(transactionId, { amount: 600 });
    const refund = partner.events().at(-1)?.id ?? '';
    expect(refund).not.toBe(eventId);
    await expect.poll(() => payments.deliver(refund), SOON).toBe(200);
    for (const node of [0, 1]) expect(await payments.deliver(eventId, { node })).toBe(200);
    expect(await payments.deliver(refund, { node: 1 })).toBe(200);
    await expectBalance(customer, '6.00');
  });

  it('credits a payment of which the webhook is lost, when the customer returns', async (context) => {
    const payer = await openPayer(context);
    const { eventId, paymentId } = await pay(payer);
    expect(await payer.own.returns(paymentId)).toBe(200);
    await expectBalance(payer.customer, '11.00');
    expect(await payer.payments.deliver(eventId)).toBe(200);
    await expectNothingElse(payer, '21.00');
  });

  it('credits a payment of which the webhook is lost, after a while without the customer', async (context) => {
    const payer = await openPayer(context);
    const { eventId } = await pay(payer);
    await payer.payments.pass(MINUTE_MS);
    await expectBalance(payer.customer, '11.00');
    expect(await payer.payments.deliver(eventId, { node: 1 })).toBe(200);
    await expectNothingElse(payer, '21.00');
  });

  it('credits nothing for a webhook with a wrong signature, in whichever way it is wrong', async (context) => {
    const payer = await openPayer(context);
    const { payments, partner } = payer;
    const { eventId } = await pay(payer);
    const { body, headers } = partner.signed(eventId);
    const text = body.toString();
    const changed = text.replaceAll('1000', '9000');
    expect(changed).not.toBe(text);
    const signature = headers['creem-signature'] ?? '';
    for (const fault of [{ kind: 'wrong_secret' }, { kind: 'unsigned' }] as const) {
      expect(await payments.deliver(eventId, { fault })).toBe(400);
    }
    for (const secret of ['', 'undefined', 'null']) expect(await payments.post(text, sign(body, secret))).toBe(400);
    for (const wrong of ['', signature.slice(0, -1), `${signature}0`]) {
      expect(await payments.post(text, wrong)).toBe(400);
    }
    expect(await payments.post(changed, signature)).toBe(400);
    expect(await payments.deliver(eventId, { fault: { kind: 'wrong_mode', mode: 'prod' } })).toBe(403);
    await expectNothingElse(payer, '11.00');
  });

  it('does not start with an empty webhook secret', async (context) => {
    const { startsNot } = need(context, at.target.payments, 'payments through a partner');
    expect(await startsNot('')).toMatch(/CREEM_WEBHOOK_SECRET/);
  });

  it.for([
    ['more than was asked', { instead: { subTotal: 100_000 } }],
    ['another currency', { instead: { currency: 'EUR' } }],
  ] as const)('does not credit %s, and credits it once when staff say so, however often', async ([, paid], context) => {
    const payer = await openPayer(context);
    const { own, payments } = payer;
    const { eventId, paymentId, transactionId } = await pay(payer, paid);
    for (const node of [0, 1]) expect(await payments.deliver(eventId, { node })).toBe(200);
    await expectNothingElse(payer, '11.00');
    const release = (node: number) => own.release(paymentId, transactionId, '10.00', node);
    const answers = await Promise.all([release(0), release(1), release(0)]);
    expect(answers.filter((status) => status === 200)).not.toEqual([]);
    expect(await own.release(paymentId, transactionId, '20.00', 1)).toBe(409);
    await expectNothingElse(payer, '31.00');
  });

  it('credits what was paid if a discount was given', async (context) => {
    const payer = await openPayer(context);
    const { eventId } = await pay(payer, { country: 'DE', discountCode: 'TENOFF' });
    expect(await payer.payments.deliver(eventId)).toBe(200);
    await expectBalance(payer.customer, '10.00');
  });

  it('credits the first of two transactions for one payment alone', async (context) => {
    const payer = await openPayer(context);
    const { partner, payments, own } = payer;
    // The address of the first page is lost, so that the payment has two pages.
    partner.faultApi({ method: 'POST', path: '/v1/checkouts', how: { kind: 'reset', when: 'after' } });
    const { paymentId } = await own.topUp('10.00');
    const pages = partner.checkouts().filter(({ requestId }) => requestId === paymentId);
    expect(pages).toHaveLength(2);
    for (const { id } of pages) partner.pay(id);
    const events = partner.events().slice(-2);
    for (const node of [0, 1]) {
      const answers = await Promise.all(events.map(({ id }) => payments.deliver(id, { node })));
      expect(answers).toEqual([200, 200]);
    }
    await expectNothingElse(payer, '21.00');
  });

  it('credits a repeated grant once: at the same time, on two nodes, and later', async (context) => {
    const customer = await at.target.openCustomer('1.00');
    const grant = need(context, customer.grant, 'grants over HTTP');
    const again = (n: number) => grant({ usd: '2.50', idempotencyKey: 'payment 1', node: n % 2 });
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => again(n)));
    expect(answers).toEqual(answers.map(() => 201));
    expect(await again(1)).toBe(201);
    await expectSettled(at.target, customer, nanoUsd('3.50'));
  });

  it('credits each of several grants once if they arrive out of order', async (context) => {
    const customer = await at.target.openCustomer('1.00');
    const grant = need(context, customer.grant, 'grants over HTTP');
    for (const n of [3, 1, 2, 3, 2, 1, 3]) {
      expect(await grant({ usd: `0.0${n}`, idempotencyKey: `payment ${n}`, node: n % 2 })).toBe(201);
    }
    await expectSettled(at.target, customer, nanoUsd('1.06'));
  });

  it('refuses a repeated grant with another amount or reason, and changes nothing', async (context) => {
    const customer = await at.target.openCustomer('1.00');
    const grant = need(context, customer.grant, 'grants over HTTP');
    const first = { usd: '2.50', idempotencyKey: 'payment 1' };
    expect(await grant(first)).toBe(201);
    expect(await grant({ ...first, usd: '25.00' })).toBe(409);
    expect(await grant({ ...first, usd: '250.00', node: 1 })).toBe(409);
    expect(await grant({ ...first, reason: 'completed by hand' })).toBe(409);
    await expectSettled(at.target, customer, nanoUsd('3.50'));
  });

  it('credits exactly the requested amount, to the nano-dollar', async (context) => {
    const customer = await at.target.openCustomer('1.00');
    const grant = need(context, customer.grant, 'grants over HTTP');
    const amounts = ['0.000000001', '0.1', '0.2', '7', '12345.678901234'];
    for (const usd of amounts) expect(await grant({ usd })).toBe(201);
    for (const usd of ['0', '-5', '1e3', '0.0000000001', '5,00']) expect(await grant({ usd })).toBe(400);
    await expectSettled(
      at.target,
      customer,
      amounts.map(nanoUsd).reduce((a, b) => a + b, nanoUsd('1.00')),
    );
  });

  it('refuses a grant without the admin token, whatever other secret is sent', async (context) => {
    const customer = await at.target.openCustomer('1.00');
    const grant = need(context, customer.grant, 'grants over HTTP');
    for (const authorization of ['', 'Bearer', 'Bearer ', 'Bearer undefined', `Bearer ${customer.apiKey}`]) {
      expect(await grant({ usd: '100.00', authorization })).toBe(401);
    }
    await expectSettled(at.target, customer, nanoUsd('1.00'));
  });
});
