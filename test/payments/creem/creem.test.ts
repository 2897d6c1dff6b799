import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createCreem } from '../../../src/payments/creem/creem.ts';
import type { CheckoutOrder, PaymentPartner } from '../../../src/payments/partner.ts';
import { describePartner } from '../partner-contract.ts';
import { SECRET } from './events.ts';
import { openStandIn } from './stand-in.ts';
import { openTestApi, testKey } from './test-api.ts';

describePartner('Creem, on its stand-in', openStandIn, true);

const key = testKey();
if (key === undefined) console.warn("skipped: Creem's test API (CREEM_API_KEY_FOR_TESTS is not a creem_test_ key)");
else describePartner('Creem, on its test API', () => openTestApi(key), false);

const order: CheckoutOrder = {
  ...{ paymentId: 'pay_1', accountId: 'acc_1', amount: 2_500n, successUrl: 'https://kissapi.example/top-ups/pay_1' },
  customer: { email: 'ada@example.com', name: 'Ada Lovelace' },
};

describe('a checkout at Creem', () => {
  let opened: Awaited<ReturnType<typeof openStandIn>>;
  beforeAll(async () => {
    opened = await openStandIn();
  });
  afterAll(async () => {
    await opened.partner.close();
    await opened.close();
  });

  it('is an order of one unit at the price that was asked', async () => {
    const { partner, control } = opened;
    await partner.checkout(order);
    expect(control.checkouts().at(-1)).toMatchObject({
      ...{ requestId: 'pay_1', units: 1, customPrice: 2_500, successUrl: order.successUrl },
      metadata: { payment_id: 'pay_1' },
    });
  });

  it('is for the customer that has the id of the account', async () => {
    const { partner, control, customer } = opened;
    const accountId = 'acc_2';
    const email = 'grace@example.com';
    for (let n = 0; n < 2; n++) {
      await partner.checkout({ ...order, accountId, customer: { email, name: 'Grace' } });
      const { customer: id = 'none' } = control.checkouts().at(-1) ?? {};
      expect(await customer(id)).toMatchObject({ email, external_id: accountId });
    }
  });

  it('begins with the address alone if the customer of the account has another one', async () => {
    const { partner, control } = opened;
    const email = 'hopper@example.com';
    await partner.checkout({ ...order, accountId: 'acc_2', customer: { email, name: 'Grace' } });
    expect(control.checkouts().at(-1)).toMatchObject({ email });
    expect(control.checkouts().at(-1)?.customer).toBeUndefined();
  });

  it('has no customer if none is known', async () => {
    const { partner, control } = opened;
    await partner.checkout({ ...order, customer: undefined });
    const { email, customer } = control.checkouts().at(-1) ?? {};
    expect([email, customer]).toEqual([undefined, undefined]);
  });
});

describe('an event of the stand-in', () => {
  it('is read in the shape of the SDK and in that of the documentation', async () => {
    const { partner, control, acts, close } = await openStandIn();
    const readings = [];
    for (const shape of ['sdk', 'documentation'] as const) {
      control.setShape(shape);
      const checkout = await partner.checkout({ ...order, paymentId: `pay_${shape}` });
      if (checkout.kind !== 'created') throw new Error('the checkout was refused');
      const paid = acts.pay(checkout.checkoutId);
      const { id = '' } = control.transactions().at(-1) ?? {};
      readings.push(
        [paid, acts.refund(id, 1_200n), acts.dispute(id)].map((one) => partner.readWebhook(one.headers, one.body)),
      );
    }
    const kinds = readings.map((all) => all.map((one) => one.kind === 'facts' && one.facts.map(({ kind }) => kind)));
    expect(kinds).toEqual(Array(2).fill([['paid'], ['refund'], ['dispute']]));
    const ids = readings.map((all) => all.map((one) => one.kind === 'facts' && one.facts[0]?.paymentId));
    expect(ids).toEqual([Array(3).fill('pay_sdk'), Array(3).fill('pay_documentation')]);
    await partner.close();
    await close();
  });
});

describe('a fault of Creem', () => {
  let opened: Awaited<ReturnType<typeof openStandIn>>;
  beforeAll(async () => {
    opened = await openStandIn({ answerWithinMs: 300 });
  });
  afterEach(() => opened.control.clearFaults());
  afterAll(async () => {
    await opened.partner.close();
    await opened.close();
  });

  it.each([429, 500, 502, 503] as const)('is that it is unavailable: %s', async (status) => {
    opened.control.faultApi({ path: '/v1/refunds', how: { kind: 'status', status } });
    await expect(opened.partner.refund('tran_1')).rejects.toMatchObject({ code: 'unavailable' });
  });

  it.each([
    ['broke_off', 'reset', 'before'],
    ['broke_off', 'reset', 'after'],
    ['timeout', 'hang', 'before'],
    ['timeout', 'hang', 'after'],
  ] as const)('is %s: %s %s it was carried out', async (code, kind, when) => {
    opened.control.faultApi({ path: '/v1/customers', how: { kind, when } });
    const failing = opened.partner.checkout(order);
    await expect(failing).rejects.toMatchObject({ name: 'PartnerFailed', code });
    await expect(failing).rejects.not.toThrow(/ada|Lovelace|creem_test/);
  });

  it('is that it cannot be reached', async () => {
    const partner = createCreem({
      ...{ apiKey: 'creem_test_1', webhookSecret: SECRET, productId: 'prod_1', baseUrl: 'http://127.0.0.1:1/v1' },
    });
    await expect(partner.transactions(1)).rejects.toMatchObject({ code: 'unreachable' });
    await partner.close();
  });
});

describe('an answer of Creem', () => {
  const answering = async (
    answer: RequestListener,
    test: (partner: PaymentPartner) => Promise<void>,
  ): Promise<void> => {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`;
    const partner = createCreem({ apiKey: 'creem_test_1', webhookSecret: SECRET, productId: 'prod_1', baseUrl });
    try {
      await test(partner);
    } finally {
      await partner.close();
      server.close();
    }
  };
  const json =
    (body: unknown): RequestListener =>
    (_, response) =>
      void response.setHeader('content-type', 'application/json').end(JSON.stringify(body));

  it('that is not JSON is a fault', () =>
    answering(
      (_, response) => void response.end('<p>ada@example.com</p>'),
      async (partner) => {
        const failing = partner.transactionById('tran_1');
        await expect(failing).rejects.toMatchObject({ code: 'unreadable' });
        await expect(failing).rejects.not.toThrow('ada');
      },
    ));

  it('that lacks what we need is a fault that names the fields, and no value', () =>
    answering(json({ id: 'tran_1', currency: 'ada@example.com', status: 'paid', created_at: 1 }), async (partner) => {
      const failing = partner.transactionById('tran_1');
      await expect(failing).rejects.toThrow('currency');
      await expect(failing).rejects.not.toThrow('ada');
    }));

  it('that is too long is a fault', () =>
    answering(json({ id: 'x'.repeat(5 * 1024 * 1024) }), async (partner) => {
      await expect(partner.transactionById('tran_1')).rejects.toMatchObject({ code: 'broke_off' });
    }));

  it('of a list leaves out what cannot be read, and counts it', () => {
    const readable = { id: 'tran_1', currency: 'usd', status: 'paid', created_at: '2026-11-12T10:00:05.000Z' };
    const items = [{ ...readable, amount_paid: 3000 }, { ...readable, status: 'odd' }, null];
    return answering(json({ items, pagination: { next_page: 2 } }), async (partner) => {
      expect(await partner.transactions(1)).toEqual({
        transactions: [
          {
            ...{ transactionId: 'tran_1', orderId: null, paid: 3000n, tax: 0n, refunded: 0n, currency: 'USD' },
            ...{ status: 'paid', createdAt: Date.UTC(2026, 10, 12, 10, 0, 5) },
          },
        ],
        ...{ unreadable: 2, nextPage: 2 },
      });
    });
  });

  it.each([
    ['chargedBack', 'charged_back'],
    ['chargeback', 'charged_back'],
    ['partialRefund', 'partly_refunded'],
    ['declined', 'unpaid'],
    ['void', 'unpaid'],
  ])('has a transaction of the status %s as %s', (status, expected) =>
    answering(json({ id: 'tran_1', currency: 'USD', status, created_at: 1 }), async (partner) => {
      expect(await partner.transactionById('tran_1')).toMatchObject({ status: expected });
    }),
  );

  it('has a checkout whose order is of a subscription as not paid', () =>
    answering(
      json({ id: 'ch_1', status: 'completed', request_id: 'pay_1', order: { status: 'paid', type: 'recurring' } }),
      async (partner) => {
        expect(await partner.checkoutById('ch_1')).toMatchObject({ paid: null });
      },
    ));
});

describe('the settings of Creem', () => {
  const right = { apiKey: 'creem_test_1', webhookSecret: SECRET, productId: 'prod_1' };

  it.each([
    ['API key', { apiKey: '' }],
    ['webhook secret', { webhookSecret: '' }],
    ['product', { productId: ' ' }],
  ])('are refused with an empty %s', (what, empty) =>
    expect(() => createCreem({ ...right, ...empty })).toThrow(`The ${what} of Creem is empty`),
  );
});
