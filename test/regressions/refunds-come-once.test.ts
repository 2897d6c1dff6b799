import { describe, expect, it, type TestContext } from 'vitest';
import { costOf, nanoUsd } from '../support/money.ts';
import { says } from '../support/scripted-upstream.ts';
import { SOON } from '../support/soon.ts';
import { ask, expectSettled, settled } from './support/customers.ts';
import { breaksAfter, completion, tokensOf, usageOf } from './support/provider.ts';
import { need, useTarget } from './support/target.ts';

const at = useTarget({ nodes: 2, payments: true });

const DAY_MS = 24 * 60 * 60_000;
/** Its output is dear, so that one request can spend most of a payment. */
const DEAR_MODEL = 'gpt-5.1';

/** A customer that has paid, and what the books must show of it. */
const openPaid = async (context: TestContext, usd: string) => {
  const { target } = at;
  // Grants pay before payments: this one is used up by the first request.
  const customer = await target.openCustomer('0.000000001');
  const payments = need(context, target.payments, 'payments through a partner');
  const own = need(context, customer.payments, 'payments through a partner');
  const totals = need(context, customer.totals, 'totals');
  const { partner, deliver } = payments;
  let credited = 1n;

  const pay = async (usd: string) => {
    const { paymentId, checkoutId } = await own.topUp(usd);
    const outcome = partner.pay(checkoutId, { country: 'US' });
    if (outcome.kind !== 'paid') throw new Error(outcome.kind);
    expect(await deliver(outcome.eventId)).toBe(200);
    credited += nanoUsd(usd);
    await expect.poll(async () => (await own.figures()).toppedUp, SOON).toBe(credited);
    return { paymentId, transactionId: outcome.transaction.id };
  };

  /** On both nodes. Nothing is ever credited by a refund, and nothing that was spent grows or shrinks by it. */
  const expectBooks = async (expected: {
    readonly refunded: bigint;
    readonly spent: bigint;
    readonly debt?: bigint;
  }) => {
    const { refunded, spent, debt = 0n } = expected;
    await expect.poll(async () => (await own.figures()).refunded, SOON).toBe(refunded);
    await expect.poll(async () => (await own.figures()).debt, SOON).toBe(debt);
    const balance = await settled(target, customer);
    for (const node of [0, 1]) {
      expect(await own.figures(node)).toEqual({ balance, toppedUp: credited, charged: spent, refunded, debt });
      // What was refunded is no longer among the credits.
      expect(await totals(node)).toEqual({ credited: balance + spent, spent, byKey: spent });
    }
    return balance;
  };

  /** Delivers the newest event of the partner again and again, on both nodes. */
  const report = async (): Promise<void> => {
    const { id } = partner.events().at(-1) ?? { id: '' };
    const all = () => Promise.all([0, 1, 0, 1].map((node) => deliver(id, { node })));
    for (let n = 0; n < 2; n++) expect(await all()).toEqual([200, 200, 200, 200]);
  };

  /** Spends most of a payment of 1.00. Returns the costs. */
  const spend = async (): Promise<bigint> => {
    target.upstream.play(completion(usageOf(9, 80_000)));
    expect((await ask(target, customer, { model: DEAR_MODEL, maxTokens: 90_000 }).answer).status).toBe(200);
    return costOf(tokensOf(9, 80_000), await target.prices(DEAR_MODEL));
  };
  return { ...{ customer, own, partner, payments, pay, spend, report, expectBooks }, ...(await pay(usd)) };
};

describe('refund inflates totals or repeats', () => {
  it('refunds once what is approved twice, on two nodes, and reported again and again', async (context) => {
    const { own, partner, report, expectBooks, paymentId, transactionId } = await openPaid(context, '10.00');
    const refundId = await own.askRefund(paymentId);
    const answers = await Promise.all([0, 1, 0, 1].map((node) => own.approve(paymentId, refundId, node)));
    expect(answers).toEqual([200, 200, 200, 200]);
    const refunds = () => partner.refunds().filter(({ transaction }) => transaction === transactionId);
    await expect.poll(refunds, SOON).toHaveLength(1);
    await report();
    expect(await expectBooks({ refunded: nanoUsd('10.00'), spent: 0n })).toBe(1n);
    await own.approve(paymentId, refundId, 1);
    await report();
    expect(await expectBooks({ refunded: nanoUsd('10.00'), spent: 0n })).toBe(1n);
    expect(refunds()).toMatchObject([{ amount: 1000 }]);
  });

  it('takes a refund that was not requested once, however often it is reported', async (context) => {
    const { partner, report, spend, expectBooks, transactionId } = await openPaid(context, '2.00');
    const spent = await spend();
    for (const [n, amount] of [50, 50, 10].entries()) {
      partner.refund(transactionId, { amount });
      await report();
      const refunded = nanoUsd(['0.50', '1.00', '1.10'][n] ?? '');
      expect(await expectBooks({ refunded, spent })).toBe(nanoUsd('2.000000001') - spent - refunded);
    }
  });

  it('finds a refund of which the webhook is lost, once', async (context) => {
    const { partner, payments, report, expectBooks, transactionId } = await openPaid(context, '10.00');
    partner.refund(transactionId, { amount: 400 });
    await payments.pass(DAY_MS);
    const expected = { refunded: nanoUsd('4.00'), spent: 0n };
    expect(await expectBooks(expected)).toBe(nanoUsd('6.000000001'));
    await report();
    expect(await expectBooks(expected)).toBe(nanoUsd('6.000000001'));
  });

  it('never makes the balance negative: what was spent of a refunded payment is owed, and repaid once', async (context) => {
    const { pay, partner, report, spend, expectBooks, transactionId } = await openPaid(context, '1.00');
    const spent = await spend();
    const left = nanoUsd('1.000000001') - spent;
    partner.refund(transactionId);
    await report();
    const debt = nanoUsd('1.00') - left;
    expect(await expectBooks({ refunded: left, spent, debt })).toBe(0n);
    await pay('5.00');
    expect(await expectBooks({ refunded: left, spent })).toBe(nanoUsd('5.00') - debt);
    await report();
    expect(await expectBooks({ refunded: left, spent })).toBe(nanoUsd('5.00') - debt);
  });

  it('counts released credits neither as spent nor as credited again', async (context) => {
    const { target } = at;
    const customer = await target.openCustomer('1.00');
    const totals = need(context, customer.totals, 'totals');
    // Half of them fail in ways that release everything; the others use a small part of their hold.
    const failures = [says('{}', { status: 500 }), breaksAfter(), says('<html>')];
    for (let n = 0; n < 12; n++) {
      target.upstream.play((n % 2 === 0 ? failures[(n / 2) % 3] : undefined) ?? completion(usageOf(9, 3)));
      await ask(target, customer, { node: (n >> 1) % 2, maxTokens: 2000, stream: n % 4 === 2 }).answer;
    }
    const spent = 6n * costOf(tokensOf(9, 3), await target.prices(target.model));
    await expectSettled(target, customer, nanoUsd('1.00') - spent);
    for (const node of [0, 1]) expect(await totals(node)).toEqual({ credited: nanoUsd('1.00'), spent, byKey: spent });
  });

  it('credits a compensation once, however often it is requested, and leaves the spending as it is', async (context) => {
    const { target } = at;
    const customer = await target.openCustomer('1.00');
    const grant = need(context, customer.grant, 'grants over HTTP');
    const totals = need(context, customer.totals, 'totals');
    target.upstream.play(completion(usageOf(1000, 1000)));
    await ask(target, customer, { maxTokens: 1000 }).answer;
    const spent = nanoUsd('1.00') - (await settled(target, customer));
    const good = { usd: '0.00075', reason: 'the answer was of no use', idempotencyKey: 'refund of 1' };
    for (const node of [0, 1, 0, 1]) expect(await grant({ ...good, node })).toBe(201);
    const credited = nanoUsd('1.00075');
    await expectSettled(target, customer, credited - spent);
    expect(await totals()).toEqual({ credited, spent, byKey: spent });
  });
});
