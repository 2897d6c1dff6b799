import { describe, expect, it } from 'vitest';
import type { Conversation } from '../../../../src/proxy/formats/conversation.ts';
import { isBadRequest, type Job } from '../../../../src/proxy/formats/format.ts';
import { encryptedContent, readReasoning } from '../../../../src/proxy/formats/responses/reasoning.ts';
import { readJob } from '../../examples.ts';

const read = (fields: object) =>
  readJob('/responses', Buffer.from(JSON.stringify({ model: 'm', input: 'Hi', ...fields })));
const refused = (fields: object) => {
  const job = read(fields);
  return isBadRequest(job) ? `${job.code} ${job.param}` : undefined;
};
const jobOf = (fields: object): Job => {
  const job = read(fields);
  if (isBadRequest(job)) throw new Error(job.message);
  return job;
};
const conversation = (fields: object): Conversation => {
  const told = jobOf(fields).conversation();
  if (!told || isBadRequest(told)) throw new Error(told?.message);
  return told;
};
const untold = (fields: object) => {
  const told = jobOf(fields).conversation();
  return told && isBadRequest(told) ? told.param : undefined;
};

const run = { type: 'function', name: 'run', description: 'Runs.', parameters: { type: 'object' }, strict: false };
const format = { type: 'grammar', syntax: 'lark', definition: 'start: "a"' };
const patch = { type: 'custom', name: 'patch', description: 'Edits.', format };
const wait = { ...run, name: 'wait' };
const agents = { type: 'namespace', name: 'agents', description: 'Agents.', tools: [wait] };
const search = { type: 'tool_search', execution: 'client', description: 'Finds.', parameters: { type: 'object' } };
const developer = {
  ...{ type: 'message', id: 'msg_1', role: 'developer' },
  content: [
    { type: 'input_text', text: 'You are a coding agent.' },
    { type: 'input_text', text: 'The sandbox is read-only.' },
  ],
};
const user = { type: 'message', id: 'msg_2', role: 'user', content: [{ type: 'input_text', text: 'Say hi.' }] };

/** The body of Codex 0.171 after a tool call, but for the length of its texts and the number of its tools. */
const codex = {
  ...{ stream: true, tool_choice: 'auto', parallel_tool_calls: true, store: false },
  reasoning: { effort: 'medium', summary: 'auto' },
  include: ['reasoning.encrypted_content'],
  ...{ prompt_cache_key: '01a2', text: { verbosity: 'low' }, client_metadata: { session_id: '01a2' } },
  tools: [run, patch, agents, search],
  input: [
    ...[developer, user],
    {
      ...{ type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm.' }], content: null },
      encrypted_content: 'kissapi.anthropic.S',
    },
    { type: 'function_call', id: 'fc_1', name: 'run', arguments: '{"cmd":"ls"}', call_id: 'c1' },
    { type: 'custom_tool_call', id: 'ctc_1', status: 'completed', call_id: 'c2', name: 'patch', input: '*** Begin' },
    { type: 'function_call', id: 'fc_2', name: 'wait', namespace: 'agents', arguments: '{}', call_id: 'c3' },
    { type: 'tool_search_call', call_id: 'c4', status: 'completed', execution: 'client', arguments: { query: 'x' } },
    { type: 'function_call_output', id: 'fco_1', call_id: 'c1', output: 'a.txt' },
    { type: 'custom_tool_call_output', call_id: 'c2', output: 'Done.' },
    {
      ...{ type: 'function_call_output', call_id: 'c3' },
      output: [
        { type: 'input_text', text: 'Seen.' },
        { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'high' },
      ],
    },
    {
      ...{ type: 'tool_search_output', call_id: 'c4', status: 'completed', execution: 'client' },
      tools: [{ type: 'namespace', name: 'clock', description: 'Time.', tools: [{ ...run, name: 'sleep' }] }],
    },
    { type: 'message', role: 'assistant', phase: 'final_answer', content: [{ type: 'output_text', text: 'Hi.' }] },
  ],
};

/** The first body of Codex 0.171 for its newest models: the tools are an item of the input. */
const codexLite = {
  ...{ ...codex, tools: undefined, reasoning: { effort: 'medium', context: 'all_turns' } },
  input: [
    { type: 'additional_tools', id: 'at_1', role: 'developer', tools: [{ ...agents, tools: [patch, wait] }] },
    developer,
    user,
  ],
};

describe('a request of Codex', () => {
  it('is accepted and read as a conversation', () => {
    const job = jobOf(codex);
    expect(job).toMatchObject({ streamed: true, includeUsage: true, choices: 1 });
    expect(conversation(codex)).toEqual({
      messages: [
        {
          role: 'developer',
          parts: [
            { kind: 'text', text: 'You are a coding agent.' },
            { kind: 'text', text: 'The sandbox is read-only.' },
          ],
        },
        { role: 'user', parts: [{ kind: 'text', text: 'Say hi.' }] },
        {
          role: 'assistant',
          parts: [
            { kind: 'thinking', text: 'Hm.', signature: { from: 'anthropic', value: 'S' } },
            { kind: 'tool_call', id: 'c1', name: 'run', arguments: '{"cmd":"ls"}' },
            { kind: 'tool_call', id: 'c2', name: 'patch', arguments: '*** Begin', custom: true },
            { kind: 'tool_call', id: 'c3', name: 'agents__wait', arguments: '{}' },
            { kind: 'tool_call', id: 'c4', name: 'tool_search', arguments: '{"query":"x"}' },
          ],
        },
        { role: 'tool', callId: 'c1', parts: [{ kind: 'text', text: 'a.txt' }] },
        { role: 'tool', callId: 'c2', parts: [{ kind: 'text', text: 'Done.' }] },
        {
          ...{ role: 'tool', callId: 'c3' },
          parts: [
            { kind: 'text', text: 'Seen.' },
            { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' }, detail: 'high' },
          ],
        },
        { role: 'tool', callId: 'c4', parts: [{ kind: 'text', text: 'Found the tool clock__sleep.' }] },
        { role: 'assistant', parts: [{ kind: 'text', text: 'Hi.' }] },
      ],
      tools: [
        { kind: 'function', name: 'run', description: 'Runs.', schema: { type: 'object' } },
        { kind: 'custom', name: 'patch', description: 'Edits.', format },
        { kind: 'function', name: 'agents__wait', description: 'Runs.', schema: { type: 'object' } },
        { kind: 'function', name: 'tool_search', description: 'Finds.', schema: { type: 'object' } },
        { kind: 'function', name: 'clock__sleep', description: 'Runs.', schema: { type: 'object' } },
      ],
      settings: {
        ...{ toolChoice: { kind: 'auto' }, parallelToolCalls: true, verbosity: 'low' },
        thinking: { kind: 'effort', effort: 'medium' },
      },
      others: {},
    });
  });

  it('may have its tools in the input', () => {
    expect(conversation(codexLite).tools.map(({ name }) => name)).toEqual(['agents__patch', 'agents__wait']);
  });

  it('has all its texts and pictures counted', () => {
    const texts = jobOf(codex).texts().join('|');
    for (const text of [
      'coding agent',
      'Say hi',
      '{\\"cmd\\"',
      '*** Begin',
      'a.txt',
      'Done.',
      'Seen.',
      'Hi.',
      'start: ',
    ]) {
      expect(texts).toContain(text.replaceAll('\\"', '"'));
    }
    expect(texts).toContain('sleep');
    expect([...jobOf(codex).media()]).toMatchObject([{ kind: 'picture', detail: 'high' }]);
    expect(jobOf(codexLite).texts().join('|')).toContain('Edits.');
  });
});

describe('a request in the format responses', () => {
  it.each<[object, string]>([
    [{ previous_response_id: 'resp_1' }, 'previous_response_id'],
    [{ conversation: 'conv_1' }, 'conversation'],
    [{ prompt: { id: 'pmpt_1' } }, 'prompt'],
    [{ background: true }, 'background'],
    [{ context_management: [{ type: 'compaction' }] }, 'context_management'],
    [{ unheard_of: 1 }, 'unheard_of'],
    [{ n: 2 }, 'n'],
    [{ service_tier: 'priority' }, 'service_tier'],
    [{ include: ['file_search_call.results'] }, 'include'],
    [{ prompt_cache_options: { ttl: '12h' } }, 'none'],
    [{ tools: [{ type: 'web_search' }] }, 'tools'],
    [{ tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] }, 'tools'],
    [{ tools: [{ ...agents, tools: [{ type: 'mcp' }] }] }, 'tools.0.tools'],
    [{ tools: [{ type: 'tool_search' }] }, 'tools.0'],
    [{ input: [{ type: 'additional_tools', tools: [{ type: 'web_search' }] }] }, 'input.0.tools'],
    [{ tool_choice: { type: 'web_search' } }, 'tool_choice'],
    [{ input: [user, { type: 'item_reference', id: 'msg_1' }] }, 'input.1'],
    [{ input: [{ type: 'compaction', encrypted_content: 'x' }] }, 'input.0.type'],
    [{ input: [{ type: 'computer_call_output' }] }, 'input.0.type'],
    [{ input: [{}] }, 'input.0.type'],
    [{ input: ['Hi'] }, 'input.0.type'],
    [{ input: [{ ...user, content: [{}] }] }, 'input.0.content.0.type'],
    [{ input: [{ ...user, content: [{ type: 'input_image', file_id: 'file_1' }] }] }, 'input.0.content.0.file_id'],
    [{ input: [{ ...user, content: [{ type: 'input_audio' }] }] }, 'input.0.content.0.type'],
    [
      { input: [{ type: 'function_call_output', call_id: 'c', output: [{ type: 'input_file', file_id: 'f' }] }] },
      'input.0.output.0.file_id',
    ],
  ])('%o is refused with the name of the field', (fields, param) => {
    expect(refused(fields)).toBe(param === 'none' ? undefined : `unsupported_parameter ${param}`);
  });

  it('reports lifetimes of a cache that it asks for, for the provider to check', () => {
    const prompt_cache_breakpoint = { mode: 'explicit', ttl: '12h' };
    const input = [{ ...user, content: [{ type: 'input_text', text: 'Hi', prompt_cache_breakpoint }] }];
    expect(jobOf({ input, prompt_cache_options: { ttl: '30m' } }).cacheLifetimes).toEqual([
      { param: 'prompt_cache_options.ttl', value: '30m' },
      { param: 'prompt_cache_breakpoint.ttl', value: '12h' },
    ]);
  });

  it('accepts what says that nothing is to be kept, and other names of the customer', () => {
    const fields = { store: true, previous_response_id: null, background: false, user: 'u', metadata: { a: 'b' } };
    expect(refused({ ...fields, truncation: 'auto', input: [{ role: 'user', content: 'Hi' }] })).toBeUndefined();
  });

  it('may name a tool of any spelling in the input of a call', () => {
    const call = { type: 'function_call', call_id: 'c', name: 'f', arguments: '{"Model":1}' };
    expect(refused({ input: [call] })).toBeUndefined();
    expect(refused({ input: [{ ...user, Content: 'x' }] })).toBe('invalid_request Content');
  });

  it('leaves a reference to reasoning out, which nothing could read', () => {
    expect(conversation({ input: [user, { type: 'item_reference', id: 'rs_1' }] }).messages).toHaveLength(1);
  });

  it.each<[object, string]>([
    [{ truncation: 'auto' }, 'truncation'],
    [{ top_logprobs: 2 }, 'top_logprobs'],
    [{ include: ['message.output_text.logprobs'] }, 'include'],
  ])('%o has no counterpart elsewhere', (fields, name) => {
    expect(Object.keys(conversation(fields).others)).toEqual([name]);
  });

  it.each<[object, string]>([
    [{ input: [{ ...user, content: [{ type: 'input_file', file_data: 'x' }] }] }, 'input.0.content.0.input_file'],
    [{ input: [{ ...user, name: 'x' }] }, 'input.0.name'],
    [{ text: { format: { type: 'grammar' } } }, 'text.format.type'],
    [{ temperature: 'hot' }, 'temperature'],
  ])('%o is refused for providers of other formats', (fields, param) => {
    expect(untold(fields)).toBe(param);
  });

  it('has a choice of tools, a schema and instructions', () => {
    const allowed = { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'run' }] };
    const told = conversation({
      ...{ tools: [run, patch], tool_choice: allowed, instructions: 'Be brief.' },
      text: { format: { type: 'json_schema', name: 'a', schema: { type: 'object' }, strict: true } },
    });
    expect(told.tools.map(({ name }) => name)).toEqual(['run']);
    expect(told.settings).toMatchObject({
      toolChoice: { kind: 'required' },
      output: { kind: 'schema', name: 'a', schema: { type: 'object' }, strict: true },
    });
    expect(told.messages[0]).toEqual({ role: 'system', parts: [{ kind: 'text', text: 'Be brief.' }] });
    const one = conversation({ tools: [run, patch], tool_choice: { type: 'custom', name: 'patch' } });
    expect(one.settings.toolChoice).toEqual({ kind: 'tool', name: 'patch' });
  });

  it('brings back the reasoning of each provider as it was', () => {
    for (const from of ['anthropic', 'gemini', 'openai'] as const) {
      for (const redacted of [true, false]) {
        const text = redacted ? '' : 'Hm.';
        const summary = redacted ? [] : [{ type: 'summary_text', text }];
        const encrypted_content = encryptedContent({ from, value: 'S' }, redacted);
        expect(readReasoning({ summary, encrypted_content })).toEqual([
          { kind: 'thinking', text, signature: { from, value: 'S' }, ...(redacted ? { redacted } : {}) },
        ]);
      }
    }
  });
});
