import { expect } from 'vitest';
import { costUsdOf } from '../../support/traffic.ts';
import { answered, contract, one, PROMPT_TOKENS, type Seen } from './contract.ts';
import { answer, complete, DONE, plays, reports, says, sse, stop, tokens } from './support/wire.ts';

/** The answer is `a b c`, whatever is said of it. */
const METERED = { input: PROMPT_TOKENS, cached_input: 0, cache_write: 0, output: 3, reasoning: 0 };

const reporting = (usage: unknown, edit = (text: string): string => text) =>
  one(({ upstream, streamed, ask }) => {
    upstream.play(plays(streamed, edit(complete(streamed, usage))));
    return answered(ask());
  });

/** Two choices, with the usage of one. */
const twice = (streamed: boolean): string => {
  if (streamed) return complete(true).replace(sse(stop), sse(says('a', 1), says(' b', 1), says(' c', 1), stop));
  const one = JSON.parse(answer('a b c', tokens(9, 3))) as { choices: [object] };
  return JSON.stringify({ ...one, choices: [...one.choices, { ...one.choices[0], index: 1 }] });
};

/** The customer reads what is charged, and not the provider's nonsense. */
const metered = ({ answer, generation }: Seen): void => {
  if (!generation?.delivery) return;
  expect(generation.tokens).toEqual(METERED);
  expect(costUsdOf(answer)).toBe(generation.chargedUsd);
  expect(answer.body).toContain(JSON.stringify(tokens(PROMPT_TOKENS, 3)).slice(0, -1));
};

contract('usage', {}, (row) => {
  const absurd = {
    'is missing': null,
    'is empty': {},
    'is negative': { prompt_tokens: -5, completion_tokens: 6 },
    'is negative in the output': { prompt_tokens: 5, completion_tokens: -6 },
    'is of zeros': tokens(0, 0),
    'is of the prompt alone': { prompt_tokens: 5 },
    'is of the answer alone': tokens(0, 6),
    'is fractional': { prompt_tokens: 5.5, completion_tokens: 6 },
    'is of strings': { prompt_tokens: '5', completion_tokens: '6' },
    'is of "NaN" and "Infinity"': { prompt_tokens: 'NaN', completion_tokens: 'Infinity' },
    'is of nulls': { prompt_tokens: null, completion_tokens: null },
    'is no safe integer': { prompt_tokens: 1e300, completion_tokens: 6 },
    'is beyond the context': { prompt_tokens: 5, completion_tokens: 1e9 },
    'is beyond the context in all': { prompt_tokens: 5, completion_tokens: 6, total_tokens: 1e9 },
    'has more from the cache than there was': { ...tokens(5, 6), prompt_tokens_details: { cached_tokens: 6 } },
  };
  for (const [name, usage] of Object.entries(absurd)) row(name, reporting(usage), { check: metered });
  // Numbers that no JSON.stringify writes.
  const written = (number: string) => reporting(tokens(7777, 6), (text) => text.replaceAll('7777', number));
  row('is infinite', written('1e999'), { check: metered });
  row('is NaN, which is not JSON', written('NaN'), { check: metered });

  const reasoning = { ...tokens(10, 6), total_tokens: 116, completion_tokens_details: { reasoning_tokens: 100 } };
  row('leaves reasoning out of its completion', reporting(reasoning), {
    check: ({ generation }) => expect(generation?.tokens).toMatchObject({ input: 10, output: 6, reasoning: 100 }),
  });

  // Of 4,000 tokens where 10 were asked for, in events of 50.
  const endless = one(({ upstream, streamed, ask }) => {
    upstream.play(plays(streamed, complete(streamed, null, Array<string>(80).fill(' a'.repeat(50)))));
    return answered(ask({ max_tokens: 10 }));
  });
  row('is missing, of more than was asked for', endless, {
    check: ({ answer, generation }) => {
      const delivered = answer.body.startsWith('data:') ? 2050 : 4000;
      expect(answer.body.match(/ a/g)).toHaveLength(delivered);
      expect(generation).toMatchObject({ tokens: { output: 10 }, writtenOff: BigInt(delivered - 10) * 600n });
      expect(generation?.delivery?.finish_reason).toBe(delivered === 2050 ? 'length' : 'stop');
    },
  });

  const research = { ...tokens(10, 6), reasoning_tokens: 100 };
  row('leaves reasoning out of its total as well', reporting(research), {
    check: ({ generation }) => expect(generation?.tokens).toMatchObject({ input: 10, output: 6, reasoning: 100 }),
  });
  const recounted = { ...tokens(10, 6), completion_tokens_details: { reasoning_tokens: 7 } };
  row('has somewhat more reasoning than output', reporting(recounted), {
    check: ({ generation }) => expect(generation?.tokens).toMatchObject({ input: 10, output: 0, reasoning: 6 }),
  });

  const several = one(({ upstream, streamed, ask }) => {
    upstream.play(plays(streamed, twice(streamed)));
    return answered(ask({ n: 2 }));
  });
  const many = 'word '.repeat(100);
  const little = one(({ upstream, streamed, ask }) => {
    const streamedText = sse(says(many), stop, reports(tokens(9, 1)), DONE);
    upstream.play(plays(streamed, streamed ? streamedText : answer(many, tokens(9, 1))));
    return answered(ask());
  });
  row('is next to nothing for many words', little, {
    check: ({ answer, generation }) => {
      expect(generation?.tokens?.['output']).toBeGreaterThanOrEqual(100);
      expect(costUsdOf(answer)).toBe(generation?.chargedUsd);
    },
  });
  row('is of one of several choices', several, {
    check: ({ answer, generation }) => {
      expect(generation?.tokens).toEqual({ ...METERED, output: 6 });
      expect(costUsdOf(answer)).toBe(generation?.chargedUsd);
    },
  });

  const dear = one(({ upstream, streamed, ask }) => {
    upstream.play(plays(streamed, complete(streamed, tokens(5, 100_000))));
    return answered(ask({ max_tokens: 10 }));
  });
  row('is more than was held and than there is', dear, {
    usd: '0.001',
    check: ({ answer, generation }) => {
      expect(generation).toMatchObject({ chargedUsd: '0.00000675', tokens: { input: 5, output: 10 } });
      expect(generation?.writtenOff).toBe(99_990n * 600n);
      expect(costUsdOf(answer)).toBe('0.00000675');
    },
  });

  const unbelieved = one(({ upstream, streamed, ask }) => {
    upstream.play(plays(streamed, complete(streamed, tokens(3, 5))));
    return answered(ask({ messages: [{ role: 'user', content: 'word '.repeat(500) }] }));
  });
  row('is of far less input than was sent', unbelieved, {
    check: ({ generation }) => expect(generation?.tokens).toMatchObject({ input: 501, output: 3 }),
  });
  row('is of more input than was sent', reporting(tokens(7777, 6)), {
    check: ({ generation, answer }) => {
      expect(generation?.tokens?.['input']).toBeLessThan(250);
      expect(costUsdOf(answer)).toBe(generation?.chargedUsd);
    },
  });
  row('has a total that nothing explains', reporting({ ...tokens(9, 6), total_tokens: 12_000 }), {
    check: ({ generation }) => expect(generation?.tokens).toMatchObject({ input: 9, output: 6 }),
  });
  const beside = { prompt_tokens: 3, completion_tokens: 6, total_tokens: 34, cache_read_input_tokens: 25 };
  row('has what was read from a cache beside the prompt', reporting(beside), {
    check: ({ generation }) => expect(generation?.tokens).toMatchObject({ input: 3, cached_input: 25, output: 6 }),
  });
  const afterwards = one(({ upstream, ask }) => {
    upstream.play(plays(true, sse(says('a'), stop, DONE, reports(tokens(9, 5000)))));
    return answered(ask({ max_tokens: 10 }));
  });
  row('is of more than was asked for, and comes after [DONE]', afterwards, {
    check: ({ generation }) => expect(generation).toMatchObject({ tokens: { output: 10 }, writtenOff: 4990n * 600n }),
  });
});
