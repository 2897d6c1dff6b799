import { describe, expect, it } from 'vitest';
import { says } from '../support/scripted-upstream.ts';
import { ask, expectSettled, settled } from './support/customers.ts';
import { costOf, nanoUsd } from '../support/money.ts';
import { breaksAfter, completion, tokensOf, usageOf } from './support/provider.ts';
import { need, useTarget } from './support/target.ts';

const at = useTarget({ nodes: 2 });

// Credits are granted by the administrator today. The parts of this class that concern payments follow with payments: signed
// webhooks, a webhook that arrives before its checkout, and disputes that take credits back.
describe('payment credited twice, never, or wrongly', () => {
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

// Today only unused holds are released. Refunds of money follow with payments.
describe('refund inflates totals or repeats', () => {
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

// No route edits an account's notes or sets its balance. What can be edited, its keys and its suspension, is written to the
// same account that requests are charged to.
describe('lost update', () => {
  it('loses no change when edits, grants and charges run at the same time on two nodes', async (context) => {
    const { target } = at;
    const customer = await target.openCustomer('1.00');
    const edits = need(context, customer.edits, 'edits over HTTP');
    const grant = need(context, customer.grant, 'grants over HTTP');
    target.upstream.play(completion(usageOf(9, 3)));
    const [served] = await Promise.all([
      Promise.all(
        Array.from({ length: 60 }, async (_, n) => {
          await new Promise((resolve) => setTimeout(resolve, 5 * n));
          return (await ask(target, customer, { node: n % 2 }).answer).status === 200;
        }),
      ),
      Promise.all(Array.from({ length: 20 }, (_, n) => grant({ usd: '0.000001', node: n % 2 }))),
      // One after another, because a suspended account gets no key.
      (async () => {
        for (let n = 0; n < 6; n++) for (const edit of edits) await edit(n % 2);
      })(),
    ]);
    const charged = BigInt(served.filter(Boolean).length);
    expect(charged).toBeGreaterThan(0n);
    const spent = charged * costOf(tokensOf(9, 3), await target.prices(target.model));
    await expectSettled(target, customer, nanoUsd('1.00002') - spent);
  });

  it('changes nothing by reading', async (context) => {
    const { target } = at;
    const customer = await target.openCustomer('1.00');
    const history = need(context, customer.history, 'history');
    target.upstream.play(completion(usageOf(9, 3)));
    await ask(target, customer).answer;
    const left = await settled(target, customer);
    const before = await history();
    for (let n = 0; n < 5; n++) {
      await Promise.all([customer.balance(n % 2), customer.totals?.(n % 2), history()]);
    }
    expect(await history()).toEqual(before);
    await expectSettled(target, customer, left);
  });
});
