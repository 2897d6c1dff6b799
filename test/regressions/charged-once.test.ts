import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCuttingProxy, type CuttingProxy } from '../support/postgres/cutting-proxy.ts';
import { says, streams } from '../support/scripted-upstream.ts';
import { SOON } from '../support/soon.ts';
import { ask, costing, statusOf } from './support/customers.ts';
import { costOf } from '../support/money.ts';
import { completion, finish, gate, report, stream, tokensOf, usageOf, word } from './support/provider.ts';
import { useTarget, type Customer } from './support/target.ts';

const at = useTarget({ nodes: 2 });
const messages = [{ role: 'user' as const, content: 'How are you?' }];
const one = async (): Promise<bigint> => costOf(tokensOf(9, 3), await at.target.prices(at.target.model));

describe('retry billed twice', () => {
  let internet: CuttingProxy;
  beforeAll(async () => {
    internet = await createCuttingProxy(at.target.nodes[0] ?? '');
  });
  afterAll(() => internet.close());

  /** The official client. It retries requests that failed with 5xx or whose response was lost. */
  const sdk = ({ apiKey }: Customer): OpenAI => {
    const { pathname } = new URL(at.target.nodes[0] ?? '');
    return new OpenAI({ apiKey, baseURL: internet.url + pathname, maxRetries: 2 });
  };

  it('charges only the delivered response when the SDK retries after a 5xx', async () => {
    const { target } = at;
    const customer = await target.openCustomer('1.00');
    const { length } = target.upstream.bodies;
    target.upstream.play(says('{}', { status: 500 }), (response) => response.destroy(), completion(usageOf(9, 3)));
    const cost = await costing(target, customer, () =>
      sdk(customer).chat.completions.create({ model: target.model, messages }),
    );
    expect(target.upstream.bodies).toHaveLength(length + 3);
    expect(cost).toBe(await one());
  });

  it('charges a lost response once under an Idempotency-Key, however often it is requested', async () => {
    const { target } = at;
    const customer = await target.openCustomer('1.00');
    const { length } = target.upstream.bodies;
    target.upstream.play(completion(usageOf(9, 3)));
    internet.cut(2);
    const order = { headers: { 'Idempotency-Key': 'order 1' } };
    const cost = await costing(target, customer, () =>
      sdk(customer)
        .chat.completions.create({ model: target.model, messages }, order)
        .then(
          () => undefined,
          () => undefined,
        ),
    );
    expect(internet.cuts).toBeGreaterThan(0);
    expect(target.upstream.bodies).toHaveLength(length + 1);
    expect(cost).toBe(await one());
  });

  it('carries out a key that two nodes receive at the same time on one of them', async () => {
    const { target } = at;
    const customer = await target.openCustomer('1.00');
    const { length } = target.upstream.bodies;
    const provider = gate(completion(usageOf(9, 3)));
    target.upstream.play(provider.script);
    const cost = await costing(target, customer, async () => {
      const asked = Array.from({ length: 10 }, (_, n) =>
        statusOf(ask(target, customer, { node: n % 2, idempotencyKey: 'k' })),
      );
      let refused = 0;
      for (const status of asked) void status.then((told) => told === 409 && refused++);
      await expect.poll(() => refused, SOON).toBe(9);
      provider.open();
      expect((await Promise.all(asked)).filter((status) => status === 200)).toHaveLength(1);
    });
    expect(target.upstream.bodies).toHaveLength(length + 1);
    expect(cost).toBe(await one());
  });
});

describe('double settle', () => {
  const twice = [word, word, word, finish, report(usageOf(9, 3)), report(usageOf(9, 3)), '[DONE]', '[DONE]'];

  it('charges once if a provider sends its usage and its end twice', async () => {
    const { target } = at;
    const customer = await target.openCustomer('1.00');
    target.upstream.play(streams(...twice, ...twice));
    expect(await costing(target, customer, () => ask(target, customer, { stream: true }).answer)).toBe(await one());
  });

  it('charges the last usage if a provider sends a growing usage in every chunk', async () => {
    const { target } = at;
    const customer = await target.openCustomer('1.00');
    const reports = [1, 2, 3].map((output) => report(usageOf(9, output)));
    target.upstream.play(streams(word, word, word, ...reports, finish, '[DONE]'));
    expect(await costing(target, customer, () => ask(target, customer, { stream: true }).answer)).toBe(await one());
  });

  it('ends a hold once if the provider ends and the client disconnects at the same moment', async () => {
    const { target } = at;
    const customer = await target.openCustomer('1.00');
    target.upstream.play(stream(3, usageOf(9, 3)));
    const cost = await costing(target, customer, () =>
      Promise.all(
        Array.from({ length: 20 }, async (_, n) => {
          const sent = ask(target, customer, { node: n % 2, stream: true });
          // Everything that is charged has been delivered; only the end of the response is missing.
          await expect.poll(() => sent.words(), { ...SOON, interval: 1 }).toBe(3);
          sent.leave();
          await sent.answer;
        }),
      ),
    );
    expect(cost).toBe(20n * (await one()));
    // It stays so: nothing charges or releases it again later.
    expect(await costing(target, customer, () => ask(target, customer, { stream: true }).answer)).toBe(await one());
  });
});
