import { describe, expect, it } from 'vitest';
import { SOON } from '../support/soon.ts';
import { errorOf } from '../support/requests.ts';
import { ask, expectSettled, isShort, settled, statusOf } from './support/customers.ts';
import { costOf, nanoUsd, usdOf } from '../support/money.ts';
import { completion, gate, stream, tokensOf, usageOf } from './support/provider.ts';
import { useTarget } from './support/target.ts';

const at = useTarget({ nodes: 2 });

describe('overdraw under concurrency', () => {
  /**
   * No request is answered before all of them were admitted or refused. A gateway that reads the balance, compares, and
   * deducts after the response admits all of them.
   */
  const rush = async (model: string, credit: string, asked: number, output: number): Promise<void> => {
    const { target } = at;
    const customer = await target.openCustomer(credit);
    const cost = costOf(tokensOf(10, output), await target.prices(model));
    expect(cost * BigInt(asked)).toBeGreaterThan(nanoUsd(credit));
    const provider = gate(completion(usageOf(10, output)));
    target.upstream.play(provider.script);

    let refused = 0;
    const answers = Array.from({ length: asked }, async (_, n) => {
      const answer = await ask(target, customer, { node: n % 2, model, maxTokens: output }).answer;
      if (isShort(answer)) refused++;
      return answer;
    });
    await expect.poll(() => provider.waiting() + refused, SOON).toBe(asked);
    const served = provider.waiting();
    provider.open();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(served);
    expect(statuses.filter((status) => status === 402)).toHaveLength(asked - served);
    expect(served).toBeGreaterThan(0);
    await expectSettled(target, customer, nanoUsd(credit) - cost * BigInt(served));
  };

  it('admits only what a small balance pays for', () => rush(at.target.model, '0.01', 60, 1000));

  it('admits only what a large balance pays for, which other gateways do not check', () =>
    rush('gpt-4o', '12.00', 80, 16_384));

  it('counts a hold against the next request, also on another node', async () => {
    const { target } = at;
    const cost = costOf(tokensOf(400, 2000), await target.prices(target.model));
    const customer = await target.openCustomer(usdOf(cost));
    const provider = gate(completion(usageOf(10, 2000)));
    target.upstream.play(provider.script);
    const first = ask(target, customer, { maxTokens: 2000 }).answer;
    await expect.poll(() => provider.waiting(), SOON).toBe(1);
    for (const node of [0, 1]) {
      const answer = await ask(target, customer, { node, maxTokens: 1900 }).answer;
      expect(isShort(answer)).toBe(true);
    }
    expect(provider.waiting()).toBe(1);
    provider.open();
    expect((await first).status).toBe(200);
    const spent = costOf(tokensOf(10, 2000), await target.prices(target.model));
    await expectSettled(target, customer, cost - spent);
  });

  it('charges at most the requested limit if a provider reports more', async () => {
    const { target } = at;
    const customer = await target.openCustomer('0.001');
    target.upstream.play(completion(usageOf(10, 20_000)));
    expect(costOf(tokensOf(10, 20_000), await target.prices(target.model))).toBeGreaterThan(nanoUsd('0.001'));
    const answers = await Promise.all(
      Array.from({ length: 4 }, (_, n) => ask(target, customer, { node: n % 2, maxTokens: 100 }).answer),
    );
    const served = answers.filter(({ status }) => status === 200).length;
    expect(served).toBeGreaterThan(0);
    const each = costOf(tokensOf(10, 100), await target.prices(target.model));
    await expectSettled(target, customer, nanoUsd('0.001') - BigInt(served) * each);
  });
});

describe('hold shrunk to fit', () => {
  it('refuses a request beyond the credit without calling the provider', async () => {
    const { target } = at;
    const customer = await target.openCustomer('0.001');
    target.upstream.play(completion(usageOf(10, 16_000)));
    const { length } = target.upstream.bodies;
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) => ask(target, customer, { node: n % 2, maxTokens: 16_000 }).answer),
    );
    expect(answers.every(isShort)).toBe(true);
    expect(target.upstream.bodies).toHaveLength(length);
    await expectSettled(target, customer, nanoUsd('0.001'));
  });

  it('caps a request without a limit at what the credit pays for', async () => {
    const { target } = at;
    const customer = await target.openCustomer('0.001');
    // The provider uses everything that it is allowed.
    target.upstream.play((response, body, request) => {
      const { max_tokens, max_completion_tokens, ...rest } = JSON.parse(body) as Readonly<
        Record<string, number | undefined>
      >;
      if ('stream' in rest) return stream(3000, usageOf(5, 3000))(response, body, request);
      completion(usageOf(5, max_completion_tokens ?? max_tokens ?? 16_384))(response, body, request);
    });
    const { length } = target.upstream.bodies;
    const answer = await ask(target, customer).answer;
    const left = await settled(target, customer);
    if (isShort(answer)) return expect(left).toBe(nanoUsd('0.001'));
    const asked = JSON.parse(target.upstream.bodies[length] ?? '{}') as Readonly<Record<string, number>>;
    // A gateway may hold for the answer in steps, if it asks for a stream, which it ends then.
    if ('stream' in asked) return expect(left >= 0n && left < nanoUsd('0.0001')).toBe(true);
    const limit = asked['max_completion_tokens'] ?? asked['max_tokens'] ?? Infinity;
    const cost = costOf(tokensOf(5, limit), await target.prices(target.model));
    expect(nanoUsd('0.001') - cost).toBe(left);
  });
});

describe('false refusal', () => {
  it('asks the client to retry if other requests hold the credit, and then serves it', async () => {
    const { target } = at;
    // Enough for the hold of one such request, and not for two.
    const wish = { maxTokens: 1000, stream: true };
    const credit = costOf(tokensOf(600, 1000), await target.prices(target.model));
    const customer = await target.openCustomer(usdOf(credit));
    const provider = gate(stream(3, usageOf(3, 3)));
    target.upstream.play(provider.script);
    const slow = ask(target, customer, wish);
    await expect.poll(() => provider.waiting(), SOON).toBe(1);

    const held = await ask(target, customer, wish).answer;
    expect(held.status).toBe(402);
    expect(Number(held.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(errorOf(held).message).toMatch(/held/);
    expect(errorOf(held).code).toMatch(/held/);

    // As an SDK does: it waits for the time in the response, and retries.
    const again = async (): Promise<number | undefined> => {
      const answer = await ask(target, customer, wish).answer;
      return answer.status;
    };
    setTimeout(provider.open, 100);
    await expect.poll(again, { ...SOON, interval: 250 }).toBe(200);
    expect(await statusOf(slow)).toBe(200);

    // Now the credit is spent, and a retry would not help.
    target.upstream.play(completion(usageOf(10, 1000)));
    await ask(target, customer, { maxTokens: 1000 }).answer;
    expect(await settled(target, customer)).toBeLessThan(costOf(tokensOf(0, 1000), await target.prices(target.model)));
    const spent = await ask(target, customer, wish).answer;
    expect(spent.status).toBe(402);
    expect(errorOf(spent).code).not.toBe(errorOf(held).code);
    expect(spent.headers.get('retry-after')).toBeNull();
  });
});
