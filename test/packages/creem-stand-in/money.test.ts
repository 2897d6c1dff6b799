import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refusal, TEST_CARDS, createStateFile } from '@kissapi/creem-stand-in';
import { START, createReceiver, createTestShop } from './shop.ts';
import type { TestShop } from './shop.ts';

let shop: TestShop;
beforeEach(async () => {
  shop = await createTestShop();
});
afterEach(() => shop.close());

const fetched = async (id: string) => (await shop.call('GET', `/transactions?transaction_id=${id}`)).json;
const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return 'none';
};

describe('a payment', () => {
  it.each([
    ['US', 2_500, 0],
    ['FR', 2_500, 500],
    ['DE', 2_500, 475],
    ['CH', 2_500, 203],
  ])('from %s adds the tax of the country to what was asked', async (country, amount, tax) => {
    const { order, transaction } = await shop.sell({}, { country });
    const sums = { amount, tax_amount: tax, amount_paid: amount + tax };
    expect(order).toMatchObject({ ...sums, sub_total: amount, discount_amount: 0, amount_due: amount + tax });
    expect(transaction).toMatchObject({ ...sums, tax_country: country, status: 'paid', refunded_amount: null });
  });

  it('with a discount code pays less, and the tax is that of what is paid', async () => {
    const { order } = await shop.sell({}, { discountCode: 'tenoff' });
    expect(order).toMatchObject({
      sub_total: 2_500,
      discount_amount: 250,
      amount: 2_250,
      tax_amount: 450,
      amount_paid: 2_700,
    });
    expect((await shop.sell({ custom_price: 300 }, { discountCode: 'FIVEOFF' })).order).toMatchObject({
      amount_paid: 0,
    });
  });

  it('can state another amount or currency than was asked', async () => {
    const { order } = await shop.sell({}, { country: 'US', instead: { subTotal: 9_900, currency: 'EUR' } });
    expect(order).toMatchObject({ amount_paid: 9_900, currency: 'EUR' });
  });

  it('is declined by the other test cards, and by any number that is not one of them', async () => {
    const { id } = await shop.open();
    const outcomes = [...TEST_CARDS.slice(1).map(({ number }) => number), '5555 5555 5555 4444'].map((card) =>
      shop.control.pay(id as string, { card }),
    );
    expect(outcomes.map((one) => one.kind === 'declined' && one.code)).toEqual([
      ...['card_declined', 'insufficient_funds', 'incorrect_cvc', 'expired_card', 'not_a_test_card'],
    ]);
    expect(shop.control.events()).toEqual([]);
    expect(shop.control.pay(id as string, { card: '4242 4242 4242 4242' })).toMatchObject({ kind: 'paid' });
    expect(codeOf(() => shop.control.pay(id as string))).toBe('already_paid');
  });

  it('that is abandoned changes nothing and can still be made', async () => {
    const { id } = await shop.open();
    shop.control.abandon(id as string);
    expect(shop.control.events()).toEqual([]);
    expect(shop.control.pay(id as string).kind).toBe('paid');
    const expired = await shop.open();
    shop.control.expire(expired.id as string);
    expect(codeOf(() => shop.control.pay(expired.id as string))).toBe('expired');
  });
});

describe('a refund', () => {
  it('by the API is full, answers only its status, and is refused the second time', async () => {
    const { transaction } = await shop.sell();
    const body = { transaction_id: transaction.id };
    expect(await shop.call('POST', '/refunds', body)).toEqual({ status: 200, json: { status: 'succeeded' } });
    expect(await fetched(transaction.id)).toMatchObject({ status: 'refunded', refunded_amount: 3_000 });
    expect((await shop.call('POST', '/refunds', body)).status).toBe(400);
    const event = JSON.parse(shop.control.events().at(-1)?.body ?? '');
    expect(event).toMatchObject({ eventType: 'refund.created', object: { refund_amount: 3_000, status: 'succeeded' } });
  });

  it('in parts adds up to what was paid, and not beyond', async () => {
    const { transaction } = await shop.sell();
    shop.control.refund(transaction.id, { amount: 1_200 });
    expect(await fetched(transaction.id)).toMatchObject({ status: 'partialRefund', refunded_amount: 1_200 });
    expect(codeOf(() => shop.control.refund(transaction.id, { amount: 1_801 }))).toBe('invalid_amount');
    expect((await shop.call('POST', '/refunds', { transaction_id: transaction.id })).status).toBe(400);
    shop.control.refund(transaction.id);
    expect(await fetched(transaction.id)).toMatchObject({ status: 'refunded', refunded_amount: 3_000 });
  });

  it('that is pending changes the transaction only when it is final, without an event', async () => {
    shop.control.setRefundStatus('pending');
    const [one, other] = [await shop.sell(), await shop.sell()];
    for (const { transaction } of [one, other]) {
      const { json } = await shop.call('POST', '/refunds', { transaction_id: transaction.id });
      expect(json).toEqual({ status: 'pending' });
      expect(await fetched(transaction.id)).toMatchObject({ status: 'paid', refunded_amount: null });
    }
    const events = shop.control.events().length;
    const [first = '', second = ''] = shop.control.refunds().map(({ id }) => id);
    shop.control.settleRefund(first, 'succeeded');
    shop.control.settleRefund(second, 'failed');
    expect(await fetched(one.transaction.id)).toMatchObject({ status: 'refunded' });
    expect(await fetched(other.transaction.id)).toMatchObject({ status: 'paid' });
    expect(shop.control.events()).toHaveLength(events);
    expect(codeOf(() => shop.control.settleRefund(first, 'failed'))).toBe('already_final');
  });
});

describe('a dispute', () => {
  it('charges back what is left; it is won or lost without an event', async () => {
    const [won, lost] = [await shop.sell(), await shop.sell()];
    shop.control.refund(won.transaction.id, { amount: 1_200 });
    const first = shop.control.dispute(won.transaction.id);
    const second = shop.control.dispute(lost.transaction.id);
    expect([first.amount, second.amount]).toEqual([1_800, 3_000]);
    expect(await fetched(won.transaction.id)).toMatchObject({ status: 'chargedBack', refunded_amount: 3_000 });
    expect(codeOf(() => shop.control.refund(won.transaction.id))).toBe('invalid_amount');
    const events = shop.control.events().length;
    shop.control.winDispute(first.id);
    shop.control.loseDispute(second.id);
    expect(await fetched(won.transaction.id)).toMatchObject({ status: 'partialRefund', refunded_amount: 1_200 });
    expect(await fetched(lost.transaction.id)).toMatchObject({ status: 'chargedBack' });
    expect(shop.control.events()).toHaveLength(events);
    expect(codeOf(() => shop.control.winDispute(second.id))).toBe('already_closed');
  });

  it('cancels refunds that are not final', async () => {
    const { transaction } = await shop.sell();
    const { id } = shop.control.refund(transaction.id, { status: 'pending' });
    expect(shop.control.dispute(transaction.id).amount).toBe(3_000);
    expect(shop.control.refunds().find((one) => one.id === id)?.status).toBe('canceled');
  });
});

describe('a payout', () => {
  it('has a line for each sale, refund, chargeback and fee, and its nets add up to it', async () => {
    const sales = [await shop.sell(), await shop.sell(), await shop.sell({ custom_price: 20_000 })];
    const [refunded = '', disputed = ''] = sales.map(({ transaction }) => transaction.id);
    shop.control.refund(refunded, { amount: 1_200 });
    const dispute = shop.control.dispute(disputed);
    shop.control.winDispute(dispute.id);
    const payout = shop.control.closePayout();
    const rows = shop.control.statement(payout.id).trimEnd().split('\r\n');
    expect(rows[0]).toBe(
      'payout_id,date,type,transaction_id,order_id,request_id,reference_id,currency,gross,tax,fee,net',
    );
    expect(rows.slice(1).map((row) => row.split(',').slice(2, 4).concat(row.split(',').slice(8)).join(' '))).toEqual([
      `payment ${refunded} 30.00 5.00 1.57 23.43`,
      `payment ${disputed} 30.00 5.00 1.57 23.43`,
      `payment ${sales[2]?.transaction.id ?? ''} 240.00 40.00 9.76 190.24`,
      `refund ${refunded} -12.00 -2.00 0.00 -10.00`,
      `chargeback ${disputed} -30.00 -5.00 0.00 -25.00`,
      `chargeback_fee ${disputed} 0.00 0.00 25.00 -25.00`,
      `chargeback_reversal ${disputed} 30.00 5.00 0.00 25.00`,
      'payout_fee  0.00 0.00 7.00 -7.00',
    ]);
    expect(payout.amount).toBe(19_510);
    expect(payout.lines.reduce((sum, { net }) => sum + net, 0)).toBe(payout.amount);
    expect(shop.control.balance()).toBe(0);
  });

  it('has the fee of each sale rounded down, and that of moderation once it is a cent', async () => {
    await shop.sell({ custom_price: 2_000 });
    const screen = (prompt: string) => shop.call('POST', '/moderation/prompt', { prompt });
    await screen('a'.repeat(33_000));
    expect(shop.control.closePayout({ minimum: 0 }).lines.map(({ type, fee }) => [type, fee])).toEqual([
      ['payment', 133],
      ['payout_fee', 700],
    ]);
    await screen('b');
    await shop.sell({ custom_price: 100_000 });
    expect(shop.control.closePayout().lines.map(({ type, fee }) => [type, fee])).toEqual([
      ['payment', 4_720],
      ['moderation_fee', 1],
      ['payout_fee', 953],
    ]);
  });

  it('is refused below the minimum of 50.00 unless another is stated', async () => {
    await shop.sell();
    expect(codeOf(() => shop.control.closePayout())).toBe('below_minimum');
    expect(shop.control.closePayout({ minimum: 0 }).amount).toBe(1_643);
    expect(codeOf(() => shop.control.closePayout({ minimum: 0 }))).toBe('below_minimum');
  });
});

describe('the state', () => {
  it('outlives the process in a file that only its owner reads, with every id used once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'creem-stand-in-'));
    const file = join(folder, 'creem.json');
    const first = await createTestShop({ storage: createStateFile(file) });
    const { transaction, checkout } = await first.sell();
    await first.close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const second = await createTestShop({ storage: createStateFile(file), seed: 'another' });
    expect(second.productId).toBe(first.productId);
    expect(second.control.transactions()).toEqual([transaction]);
    expect(second.control.deliveries()).toMatchObject([{ state: 'scheduled', nextAttemptAt: START }]);
    expect((await second.call('GET', `/checkouts?checkout_id=${checkout.id as string}`)).json.status).toBe('completed');
    expect((await second.sell()).transaction.id).not.toBe(transaction.id);
    await second.close();
    rmSync(folder, { recursive: true });
  });

  it('has no address for deliveries after a start, and an attempt that the end cut off is made again', async () => {
    let saved: string | undefined;
    const storage = { load: () => saved, save: (json: string) => void (saved = json) };
    const receiver = await createReceiver();
    receiver.status = 0;
    const first = await createTestShop({ storage, webhookUrl: receiver.url });
    await first.sell();
    const delivering = first.control.deliverDue();
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1));
    await first.close();
    expect(await delivering).toEqual([]);
    receiver.status = 200;
    const second = await createTestShop({ storage });
    expect(await second.control.deliverDue()).toEqual([]);
    second.control.deliverTo(receiver.url);
    expect(await second.control.deliverDue()).toMatchObject([{ state: 'delivered', attempts: [{ at: START }] }]);
    expect(receiver.received[1]?.body).toBe(receiver.received[0]?.body);
    await second.close();
    await receiver.close();
  });

  it('is refused if it is not one of the stand-in', async () => {
    const storage = { load: () => '{"version":2}', save: () => undefined };
    await expect(createTestShop({ storage })).rejects.toThrow('not one of this stand-in');
  });

  it('needs an API key and a webhook secret', async () => {
    await expect(createTestShop({ webhookSecret: '' })).rejects.toThrow(TypeError);
    await expect(createTestShop({ apiKey: '' })).rejects.toThrow(TypeError);
  });
});
