import { describe, expect, it } from 'vitest';
import type { Conversation, Settings, Tool } from '../../../../../src/proxy/formats/conversation.ts';
import type { Job } from '../../../../../src/proxy/formats/format.ts';
import { dialects, type Dialect, type Reads } from '../../../../../src/proxy/providers/openai/dialects.ts';
import { chatBody, untranslatable } from '../../../../../src/proxy/providers/openai/translated/chat-body.ts';
import { foreignJob } from '../../foreign-job.ts';

const plain: Dialect = { outputLimitField: 'max_tokens' };
const openAi: Dialect = { outputLimitField: 'max_completion_tokens', ...dialects['openai'] };

const written = (
  more: Partial<Conversation>,
  { dialect = plain, job = {}, outputCap }: { dialect?: Dialect; job?: Partial<Job>; outputCap?: number } = {},
) =>
  JSON.parse(chatBody({ job: foreignJob(more, job), model: 'theirs', outputCap }, dialect).toString()) as Record<
    string,
    unknown
  >;

const messages = (all: Conversation['messages'], reads?: Reads) =>
  written({ messages: all }, { dialect: { ...plain, ...(reads ? { reads } : {}) } })['messages'];

const text = (value: string) => ({ kind: 'text' as const, text: value });
const picture = { kind: 'image' as const, source: { kind: 'base64' as const, mediaType: 'image/png', data: 'AAAA' } };
const url = { url: 'data:image/png;base64,AAAA' };

describe('a conversation as a chat', () => {
  it('has the limits, the stream and the usage that the gateway needs', () => {
    expect(written({})).toEqual({ model: 'theirs', messages: [{ role: 'user', content: 'How are you?' }] });
    expect(written({}, { job: { streamed: true, maxOutputTokens: 9 } })).toMatchObject({
      ...{ stream: true, stream_options: { include_usage: true }, max_tokens: 9 },
    });
    expect(written({}, { dialect: openAi, job: { maxOutputTokens: 9 }, outputCap: 7 })).toMatchObject({
      ...{ max_completion_tokens: 7, store: false, service_tier: 'default' },
    });
  });

  it('has each setting under its name there', () => {
    const settings: Settings = {
      ...{ temperature: 0.5, topP: 0.9, frequencyPenalty: 1, presencePenalty: 2, seed: 3, stop: ['x'] },
      output: { kind: 'schema', name: 'answer', schema: { type: 'object' }, strict: true },
      thinking: { kind: 'effort', effort: 'low' },
    };
    expect(written({ settings })).toMatchObject({
      ...{ temperature: 0.5, top_p: 0.9, frequency_penalty: 1, presence_penalty: 2, seed: 3, stop: ['x'] },
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', schema: { type: 'object' }, strict: true },
      },
      reasoning_effort: 'low',
    });
    expect(written({ settings: { output: { kind: 'json' } } })).toMatchObject({
      response_format: { type: 'json_object' },
    });
    expect(written({ settings: { topK: 4 } }, { dialect: { ...plain, reads: { topK: true } } })).toMatchObject({
      top_k: 4,
    });
    expect(written({ settings: { verbosity: 'low' } }, { dialect: openAi })).toMatchObject({ verbosity: 'low' });
  });

  it.each<[Settings['thinking'], object, object, object]>([
    [
      { kind: 'off' },
      { reasoning_effort: 'none' },
      { reasoning: { enabled: false } },
      { thinking: { type: 'disabled' } },
    ],
    [{ kind: 'adaptive' }, {}, { reasoning: { enabled: true } }, {}],
    [
      { kind: 'budget', tokens: 999 },
      { reasoning_effort: 'low' },
      { reasoning: { max_tokens: 999 } },
      { thinking: { type: 'enabled' } },
    ],
    [
      { kind: 'budget', tokens: 32_000 },
      { reasoning_effort: 'high' },
      { reasoning: { max_tokens: 32_000 } },
      { thinking: { type: 'enabled' } },
    ],
  ])('has the reasoning %o as each server reads it', (thinking, ...expected) => {
    const settingOf = (reads: Reads) => {
      const { model: _, messages: __, ...rest } = written({ settings: { thinking } }, { dialect: { ...plain, reads } });
      return rest;
    };
    expect([settingOf({}), settingOf({ thinking: 'reasoning' }), settingOf({ thinking: 'thinking' })]).toEqual(
      expected,
    );
  });

  it('has the role developer only at OpenAI, and reads a refusal elsewhere as text', () => {
    const all: Conversation['messages'] = [
      { role: 'developer', parts: [text('Be brief.')] },
      { role: 'assistant', parts: [{ kind: 'refusal', text: 'No.' }] },
    ];
    expect(messages(all)).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'assistant', content: 'No.' },
    ]);
    expect(messages(all, { newerOpenAi: true })).toEqual([
      { role: 'developer', content: 'Be brief.' },
      { role: 'assistant', content: null, refusal: 'No.' },
    ]);
  });

  it('has the pictures of tool results in a message of the user after all results of the turn', () => {
    const all: Conversation['messages'] = [
      {
        role: 'assistant',
        parts: [
          { kind: 'tool_call', id: 'a', name: 'look', arguments: '{}' },
          { kind: 'tool_call', id: 'b', name: 'run', arguments: '{"x":1}' },
        ],
      },
      { role: 'tool', callId: 'a', parts: [text('One.'), picture] },
      { role: 'tool', callId: 'b', parts: [text('no such file')], isError: true },
      { role: 'user', parts: [text('Go on.'), { ...picture, detail: 'low' }] },
    ];
    expect(messages(all)).toEqual([
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } },
          { id: 'b', type: 'function', function: { name: 'run', arguments: '{"x":1}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'a', content: 'One.' },
      { role: 'tool', tool_call_id: 'b', content: 'Error: no such file' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Pictures of the result of a:' },
          { type: 'image_url', image_url: url },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Go on.' },
          { type: 'image_url', image_url: { ...url, detail: 'low' } },
        ],
      },
    ]);
  });

  it('marks the end of a cached prompt only for servers that read it', () => {
    const all: Conversation['messages'] = [{ role: 'user', parts: [{ ...text('Long.'), cached: true }] }];
    expect(messages(all)).toEqual([{ role: 'user', content: 'Long.' }]);
    const cache_control = { type: 'ephemeral' };
    expect(messages(all, { cacheControl: true })).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'Long.', cache_control }] },
    ]);
  });

  it('has reasoning of earlier turns only where the server reads its own', () => {
    const all: Conversation['messages'] = [
      {
        role: 'assistant',
        parts: [
          { kind: 'thinking', text: 'Hm.', signature: { from: 'anthropic', value: 's' } },
          { kind: 'thinking', text: '', signature: { from: 'gemini', value: 'g' } },
          { kind: 'tool_call', id: 'a', name: 'look', arguments: '{}' },
        ],
      },
    ];
    const call = { id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } };
    const base = { role: 'assistant', content: null };
    const signed = { ...call, extra_content: { google: { thought_signature: 'g' } } };
    expect(messages(all)).toEqual([{ ...base, tool_calls: [call] }]);
    expect(messages(all, { reasoning: 'extra_content' })).toEqual([{ ...base, tool_calls: [signed] }]);
    expect(messages(all, { reasoning: 'reasoning_content' })).toEqual([
      { ...base, tool_calls: [call], reasoning_content: 'Hm.' },
    ]);
    expect(messages(all, { reasoning: 'reasoning_details' })).toEqual([
      {
        ...base,
        tool_calls: [signed],
        reasoning: 'Hm.',
        reasoning_details: [
          { type: 'reasoning.text', text: 'Hm.', signature: 's', format: 'anthropic-claude-v1', index: 0 },
        ],
      },
    ]);
  });

  it('has custom tools as OpenAI has them, and elsewhere as functions with one string', () => {
    const format = { type: 'grammar', syntax: 'lark', definition: 'start: "a"' };
    const tools: readonly Tool[] = [
      { kind: 'custom', name: 'patch', description: 'Edits.', format },
      { kind: 'function', name: 'run', schema: { type: 'object' }, strict: true },
    ];
    const more: Partial<Conversation> = {
      tools,
      settings: { toolChoice: { kind: 'tool', name: 'patch' }, parallelToolCalls: false },
      messages: [
        { role: 'assistant', parts: [{ kind: 'tool_call', id: 'a', name: 'patch', arguments: 'x', custom: true }] },
      ],
    };
    const run = { type: 'function', function: { name: 'run', parameters: { type: 'object' }, strict: true } };
    const grammar = { syntax: 'lark', definition: 'start: "a"' };
    expect(written(more, { dialect: openAi })).toMatchObject({
      tools: [
        { type: 'custom', custom: { name: 'patch', description: 'Edits.', format: { type: 'grammar', grammar } } },
        run,
      ],
      tool_choice: { type: 'custom', custom: { name: 'patch' } },
      parallel_tool_calls: false,
      messages: [{ tool_calls: [{ id: 'a', type: 'custom', custom: { name: 'patch', input: 'x' } }] }],
    });
    expect(written(more)).toMatchObject({
      tools: [{ type: 'function', function: { name: 'patch', parameters: { required: ['input'] } } }, run],
      tool_choice: { type: 'function', function: { name: 'patch' } },
      messages: [
        { tool_calls: [{ id: 'a', type: 'function', function: { name: 'patch', arguments: '{"input":"x"}' } }] },
      ],
    });
  });

  it('has no settings of tools without tools', () => {
    const settings: Settings = { parallelToolCalls: true, toolChoice: { kind: 'auto' } };
    expect(Object.keys(written({ settings }))).toEqual(['model', 'messages']);
  });

  it('is refused with the name of what this server cannot be asked for', () => {
    const why = (more: Partial<Conversation>, dialect: Dialect = plain) =>
      untranslatable(foreignJob(more), dialect)?.param;
    expect(why({})).toBeUndefined();
    expect(why({ settings: { topK: 1 } })).toBe('topK');
    expect(why({ settings: { verbosity: 'low' } })).toBe('verbosity');
    expect(why({ settings: { verbosity: 'low' } }, openAi)).toBeUndefined();
    expect(why({ others: { top_logprobs: 3 } })).toBe('top_logprobs');
    expect(why({ others: { simulate: {} } }, { ...plain, ...dialects['simulated'] })).toBeUndefined();
  });
});
