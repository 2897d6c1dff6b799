import { describe, expect, it } from 'vitest';
import { goodJob, request } from '../../examples.ts';
import type { Job } from '../../../../src/proxy/formats/format.ts';
import type { ProviderRequest } from '../../../../src/proxy/providers/provider.ts';
import { useAnthropic, watch, refuses, whole } from './upstream.ts';

const anthropic = useAnthropic();

/** The body that the provider receives for a job. */
const sent = async (job: Job, more: Partial<ProviderRequest> = {}): Promise<Record<string, unknown>> => {
  anthropic.server.play(whole({ content: [], stop_reason: 'end_turn' }));
  expect(anthropic.provider.unsupported(job)).toBeUndefined();
  const { signal } = new AbortController();
  const sold = { maxOutputTokens: 64_000 };
  await anthropic.provider.ask({ job, model: 'claude-x', outputCap: undefined, sold, signal, watch, ...more });
  return JSON.parse(anthropic.server.bodies.at(-1) ?? '') as Record<string, unknown>;
};

const said = [{ role: 'user', content: [{ type: 'text', text: 'How are you?' }] }];
const f = { type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' }, strict: true } };

describe('a chat as a Messages request', () => {
  it('has the limit of the request, else that of the credits, else that of the model', async () => {
    const common = { model: 'claude-x', messages: said, service_tier: 'standard_only' };
    expect(await sent(request())).toEqual({ ...common, max_tokens: 64_000 });
    expect(await sent(request(), { outputCap: 50 })).toEqual({ ...common, max_tokens: 50 });
    expect(await sent(request({ max_tokens: 9, stream: true }))).toEqual({ ...common, max_tokens: 9, stream: true });
    expect(await sent(request({ max_tokens: 100_000 }))).toMatchObject({ max_tokens: 64_000 });
  });

  it('collects instructions in system, and joins turns of one role', async () => {
    const messages = [
      { role: 'system', content: 'a' },
      { role: 'developer', content: [{ type: 'text', text: 'b', cache_control: { type: 'ephemeral' } }] },
      { role: 'user', content: 'c' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'd' },
          { type: 'text', text: '' },
        ],
      },
      { role: 'assistant', content: '' },
      { role: 'user', content: 'e' },
    ];
    expect(await sent(request({ messages }))).toMatchObject({
      system: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b', cache_control: { type: 'ephemeral' } },
      ],
      messages: [{ role: 'user', content: ['c', 'd', 'e'].map((text) => ({ type: 'text', text })) }],
    });
  });

  it('has tool calls with their input, and the results in the next turn of the user', async () => {
    const call = (id: string, text: string) => ({ id, type: 'function', function: { name: 'f', arguments: text } });
    const messages = [
      { role: 'user', content: 'a' },
      {
        ...{ role: 'assistant', content: null, tool_calls: [call('1', '{"n":12345678901234567890}'), call('2', '')] },
        reasoning_details: [
          { type: 'reasoning.text', text: 'hm', signature: 's', format: 'anthropic-claude-v1' },
          { type: 'reasoning.encrypted', data: 'r', redacted: true, format: 'anthropic-claude-v1' },
          { type: 'reasoning.encrypted', data: 'o', format: 'openai-responses-v1' },
        ],
      },
      { role: 'tool', tool_call_id: '1', content: 'x' },
      {
        role: 'tool',
        tool_call_id: '2',
        content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }],
      },
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x.test/a.png', detail: 'high' } }] },
    ];
    const body = await sent(request({ messages, tools: [f], parallel_tool_calls: false }));
    expect(body['messages']).toMatchObject([
      { role: 'user' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 's' },
          { type: 'redacted_thinking', data: 'r' },
          { type: 'tool_use', id: '1', name: 'f' },
          { type: 'tool_use', id: '2', name: 'f', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: '1', content: [{ type: 'text', text: 'x' }] },
          {
            ...{ type: 'tool_result', tool_use_id: '2' },
            content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } }],
          },
          { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } },
        ],
      },
    ]);
    expect(anthropic.server.bodies.at(-1)).toContain('"input":{"n":12345678901234567890}');
    expect(body['tool_choice']).toEqual({ type: 'auto', disable_parallel_tool_use: true });
    expect(body['tools']).toEqual([{ name: 'f', description: 'd', input_schema: { type: 'object' }, strict: true }]);
  });

  const schema = { type: 'object', properties: {}, additionalProperties: false };
  it.each<[object, object]>([
    [
      { temperature: 0.5, top_p: 0.9, stop: ['x'] },
      { temperature: 0.5, top_p: 0.9, stop_sequences: ['x'] },
    ],
    [{ tools: [f], tool_choice: 'none' }, { tool_choice: { type: 'none' } }],
    [{ tools: [f], tool_choice: 'required' }, { tool_choice: { type: 'any' } }],
    [
      { tools: [f], tool_choice: { type: 'function', function: { name: 'f' } } },
      { tool_choice: { type: 'tool', name: 'f' } },
    ],
    [{ reasoning_effort: 'none' }, { thinking: { type: 'disabled' } }],
    [{ reasoning_effort: 'minimal' }, { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } }],
    [{ reasoning: { max_tokens: 2000 } }, { thinking: { type: 'enabled', budget_tokens: 2000 } }],
    [{ reasoning: { enabled: true } }, { thinking: { type: 'adaptive' } }],
    [
      { response_format: { type: 'json_schema', json_schema: { name: 'n', description: 'd', schema } } },
      { output_config: { format: { type: 'json_schema', schema: { description: 'd', ...schema } } } },
    ],
    [
      { tools: [{ type: 'custom', custom: { name: 'c' } }] },
      { tools: [{ name: 'c', input_schema: { type: 'object', required: ['input'] } }] },
    ],
    [{ user: 'u', metadata: { a: 'b' }, frequency_penalty: 0, verbosity: 'medium' }, { max_tokens: 64_000 }],
  ])('has %j as %j', async (fields, body) => {
    const written = await sent(request(fields));
    expect(written).toMatchObject(body);
    for (const name of ['user', 'metadata', 'frequency_penalty', 'verbosity']) expect(written).not.toHaveProperty(name);
  });

  it.each([
    [{ reasoning_effort: 'high' }, 8000],
    [{ reasoning_effort: 'minimal' }, 2000],
    [{ reasoning: { enabled: true } }, 5000],
    [{ reasoning: { max_tokens: 3000 } }, 3000],
  ])('with %j has a budget of %i tokens for a model without efforts', async (fields, budget_tokens) => {
    const sold = { maxOutputTokens: 10_000, thinksByBudget: true };
    const body = await sent(request(fields), { sold });
    expect(body).toMatchObject({ thinking: { type: 'enabled', budget_tokens } });
    expect(body).not.toHaveProperty('output_config');
  });

  it.each<[object, string]>([
    [{ n: 2 }, 'n'],
    [{ seed: 1 }, 'seed'],
    [{ frequency_penalty: 1 }, 'frequency_penalty'],
    [{ presence_penalty: 1 }, 'presence_penalty'],
    [{ logprobs: true }, 'logprobs'],
    [{ logit_bias: { a: 1 } }, 'logit_bias'],
    [{ prediction: { type: 'content', content: 'x' } }, 'prediction'],
    [{ temperature: 1.5 }, 'temperature'],
    [{ verbosity: 'low' }, 'verbosity'],
    [{ reasoning_effort: 'extreme' }, 'reasoning_effort'],
    [{ response_format: { type: 'json_object' } }, 'response_format'],
    [
      {
        messages: [
          { role: 'assistant', tool_calls: [{ id: '1', type: 'function', function: { name: 'f', arguments: '[1' } }] },
        ],
      },
      'messages.0.tool_calls',
    ],
    [
      {
        messages: [
          { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x.test', detail: 'low' } }] },
        ],
      },
      'messages.0.content.image_url.detail',
    ],
    [
      {
        messages: [
          { role: 'user', content: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral', ttl: '1h' } }] },
        ],
      },
      'cache_control.ttl',
    ],
  ])('is refused for %j, which names %s', (fields, param) => {
    expect(anthropic.provider.unsupported(request(fields))).toMatchObject({ code: 'unsupported_parameter', param });
  });

  it('is refused if it is of a format without conversations', () => {
    const embedding = goodJob({ model: 'm', input: 'x' }, '/embeddings');
    expect(anthropic.provider.unsupported(embedding)).toMatchObject({ param: 'model' });
  });
});

describe('a Messages request', () => {
  const asked = { max_tokens: 9, model: 'm', messages: [{ role: 'user', content: 'x' }] };

  it('passes byte for byte but for the model and the tier', async () => {
    const body = '{ "max_tokens":9, "temperature":0.10, "model" : "m", "messages":[{"role":"user","content":"x"}] }';
    await sent(goodJob(JSON.parse(body), '/messages'));
    const job = goodJob(asked, '/messages');
    await sent({ ...job, body: Buffer.from(body), fields: JSON.parse(body) as Job['fields'] });
    expect(anthropic.server.bodies.at(-1)).toBe(
      '{"service_tier":"standard_only", "max_tokens":9, "temperature":0.10, "model" : "claude-x", "messages":[{"role":"user","content":"x"}] }',
    );
  });

  it('leaves out what changes nothing, and what the provider would refuse', async () => {
    const edits = [{ type: 'clear_thinking_20251015', keep: 'all' }];
    const more = { context_management: { edits }, container: null };
    const messages = [{ role: 'user', content: 'ü' }];
    expect(await sent(goodJob({ ...more, ...asked, messages }, '/messages'))).toEqual({
      ...{ ...asked, messages, model: 'claude-x', service_tier: 'standard_only' },
    });
  });

  it('may ask for a cache of five minutes, and not of an hour', () => {
    const cached = (ttl: string) => goodJob({ ...asked, cache_control: { type: 'ephemeral', ttl } }, '/messages');
    expect(anthropic.provider.unsupported(cached('5m'))).toBeUndefined();
    expect(anthropic.provider.unsupported(cached('1h'))).toMatchObject({ param: 'cache_control.ttl' });
  });

  it('is counted by the provider, which receives it as it is', async () => {
    const paths: (string | undefined)[] = [];
    anthropic.server.play((response, _, { url, headers }) => {
      paths.push(url, headers['x-api-key'] as string, headers['anthropic-version'] as string);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"input_tokens":14}');
    });
    const counting = { job: goodJob(asked, '/messages'), model: 'claude-x', signal: new AbortController().signal };
    expect(await anthropic.provider.countTokens?.(counting)).toEqual({ kind: 'counted', inputTokens: 14 });
    expect(paths).toEqual(['/v1/messages/count_tokens', 'sk-ant-1', '2023-06-01']);
    expect(JSON.parse(anthropic.server.bodies.at(-1) ?? '')).toEqual({ ...asked, model: 'claude-x' });
    anthropic.server.play(refuses(400, 'invalid_request_error', 'messages: too long'));
    expect(await anthropic.provider.countTokens?.(counting)).toMatchObject({
      kind: 'refused',
      cause: 'request',
      status: 400,
    });
    anthropic.server.play(whole());
    await expect(anthropic.provider.countTokens?.(counting)).rejects.toThrow('not a valid count');
    expect(await anthropic.provider.countTokens?.({ ...counting, job: request() })).toBeUndefined();
  });
});
