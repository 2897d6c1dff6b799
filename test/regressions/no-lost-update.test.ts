import { describe, expect, it } from 'vitest';
import { costOf, nanoUsd } from '../support/money.ts';
import { ask, expectSettled, settled } from './support/customers.ts';
import { completion, tokensOf, usageOf } from './support/provider.ts';
import { need, useTarget } from './support/target.ts';

const at = useTarget({ nodes: 2 });

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
