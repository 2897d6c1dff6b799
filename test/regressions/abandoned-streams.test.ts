import { describe, expect, it } from 'vitest';
import { SOON } from '../support/soon.ts';
import { ask, costing } from './support/customers.ts';
import { costOf, sum } from '../support/money.ts';
import {
  begins,
  breaksAfter,
  completionBody,
  finish,
  paced,
  report,
  talks,
  tokensOf,
  usageOf,
  word,
} from './support/provider.ts';
import { useTarget } from './support/target.ts';

const at = useTarget();

const PROMPT = 'How are you?';
/** A prompt has at least one token, at most one for each byte, and a few that a provider adds around it. */
const LEAST_INPUT = 1;
const MOST_INPUT = PROMPT.length + 8;
const wish = { content: PROMPT, stream: true };

const between = async (cost: bigint, leastOutput: number, mostOutput: number): Promise<void> => {
  const prices = await at.target.prices(at.target.model);
  expect(cost).toBeGreaterThanOrEqual(costOf(tokensOf(LEAST_INPUT, leastOutput), prices));
  expect(cost).toBeLessThanOrEqual(costOf(tokensOf(MOST_INPUT, mostOutput), prices));
};

describe('stream aborted, unbilled', () => {
  it('charges a client that disconnects mid-stream for what was delivered, and disconnects from the provider', async () => {
    const { target } = at;
    const customer = await target.openCustomer('1.00');
    const provider = talks(5);
    target.upstream.play(provider.script);
    let seen = 0;
    const cost = await costing(target, customer, async () => {
      const sent = ask(target, customer, wish);
      await expect.poll(() => sent.words(), SOON).toBeGreaterThan(10);
      seen = sent.words();
      sent.leave();
      await expect.poll(() => provider.left(), SOON).toBe(true);
    });
    await between(cost, seen, provider.words());
  });

  it('charges a client that disconnects after the usage report exactly what was reported', async () => {
    const { target } = at;
    const customer = await target.openCustomer('1.00');
    // No [DONE]: the provider keeps the connection open.
    target.upstream.play(begins(word, word, finish, report(usageOf(77, 5))));
    const cost = await costing(target, customer, async () => {
      const sent = ask(target, customer, wish);
      await expect.poll(() => sent.words(), SOON).toBe(2);
      // The report arrives in the same chunk as the output.
      sent.leave();
      await sent.answer;
    });
    expect(cost).toBe(costOf(tokensOf(77, 5), await target.prices(target.model)));
  });

  it('charges each of many clients that disconnect at any moment once, for what was delivered', async () => {
    const { target } = at;
    const customer = await target.openCustomer('1.00');
    const WORDS = 20;
    const words = Array.from({ length: WORDS }, () => word);
    target.upstream.play(paced(10, ...words, finish, report(usageOf(9, WORDS)), '[DONE]'));
    const seen: number[] = [];
    const cost = await costing(target, customer, () =>
      Promise.all(
        Array.from({ length: WORDS }, async (_, n) => {
          const sent = ask(target, customer, wish);
          await expect.poll(() => sent.words(), { ...SOON, interval: 5 }).toBeGreaterThan(n);
          seen.push(sent.words());
          sent.leave();
          await sent.answer;
        }),
      ),
    );
    const prices = await target.prices(target.model);
    expect(cost).toBeGreaterThanOrEqual(sum(seen.map((output) => costOf(tokensOf(LEAST_INPUT, output), prices))));
    expect(cost).toBeLessThanOrEqual(BigInt(WORDS) * costOf(tokensOf(MOST_INPUT, WORDS), prices));
  });
});

describe('stream aborted, overbilled', () => {
  const LIMIT = 2000;

  it('charges for what a provider delivered before it broke off, not for the limit', async () => {
    const { target } = at;
    const customer = await target.openCustomer('1.00');
    target.upstream.play(breaksAfter(word, word, word, word, word));
    const cost = await costing(target, customer, () => ask(target, customer, { ...wish, maxTokens: LIMIT }).answer);
    await between(cost, 5, 5);
  });

  it('counts the delivered text if a provider broke off without a report', async () => {
    const { target } = at;
    const customer = await target.openCustomer('1.00');
    target.upstream.play(breaksAfter(...Array.from({ length: 300 }, () => word)));
    const cost = await costing(target, customer, () => ask(target, customer, { ...wish, maxTokens: LIMIT }).answer);
    await between(cost, 300, 300);
  });

  it('charges nothing if nothing was delivered, however long the prompt', async () => {
    const { target } = at;
    const customer = await target.openCustomer('1.00');
    const long = { ...wish, content: 'word '.repeat(2000), maxTokens: LIMIT };
    target.upstream.play(breaksAfter());
    expect(await costing(target, customer, () => ask(target, customer, long).answer)).toBe(0n);
    // Half of a response that does not stream counts as not delivered.
    target.upstream.play((response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 10_000 });
      response.write(completionBody(usageOf(2000, 500)), () => setTimeout(() => response.destroy(), 20));
    });
    expect(await costing(target, customer, () => ask(target, customer, { ...long, stream: false }).answer)).toBe(0n);
  });
});
