import { describe, expect, it } from 'vitest';
import { noUsage, type Usage } from '../../../src/domain/money.ts';
import { usageIn } from '../../../src/proxy/providers/openai/usage-location.ts';
import { readUsage } from '../../../src/proxy/metering/usage.ts';

const plausible = {
  inputTokens: 100_000,
  outputTokens: 100_000,
  inputBound: 100_000,
  outputBound: 1000,
  hasOutput: false,
};
const read = (usage: unknown, hidesReasoning = true) => readUsage(usage, { ...plausible, hidesReasoning });
const tokens = (usage: Partial<Usage>): Usage => ({ ...noUsage, ...usage });

/** 3 fresh tokens of input, 20,000 read from a cache, 1,500 written to one, and 120 of output. */
const cached = tokens({ input: 3, cachedInput: 20_000, cacheWrite: 1500, output: 120 });
const readOnly = tokens({ input: 1503, cachedInput: 20_000, output: 120 });
const inputNames = { prompt_tokens: 21_503, completion_tokens: 120, total_tokens: 21_623 };

describe('one usage in every dialect', () => {
  const dialects: readonly (readonly [string, unknown, Usage])[] = [
    ['OpenAI', { ...inputNames, prompt_tokens_details: { cached_tokens: 20_000, cache_write_tokens: 1500 } }, cached],
    [
      'OpenAI Responses',
      {
        input_tokens: 21_503,
        input_tokens_details: { cached_tokens: 20_000, cache_write_tokens: 1500 },
        output_tokens: 120,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 21_623,
      },
      cached,
    ],
    [
      'Anthropic',
      { input_tokens: 3, output_tokens: 120, cache_read_input_tokens: 20_000, cache_creation_input_tokens: 1500 },
      cached,
    ],
    [
      'Anthropic, written tokens by lifetime alone',
      {
        input_tokens: 3,
        output_tokens: 120,
        cache_read_input_tokens: 20_000,
        cache_creation: { ephemeral_5m_input_tokens: 1500, ephemeral_1h_input_tokens: 0 },
      },
      cached,
    ],
    [
      'Anthropic behind the names of OpenAI, with the caches beside the prompt',
      {
        prompt_tokens: 3,
        completion_tokens: 120,
        total_tokens: 21_623,
        cache_read_input_tokens: 20_000,
        cache_creation_input_tokens: 1500,
      },
      cached,
    ],
    [
      'the same without a total',
      { prompt_tokens: 3, completion_tokens: 120, cache_read_input_tokens: 20_000, cache_creation_input_tokens: 1500 },
      cached,
    ],
    [
      'the same with a total that leaves the caches out',
      {
        prompt_tokens: 3,
        completion_tokens: 120,
        total_tokens: 123,
        cache_read_input_tokens: 20_000,
        cache_creation_input_tokens: 1500,
      },
      cached,
    ],
    [
      'the same with the details beside the prompt, which the total explains',
      {
        prompt_tokens: 3,
        completion_tokens: 120,
        total_tokens: 21_623,
        prompt_tokens_details: { cached_tokens: 20_000, cached_creation_tokens: 1500 },
      },
      cached,
    ],
    [
      'a prompt that includes what was written, and not what was read',
      { ...inputNames, prompt_tokens: 1503, cache_read_input_tokens: 20_000, cache_creation_input_tokens: 1500 },
      cached,
    ],
    [
      'LiteLLM, which sums',
      {
        ...inputNames,
        prompt_tokens_details: { cached_tokens: 20_000, cache_creation_tokens: 1500 },
        cache_creation_input_tokens: 1500,
        cache_read_input_tokens: 20_000,
      },
      cached,
    ],
    [
      'new-api, with zeros in the names of others',
      {
        ...inputNames,
        input_tokens: 0,
        output_tokens: 0,
        prompt_tokens_details: { cached_tokens: 20_000, cached_creation_tokens: 1500, text_tokens: 0 },
        claude_cache_creation_5_m_tokens: 1500,
        claude_cache_creation_1_h_tokens: 0,
      },
      cached,
    ],
    [
      'Bedrock',
      {
        inputTokens: 3,
        outputTokens: 120,
        totalTokens: 21_623,
        cacheReadInputTokens: 20_000,
        cacheWriteInputTokens: 1500,
        cacheDetails: [{ inputTokens: 1500, ttl: '5m' }],
      },
      cached,
    ],
    [
      'the metrics of an invocation on Bedrock',
      {
        inputTokenCount: 3,
        outputTokenCount: 120,
        cacheReadInputTokenCount: 20_000,
        cacheWriteInputTokenCount: 1500,
        invocationLatency: 3037,
        firstByteLatency: 2635,
      },
      cached,
    ],
    [
      'DashScope',
      {
        ...inputNames,
        prompt_tokens_details: {
          cached_tokens: 20_000,
          cache_creation_input_tokens: 1500,
          cache_creation: { ephemeral_5m_input_tokens: 1500 },
        },
      },
      cached,
    ],
    [
      'LangChain',
      {
        input_tokens: 21_503,
        output_tokens: 120,
        total_tokens: 21_623,
        input_token_details: { audio: 0, cache_creation: 1500, cache_read: 20_000 },
        output_token_details: { audio: 0, reasoning: 0 },
      },
      cached,
    ],
    [
      'Vercel AI SDK 6',
      {
        inputTokens: { total: 21_503, noCache: 3, cacheRead: 20_000, cacheWrite: 1500 },
        outputTokens: { total: 120, text: 120, reasoning: 0 },
      },
      cached,
    ],
    [
      'Vercel AI SDK 6, flat',
      {
        inputTokens: 21_503,
        inputTokenDetails: { noCacheTokens: 3, cacheReadTokens: 20_000, cacheWriteTokens: 1500 },
        outputTokens: 120,
        totalTokens: 21_623,
        cachedInputTokens: 20_000,
        raw: { prompt_tokens: 21_503, prompt_cache_hit_tokens: 20_000 },
      },
      cached,
    ],
    [
      'Vercel AI SDK 5',
      { inputTokens: 21_503, outputTokens: 120, totalTokens: 21_623, cachedInputTokens: 20_000 },
      readOnly,
    ],
    ['Vercel AI SDK 4', { promptTokens: 21_503, completionTokens: 120 }, tokens({ input: 21_503, output: 120 })],
    ['DeepSeek', { ...inputNames, prompt_cache_hit_tokens: 20_000, prompt_cache_miss_tokens: 1503 }, readOnly],
    ['Moonshot, Together', { ...inputNames, cached_tokens: 20_000 }, readOnly],
    ['Mistral', { ...inputNames, num_cached_tokens: 20_000 }, readOnly],
    [
      'Fireworks, Groq, vLLM, SGLang, Zhipu',
      { ...inputNames, prompt_tokens_details: { cached_tokens: 20_000 } },
      readOnly,
    ],
    [
      'Gemini: thoughts beside the candidates, and what tools read beside the prompt',
      {
        promptTokenCount: 19,
        cachedContentTokenCount: 10,
        candidatesTokenCount: 4,
        toolUsePromptTokenCount: 63,
        thoughtsTokenCount: 56,
        totalTokenCount: 142,
      },
      tokens({ input: 72, cachedInput: 10, output: 4, reasoning: 56 }),
    ],
    [
      'Gemini without a total, in the spelling of its Python SDK',
      { prompt_token_count: 19, candidates_token_count: 4, thoughts_token_count: 56 },
      tokens({ input: 19, output: 4, reasoning: 56 }),
    ],
    ['Ollama', { prompt_eval_count: 26, eval_count: 298 }, tokens({ input: 26, output: 298 })],
    [
      'Cohere, which bills less than the model reads',
      { billed_units: { input_tokens: 5, output_tokens: 418 }, tokens: { input_tokens: 71, output_tokens: 418 } },
      tokens({ input: 5, output: 418 }),
    ],
    ['Cohere without a bill', { tokens: { input_tokens: 71, output_tokens: 418 } }, tokens({ input: 71, output: 418 })],
    [
      'Anthropic: thinking is part of the output',
      { input_tokens: 9, output_tokens: 300, output_tokens_details: { thinking_tokens: 280 } },
      tokens({ input: 9, output: 20, reasoning: 280 }),
    ],
    ['Tencent', { PromptTokens: 9, CompletionTokens: 3, TotalTokens: 12 }, tokens({ input: 9, output: 3 })],
  ];
  it.each(dialects)('%s', (_, usage, expected) => {
    for (const hides of [true, false]) expect(read(usage, hides)).toEqual({ usage: expected, anomalies: [] });
  });

  it('flags what was written to a cache for longer than the price is for', () => {
    const usage = {
      ...{ input_tokens: 3, output_tokens: 120, cache_read_input_tokens: 20_000 },
      cache_creation: { ephemeral_5m_input_tokens: 500, ephemeral_1h_input_tokens: 1000 },
    };
    expect(read(usage)).toEqual({ usage: cached, anomalies: ['cache_write_unpriced'] });
  });
});

describe('a remainder of the total', () => {
  const usage = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 500 };
  it('is output of a model that may hide its reasoning, within what the request allowed', () => {
    expect(read(usage)).toEqual({ usage: tokens({ input: 9, output: 491 }), anomalies: ['output_taken_from_total'] });
  });
  it.each([
    ['of a model that hides nothing', usage, false],
    ['beyond what the request allowed', { ...usage, total_tokens: 50_000 }, true],
  ])('is not output %s', (_, report, hides) => {
    const believed = { usage: tokens({ input: 9, output: 2 }), anomalies: ['total_unexplained'] };
    expect(read(report, hides)).toEqual(believed);
  });
});

describe('the usage of an answer', () => {
  const usage = { input_tokens: 9 };
  it.each([
    ['at the top', { usage }],
    ['in x_groq', { x_groq: { id: 'req_1', usage } }],
    ['in a choice', { choices: [{ index: 0 }, { index: 1, usage }] }],
    ['as metadata', { usageMetadata: usage }],
    ['in the first message of Anthropic', { type: 'message_start', message: { usage } }],
    ['in the last response of OpenAI', { type: 'response.completed', response: { usage } }],
    ['in the last delta of Cohere', { type: 'message-end', delta: { usage } }],
    ['in the metadata of Bedrock', { metadata: { usage } }],
    ['beside the usage that is null', { usage: null, x_groq: { usage } }],
  ])('is found %s', (_, answer) => expect(usageIn(answer)).toEqual(usage));
  it('is found among the numbers of Ollama, and in the bill of Cohere', () => {
    expect(usageIn({ done: true, prompt_eval_count: 26, eval_count: 298, total_duration: 1 })).toEqual({
      prompt_eval_count: 26,
      eval_count: 298,
    });
    const meta = { billed_units: { input_tokens: 5, output_tokens: 4 } };
    expect(usageIn({ meta })).toEqual(meta);
  });
});
