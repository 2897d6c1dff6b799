import { describe, expect, it } from 'vitest';
import { createWebhookReader } from '../../../src/payments/creem/webhook.ts';
import { bytes, delivery, documented, sample, samples, SECRET, sign, withEntities, type CreemEvent } from './events.ts';

const TEST_MODES = new Set(['test', 'sandbox', 'local']);
const read = createWebhookReader({ secret: SECRET, modes: TEST_MODES });

const paid = {
  ...{ kind: 'paid', paymentId: 'pay_01K9ZEXAMPLE', transactionId: 'tran_9001', orderId: 'ord_7001' },
  ...{ checkoutId: 'ch_5001', paid: 3000n, tax: 500n, currency: 'USD' },
};
const refund = (reference: string, gross: bigint, status: string) => ({
  ...{ kind: 'refund', paymentId: 'pay_01K9ZEXAMPLE', checkoutId: 'ch_5001', transactionId: 'tran_9001' },
  ...{ reference, gross, currency: 'USD', status },
});
const dispute = {
  ...{ kind: 'dispute', paymentId: 'pay_01K9ZEXAMPLE', checkoutId: 'ch_5001', transactionId: 'tran_9001' },
  ...{ disputeId: 'disp_1', gross: 3000n, currency: 'USD' },
};

/** The samples of the events that we need. */
const needed: Readonly<Record<string, object>> = {
  'checkout.completed': paid,
  'refund.created.full': refund('ref_1', 3000n, 'succeeded'),
  'refund.created.partial': refund('ref_2', 1200n, 'succeeded'),
  'refund.created.pending': refund('ref_3', 3000n, 'pending'),
  'dispute.created': dispute,
};

const checkout = sample('checkout.completed');
const withObject = (event: CreemEvent, fields: object): CreemEvent => ({
  ...event,
  object: { ...event.object, ...fields },
});
const withOrder = (fields: object): CreemEvent =>
  withObject(checkout, { order: { ...(checkout.object['order'] as object), ...fields } });

describe('an event of Creem', () => {
  it('has 19 samples', () => expect(samples).toHaveLength(19));

  it.each(samples.filter((name) => name in needed))('is read: %s', (name) => {
    const { id: eventId, eventType } = sample(name);
    expect(read(...delivery(sample(name)))).toEqual({ kind: 'facts', facts: [needed[name]], eventId, eventType });
  });

  it.each(samples.filter((name) => !(name in needed)))('is ignored: %s', (name) => {
    const { id: eventId, eventType } = sample(name);
    expect(read(...delivery(sample(name)))).toEqual({ kind: 'ignored', eventId, eventType });
  });

  it.each(samples)('is read as its documentation prints it, too: %s', (name) => {
    const event = documented(sample(name));
    expect(read(...delivery(event))).toEqual(read(...delivery(sample(name))));
  });

  it('is ignored if we do not need its type, without a look at what it is about', () => {
    const event = { id: 'evt_1', eventType: 'subscription.paid' };
    for (const object of [undefined, null, 'text', { mode: 7, order: 'ord_1' }]) {
      expect(read(...delivery({ ...event, object }))).toMatchObject({ kind: 'ignored' });
    }
  });

  it('is ignored if its type is unknown', () => {
    for (const eventType of ['dispute.won', 'constructor', '__proto__']) {
      expect(read(...delivery({ ...checkout, eventType }))).toEqual({
        kind: 'ignored',
        eventId: 'evt_0001',
        eventType,
      });
    }
  });

  it.each<[string, object, object?]>([
    ['an id in place of its transaction', { transaction: 'tran_9001' }],
    ['an id in place of its checkout', { checkout: 'ch_5001' }, { paymentId: null }],
    ['a checkout without our id', { checkout: { id: 'ch_5001' } }, { paymentId: null }],
    ['no checkout', { checkout: undefined }, { paymentId: null, checkoutId: null }],
    ['null in place of its checkout', { checkout: null }, { paymentId: null, checkoutId: null }],
    ['a currency in small letters', { currency: 'usd', refund_currency: 'usd' }],
  ])('may have %s', (_, fields, effect = {}) => {
    for (const name of ['refund.created.full', 'dispute.created']) {
      expect(read(...delivery(withObject(sample(name), fields)))).toMatchObject({
        kind: 'facts',
        facts: [{ ...needed[name], ...effect }],
      });
    }
  });

  it.each([
    ['no id of ours', undefined],
    ['null for our id', null],
    ['an id that is not of our form', 'my request'],
    ['an id that is no text', 7],
  ])('of a checkout that was not opened by us is read: %s', (_, requestId) =>
    expect(read(...delivery(withObject(checkout, { request_id: requestId })))).toMatchObject({
      kind: 'facts',
      facts: [{ ...paid, paymentId: null }],
    }),
  );

  it.each([
    ['a subscription', { type: 'recurring' }],
    ['not paid', { status: 'pending' }],
    ['free', { amount_paid: 0, tax_amount: 0, transaction: null }],
  ])('of an order that is %s is ignored', (_, fields) =>
    expect(read(...delivery(withOrder(fields)))).toMatchObject({ kind: 'ignored' }),
  );
});

describe('an event that cannot be read', () => {
  const refundCreated = sample('refund.created.full');
  const disputeCreated = sample('dispute.created');

  it.each<[string, CreemEvent, string]>([
    ['no order', withObject(checkout, { order: undefined }), 'order'],
    ['an order without a transaction', withOrder({ transaction: undefined }), 'order.transaction'],
    ['an order without what was paid', withOrder({ amount_paid: undefined }), 'order.amount_paid'],
    ['an order without its tax', withOrder({ tax_amount: undefined }), 'order.tax_amount'],
    ['an order with half a cent', withOrder({ amount_paid: 3000.5 }), 'order.amount_paid'],
    ['an order with a negative amount', withOrder({ amount_paid: -1 }), 'order.amount_paid'],
    ['an order with an amount beyond exact numbers', withOrder({ amount_paid: 2 ** 53 }), 'order.amount_paid'],
    ['an order with an amount as a text', withOrder({ amount_paid: '3000' }), 'order.amount_paid'],
    ['an order without a currency', withOrder({ currency: '' }), 'order.currency'],
    ['a refund without an id', withObject(refundCreated, { id: '' }), 'id'],
    ['a refund with an id of another form', withObject(refundCreated, { id: 'ref_1#2' }), 'id'],
    ['a refund of an unknown status', withObject(refundCreated, { status: 'done' }), 'status'],
    ['a refund without a transaction', withObject(refundCreated, { transaction: null }), 'transaction'],
    ['a dispute without an amount', withObject(disputeCreated, { amount: null }), 'amount'],
    ['no mode at all', withEntities(checkout, ({ mode: _, ...entity }) => entity), 'mode'],
  ])('is needed again, and its wrong fields are named: %s', (_, event, field) => {
    const reading = read(...delivery(event));
    expect(reading).toEqual({
      ...{ kind: 'unreadable', needed: true, fields: [field] },
      ...{ eventId: event.id, eventType: event.eventType },
    });
  });

  it.each([
    ['no JSON', '{"id":"evt_1","eventType":"checkout.completed"'],
    ['nothing', ''],
    ['a list', '[]'],
    ['an event without a type', '{"id":"evt_1","object":{}}'],
  ])('is needed again, because it may be one that we need: %s', (_, body) =>
    expect(read(...delivery(body))).toMatchObject({ kind: 'unreadable', needed: true, eventType: null }),
  );

  it('is needed again if its bytes are not UTF-8', () => {
    const body = Buffer.concat([bytes(checkout), Buffer.of(0xff)]);
    expect(read({ 'creem-signature': sign(body) }, body)).toMatchObject({ kind: 'unreadable', needed: true });
  });

  it('shows nothing of the customer', () => {
    const reading = JSON.stringify(read(...delivery(withOrder({ amount_paid: 'ada@example.test' }))));
    expect(reading).toContain('order.amount_paid');
    expect(reading).not.toContain('example.test');
  });
});

describe('the signature of an event', () => {
  const body = bytes(checkout);
  const right = sign(body);
  const check = (signature: string | readonly string[] | undefined, signed = body) =>
    read({ 'creem-signature': signature }, signed);

  it.each<[string, string | readonly string[] | undefined, string]>([
    ['is missing', undefined, 'header_missing'],
    ['is empty', '', 'header_missing'],
    ['is there twice', [right, right], 'header_missing'],
    ['is truncated', right.slice(0, -1), 'wrong_length'],
    ['is longer', `${right}0`, 'wrong_length'],
    ['has a prefix', `sha256=${right}`, 'wrong_length'],
    ['has the same number of other characters', 'é'.repeat(64), 'wrong_length'],
    ['is that of another secret', sign(body, 'another'), 'no_match'],
    ['is that of an empty secret', sign(body, ''), 'no_match'],
    ['has one wrong digit', `${right.slice(0, -1)}${right.endsWith('0') ? '1' : '0'}`, 'no_match'],
    ['is in capital letters', right.toUpperCase(), 'no_match'],
    ['is the secret', SECRET.padEnd(64, '0'), 'no_match'],
  ])('that %s is refused, and the check is named', (_, signature, failed) =>
    expect(check(signature)).toEqual({ kind: 'bad_signature', check: failed }),
  );

  it('is over the bytes as they were sent', () => {
    expect(check(right)).toMatchObject({ kind: 'facts' });
    const spaced = bytes(JSON.stringify(checkout, null, 2));
    expect(check(right, spaced)).toEqual({ kind: 'bad_signature', check: 'no_match' });
    expect(check(sign(spaced), spaced)).toMatchObject({ kind: 'facts' });
    expect(check(right, body.subarray(0, -1))).toEqual({ kind: 'bad_signature', check: 'no_match' });
    expect(check(right, Buffer.concat([body, Buffer.from(' ')]))).toEqual({ kind: 'bad_signature', check: 'no_match' });
  });

  it('in other headers does not count', () => {
    const headers = {
      'x-creem-signature': right,
      'webhook-id': 'evt_0001',
      'webhook-timestamp': '1794564011',
      'webhook-signature': `v1,${right}`,
    };
    expect(read(headers, body)).toEqual({ kind: 'bad_signature', check: 'header_missing' });
  });

  it.each(['', ' '])('needs a secret: "%s"', (secret) => {
    expect(() => createWebhookReader({ secret, modes: TEST_MODES })).toThrow('empty');
  });
});

describe('the mode of an event', () => {
  const live = createWebhookReader({ secret: SECRET, modes: new Set(['prod']) });
  const inMode = (mode: string, name = 'checkout.completed'): CreemEvent =>
    withEntities(sample(name), (entity) => ('mode' in entity ? { ...entity, mode } : entity));

  it('is that of the environment', () => {
    for (const mode of TEST_MODES) expect(read(...delivery(inMode(mode)))).toMatchObject({ kind: 'facts' });
    expect(live(...delivery(inMode('prod')))).toMatchObject({ kind: 'facts' });
  });

  it.each(['prod', 'live', 'TEST', ''])('is wrong in the test environment: "%s"', (mode) =>
    expect(read(...delivery(inMode(mode)))).toEqual({
      ...{ kind: 'wrong_mode', mode, eventId: 'evt_0001', eventType: 'checkout.completed' },
    }),
  );

  it.each(['test', 'sandbox', 'local', 'live'])('is wrong in production: "%s"', (mode) =>
    expect(live(...delivery(inMode(mode)))).toMatchObject({ kind: 'wrong_mode', mode }),
  );

  it('is wrong if one part of the event has another', () => {
    const order = { ...(checkout.object['order'] as object), mode: 'prod' };
    expect(read(...delivery(withObject(checkout, { order })))).toMatchObject({ kind: 'wrong_mode', mode: 'prod' });
  });

  it('is checked for events that are ignored, too, and after the signature', () => {
    const event = inMode('prod', 'subscription.paid');
    expect(read(...delivery(event))).toMatchObject({ kind: 'wrong_mode' });
    expect(read({ 'creem-signature': sign('') }, bytes(event))).toMatchObject({ kind: 'bad_signature' });
  });
});
