import { describe, expect, it } from 'vitest';
import { isBadRequest, type Job } from '../../../../src/proxy/formats/format.ts';
import { readForCount } from '../../../../src/proxy/formats/messages/messages.ts';
import { measureJsonNow } from '../../../../src/proxy/json/json-shape.ts';
import { mediaOf } from '../../../../src/proxy/media/media-parts.ts';
import { goodJob, readJob } from '../../examples.ts';

const asked = { model: 'm', max_tokens: 100, messages: [{ role: 'user', content: 'How are you?' }] };
const read = (more: object) => readJob('/messages', Buffer.from(JSON.stringify({ ...asked, ...more })));
const good = (more: object = {}): Job => goodJob({ ...asked, ...more }, '/messages');
const user = (...content: readonly object[]) => ({ messages: [{ role: 'user', content }] });
const png = Buffer.from('89504e470d0a1a0a0000000d4948445200000400000003000802000000', 'hex').toString('base64');
const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } };

describe('a Messages request', () => {
  it('requires a limit on the output, a model and messages', () => {
    const limit = 'max_tokens: must be a whole number of at least 1; this format requires it';
    for (const max_tokens of [undefined, null, 0, 1.5, '9']) {
      expect(read({ max_tokens })).toMatchObject({ code: 'invalid_request', param: 'max_tokens', message: limit });
    }
    expect(read({ messages: [] })).toMatchObject({ code: 'invalid_request', param: 'messages' });
    expect(read({ model: 7 })).toMatchObject({ code: 'invalid_request', param: 'model' });
  });

  it('bounds the cost: one answer, the limit, and usage in every stream', () => {
    expect(good()).toMatchObject({ maxOutputTokens: 100, choices: 1, streamed: false, includeUsage: false });
    expect(good({ stream: true })).toMatchObject({ streamed: true, includeUsage: true });
  });

  it.each<[object, string]>([
    [{ container: 'container_1' }, 'container'],
    [{ mcp_servers: [{ type: 'url', url: 'https://mcp.test', name: 'x' }] }, 'mcp_servers'],
    [{ context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] } }, 'context_management'],
    [{ context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 1 }] } }, 'context_management'],
    [{ diagnostics: { previous_message_id: 'msg_1' } }, 'diagnostics'],
    [{ user_profile_id: 'p' }, 'user_profile_id'],
    [{ n: 2 }, 'n'],
    [{ anything_new: true }, 'anything_new'],
    [{ service_tier: 'priority' }, 'service_tier'],
    [{ speed: 'fast' }, 'speed'],
    [{ inference_geo: 'us' }, 'inference_geo'],
    [{ tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'tools'],
    [{ tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools.0.type'],
    [user({ type: 'container_upload', file_id: 'file_1' }), 'messages.0.content.0.type'],
    [user({ type: 'image', source: { type: 'file', file_id: 'file_1' } }), 'messages.0.content.0.source'],
    [user({ type: 'document', source: { type: 'file', file_id: 'file_1' } }), 'messages.0.content.0.source'],
    [
      user({
        type: 'tool_result',
        tool_use_id: 'a',
        content: [{ type: 'image', source: { type: 'file', file_id: 'f' } }],
      }),
      'messages.0.content.0.content.0.source',
    ],
    [
      user({ type: 'document', source: { type: 'content', content: [{ type: 'server_tool_use', id: 'x' }] } }),
      'messages.0.content.0.source.content.0.type',
    ],
    [{ system: [{ type: 'web_search_tool_result' }] }, 'system.0.type'],
  ])('is refused for %j, which names %s', (more, param) => {
    expect(read(more)).toMatchObject({ code: 'unsupported_parameter', param });
  });

  it('may have null in fields that are not sold, and the priced values in those that decide the price', () => {
    good({
      container: null,
      context_management: null,
      service_tier: 'auto',
      speed: 'standard',
      inference_geo: 'global',
    });
    good({ service_tier: 'standard_only' });
  });

  it('may ask to keep all thoughts, as Claude Code does', () => {
    const edits = [{ type: 'clear_thinking_20251015', keep: 'all' }];
    expect(good({ context_management: { edits } }).conversation()).toMatchObject({ others: {} });
  });

  it('names the lifetimes in a cache that it asks for', () => {
    const cached = { type: 'text', text: 'x', cache_control: { type: 'ephemeral', ttl: '1h' } };
    expect(good({ system: [cached] }).cacheLifetimes).toEqual([{ param: 'cache_control.ttl', value: '1h' }]);
  });

  it('has the texts that a model reads, except the thoughts of earlier turns', () => {
    const job = good({
      system: 'Be brief.',
      messages: [
        { role: 'user', content: 'a' },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'secret', signature: 's' },
            { type: 'tool_use', id: 't', name: 'f', input: { b: 1 } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'c' }] },
            { type: 'tool_result', tool_use_id: 'u', content: 'd' },
            { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'e' } },
          ],
        },
      ],
      tools: [{ name: 'f', input_schema: {} }],
    });
    const texts = job.texts().join(' ');
    for (const text of ['Be brief.', 'a', '{"b":1}', 'c', 'd', 'e', '"name":"f"']) expect(texts).toContain(text);
    expect(texts).not.toContain('secret');
    expect([...job.media()]).toEqual([]);
  });

  it('bounds pictures by their size, and documents by all that the model reads', () => {
    const rule = { pictures: { rule: 'pixels', budget: 1600 } } as const;
    const result = { type: 'tool_result', tool_use_id: 't', content: [picture] };
    const { tokens, bytes } = mediaOf(good(user(picture, result)), rule);
    expect(tokens).toBeGreaterThan(2000);
    expect(tokens).toBeLessThanOrEqual(3200);
    expect(bytes).toBeGreaterThanOrEqual(2 * png.length);
    const pdf = { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' } };
    expect(mediaOf(good(user(pdf)), rule).tokens).toBe(Infinity);
  });
});

it('reads a request for a count without a limit', () => {
  const { model, messages } = asked;
  const body = Buffer.from(JSON.stringify({ model, messages }));
  const job = readForCount(body, measureJsonNow(body));
  if (isBadRequest(job)) throw new Error(job.message);
  expect(job).toMatchObject({ model: 'm', maxOutputTokens: 0, streamed: false });
  expect(job.texts()).toEqual(['How are you?']);
});

describe('a Messages request as a conversation', () => {
  const conversation = (more: object) => good(more).conversation();

  it('has its turns, with results of tools as messages of their own', () => {
    const cache_control = { type: 'ephemeral' };
    expect(
      conversation({
        system: [{ type: 'text', text: 'Be brief.', cache_control }],
        messages: [
          { role: 'user', content: 'a' },
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: 'hm', signature: 's' },
              { type: 'thinking', thinking: '', signature: 'kissapi.gemini.g' },
              { type: 'redacted_thinking', data: 'r' },
              { type: 'text', text: 'b', citations: null },
              { type: 'tool_use', id: 't', name: 'f', input: { x: 1 }, caller: { type: 'direct' } },
            ],
          },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 't', content: [picture], is_error: true },
              { type: 'text', text: 'c' },
            ],
          },
        ],
        cache_control,
      }),
    ).toEqual({
      messages: [
        { role: 'system', parts: [{ kind: 'text', text: 'Be brief.', cached: true }] },
        { role: 'user', parts: [{ kind: 'text', text: 'a' }] },
        {
          role: 'assistant',
          parts: [
            { kind: 'thinking', text: 'hm', signature: { from: 'anthropic', value: 's' } },
            { kind: 'thinking', text: '', signature: { from: 'gemini', value: 'g' } },
            { kind: 'thinking', text: '', signature: { from: 'anthropic', value: 'r' }, redacted: true },
            { kind: 'text', text: 'b' },
            { kind: 'tool_call', id: 't', name: 'f', arguments: '{"x":1}' },
          ],
        },
        {
          ...{ role: 'tool', callId: 't', isError: true },
          parts: [{ kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: png } }],
        },
        { role: 'user', parts: [{ kind: 'text', text: 'c', cached: true }] },
      ],
      ...{ tools: [], settings: expect.anything() as unknown, others: {} },
    });
  });

  it.each<[object, object]>([
    [
      { temperature: 0.5, top_p: 0.9, top_k: 5 },
      { temperature: 0.5, topP: 0.9, topK: 5 },
    ],
    [{ stop_sequences: ['x'] }, { stop: ['x'] }],
    [
      { tool_choice: { type: 'any', disable_parallel_tool_use: true } },
      { toolChoice: { kind: 'required' }, parallelToolCalls: false },
    ],
    [{ tool_choice: { type: 'tool', name: 'f' } }, { toolChoice: { kind: 'tool', name: 'f' } }],
    [{ thinking: { type: 'disabled' } }, { thinking: { kind: 'off' } }],
    [{ thinking: { type: 'adaptive', display: 'summarized' } }, { thinking: { kind: 'adaptive' } }],
    [
      { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } },
      { thinking: { kind: 'effort', effort: 'high' } },
    ],
    [{ thinking: { type: 'enabled', budget_tokens: 2000 } }, { thinking: { kind: 'budget', tokens: 2000 } }],
    [
      { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } },
      { output: { kind: 'schema', name: 'answer', schema: { type: 'object' }, strict: true } },
    ],
  ])('has %j as settings', (more, settings) => {
    expect(conversation(more)).toMatchObject({ settings });
  });

  it.each<[object, string]>([
    [
      user({ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'e' } }),
      'messages.0.content.0.type',
    ],
    [{ tools: [{ name: 'f', input_schema: {}, defer_loading: true }] }, 'tools.0.defer_loading'],
    [{ thinking: { type: 'between_tools' } }, 'thinking'],
    [{ output_config: { task_budget: { type: 'tokens', total: 9 } } }, 'output_config.task_budget'],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages.0.role'],
  ])('is refused for %j, which names %s', (more, param) => {
    expect(conversation(more)).toMatchObject({ code: 'unsupported_parameter', param });
  });
});
