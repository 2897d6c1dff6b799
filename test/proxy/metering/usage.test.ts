import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noUsage, type Usage } from '../../../src/domain/money.ts';
import { meteredUsage, readUsage } from '../../../src/proxy/metering/usage.ts';

const plausible = {
  inputTokens: 100_000,
  outputTokens: 100_000,
  inputBound: 100_000,
  outputBound: 100_000,
  hidesReasoning: true,
  hasOutput: false,
};
const read = (value: unknown) => readUsage(value, plausible);
const tokens = (usage: Partial<Usage>): Usage => ({ ...noUsage, ...usage });

describe('usage, as providers report it', () => {
  const shapes: readonly (readonly [string, unknown, Usage, string?])[] = [
    [
      'OpenAI: cached is part of the prompt, reasoning of the completion',
      {
        prompt_tokens: 2006,
        completion_tokens: 300,
        total_tokens: 2306,
        prompt_tokens_details: { cached_tokens: 1920, audio_tokens: 0 },
        completion_tokens_details: {
          reasoning_tokens: 192,
          audio_tokens: 0,
          accepted_prediction_tokens: 0,
          rejected_prediction_tokens: 0,
        },
      },
      tokens({ input: 86, cachedInput: 1920, output: 108, reasoning: 192 }),
    ],
    ['OpenAI embeddings: no completion', { prompt_tokens: 8, total_tokens: 8 }, tokens({ input: 8 })],
    [
      'DeepSeek: hit + miss = prompt',
      {
        prompt_tokens: 100,
        completion_tokens: 50,
        total_tokens: 150,
        prompt_cache_hit_tokens: 64,
        prompt_cache_miss_tokens: 36,
        completion_tokens_details: { reasoning_tokens: 20 },
      },
      tokens({ input: 36, cachedInput: 64, output: 30, reasoning: 20 }),
    ],
    [
      'DeepSeek, which says it twice',
      {
        prompt_tokens: 100,
        completion_tokens: 50,
        total_tokens: 150,
        prompt_tokens_details: { cached_tokens: 64 },
        prompt_cache_hit_tokens: 64,
        prompt_cache_miss_tokens: 36,
      },
      tokens({ input: 36, cachedInput: 64, output: 50 }),
    ],
    [
      'xAI: reasoning is outside of the completion, and only the total has it',
      {
        prompt_tokens: 37,
        completion_tokens: 5,
        total_tokens: 342,
        prompt_tokens_details: { text_tokens: 37, audio_tokens: 0, image_tokens: 0, cached_tokens: 8 },
        completion_tokens_details: { reasoning_tokens: 300, audio_tokens: 0 },
        num_sources_used: 0,
      },
      tokens({ input: 29, cachedInput: 8, output: 5, reasoning: 300 }),
      'output_taken_from_total',
    ],
    [
      'xAI, of a longer chat',
      {
        prompt_tokens: 10120,
        completion_tokens: 1499,
        total_tokens: 14428,
        prompt_tokens_details: { cached_tokens: 128 },
        completion_tokens_details: { reasoning_tokens: 2809 },
        cost_in_usd_ticks: 232856000,
      },
      tokens({ input: 9992, cachedInput: 128, output: 1499, reasoning: 2809 }),
      'output_taken_from_total',
    ],
    [
      'Gemini: its thoughts are in the total alone, and have no name',
      {
        completion_tokens: 744,
        prompt_tokens: 1469,
        total_tokens: 2496,
        completion_tokens_details: null,
        prompt_tokens_details: { audio_tokens: null, cached_tokens: 1024 },
      },
      tokens({ input: 445, cachedInput: 1024, output: 1027 }),
      'output_taken_from_total',
    ],
    [
      'Gemini, which thought until there were no tokens left',
      { prompt_tokens: 9, total_tokens: 109 },
      tokens({ input: 9, output: 100 }),
      'output_taken_from_total',
    ],
    [
      'Mistral: in the common place, and by a name of its own',
      {
        prompt_tokens: 1013,
        total_tokens: 1043,
        completion_tokens: 30,
        prompt_tokens_details: { cached_tokens: 1008 },
        num_cached_tokens: 1008,
      },
      tokens({ input: 5, cachedInput: 1008, output: 30 }),
    ],
    [
      'Mistral, by that name alone',
      { prompt_tokens: 1013, total_tokens: 1043, completion_tokens: 30, num_cached_tokens: 1008 },
      tokens({ input: 5, cachedInput: 1008, output: 30 }),
    ],
    [
      'numbers that are written as fractions, and are whole',
      JSON.parse('{"prompt_tokens":12.0,"completion_tokens":3e0,"total_tokens":15.0}'),
      tokens({ input: 12, output: 3 }),
    ],
    [
      'OpenRouter: what was written to the cache, and a cost of its own',
      {
        prompt_tokens: 1000,
        completion_tokens: 10,
        total_tokens: 1010,
        cost: 0.00125,
        is_byok: false,
        prompt_tokens_details: { cached_tokens: 200, cache_write_tokens: 700 },
        cost_details: { upstream_inference_cost: null },
      },
      tokens({ input: 100, cachedInput: 200, cacheWrite: 700, output: 10 }),
    ],
    [
      'Groq: with its times',
      {
        queue_time: 0.037493756,
        prompt_tokens: 18,
        prompt_time: 0.000680594,
        completion_tokens: 556,
        completion_time: 0.463333333,
        total_tokens: 574,
        total_time: 0.464013927,
      },
      tokens({ input: 18, output: 556 }),
    ],
    [
      'vLLM and Ollama: the three numbers',
      { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 },
      tokens({ input: 9, output: 2 }),
    ],
    [
      'Mistral and Together: nulls where there is nothing to say',
      {
        prompt_tokens: 9,
        completion_tokens: 2,
        total_tokens: 11,
        prompt_tokens_details: null,
        completion_tokens_details: { reasoning_tokens: null },
        prompt_cache_hit_tokens: null,
      },
      tokens({ input: 9, output: 2 }),
    ],
    [
      'DeepInfra, of Gemini: thoughts outside of the completion, and in the total',
      {
        prompt_tokens: 19,
        completion_tokens: 84,
        total_tokens: 1184,
        prompt_tokens_details: null,
        completion_tokens_details: { reasoning_tokens: 1081 },
      },
      tokens({ input: 19, output: 84, reasoning: 1081 }),
      'output_taken_from_total',
    ],
    [
      'Gemini by way of a gateway: nothing but thoughts, which the total alone counts',
      {
        completion_tokens: 0,
        total_tokens: 81,
        prompt_tokens: 21,
        completion_tokens_details: { reasoning_tokens: 60 },
      },
      tokens({ input: 21, reasoning: 60 }),
      'output_taken_from_total',
    ],
    [
      'Perplexity: the thoughts of its research are in neither completion nor total',
      {
        prompt_tokens: 108,
        completion_tokens: 3256,
        total_tokens: 3364,
        citation_tokens: 7299,
        num_search_queries: 74,
        reasoning_tokens: 73_248,
      },
      tokens({ input: 108, output: 3256, reasoning: 73_248 }),
      'reasoning_beside_output',
    ],
    [
      'thoughts beside a completion, and no total',
      { prompt_tokens: 9, completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 300 } },
      tokens({ input: 9, output: 5, reasoning: 300 }),
      'reasoning_beside_output',
    ],
    [
      'OpenRouter, of MiniMax: thoughts counted otherwise than the completion that they are all of',
      {
        prompt_tokens: 43,
        completion_tokens: 10,
        total_tokens: 53,
        cost: 0,
        completion_tokens_details: { reasoning_tokens: 11, image_tokens: 0 },
      },
      tokens({ input: 43, reasoning: 10 }),
      'reasoning_beyond_output',
    ],
    [
      'SGLang: how much of the completion was reasoning, beside it',
      {
        prompt_tokens: 19,
        total_tokens: 1739,
        completion_tokens: 1720,
        prompt_tokens_details: null,
        reasoning_tokens: 1500,
      },
      tokens({ input: 19, output: 220, reasoning: 1500 }),
    ],
    [
      'Cerebras: all of it in the common places',
      {
        total_tokens: 426,
        completion_tokens: 104,
        completion_tokens_details: {
          accepted_prediction_tokens: 0,
          rejected_prediction_tokens: 0,
          reasoning_tokens: 97,
        },
        prompt_tokens: 322,
        prompt_tokens_details: { cached_tokens: 256 },
      },
      tokens({ input: 66, cachedInput: 256, output: 7, reasoning: 97 }),
    ],
    [
      'Moonshot: what was read from the cache, by a name of its own',
      { prompt_tokens: 20, completion_tokens: 30, total_tokens: 50, cached_tokens: 10 },
      tokens({ input: 10, cachedInput: 10, output: 30 }),
    ],
    [
      'DashScope: what was written to a cache that was asked for is part of the prompt',
      {
        prompt_tokens: 1605,
        completion_tokens: 187,
        total_tokens: 1792,
        prompt_tokens_details: { cached_tokens: 64, cache_creation_input_tokens: 1524, cache_type: 'ephemeral' },
      },
      tokens({ input: 17, cachedInput: 64, cacheWrite: 1524, output: 187 }),
    ],
    [
      'an answer that was refused: nothing at all',
      { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
      noUsage,
    ],
  ];

  it.each(shapes)('%s', (_name, usage, expected, anomaly) => {
    expect(read(usage)).toEqual({ usage: expected, anomalies: anomaly === undefined ? [] : [anomaly] });
  });
});

describe('usage that cannot be believed', () => {
  const good = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
  it.each([
    ['usage_missing', undefined],
    ['usage_missing', null],
    ['usage_invalid', 'many'],
    ['usage_invalid', 7],
    ['usage_invalid', []],
    ['usage_invalid', {}],
    ['usage_invalid', { completion_tokens: 5 }],
    ['usage_invalid', { ...good, prompt_tokens: -10 }],
    ['usage_invalid', { ...good, completion_tokens: -5 }],
    ['usage_invalid', { ...good, total_tokens: -15 }],
    ['usage_invalid', { ...good, completion_tokens: 5.5 }],
    ['usage_invalid', { ...good, prompt_tokens: '10' }],
    ['usage_invalid', { ...good, prompt_tokens: Number.MAX_SAFE_INTEGER + 1 }],
    ['usage_invalid', { ...good, prompt_tokens_details: { cached_tokens: -1 } }],
    ['usage_invalid', { ...good, prompt_tokens_details: 'none' }],
    ['usage_beyond_context', { ...good, prompt_tokens: 100_001, total_tokens: 100_006 }],
    ['usage_beyond_context', { ...good, completion_tokens: 100_001 }],
    ['usage_beyond_context', { ...good, total_tokens: 1_000_000 }],
    ['usage_details_exceed_total', { ...good, prompt_tokens_details: { cached_tokens: 11 } }],
    ['usage_details_exceed_total', { ...good, prompt_tokens_details: { cached_tokens: 6, cache_write_tokens: 5 } }],
    ['usage_without_input', { ...good, prompt_tokens: 0, total_tokens: 5 }],
    ['usage_details_exceed_total', { ...good, cached_tokens: 11 }],
    ['usage_beyond_context', { ...good, reasoning_tokens: 100_001 }],
    ['usage_invalid', { ...good, reasoning_tokens: -1 }],
  ])('%s: %o', (anomaly, usage) => {
    expect(read(usage)).toEqual({ usage: undefined, anomalies: [anomaly] });
  });

  it('does not believe that words came of no output', () => {
    for (const usage of [{ ...good, completion_tokens: 0, total_tokens: 10 }, { prompt_tokens: 10 }]) {
      expect(read(usage)).toEqual({ usage: tokens({ input: 10 }), anomalies: [] });
      const spoke = readUsage(usage, { ...plausible, hasOutput: true });
      expect(spoke).toEqual({ usage: undefined, anomalies: ['usage_without_output'] });
    }
  });

  it('keeps what was odd before that', () => {
    const usage = { ...good, total_tokens: 20, prompt_tokens_details: { cached_tokens: 11 } };
    expect(read(usage).anomalies).toEqual(['output_taken_from_total', 'usage_details_exceed_total']);
  });

  it('is told of the metered: all of it of the plain classes', () => {
    expect(meteredUsage(10, 5)).toEqual(tokens({ input: 10, output: 5 }));
  });
});

describe('any report', () => {
  const count = fc.oneof(fc.nat(200_000), fc.integer(), fc.double(), fc.constant(null), fc.constant(undefined));
  const report = fc.record({
    prompt_tokens: count,
    completion_tokens: count,
    total_tokens: count,
    prompt_tokens_details: fc.option(fc.record({ cached_tokens: count, cache_write_tokens: count })),
    completion_tokens_details: fc.option(fc.record({ reasoning_tokens: count })),
    prompt_cache_hit_tokens: count,
    reasoning_tokens: count,
    cached_tokens: count,
  });

  it('is either refused, or whole tokens of classes that do not overlap, within what is plausible', () =>
    fc.assert(
      fc.property(report, (value) => {
        const { usage, anomalies } = read(value);
        if (!usage) {
          expect(anomalies.length).toBeGreaterThan(0);
          return;
        }
        for (const tokens of Object.values(usage)) expect(Number.isSafeInteger(tokens) && tokens >= 0).toBe(true);
        const { input, cachedInput, cacheWrite, output, reasoning } = usage;
        expect(input + cachedInput + cacheWrite).toBe(value.prompt_tokens);
        expect(output + reasoning).toBeGreaterThanOrEqual(value.completion_tokens ?? 0);
        expect(output + reasoning).toBeLessThanOrEqual(plausible.outputTokens);
      }),
    ));
});
