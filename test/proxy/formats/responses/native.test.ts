import { describe, expect, it } from 'vitest';
import type { DeltaEvent } from '../../../../src/proxy/providers/provider.ts';
import { createEventReader } from '../../../../src/proxy/providers/openai/responses/event-reader.ts';
import { dialects } from '../../../../src/proxy/providers/openai/dialects.ts';
import { native, serve, streamBySdk, wholeBySdk } from './served.ts';

const usage = {
  ...{ input_tokens: 9, input_tokens_details: { cached_tokens: 4, cache_write_tokens: 0 } },
  ...{ output_tokens: 3, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 12 },
};
const response = (more: object = {}) => ({
  ...{ id: 'resp_1', object: 'response', created_at: 1, status: 'in_progress', error: null, incomplete_details: null },
  ...{ model: 'gpt-4o-2024-11-20', output: [], service_tier: 'default', store: false, usage: null },
  ...more,
});

let sequence = 0;
const event = (type: string, fields: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...fields })}\n\n`;

const begin = (): string => {
  sequence = 0;
  return event('response.created', { response: response() }) + event('response.in_progress', { response: response() });
};

const reasoning = { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: 'ENC' };
const message = (text: string, status: string) => ({
  ...{ id: 'msg_1', type: 'message', role: 'assistant', status },
  content: text === '' ? [] : [{ type: 'output_text', text, annotations: [], logprobs: [] }],
});
const callItem = (text: string, status: string) => ({
  ...{ id: 'fc_1', type: 'function_call', call_id: 'c1', name: 'run', arguments: text, status },
});

const part = { item_id: 'msg_1', output_index: 1, content_index: 0 };
const text = (delta: string): string => event('response.output_text.delta', { ...part, delta, logprobs: [] });
const empty = { type: 'output_text', text: '', annotations: [], logprobs: [] };

const thinking = (): string =>
  event('response.output_item.added', { output_index: 0, item: { ...reasoning, encrypted_content: null } }) +
  event('response.output_item.done', { output_index: 0, item: reasoning });

const beginText = (): string =>
  event('response.output_item.added', { output_index: 1, item: message('', 'in_progress') }) +
  event('response.content_part.added', { ...part, part: empty });

const endText = (all: string): string =>
  event('response.output_text.done', { ...part, text: all, logprobs: [] }) +
  event('response.content_part.done', { ...part, part: { ...empty, text: all } }) +
  event('response.output_item.done', { output_index: 1, item: message(all, 'completed') });

const called = (): string =>
  event('response.output_item.added', { output_index: 2, item: callItem('', 'in_progress') }) +
  event('response.function_call_arguments.delta', { item_id: 'fc_1', output_index: 2, delta: '{}', obfuscation: 'x' }) +
  event('response.function_call_arguments.done', { item_id: 'fc_1', output_index: 2, name: 'run', arguments: '{}' }) +
  event('response.output_item.done', { output_index: 2, item: callItem('{}', 'completed') });

const output = [reasoning, message('one two', 'completed'), callItem('{}', 'completed')];
const complete = (): string =>
  event('response.completed', { response: response({ status: 'completed', output, usage }) });

const whole = () => {
  const before = begin() + thinking() + beginText() + text('one ') + text('two') + endText('one two') + called();
  return { before, all: before + complete() };
};

const stream = { stream: true };

describe('a stream of responses from a provider that has them', () => {
  it('passes unchanged, but for the cost in the usage of its last event', async () => {
    const { before, all } = whole();
    const { written, account, upstream } = await serve(stream, { dialect: native, answer: all });
    expect(written.startsWith(before)).toBe(true);
    const last = JSON.parse(written.slice(before.length).split('data: ')[1] ?? '') as object;
    const settled = { ...usage, cost: 0.000018, cost_usd: '0.000018' };
    expect(last).toEqual({
      ...{ type: 'response.completed', sequence_number: sequence - 1 },
      response: response({ status: 'completed', output, usage: settled }),
    });
    expect(account.events.at(-1)).toMatchObject({
      ...{ type: 'HoldSettled', charged: 18_000n },
      delivery: { upstreamId: 'resp_1', finishReason: 'tool_calls', usageSource: 'reported' },
    });
    expect(upstream.sent[0]?.endpoint).toBe('/responses');
    const { response: read } = await streamBySdk(written);
    expect(read).toMatchObject({ status: 'completed', output_text: 'one two', usage: settled });
  });

  it('has pieces as well, and bills all output text', () => {
    const reader = createEventReader();
    const events = reader.read(Buffer.from(whole().all)).events;
    const deltas = events.filter((one): one is DeltaEvent => one.kind === 'delta');
    const parts = deltas.flatMap(({ parts }) => parts);
    expect(parts.map(({ text }) => text).join('')).toBe('one tworun{}');
    expect(parts.flatMap(({ pieces = [] }) => pieces)).toEqual([
      { kind: 'thinking', text: '', signature: { from: 'openai', value: 'ENC' } },
      { kind: 'text', text: 'one ' },
      { kind: 'text', text: 'two' },
      { kind: 'tool_call', index: 2, id: 'c1', name: 'run' },
      { kind: 'tool_call', index: 2, arguments: '{}' },
    ]);
    expect(events.at(-1)).toEqual({ kind: 'done' });
  });

  it('that credits cut is ended in order, with all that was delivered', async () => {
    const words = Array.from({ length: 30 }, () => 'word '.repeat(100));
    const answer = begin() + thinking() + beginText() + words.map(text).join('') + endText(words.join('')) + complete();
    const { written, account } = await serve(stream, { dialect: native, credits: 9_000_000n, answer });
    const { types, events, response: read } = await streamBySdk(written);
    expect(types.slice(-4)).toEqual([
      ...[
        'response.output_text.done',
        'response.content_part.done',
        'response.output_item.done',
        'response.incomplete',
      ],
    ]);
    expect(events.map((one) => one.sequence_number)).toEqual(events.map((_, index) => index));
    expect(read).toMatchObject({
      ...{ id: 'resp_1', status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
      kissapi: { error: { type: 'insufficient_quota' } },
      output: [{ type: 'reasoning' }, { id: 'msg_1', status: 'incomplete' }],
      usage: { output_tokens: expect.any(Number) as number },
    });
    expect(read.output_text.length).toBeGreaterThan(1000);
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldSettled', delivery: { finishReason: 'length' } });
  });

  it('that the model ended early is incomplete', async () => {
    const ended = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, usage };
    const answer =
      begin() + thinking() + event('response.incomplete', { response: response({ ...ended, output: [reasoning] }) });
    const { written, account } = await serve(stream, { dialect: native, answer });
    expect((await streamBySdk(written)).response).toMatchObject({
      status: 'incomplete',
      usage: { cost_usd: '0.000018' },
    });
    expect(account.events.at(-1)).toMatchObject({ delivery: { finishReason: 'length', ended: 'completed' } });
  });

  it.each([
    ['an error', () => event('error', { code: 'server_error', message: 'Our org-abc123 failed', param: null })],
    [
      'a failure',
      () =>
        event('response.failed', {
          response: response({ status: 'failed', error: { code: 'server_error', message: 'Our org-abc123 failed' } }),
        }),
    ],
    ['the end of the connection', () => ''],
  ])('that breaks off with %s raises in the client, without the words of the provider', async (_, end) => {
    const answer = begin() + thinking() + beginText() + text('one') + end();
    const { written } = await serve(stream, { dialect: native, answer });
    expect(written).not.toContain('org-abc123');
    await expect(streamBySdk(written)).rejects.toMatchObject({ code: 'upstream_error' });
  });

  it('that is refused by its first event is a refusal', async () => {
    const error = { code: 'invalid_prompt', message: 'That is not allowed.', param: null };
    const { answered, account } = await serve(stream, { dialect: native, answer: event('error', error) });
    expect(answered).toMatchObject({
      problem: { kind: 'upstream_refused', error: { message: 'That is not allowed.' } },
    });
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldReleased' });
  });
});

describe('a whole response from a provider that has them', () => {
  it('passes unchanged, with the cost in its usage', async () => {
    const body = JSON.stringify(response({ status: 'completed', output, usage }));
    const { written, account } = await serve({}, { dialect: native, answer: body });
    const cost = `,"cost":0.000018,"cost_usd":"0.000018"}`;
    expect(written).toBe(body.replace('"total_tokens":12}', `"total_tokens":12${cost}`));
    expect(await wholeBySdk(written)).toMatchObject({ output_text: 'one two' });
    expect(account.events.at(-1)).toMatchObject({ delivery: { upstreamId: 'resp_1', finishReason: 'tool_calls' } });
  });

  it('is the last event of a stream that was not asked for', async () => {
    const { written } = await serve({}, { dialect: native, answer: whole().all });
    expect(await wholeBySdk(written)).toMatchObject({ output_text: 'one two', usage: { cost_usd: '0.000018' } });
  });

  it('is assembled from a stream if its credits are held in steps', async () => {
    const { all } = whole();
    const { written, upstream } = await serve({}, { dialect: native, credits: 40_000_000n, answer: all });
    expect(upstream.sent[0]?.body).toMatchObject({ stream: true, store: false });
    const settled = { ...usage, cost: 0.000018, cost_usd: '0.000018' };
    expect(JSON.parse(written)).toEqual(response({ status: 'completed', output, usage: settled }));
  });

  it('that failed is no answer', async () => {
    const error = { code: 'server_error', message: 'x' };
    const body = JSON.stringify(response({ status: 'failed', error }));
    const { answered } = await serve({}, { dialect: native, answer: body });
    expect(answered).toMatchObject({ problem: { kind: 'upstream_failed' } });
  });
});

describe('the request to a provider that has responses', () => {
  const sent = async (fields: object) => {
    const { upstream } = await serve(fields, { dialect: { ...dialects['openai'], ...native }, answer: whole().all });
    return upstream.bodies[0] ?? '';
  };

  it("has the customer's bytes, but stores nothing and has the priced tier", async () => {
    const odd = {
      temperature: 1,
      metadata: { a: '1' },
      store: true,
      service_tier: 'auto',
      include: ['reasoning.encrypted_content'],
    };
    const body = await sent({ ...odd, input: [{ role: 'user', content: 'Hi' }] });
    const kept = JSON.stringify({ ...odd, store: false, service_tier: 'default' }).slice(1, -1);
    expect(body).toBe(`{"model":"gpt-4o","input":[{"role":"user","content":"Hi"}],${kept}}`);
    expect(JSON.parse(await sent({}))).toMatchObject({ store: false, service_tier: 'default' });
  });

  it('leaves out reasoning that the provider cannot read, and ids that it would look up', async () => {
    const own = { type: 'reasoning', id: 'rs_2', summary: [], encrypted_content: 'ENC' };
    const user = { role: 'user', content: 'Hi' };
    const call = { type: 'function_call', id: 'fc_1', call_id: 'c', name: 'run', arguments: '{}' };
    const result = { type: 'function_call_output', call_id: 'c', output: 'x' };
    const foreign = [
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm.' }] },
      { type: 'reasoning', id: 'rs_3', summary: [], encrypted_content: 'kissapi.anthropic.S' },
      { type: 'item_reference', id: 'rs_4' },
    ];
    const { id: _, ...plain } = call;
    expect(JSON.parse(await sent({ input: [user, own, call, result] }))).toMatchObject({
      input: [user, own, call, result],
    });
    expect(JSON.parse(await sent({ input: [user, ...foreign, own, call, result] }))).toHaveProperty('input', [
      ...[user, own, plain, result],
    ]);
  });
});
