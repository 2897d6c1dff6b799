import { describe, expect, it } from 'vitest';
import { SOON } from '../support/soon.ts';
import { generationOf } from '../support/requests.ts';
import { ask, costing, expectSettled, isShort } from './support/customers.ts';
import { costOf, usdOf, type Tokens } from '../support/money.ts';
import { completion, gate, stream, tokensOf, usageOf } from './support/provider.ts';
import { useTarget } from './support/target.ts';

const at = useTarget();

/** A prompt of about this number of tokens, because a report of many more than were sent is not used. */
const words = (count: number): string => Array.from({ length: count }, () => 'word').join(' ');
const promptTokensIn = (usage: object): number => ('prompt_tokens' in usage ? Number(usage.prompt_tokens) : 0);

// A price change between quote and bill can be tested once a route changes prices. Until then, every scenario checks that the
// prices that were published before the request are charged.
describe('wrong class or price', () => {
  type Case = { readonly model: string; readonly usage: object; readonly tokens: Tokens };
  const cases: Readonly<Record<string, Case>> = {
    'OpenAI: cached tokens are part of the prompt, reasoning is part of the completion': {
      model: 'gpt-5-mini',
      usage: {
        prompt_tokens: 10_007,
        completion_tokens: 1003,
        total_tokens: 11_010,
        prompt_tokens_details: { cached_tokens: 8192, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 640, audio_tokens: 0 },
      },
      tokens: { input: 1815, cached_input: 8192, output: 363, reasoning: 640 },
    },
    'OpenAI: cache writes have a price of their own': {
      model: 'gpt-6-luna',
      usage: {
        prompt_tokens: 10_007,
        completion_tokens: 31,
        total_tokens: 10_038,
        prompt_tokens_details: { cached_tokens: 1024, cache_write_tokens: 4096 },
      },
      tokens: { input: 4887, cached_input: 1024, cache_write: 4096, output: 31 },
    },
    'xAI: reasoning is reported beside the completion, and is not part of it': {
      model: 'grok-4.3',
      usage: {
        prompt_tokens: 211,
        completion_tokens: 17,
        total_tokens: 1528,
        prompt_tokens_details: { cached_tokens: 199 },
        completion_tokens_details: { reasoning_tokens: 1300 },
      },
      tokens: { input: 12, cached_input: 199, output: 17, reasoning: 1300 },
    },
    'Gemini: reasoning is only in the total': {
      model: 'gemini-3.5-flash-lite',
      usage: { prompt_tokens: 211, completion_tokens: 17, total_tokens: 1528 },
      tokens: { input: 211, output: 1317 },
    },
    'DeepSeek: cache hits and misses have field names of their own': {
      model: 'deepseek-flash',
      usage: {
        prompt_tokens: 9001,
        completion_tokens: 333,
        total_tokens: 9334,
        prompt_cache_hit_tokens: 8960,
        prompt_cache_miss_tokens: 41,
      },
      tokens: { input: 41, cached_input: 8960, output: 333 },
    },
  };

  it.each(Object.entries(cases))('%s', async (_, { model, usage, tokens }) => {
    const { target } = at;
    const customer = await target.openCustomer('1.00');
    const expected = costOf(tokens, await target.prices(model));
    for (const streamed of [false, true]) {
      target.upstream.play(streamed ? stream(3, usage) : completion(usage));
      let generationId = '';
      const cost = await costing(target, customer, async () => {
        const content = words(promptTokensIn(usage));
        const answer = await ask(target, customer, { model, stream: streamed, maxTokens: 4000, content }).answer;
        expect(answer.status).toBe(200);
        generationId = generationOf(answer);
      });
      expect(cost).toBe(expected);
      expect(await customer.receipt?.(generationId)).toMatchObject(
        customer.receipt ? { status: 'settled', cost: expected, tokens } : {},
      );
    }
  });

  it('rounds the sum up once, and not each token', async () => {
    const { target } = at;
    // At 0.0375 USD per million, three input tokens are 112.5 nano-USD; the output token is 300.
    const model = 'gpt-oss-20b';
    const prices = await target.prices(model);
    const customer = await target.openCustomer('1.00');
    target.upstream.play(completion({ ...usageOf(3, 1), prompt_tokens_details: { cached_tokens: 3 } }));
    const cost = await costing(target, customer, () => ask(target, customer, { model, maxTokens: 10 }).answer);
    expect(cost).toBe(costOf({ cached_input: 3, output: 1 }, prices));
    if (prices.cached_input === '0.0375' && prices.output === '0.30') expect(cost).toBe(413n);
  });

  it('holds at the price of the requested model, not of another', async () => {
    const { target } = at;
    const [cheap, dear] = ['gpt-4o-mini', 'gpt-4o'];
    const [low, high] = [await target.prices(cheap), await target.prices(dear)];
    // Pays for a thousand tokens of the first model, and not for a hundred of the second.
    const credit = costOf(tokensOf(300, 1000), low);
    expect(costOf(tokensOf(0, 100), high)).toBeGreaterThan(credit);
    const customer = await target.openCustomer(usdOf(credit));
    target.upstream.play(completion(usageOf(9, 3)));
    expect(isShort(await ask(target, customer, { model: dear, maxTokens: 100 }).answer)).toBe(true);
    expect((await ask(target, customer, { model: cheap, maxTokens: 1000 }).answer).status).toBe(200);
    await expectSettled(target, customer, credit - costOf(tokensOf(9, 3), low));
  });

  it('charges the price that was published at the time of the request', async () => {
    const { target } = at;
    const customer = await target.openCustomer('1.00');
    const quoted = await target.prices(target.model);
    const provider = gate(completion(usageOf(1234, 567)));
    target.upstream.play(provider.script);
    const cost = await costing(target, customer, async () => {
      const sent = ask(target, customer, { maxTokens: 1000, content: words(1234) });
      await expect.poll(() => provider.waiting(), SOON).toBe(1);
      provider.open();
      await sent.answer;
    });
    expect(cost).toBe(costOf(tokensOf(1234, 567), quoted));
  });
});
