import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sign } from '@kissapi/creem-stand-in';
import type { DeliveryFault } from '@kissapi/creem-stand-in';
import { SECRET, START, createReceiver, createTestShop } from './shop.ts';
import type { Loose, Receiver, TestShop } from './shop.ts';

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];

let receiver: Receiver;
let shop: TestShop;
beforeEach(async () => {
  receiver = await createReceiver();
  shop = await createTestShop({ webhookUrl: receiver.url });
});
afterEach(async () => {
  await shop.close();
  await receiver.close();
});

const keysOf = (value: unknown): unknown =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? typeof value
    : Object.fromEntries(Object.entries(value).map(([key, one]) => [key, keysOf(one)]));

describe('a delivery', () => {
  it('is compact JSON whose bytes are signed in hex', async () => {
    const { eventId } = await shop.sell();
    await shop.control.deliverDue();
    const [one] = receiver.received;
    expect(one).toMatchObject({ signed: true, headers: { 'content-type': 'application/json' } });
    expect(one?.body).toBe(JSON.stringify(one?.event));
    expect(one?.headers['creem-signature']).toBe(sign(Buffer.from(one?.body ?? ''), SECRET));
    expect(one?.event).toMatchObject({ id: eventId, eventType: 'checkout.completed', created_at: START });
    expect(shop.control.signed(eventId)).toMatchObject({ body: Buffer.from(one?.body ?? '') });
  });

  it('of a paid checkout has order, product, customer and metadata', async () => {
    const { checkout, order } = await shop.sell();
    await shop.control.deliverDue();
    expect(receiver.received[0]?.event?.object).toMatchObject({
      id: checkout.id as string,
      mode: 'test',
      object: 'checkout',
      status: 'completed',
      request_id: 'pay_1',
      order,
      product: { id: shop.productId, mode: 'test', object: 'product', billing_type: 'onetime' },
      units: 1,
      customer: { mode: 'test', object: 'customer', email: 'ada@example.test', name: 'Ada Example', country: 'FR' },
      custom_fields: [],
      metadata: { payment_id: 'pay_1' },
      success_url: 'https://kissapi.example/top-ups/pay_1',
    });
  });

  it('of a refund and of a dispute has the transaction as it is then', async () => {
    const { transaction, order } = await shop.sell();
    shop.control.refund(transaction.id, { amount: 1_200, reason: 'other' });
    shop.control.dispute(transaction.id);
    await shop.control.deliverDue();
    const [, refund, dispute] = receiver.received.map(({ event }) => event);
    const related = { order, customer: { country: 'FR' }, checkout: { request_id: 'pay_1', product: shop.productId } };
    expect(refund).toMatchObject({
      eventType: 'refund.created',
      object: {
        ...{ mode: 'test', object: 'refund', status: 'succeeded', refund_amount: 1_200, refund_currency: 'USD' },
        ...{ reason: 'other', created_at: START, ...related },
        transaction: { id: transaction.id, status: 'partialRefund', refunded_amount: 1_200 },
      },
    });
    expect(dispute).toMatchObject({
      eventType: 'dispute.created',
      object: {
        ...{ mode: 'test', object: 'dispute', amount: 1_800, currency: 'USD', ...related },
        transaction: { id: transaction.id, status: 'chargedBack', refunded_amount: 3_000 },
      },
    });
  });

  it('is tried again after 30 s, 5 min, 30 min and 6 h, with the same bytes, and then given up', async () => {
    receiver.status = 500;
    await shop.sell();
    const at: number[] = [];
    for (const step of [0, 30 * SECOND, 5 * MINUTE, 30 * MINUTE, 6 * HOUR, 24 * HOUR]) {
      shop.clock.now += Math.max(0, step - 1);
      if (step > 0) expect(await shop.control.deliverDue()).toHaveLength(0);
      shop.clock.now += step > 0 ? 1 : 0;
      if ((await shop.control.deliverDue()).length > 0) at.push(shop.clock.now - START);
    }
    expect(at).toEqual([0, 30 * SECOND, 330 * SECOND, 2_130 * SECOND, 23_730 * SECOND]);
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
    const [delivery] = shop.control.deliveries();
    expect(delivery).toMatchObject({ state: 'given_up' });
    expect(delivery?.nextAttemptAt).toBeUndefined();
    expect(delivery?.attempts.map(({ outcome }) => outcome)).toEqual(Array(5).fill({ kind: 'answered', status: 500 }));
  });

  it('ends with the first answer of 200; another success is not enough', async () => {
    receiver.status = 204;
    await shop.sell();
    await shop.control.deliverDue();
    expect(shop.control.deliveries()).toMatchObject([{ state: 'scheduled', nextAttemptAt: START + 30 * SECOND }]);
    receiver.status = 200;
    shop.clock.now += HOUR;
    await shop.control.deliverDue();
    expect(shop.control.deliveries()).toMatchObject([{ state: 'delivered' }]);
  });

  it('is not attempted for an event older than a day', async () => {
    await shop.sell();
    shop.clock.now += 24 * HOUR + 1;
    expect(await shop.control.deliverDue()).toHaveLength(0);
    expect(shop.control.deliveries()).toMatchObject([{ state: 'given_up', attempts: [] }]);
  });

  it('is sent again by hand at any time, and to another node', async () => {
    const { eventId } = await shop.sell();
    const node = await createReceiver();
    await shop.control.deliverDue();
    shop.clock.now += 48 * HOUR;
    expect(await shop.control.resend(eventId)).toEqual({ kind: 'answered', status: 200 });
    await shop.control.resend(eventId, { url: node.url });
    expect(node.received[0]?.body).toBe(receiver.received[0]?.body);
    expect(receiver.received).toHaveLength(2);
    expect(shop.control.deliveries()[0]?.attempts.map(({ manual }) => manual)).toEqual([false, true]);
    await node.close();
  });

  it('waits for an address; an attempt fails if the endpoint does not listen', async () => {
    shop.control.deliverTo('');
    await shop.sell();
    expect(await shop.control.deliverDue()).toEqual([]);
    shop.control.deliverTo('http://127.0.0.1:1/webhooks');
    await shop.control.deliverDue();
    const outcome = { kind: 'failed', reason: 'ECONNREFUSED' };
    expect(shop.control.deliveries()).toMatchObject([{ attempts: [{ outcome }] }]);
  });

  it('that gets no response fails after the time an endpoint has', async () => {
    const own = await createTestShop({ webhookUrl: receiver.url, deliveryTimeoutMs: 50 });
    receiver.status = 0;
    await own.sell();
    await own.control.deliverDue();
    expect(own.control.deliveries()[0]?.attempts[0]?.outcome).toEqual({ kind: 'failed', reason: 'timeout' });
    await own.close();
  });

  it('is made by a timer if one is set, as soon as something happens and when the clock jumps', async () => {
    const own = await createTestShop({ webhookUrl: receiver.url, pollMs: 5 });
    receiver.status = 500;
    await own.sell();
    await vi.waitFor(() => expect(own.control.deliveries()[0]?.attempts).toHaveLength(1));
    receiver.status = 200;
    own.clock.now += HOUR;
    await vi.waitFor(() => expect(own.control.deliveries()[0]?.state).toBe('delivered'));
    await own.close();
  });
});

describe('a fault', () => {
  const deliverWith = async (fault: DeliveryFault) => {
    await shop.sell({ metadata: { mode: 'kept' } });
    shop.control.faultDelivery(fault);
    await shop.control.deliverDue();
    return shop.control.deliveries()[0]?.attempts[0]?.outcome;
  };

  it('loses an attempt, and the next one arrives', async () => {
    expect(await deliverWith({ kind: 'lose' })).toEqual({ kind: 'failed', reason: 'lost' });
    expect(receiver.received).toHaveLength(0);
    shop.clock.now += 30 * SECOND;
    await shop.control.deliverDue();
    expect(receiver.received).toHaveLength(1);
  });

  it('loses a response, so that the event arrives twice', async () => {
    await deliverWith({ kind: 'lose_response' });
    shop.clock.now += 30 * SECOND;
    await shop.control.deliverDue();
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
    expect(receiver.received).toHaveLength(2);
  });

  it('delays an attempt by the injected clock', async () => {
    await deliverWith({ kind: 'delay', ms: 23 * HOUR });
    shop.clock.now += 23 * HOUR - 1;
    expect(await shop.control.deliverDue()).toHaveLength(0);
    shop.clock.now += 1;
    expect(await shop.control.deliverDue()).toHaveLength(1);
  });

  it.each([false, true])('delivers copies of the same bytes (all at once: %s)', async (concurrently) => {
    expect(await deliverWith({ kind: 'duplicate', copies: 3, concurrently })).toMatchObject({ status: 200 });
    expect(receiver.received).toHaveLength(3);
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
  });

  it('truncates a body under a signature that does not fit it, or that does', async () => {
    await deliverWith({ kind: 'truncate', bytes: 100, signed: 'whole' });
    await shop.control.resend(shop.control.events()[0]?.id ?? '', {
      fault: { kind: 'truncate', bytes: 100, signed: 'truncated' },
    });
    expect(receiver.received.map(({ body, signed, event }) => [body.length, signed, event])).toEqual([
      [100, false, undefined],
      [100, true, undefined],
    ]);
  });

  it('cuts the connection in the middle of a body', async () => {
    expect(await deliverWith({ kind: 'cut', bytes: 100 })).toEqual({ kind: 'failed', reason: 'cut' });
    await vi.waitFor(() => expect(receiver.broken).toBe(1));
    expect(receiver.received).toHaveLength(0);
  });

  it('signs with another secret, or not at all', async () => {
    await deliverWith({ kind: 'wrong_secret' });
    shop.control.faultDelivery({ kind: 'unsigned' });
    await shop.sell();
    await shop.control.deliverDue();
    expect(receiver.received.map(({ signed }) => signed)).toEqual([false, false]);
    expect(receiver.received[1]?.headers).not.toHaveProperty('creem-signature');
  });

  it('gives every entity another mode, signed correctly', async () => {
    await deliverWith({ kind: 'wrong_mode', mode: 'prod' });
    const [one] = receiver.received;
    expect(one?.signed).toBe(true);
    expect(one?.event?.object).toMatchObject({ mode: 'prod', order: { mode: 'prod' }, metadata: { mode: 'kept' } });
  });

  it('is for the events and the number of attempts that its selector names', async () => {
    shop.control.faultDelivery({ kind: 'lose' }, { eventType: 'refund.created', times: 5 });
    const { transaction } = await shop.sell();
    shop.control.refund(transaction.id);
    for (const step of [0, 30 * SECOND, 5 * MINUTE, 30 * MINUTE, 6 * HOUR]) {
      shop.clock.now += step;
      await shop.control.deliverDue();
    }
    expect(shop.control.deliveries()).toMatchObject([{ state: 'delivered' }, { state: 'given_up' }]);
    expect(receiver.received).toHaveLength(1);
  });

  it('of the order delivers what is due in another order', async () => {
    const { transaction } = await shop.sell();
    shop.control.refund(transaction.id);
    await shop.control.deliverDue({ order: (due) => due.toReversed() });
    expect(receiver.received.map(({ event }) => event?.eventType)).toEqual(['refund.created', 'checkout.completed']);
  });
});

describe('an event', () => {
  it('of an unknown type is delivered like the others', async () => {
    shop.control.emit('payment.mystery', { id: 'x_1', mode: 'test', object: 'mystery' });
    await shop.control.deliverDue();
    expect(receiver.received[0]).toMatchObject({ signed: true, event: { eventType: 'payment.mystery' } });
  });

  it('has the shape of the documentation if the switch is set', async () => {
    shop.control.setShape('documentation');
    const { transaction } = await shop.sell({ metadata: { mode: 'kept' } });
    shop.control.refund(transaction.id, { amount: 100 });
    shop.control.dispute(transaction.id);
    await shop.control.deliverDue();
    const [checkout, refund, dispute] = receiver.received.map(({ event }) => event?.object as Loose);
    expect(checkout).toMatchObject({
      mode: 'local',
      product: { mode: 'local', image_url: null },
      metadata: { mode: 'kept' },
    });
    expect(checkout?.order).not.toHaveProperty('object');
    expect(refund).not.toHaveProperty('mode');
    expect(refund).toMatchObject({ object: 'refund', transaction: { mode: 'local', status: 'partialRefund' } });
    expect(dispute).toMatchObject({ mode: 'local', transaction: { status: 'chargeback' } });
  });

  it('has the same fields for every sale', async () => {
    const [one, other] = [await shop.sell(), await shop.sell({ custom_price: 700 }, { country: 'US' })];
    const [first, second] = [one, other].map(
      ({ eventId }) => JSON.parse(shop.control.signed(eventId).body.toString()) as unknown,
    );
    expect(keysOf(second)).toEqual(keysOf(first));
  });
});

describe('an endpoint that is registered by the API', () => {
  it('has a secret of its own, which signs what it receives', async () => {
    const { json: webhook } = await shop.call('POST', '/webhooks', { url: receiver.url, events: ['refund.created'] });
    expect(webhook).toMatchObject({ object: 'webhook', mode: 'test', delivery_mode: 'http', status: 'enabled' });
    const { json } = await shop.call('GET', `/webhooks/${webhook.id as string}/secret`);
    expect(json).toEqual({ secret: webhook.secret as string });
    expect((await shop.call('GET', `/webhooks/${webhook.id as string}`)).json).not.toHaveProperty('secret');
    const { transaction } = await shop.sell();
    shop.control.refund(transaction.id);
    await shop.control.deliverDue();
    const foreign = receiver.received.filter(({ signed }) => !signed);
    expect(foreign).toHaveLength(1);
    expect(foreign[0]?.headers['creem-signature']).toBe(
      sign(Buffer.from(foreign[0]?.body ?? ''), json.secret as string),
    );
  });

  it('receives nothing while it is disabled, nor once it is deleted', async () => {
    const { json: webhook } = await shop.call('POST', '/webhooks', { url: receiver.url });
    const path = `/webhooks/${webhook.id as string}`;
    expect((await shop.call('PATCH', path, { status: 'disabled' })).json).toMatchObject({ status: 'disabled' });
    await shop.sell();
    await shop.control.deliverDue();
    expect(receiver.received).toHaveLength(1);
    expect((await shop.call('GET', `${path}/events/pending`)).status).toBe(400);
    expect((await shop.call('DELETE', path)).json).toMatchObject({ id: webhook.id as string });
    expect((await shop.call('GET', path)).status).toBe(404);
    expect((await shop.call('GET', '/webhooks')).json.items).toHaveLength(1);
  });

  it('of the mode cli is polled, and acknowledged with 200', async () => {
    const { json: webhook } = await shop.call('POST', '/webhooks', { delivery_mode: 'cli' });
    const path = `/webhooks/${webhook.id as string}/events`;
    const { eventId } = await shop.sell();
    const { json } = await shop.call('GET', `${path}/pending`);
    const [pending] = json.items as Loose[];
    expect(pending).toMatchObject({
      id: eventId,
      event_type: 'checkout.completed',
      created_at: new Date(START).toISOString(),
    });
    expect(pending?.headers['creem-signature']).toBe(
      sign(Buffer.from(pending?.body as string), webhook.secret as string),
    );
    const ack = (status: number) => shop.call('POST', `${path}/${eventId}/ack`, { status_code: status });
    expect((await ack(500)).json).toMatchObject({ success: false });
    expect((await ack(200)).json).toMatchObject({ id: eventId, success: true });
    expect((await shop.call('GET', `${path}/pending`)).json.items).toEqual([]);
  });
});
