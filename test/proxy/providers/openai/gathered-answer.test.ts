import { describe, expect, it } from 'vitest';
import { createGathering, type WholeObject } from '../../../../src/proxy/providers/openai/gathered-answer.ts';
import { chunk, lastChunk, sse, usage, usageChunk } from '../../examples.ts';

const gather = (text: string, { size = 1000, object = 'chat.completion' as WholeObject } = {}): unknown => {
  const gathered = createGathering(object);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) gathered.feed(bytes.subarray(at, at + size));
  gathered.close();
  const answer = gathered.answer();
  return answer === undefined ? undefined : JSON.parse(answer);
};
const choicesIn = (...choices: readonly object[]): unknown => {
  const chunks = choices.map((choice) => chunk({}, { choices: [{ index: 0, finish_reason: null, ...choice }] }));
  const answer = gather(sse(...chunks, lastChunk, '[DONE]')) as { choices: readonly unknown[] };
  return answer.choices;
};
const messageOf = (...deltas: readonly object[]): unknown =>
  (choicesIn(...deltas.map((delta) => ({ delta }))) as [{ message: unknown }])[0].message;

describe('an answer gathered from a stream', () => {
  it('has the texts, the finish reason and the usage, however the stream is cut', () => {
    const said = [chunk({ role: 'assistant', content: '' }), chunk({ content: 'Grü' }), chunk({ content: 'ße' })];
    for (const size of [1, 2, 3, 10_000]) {
      expect(gather(sse(...said, lastChunk, usageChunk(9, 2), '[DONE]'), { size })).toEqual({
        id: 'chatcmpl-1',
        object: 'chat.completion',
        created: 1,
        model: 'm',
        system_fingerprint: null,
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: 'Grüße', refusal: null },
            logprobs: null,
            finish_reason: 'stop',
          },
        ],
        usage: usage(9, 2),
      });
    }
  });

  it('has several choices, in their order', () => {
    const choices = choicesIn(
      { index: 2, delta: { content: 'c' }, finish_reason: 'length' },
      { index: 1, delta: { content: 'b' } },
      { index: 0, delta: { content: 'a' } },
      { index: 1, delta: { content: 'B' }, finish_reason: 'stop' },
    );
    expect(choices).toMatchObject([
      { index: 0, message: { content: 'a' }, finish_reason: 'stop' },
      { index: 1, message: { content: 'bB' }, finish_reason: 'stop' },
      { index: 2, message: { content: 'c' }, finish_reason: 'length' },
    ]);
  });

  it('has calls of tools, whose arguments came in pieces', () => {
    const call = (index: number, more: object) => ({ tool_calls: [{ index, ...more }] });
    expect(
      messageOf(
        { role: 'assistant', content: '' },
        call(0, { id: 'call_1', type: 'function', function: { name: 'look', arguments: '' } }),
        call(0, { function: { arguments: '{"a"' } }),
        call(1, { id: 'call_2', type: 'function', function: { name: 'see', arguments: '{}' } }),
        // Some repeat the names in every piece.
        call(0, { id: 'call_1', type: 'function', function: { name: 'look', arguments: ':1}' } }),
      ),
    ).toEqual({
      role: 'assistant',
      content: null,
      refusal: null,
      tool_calls: [
        { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"a":1}' } },
        { id: 'call_2', type: 'function', function: { name: 'see', arguments: '{}' } },
      ],
    });
  });

  it('has two calls of tools that came under one index, as Gemini sends them', () => {
    const calls = ['call_1', 'call_2'].map((id) => ({
      tool_calls: [{ index: 0, id, type: 'function', function: { name: 'look', arguments: '{}' } }],
    }));
    expect(messageOf(...calls)).toMatchObject({ tool_calls: [{ id: 'call_1' }, { id: 'call_2' }] });
  });

  it('has a refusal, reasoning in either form, and the older call of a function', () => {
    const detail = (text: string) => ({ reasoning_details: [{ type: 'reasoning.text', index: 0, text, format: 'x' }] });
    expect(
      messageOf(
        { refusal: 'I ', reasoning: 'hm', reasoning_content: 'hm', ...detail('h') },
        { refusal: 'will not', reasoning: 'm', reasoning_content: 'm', ...detail('m') },
        { function_call: { name: 'look', arguments: '{' } },
        { function_call: { arguments: '}' } },
      ),
    ).toMatchObject({
      content: null,
      refusal: 'I will not',
      reasoning: 'hmm',
      reasoning_content: 'hmm',
      reasoning_details: [{ type: 'reasoning.text', index: 0, text: 'hm', format: 'x' }],
      function_call: { name: 'look', arguments: '{}' },
    });
  });

  it('has the log probabilities, of chats and of the older format', () => {
    const logprobs = (token: string) => ({ content: [{ token, logprob: -1, bytes: null, top_logprobs: [] }] });
    expect(
      choicesIn(
        { delta: { content: 'a' }, logprobs: logprobs('a') },
        { delta: { content: 'b' }, logprobs: logprobs('b') },
      ),
    ).toMatchObject([{ logprobs: { content: [{ token: 'a' }, { token: 'b' }] } }]);
    const legacy = (text: string, at: number, finish: string | null = null) =>
      JSON.stringify({
        id: 'cmpl-1',
        choices: [{ index: 0, text, logprobs: { tokens: [text], text_offset: [at] }, finish_reason: finish }],
      });
    expect(gather(sse(legacy('a', 0), legacy('b', 1, 'stop')), { object: 'text_completion' })).toMatchObject({
      object: 'text_completion',
      choices: [{ text: 'ab', finish_reason: 'stop', logprobs: { tokens: ['a', 'b'], text_offset: [0, 1] } }],
    });
  });

  it('has the last usage before the end, and one that came after it if none came before', () => {
    const counted = chunk({ content: 'a' }, { usage: usage(9, 1) });
    expect(gather(sse(counted, lastChunk, usageChunk(9, 2), '[DONE]', usageChunk(9, 9)))).toMatchObject({
      usage: usage(9, 2),
    });
    expect(gather(sse(lastChunk, '[DONE]', usageChunk(9, 2)))).toMatchObject({ usage: usage(9, 2) });
    expect(gather(sse(lastChunk, '[DONE]'))).not.toHaveProperty('usage');
  });

  it('is complete with a finish reason or a [DONE] after words, and with neither it is none', () => {
    const a = chunk({ content: 'a' });
    expect(gather(sse(a, lastChunk))).toBeDefined();
    expect(gather(sse(a, '[DONE]'))).toBeDefined();
    expect(gather(`${sse(a)}data: ${lastChunk}`)).toBeDefined();
    expect(gather(sse(a))).toBeUndefined();
    expect(gather(sse('[DONE]'))).toBeUndefined();
    expect(gather(sse(chunk({ role: 'assistant', content: '' }), '[DONE]'))).toBeUndefined();
    const second = chunk({}, { choices: [{ index: 1, delta: { content: 'b' }, finish_reason: null }] });
    expect(gather(sse(a, second, lastChunk))).toBeUndefined();
  });

  it('is the error that the stream ended with', () => {
    const error = JSON.stringify({ error: { message: 'x', code: 'context_length_exceeded' } });
    expect(gather(sse(chunk({ content: 'a' }), error, '[DONE]'))).toEqual(JSON.parse(error));
    expect(gather(`event: error\ndata: ${error}\n\n`)).toEqual(JSON.parse(error));
  });

  it('is not a prototype', () => {
    const odd = '{"__proto__":{"a":1},"choices":[{"index":0,"delta":{"__proto__":{"b":1}},"finish_reason":"stop"}]}';
    gather(sse(odd));
    expect(({} as { a?: unknown; b?: unknown }).a).toBeUndefined();
    expect(({} as { a?: unknown; b?: unknown }).b).toBeUndefined();
  });
});
