import { describe, expect, it } from 'vitest';
import { responses } from '../../../../src/proxy/formats/responses/responses.ts';
import { chunk, sse, usage } from '../../examples.ts';
import { serve, streamBySdk, wholeBySdk } from './served.ts';

const end = (finish: string, output = 3) =>
  [
    chunk({}, { choices: [{ index: 0, delta: {}, finish_reason: finish }] }),
    chunk({}, { choices: [], usage: usage(9, output) }),
    '[DONE]',
  ] as const;
const call = (index: number, id: string | undefined, name: string | undefined, text: string) =>
  chunk({ tool_calls: [{ index, id, function: { name, arguments: text } }] });
const stream = { stream: true };

const run = { type: 'function', name: 'run', parameters: { type: 'object' } };
const patch = { type: 'custom', name: 'patch', format: { type: 'grammar', syntax: 'lark', definition: 'start: "a"' } };
const agents = { type: 'namespace', name: 'agents', description: 'Agents.', tools: [{ ...run, name: 'wait' }] };
const search = {
  type: 'tool_search',
  execution: 'client',
  description: 'Finds tools.',
  parameters: { type: 'object' },
};

describe('a stream of responses from a provider that has chats', () => {
  it('has all events of a text in order, and the cost in the usage of the last', async () => {
    const { written, upstream, account } = await serve(stream, {
      answer: sse(
        chunk({ role: 'assistant', content: '' }),
        chunk({ content: 'one ' }),
        chunk({ content: 'two' }),
        ...end('stop'),
      ),
    });
    const { types, events, response } = await streamBySdk(written);
    expect(types).toEqual([
      ...['response.created', 'response.in_progress', 'response.output_item.added', 'response.content_part.added'],
      ...['response.output_text.delta', 'response.output_text.delta', 'response.output_text.done'],
      ...['response.content_part.done', 'response.output_item.done', 'response.completed'],
    ]);
    expect(events.map(({ sequence_number: sequence }) => sequence)).toEqual(events.map((_, index) => index));
    expect(response).toMatchObject({
      ...{ id: 'resp_chatcmpl-1', object: 'response', status: 'completed', model: 'm', output_text: 'one two' },
      ...{ store: false, error: null, incomplete_details: null },
      output: [
        {
          type: 'message',
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text: 'one two' }],
        },
      ],
      usage: {
        ...{ input_tokens: 9, input_tokens_details: { cached_tokens: 0 }, output_tokens: 3, total_tokens: 12 },
        ...{ output_tokens_details: { reasoning_tokens: 0 }, cost: 0.000021, cost_usd: '0.000021' },
      },
    });
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldSettled', charged: 21_000n });
    expect(upstream.sent).toMatchObject([
      { endpoint: '/chat/completions', body: { messages: [{ role: 'user', content: 'How are you?' }], stream: true } },
    ]);
  });

  it('has reasoning, a refusal and parallel tool calls as items', async () => {
    const details = (text: string, more: object = {}) => ({
      reasoning_details: [{ type: 'reasoning.text', text, format: 'anthropic-claude-v1', ...more }],
    });
    const { written } = await serve(
      { ...stream, tools: [run, patch, agents, search] },
      {
        answer: sse(
          chunk(details('Hm')),
          chunk(details('m.')),
          chunk(details('', { signature: 'S' })),
          chunk({ content: 'So: ' }),
          chunk({ refusal: 'No.' }),
          call(0, 'c0', 'run', ''),
          call(0, undefined, undefined, '{"a"'),
          call(1, 'c1', 'patch', '{"input":"x\\n'),
          call(2, 'c2', 'agents__wait', '{}'),
          call(3, 'c3', 'tool_search', '{"query":"x"}'),
          call(0, undefined, undefined, ':1}'),
          call(1, undefined, undefined, 'y"}'),
          ...end('tool_calls'),
        ),
      },
    );
    const { response, types } = await streamBySdk(written);
    expect(response.output).toMatchObject([
      {
        ...{ type: 'reasoning', id: 'rs_chatcmpl-1_0', encrypted_content: 'kissapi.anthropic.S' },
        summary: [{ type: 'summary_text', text: 'Hmm.' }],
      },
      {
        ...{ type: 'message', id: 'msg_chatcmpl-1_1' },
        content: [
          { type: 'output_text', text: 'So: ' },
          { type: 'refusal', refusal: 'No.' },
        ],
      },
      { type: 'function_call', call_id: 'c0', name: 'run', arguments: '{"a":1}', status: 'completed' },
      { type: 'custom_tool_call', call_id: 'c1', name: 'patch', input: 'x\ny' },
      { type: 'function_call', call_id: 'c2', namespace: 'agents', name: 'wait', arguments: '{}' },
      { type: 'tool_search_call', call_id: 'c3', execution: 'client', arguments: { query: 'x' } },
    ]);
    expect(types).toContain('response.reasoning_summary_part.done');
    expect(types).toContain('response.custom_tool_call_input.done');
  });

  it('ends as incomplete if the model reached its limit', async () => {
    const { written } = await serve(stream, { answer: sse(chunk({ content: 'one' }), ...end('length')) });
    const { types, response } = await streamBySdk(written);
    expect(types.at(-1)).toBe('response.incomplete');
    expect(response).toMatchObject({
      ...{ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
      output: [{ status: 'incomplete', content: [{ text: 'one' }] }],
    });
    expect(written).not.toContain('kissapi":');
  });

  it('ends as incomplete with the reason if credits cut it', async () => {
    const words = Array.from({ length: 30 }, () => chunk({ content: 'word '.repeat(100) }));
    const { written, account } = await serve(stream, {
      ...{ credits: 9_000_000n, answer: sse(...words, ...end('stop', 3000)) },
    });
    const { types, response } = await streamBySdk(written);
    expect(types.slice(-4)).toEqual([
      ...[
        'response.output_text.done',
        'response.content_part.done',
        'response.output_item.done',
        'response.incomplete',
      ],
    ]);
    expect(response).toMatchObject({
      ...{ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
      kissapi: { generation_id: 'gen-0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d', error: { type: 'insufficient_quota' } },
      output: [{ status: 'incomplete' }],
    });
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldSettled' });
    expect(response.output_text.length).toBeGreaterThan(1000);
  });

  it('raises in the client if it breaks off', async () => {
    const { written } = await serve(stream, { answer: sse(chunk({ content: 'one' })) });
    expect(written.trimEnd().split('\n\n').at(-1)).toMatch(/^event: error\ndata: /);
    await expect(streamBySdk(written)).rejects.toMatchObject({ message: 'It broke.', code: 'upstream_error' });
  });

  it('is the events of a whole answer if the provider did not stream', async () => {
    const message = {
      ...{ role: 'assistant', content: 'one', reasoning: 'Hm.' },
      tool_calls: [
        { id: 'c0', type: 'function', function: { name: 'run', arguments: '{}' } },
        { id: 'c1', type: 'function', function: { name: 'patch', arguments: '{"input":"x"}' } },
        { id: 'c3', type: 'function', function: { name: 'tool_search', arguments: '{"query":"x"}' } },
      ],
    };
    const choices = [{ index: 0, message, finish_reason: 'tool_calls' }];
    const { written } = await serve(
      { ...stream, tools: [run, patch, search] },
      { answer: JSON.stringify({ id: 'chatcmpl-1', choices, usage: usage(9, 3) }) },
    );
    const { types, response } = await streamBySdk(written);
    expect(types.slice(0, 3)).toEqual(['response.created', 'response.in_progress', 'response.output_item.added']);
    expect(types.at(-1)).toBe('response.completed');
    expect(response).toMatchObject({
      usage: { cost_usd: '0.000021' },
      output: [
        { type: 'reasoning', summary: [{ text: 'Hm.' }] },
        { type: 'message', content: [{ type: 'output_text', text: 'one' }] },
        { type: 'function_call', arguments: '{}' },
        { type: 'custom_tool_call', input: 'x' },
        { type: 'tool_search_call', arguments: { query: 'x' } },
      ],
    });
  });
});

describe('a whole response from a provider that has chats', () => {
  const answered = (message: object, finish: string) =>
    JSON.stringify({
      id: 'chatcmpl-1',
      choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
      usage: { ...usage(9, 3), prompt_tokens_details: { cached_tokens: 4 } },
    });

  it('has the items, the settings of the request, and the usage with its cost', async () => {
    const format = { type: 'json_schema', name: 'answer', schema: { type: 'object' }, strict: true };
    const fields = {
      ...{ instructions: 'Be brief.', max_output_tokens: 50, text: { format, verbosity: 'medium' }, tools: [run] },
      ...{
        reasoning: { effort: 'low', summary: 'auto' },
        temperature: 0.5,
        metadata: { a: 'b' },
        tool_choice: 'required',
      },
    };
    const { written, upstream, account } = await serve(fields, { answer: answered({ content: '{"a":1}' }, 'stop') });
    const response = await wholeBySdk(written);
    expect(response).toMatchObject({
      ...{ object: 'response', status: 'completed', output_text: '{"a":1}', instructions: 'Be brief.' },
      ...{ max_output_tokens: 50, temperature: 0.5, metadata: { a: 'b' }, tools: [run], text: { format } },
      usage: { input_tokens: 9, input_tokens_details: { cached_tokens: 4 }, output_tokens: 3, cost_usd: '0.000018' },
    });
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldSettled', charged: 18_000n });
    expect(upstream.sent[0]?.body).toEqual({
      model: 'gpt-4o',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'How are you?' },
      ],
      tools: [{ type: 'function', function: { name: 'run', parameters: { type: 'object' } } }],
      ...{ tool_choice: 'required', max_tokens: 50, temperature: 0.5, reasoning_effort: 'low' },
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', schema: { type: 'object' }, strict: true },
      },
    });
  });

  it('is incomplete if a limit or a filter ended it, and names credits that set the limit', async () => {
    const { written: cut } = await serve({}, { answer: answered({ content: 'one' }, 'length') });
    const notice = { generationId: 'gen-1', error: { type: 'insufficient_quota' } };
    expect(await wholeBySdk(responses.addShortage(cut, notice))).toMatchObject({
      ...{ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
      kissapi: { generation_id: 'gen-1', error: { type: 'insufficient_quota' } },
    });
    const { written: filtered } = await serve({}, { answer: answered({ content: '' }, 'content_filter') });
    expect(responses.addShortage(filtered, notice)).toBe(filtered);
    expect(await wholeBySdk(filtered)).toMatchObject({
      ...{ status: 'incomplete', incomplete_details: { reason: 'content_filter' } },
    });
  });

  it('is assembled from a stream if its credits are held in steps, and is cut where they end', async () => {
    const words = Array.from({ length: 30 }, () => chunk({ content: 'word '.repeat(100) }));
    const answer = sse(...words, ...end('stop', 3000));
    const { written, upstream } = await serve({}, { credits: 9_000_000n, answer });
    expect(upstream.sent[0]?.body).toMatchObject({ stream: true });
    const response = await wholeBySdk(written);
    expect(response).toMatchObject({
      ...{ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
      kissapi: { error: { type: 'insufficient_quota' } },
      output: [{ status: 'incomplete' }],
    });
    expect(response.output_text.length).toBeGreaterThan(1000);
  });
});
