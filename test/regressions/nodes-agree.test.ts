import { describe, expect, it } from 'vitest';
import { says } from '../support/scripted-upstream.ts';
import { generationOf, type Answer } from '../support/requests.ts';
import { ask, expectSettled, settled } from './support/customers.ts';
import { costOf, nanoUsd, sum } from '../support/money.ts';
import { breaksAfter, byName, completion, stream, tokensOf, usageOf, word } from './support/provider.ts';
import { need, useTarget, type Customer } from './support/target.ts';

const at = useTarget({ nodes: 2 });

describe('drift', () => {
  it('counts what two nodes serve once, on both', async () => {
    const { target } = at;
    const customer = await target.openCustomer('1.00');
    target.upstream.play(completion(usageOf(9, 3)));
    for (let round = 0; round < 3; round++) {
      const asked = Array.from({ length: 20 }, (_, n) => ask(target, customer, { node: n % 2 }).answer);
      expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(asked.map(() => 200));
    }
    const spent = 60n * costOf(tokensOf(9, 3), await target.prices(target.model));
    await expectSettled(target, customer, nanoUsd('1.00') - spent);
    if (!customer.totals) return;
    for (const node of [0, 1]) {
      expect(await customer.totals(node)).toEqual({ credited: nanoUsd('1.00'), spent, byKey: spent });
    }
  });
});

describe('an event skipped', () => {
  const scripts = {
    whole: completion(usageOf(9, 3)),
    stream: stream(3, usageOf(9, 3)),
    fails: says('{}', { status: 500 }),
    breaks: breaksAfter(word, word),
  };
  const names = Object.keys(scripts) as (keyof typeof scripts)[];

  const rush = async (customer: Customer): Promise<readonly Answer[]> => {
    const { target } = at;
    target.upstream.play(byName(scripts));
    // Two customers at once, so that the appends of the nodes interleave.
    return Promise.all(
      Array.from({ length: 80 }, (_, n) => {
        const content = names[n % names.length] ?? 'whole';
        const streamed = content === 'stream' || content === 'breaks';
        return ask(target, customer, { node: (n >> 2) % 2, content, stream: streamed, maxTokens: 100 }).answer;
      }),
    );
  };

  it('has each request of the history, and no other, in receipts and totals on both nodes', async (context) => {
    const { target } = at;
    const customers = await Promise.all([target.openCustomer('1.00'), target.openCustomer('1.00')]);
    const answers = await Promise.all(customers.map(rush));
    for (const [n, customer] of customers.entries()) {
      const history = need(context, customer.history, 'history');
      const receipt = need(context, customer.receipt, 'receipts');
      const totals = need(context, customer.totals, 'totals');
      const left = await settled(target, customer);
      const entries = await history();
      const generations = new Set(entries.flatMap(({ generationId }) => generationId ?? []));
      expect(generations.size).toBe(80);
      for (const answer of answers[n] ?? []) {
        const id = generationOf(answer);
        if (answer.status === 200) expect(generations).toContain(id);
      }
      const receipts = [...generations].map(async (id) => {
        const own = entries.filter(({ generationId }) => generationId === id);
        const charges = own.filter(({ kind }) => kind === 'charged');
        const expected = {
          status: charges.length > 0 ? 'settled' : 'released',
          cost: sum(charges.map(({ amount }) => amount)),
        };
        for (const node of [0, 1]) expect(await receipt(id, node)).toMatchObject(expected);
      });
      await Promise.all(receipts);
      const spent = sum(entries.filter(({ kind }) => kind === 'charged').map(({ amount }) => amount));
      expect(spent).toBe(nanoUsd('1.00') - left);
      for (const node of [0, 1]) {
        expect(await totals(node)).toEqual({ credited: nanoUsd('1.00'), spent, byKey: spent });
      }
    }
  });
});
