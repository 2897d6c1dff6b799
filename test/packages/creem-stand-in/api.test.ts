import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_KEY, START, createTestShop } from './shop.ts';
import type { Loose, TestShop } from './shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await createTestShop();
});
afterAll(() => shop.close());

const refused = (status: number, error: string, message: readonly string[]) => ({
  status,
  json: {
    trace_id: expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/),
    status,
    error,
    message,
    timestamp: START,
  },
});

describe('a checkout of the API', () => {
  it('has the fields of Creem, and its price is per unit', async () => {
    const checkout = await shop.open({ units: 2 });
    expect(checkout).toEqual({
      id: expect.stringMatching(/^ch_\w{22}$/),
      mode: 'test',
      object: 'checkout',
      status: 'pending',
      request_id: 'pay_1',
      product: shop.productId,
      units: 2,
      custom_price: 2_500,
      custom_fields: [],
      checkout_url: `${shop.url}/checkout/${checkout.id as string}`,
      success_url: 'https://kissapi.example/top-ups/pay_1',
      metadata: { payment_id: 'pay_1' },
    });
    const outcome = shop.control.pay(checkout.id as string);
    expect(outcome).toMatchObject({ kind: 'paid', order: { sub_total: 5_000, amount_paid: 5_000 } });
  });

  it('is fetched with product, order and customer once it is paid', async () => {
    const { checkout, order } = await shop.sell();
    const { json } = await shop.call('GET', `/checkouts?checkout_id=${checkout.id as string}`);
    expect(json).toMatchObject({
      status: 'completed',
      product: { id: shop.productId, object: 'product' },
      order,
      customer: { object: 'customer', email: 'ada@example.test', country: 'FR' },
    });
  });

  it('is another one for the same request_id, because Creem promises nothing else', async () => {
    const [one, other] = [await shop.open(), await shop.open()];
    expect(one.id).not.toBe(other.id);
  });

  it.each([
    [{ custom_price: 99 }, 'custom_price must not be less than 100'],
    [{ custom_price: 100_000_000 }, 'custom_price must not be greater than 99999999'],
    [{ custom_price: 100.5 }, 'custom_price must be an integer number'],
    [{ product_id: undefined }, "The 'product_id' field is required."],
    [{ customer: { email: 'ada' } }, 'customer.email is not valid'],
    [{ customer: { phone: '1' } }, 'property customer.phone should not exist'],
    [{ success_url: 'javascript:alert(1)' }, 'success_url is not valid'],
    [{ idempotency_key: 'x' }, 'property idempotency_key should not exist'],
    [{ discount_code: 'NOTONE' }, 'This discount code is not valid.'],
  ])('is refused with 400 for %j', async (fields: Loose, message) => {
    const body = { product_id: shop.productId, custom_price: 500, ...fields };
    expect(await shop.call('POST', '/checkouts', body)).toEqual(refused(400, 'Bad Request', [message]));
  });

  it('is refused for a product that is no one-time product, and for one that does not exist', async () => {
    const plan = { name: 'Plan', description: 'Monthly', price: 2_000, currency: 'USD', billing_type: 'recurring' };
    const { json: product } = await shop.call('POST', '/products', plan);
    const { status } = await shop.call('POST', '/checkouts', { product_id: product.id as string });
    expect(status).toBe(400);
    const missing = await shop.call('POST', '/checkouts', { product_id: 'prod_x' });
    expect(missing).toEqual(refused(404, 'Not Found', ['Product not found']));
  });

  it('expires by the injected clock, and cannot be paid then', async () => {
    const own = await createTestShop({ checkoutLifetimeMs: 1_000 });
    const { id } = await own.open();
    own.clock.now += 1_000;
    expect((await own.call('GET', `/checkouts?checkout_id=${id as string}`)).json).toMatchObject({ status: 'expired' });
    expect(() => own.control.pay(id as string)).toThrow('This checkout has expired.');
    await own.close();
  });
});

describe('the API', () => {
  it('answers 403 without a message to a key that is missing or wrong', async () => {
    const { json, ...rest } = refused(403, 'Forbidden', []);
    const { message: _none, ...expected } = json;
    for (const key of [null, 'x']) {
      expect(await shop.call('GET', '/transactions/search', undefined, key)).toEqual({ ...rest, json: expected });
    }
  });

  it('answers 400 for a body or a path that cannot be read, and 404 for an unknown path', async () => {
    const message = ['The request cannot be read'];
    expect(await shop.call('POST', '/checkouts', '{')).toEqual(refused(400, 'Bad Request', message));
    expect((await shop.call('GET', '/products/%E0')).status).toBe(400);
    expect((await shop.call('GET', '/nothing')).status).toBe(404);
  });

  it('gives the same ids for the same calls and the same seed', async () => {
    const [one, other, third] = await Promise.all([createTestShop(), createTestShop(), createTestShop({ seed: 'b' })]);
    const sales = await Promise.all([one, other, third].map((each) => each.sell()));
    expect(sales[1]?.transaction).toEqual(sales[0]?.transaction);
    expect(sales[2]?.transaction.id).not.toBe(sales[0]?.transaction.id);
    await Promise.all([one, other, third].map((each) => each.close()));
  });

  it('pages transactions from the newest, and has no filter by date', async () => {
    const own = await createTestShop();
    const ids: string[] = [];
    for (let n = 0; n < 12; n += 1) ids.unshift((await own.sell()).transaction.id);
    const first = await own.call('GET', '/transactions/search');
    expect(first.json.items.map(({ id }: Loose) => id as string)).toEqual(ids.slice(0, 10));
    const pagination = { total_records: 12, total_pages: 2, current_page: 1, next_page: 2, prev_page: null };
    expect(first.json.pagination).toEqual(pagination);
    const second = await own.call('GET', '/transactions/search?page_number=2');
    expect(second.json.items.map(({ id }: Loose) => id as string)).toEqual(ids.slice(10));
    expect(second.json.pagination).toEqual({ ...pagination, current_page: 2, next_page: null, prev_page: 1 });
    expect((await own.call('GET', '/transactions/search?from=2026-11-01')).status).toBe(400);
    const [order] = own.control.orders();
    const byOrder = await own.call('GET', `/transactions/search?order_id=${order?.id ?? ''}`);
    expect(byOrder.json.items).toHaveLength(1);
    await own.close();
  });

  it('gives a transaction by its id', async () => {
    const { transaction } = await shop.sell();
    expect((await shop.call('GET', `/transactions?transaction_id=${transaction.id}`)).json).toEqual(transaction);
    expect((await shop.call('GET', '/transactions?transaction_id=tran_x')).status).toBe(404);
  });

  it('gives customers by id and by address, and refuses a second one with the same address', async () => {
    const body = { email: 'bob@example.test', name: 'Bob', external_id: 'acc_1' };
    const { json: customer } = await shop.call('POST', '/customers', body);
    expect(customer).toMatchObject({ object: 'customer', mode: 'test', country: null, ...body });
    expect((await shop.call('GET', `/customers?customer_id=${customer.id as string}`)).json).toEqual(customer);
    expect((await shop.call('GET', '/customers?email=bob@example.test')).json).toEqual(customer);
    expect((await shop.call('POST', '/customers', body)).status).toBe(400);
    const link = await shop.call('POST', '/customers/billing', { customer_id: customer.id as string });
    expect(link.json).toEqual({ customer_portal_link: expect.stringContaining(customer.id as string) });
  });

  it('finds products by both paths of Creem', async () => {
    const { json } = await shop.call('GET', `/products?product_id=${shop.productId}`);
    expect(json).toMatchObject({ billing_type: 'onetime', price: 100, currency: 'USD' });
    expect((await shop.call('GET', `/products/${shop.productId}`)).json).toEqual(json);
    expect((await shop.call('GET', '/products/search')).json.items).toContainEqual(json);
  });

  it('sums up revenue by day, week or month', async () => {
    const own = await createTestShop();
    const { transaction } = await own.sell();
    own.clock.now += 86_400_000;
    own.control.refund(transaction.id, { amount: 600 });
    const range = `startDate=${START - 10 * 86_400_000}&endDate=${own.clock.now}`;
    const { json } = await own.call('GET', `/stats/summary?currency=USD&interval=day&${range}`);
    const day = Date.UTC(2026, 10, 12);
    expect(json.totals).toMatchObject({ totalPayments: 1, totalRevenue: 2_400, totalNetRevenue: 1_843 });
    expect(json.periods).toEqual([
      { timestamp: day, grossRevenue: 3_000, netRevenue: 2_343 },
      { timestamp: day + 86_400_000, grossRevenue: -600, netRevenue: -500 },
    ]);
    const week = await own.call('GET', `/stats/summary?currency=USD&interval=week&${range}`);
    expect(week.json.periods).toEqual([{ timestamp: Date.UTC(2026, 10, 9), grossRevenue: 2_400, netRevenue: 1_843 }]);
    const month = await own.call('GET', `/stats/summary?currency=USD&interval=month&${range}`);
    expect(month.json.periods).toMatchObject([{ timestamp: Date.UTC(2026, 10, 1) }]);
    expect((await own.call('GET', '/stats/summary?currency=USD&interval=day')).status).toBe(400);
    await own.close();
  });

  it('screens prompts by keyword, charges an identical one once, and can be switched to fail', async () => {
    const screen = (prompt: string) => shop.call('POST', '/moderation/prompt', { prompt });
    expect((await screen('a cat')).json).toMatchObject({ prompt: 'a cat', decision: 'allow', usage: { units: 1 } });
    expect((await screen('a cat')).json).toMatchObject({ usage: { units: 0 } });
    expect((await screen('a cat flag-me')).json).toMatchObject({ decision: 'flag' });
    expect((await screen(`deny-me ${'x'.repeat(1_000)}`)).json).toMatchObject({
      decision: 'deny',
      usage: { units: 2 },
    });
    shop.control.setModeration('fails');
    expect((await screen('a cat')).status).toBe(500);
    shop.control.clearFaults();
    expect((await screen('a cat')).status).toBe(200);
  });

  it('can fail a request before or after it is carried out', async () => {
    const { transaction } = await shop.sell();
    const path = '/v1/refunds';
    const body = { transaction_id: transaction.id };
    shop.control.faultApi({ path, how: { kind: 'status', status: 503 } });
    expect((await shop.call('POST', '/refunds', body)).status).toBe(503);
    shop.control.faultApi({ path, how: { kind: 'reset', when: 'before' } });
    await expect(shop.call('POST', '/refunds', body)).rejects.toThrow();
    expect(shop.control.refunds().filter((one) => one.transaction === transaction.id)).toHaveLength(0);
    shop.control.faultApi({ path, how: { kind: 'reset', when: 'after' } });
    await expect(shop.call('POST', '/refunds', body)).rejects.toThrow();
    expect(shop.control.refunds().filter((one) => one.transaction === transaction.id)).toHaveLength(1);
    expect((await shop.call('POST', '/refunds', body)).status).toBe(400);
  });
});

describe('the way back of a customer', () => {
  it('is signed over the parameters in their order, and then the API key', async () => {
    const { redirectUrl, checkout, order } = await shop.sell({ success_url: 'https://kissapi.example/back?lang=fr' });
    const params = Object.fromEntries(new URL(redirectUrl ?? '').searchParams);
    const expected = {
      checkout_id: checkout.id as string,
      order_id: order.id,
      customer_id: order.customer,
      product_id: shop.productId,
      request_id: 'pay_1',
    };
    const signed = [...Object.entries(expected).map(([name, value]) => `${name}=${value}`), `salt=${API_KEY}`].join(
      '|',
    );
    const signature = createHash('sha256').update(signed).digest('hex');
    expect(params).toEqual({ lang: 'fr', ...expected, signature });
  });

  it('leaves out what is empty', async () => {
    const { redirectUrl } = await shop.sell({ request_id: undefined });
    expect(new URL(redirectUrl ?? '').searchParams.has('request_id')).toBe(false);
    expect((await shop.sell({ success_url: undefined })).redirectUrl).toBeUndefined();
  });
});
