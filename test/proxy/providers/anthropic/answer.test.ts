import { describe, expect, it } from 'vitest';
import type { Job } from '../../../../src/proxy/formats/format.ts';
import type { AnswerEvent, DeltaEvent, ProviderAnswer } from '../../../../src/proxy/providers/provider.ts';
import { says, type Script } from '../../../support/scripted-upstream.ts';
import { goodJob, request } from '../../examples.ts';
import {
  adds,
  closes,
  ends,
  events,
  opens,
  ping,
  useAnthropic,
  watch,
  refuses,
  start,
  stop,
  streamed,
  text,
  usage,
  whole,
} from './upstream.ts';

const anthropic = useAnthropic();
const custom = { tools: [{ type: 'custom', custom: { name: 'shell' } }] };
const native = (more: object = {}): Job =>
  goodJob({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'x' }], ...more }, '/messages');

const ask = (script: Script, job: Job): Promise<ProviderAnswer> => {
  anthropic.server.play(script);
  const { signal } = new AbortController();
  return anthropic.provider.ask({ job, model: 'claude-x', outputCap: undefined, signal, watch });
};

const readStream = async (
  script: Script,
  job = request({ ...custom, stream: true }),
): Promise<readonly AnswerEvent[]> => {
  const answer = await ask(script, job);
  if (answer.kind !== 'stream') throw new Error(answer.kind);
  const all: AnswerEvent[] = [];
  for await (const batch of answer.batches) {
    expect(batch.bytes).toBeUndefined();
    all.push(...batch.events);
  }
  return all;
};

const deltas = (all: readonly AnswerEvent[]): readonly DeltaEvent[] => all.filter((event) => event.kind === 'delta');
const partsOf = (all: readonly AnswerEvent[]) => deltas(all).flatMap(({ parts }) => parts);
const piecesOf = (all: readonly AnswerEvent[]) => partsOf(all).flatMap(({ pieces }) => pieces ?? []);
const textOf = (all: readonly AnswerEvent[]) =>
  partsOf(all)
    .map((part) => part.text)
    .join('');
const usagesOf = (all: readonly AnswerEvent[]) =>
  all.flatMap((event) => ('usage' in event && event.usage !== undefined ? [event.usage] : []));

const blocks = [
  { type: 'thinking', thinking: 'hm', signature: 's' },
  { type: 'redacted_thinking', data: 'r' },
  { type: 'text', text: 'Hi.' },
  { type: 'tool_use', id: 't', name: 'f', input: { a: 1 } },
  { type: 'tool_use', id: 'c', name: 'shell', input: { input: 'ls -l' } },
  { type: 'tool_use', id: 'e', name: 'g', input: {} },
];
const parts = [
  { kind: 'thinking', text: 'hm', signature: { from: 'anthropic', value: 's' } },
  { kind: 'thinking', text: '', signature: { from: 'anthropic', value: 'r' }, redacted: true },
  { kind: 'text', text: 'Hi.' },
  { kind: 'tool_call', id: 't', name: 'f', arguments: '{"a":1}' },
  { kind: 'tool_call', id: 'c', name: 'shell', arguments: 'ls -l', custom: true },
  { kind: 'tool_call', id: 'e', name: 'g', arguments: '{}' },
];
const tool = (index: number, id: string, name: string, ...json: readonly string[]) => [
  opens(index, { type: 'tool_use', id, name, input: {} }),
  ...json.map((partial_json) => adds(index, { type: 'input_json_delta', partial_json })),
  closes(index),
];
const stream = [
  start,
  ping,
  opens(0, { type: 'thinking', thinking: '', signature: '' }),
  adds(0, { type: 'thinking_delta', thinking: 'hm' }),
  adds(0, { type: 'signature_delta', signature: 's' }),
  closes(0),
  opens(1, { type: 'redacted_thinking', data: 'r' }),
  closes(1),
  ...text(2, 'H', 'i.'),
  ...tool(3, 't', 'f', '', '{"a"', ':1}'),
  ...tool(4, 'c', 'shell', '{"input":"ls', ' -l"}'),
  ...tool(5, 'e', 'g'),
  ends('tool_use', { output_tokens: 30 }),
  stop,
];

describe('a message for a customer of another dialect', () => {
  it('has its parts, what is billed as output, the usage, and both finish reasons', async () => {
    const job = request(custom);
    const reported = { ...usage, output_tokens: 30 };
    const answer = await ask(whole({ content: blocks, stop_reason: 'tool_use', usage: reported }), job);
    expect(answer).toMatchObject({
      kind: 'whole',
      metered: {
        ...{ upstreamId: 'msg_1', finishReason: 'tool_calls', usage: reported },
        texts: ['hmHi.f{"a":1}shell{"input":"ls -l"}g'],
      },
      content: { choices: [{ parts, finishReason: 'tool_calls', nativeFinishReason: 'tool_use' }] },
    });
  });

  it('streams the same parts as pieces, and no events in its own shape', async () => {
    const all = await readStream(streamed(...stream));
    expect(piecesOf(all)).toEqual([
      { kind: 'thinking', text: 'hm' },
      { kind: 'thinking', text: '', signature: { from: 'anthropic', value: 's' } },
      { kind: 'thinking', text: '', signature: { from: 'anthropic', value: 'r' }, redacted: true },
      ...['H', 'i.'].map((one) => ({ kind: 'text', text: one })),
      { kind: 'tool_call', index: 0, id: 't', name: 'f' },
      ...['{"a"', ':1}'].map((json) => ({ kind: 'tool_call', index: 0, arguments: json })),
      { kind: 'tool_call', index: 1, id: 'c', name: 'shell', custom: true },
      ...['ls', ' -l'].map((input) => ({ kind: 'tool_call', index: 1, arguments: input, custom: true })),
      { kind: 'tool_call', index: 2, id: 'e', name: 'g' },
      { kind: 'tool_call', index: 2, arguments: '{}' },
    ]);
    expect(textOf(all)).toBe('hmHi.f{"a":1}shell{"input":"ls -l"}g');
    expect(deltas(all).every(({ wire }) => wire === undefined)).toBe(true);
    expect(partsOf(all).at(-1)).toMatchObject({ finishReason: 'tool_calls', nativeFinishReason: 'tool_use' });
    expect(all.at(-1)).toEqual({ kind: 'done' });
  });

  it('replaces the usage of the start by that of the end, and never adds them', async () => {
    const cached = { ...usage, cache_read_input_tokens: 7 };
    const begun = { ...start, message: { ...start.message, usage: cached } };
    const last = { input_tokens: null, output_tokens: 5, cache_creation_input_tokens: 2 };
    const all = await readStream(
      streamed(begun, ...text(0, 'x'), ends('end_turn', { output_tokens: 4 }), ends('end_turn', last), stop),
    );
    expect(usagesOf(all)).toEqual([
      { ...cached, output_tokens: 4 },
      { ...cached, output_tokens: 5, cache_creation_input_tokens: 2 },
    ]);
  });

  it('counts runs that are billed beside the message, and no other runs', async () => {
    const iterations = [
      { type: 'message', input_tokens: 9, output_tokens: 3 },
      { type: 'compaction', input_tokens: 100, output_tokens: 20, cache_read_input_tokens: 5 },
    ];
    const reported = { ...usage, output_tokens: 3, iterations };
    const answer = await ask(whole({ content: [], stop_reason: 'end_turn', usage: reported }), request());
    expect(answer).toMatchObject({
      metered: { usage: { input_tokens: 109, output_tokens: 23, cache_read_input_tokens: 5 } },
    });
  });

  it.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['pause_turn', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_use', 'tool_calls'],
    ['refusal', 'content_filter'],
    ['a_reason_of_tomorrow', 'stop'],
  ])('finishes with %s as %s', async (reason, finishReason) => {
    const answer = await ask(whole({ content: [], stop_reason: reason }), request());
    expect(answer).toMatchObject({ content: { choices: [{ finishReason, nativeFinishReason: reason }] } });
    const all = await readStream(streamed(start, ends(reason), stop));
    expect(partsOf(all)).toMatchObject([{ finishReason, nativeFinishReason: reason, text: '' }]);
  });

  it('has the explanation of a refusal, which is not billed', async () => {
    const stop_details = { type: 'refusal', category: 'cyber', explanation: 'No.' };
    const refusal = [{ kind: 'refusal', text: 'No.' }];
    const answer = await ask(whole({ content: [], stop_reason: 'refusal', stop_details }), request());
    expect(answer).toMatchObject({ metered: { texts: [''] }, content: { choices: [{ parts: refusal }] } });
    const all = await readStream(streamed(start, ends('refusal', {}, { stop_details }), stop));
    expect(piecesOf(all)).toEqual(refusal);
    expect(textOf(all)).toBe('');
  });

  it('meters output of unknown kinds, and content in the first event', async () => {
    const begun = { ...start, message: { ...start.message, content: [{ type: 'text', text: 'early ' }] } };
    const unknown = [opens(1, { type: 'verse' }), adds(1, { type: 'verse_delta', verse: 'roses' }), closes(1)];
    const all = await readStream(streamed(begun, ...text(0, 'late '), ...unknown, ends('end_turn'), stop));
    expect(textOf(all)).toBe('early late roses');
  });

  it('marks an answer of another tier', async () => {
    const reported = { ...usage, service_tier: 'priority' };
    const answer = await ask(whole({ content: [], stop_reason: 'end_turn', usage: reported }), request());
    expect(answer).toMatchObject({ metered: { otherTier: true } });
    const begun = { ...start, message: { ...start.message, usage: reported } };
    expect(await readStream(streamed(begun, stop))).toContainEqual(expect.objectContaining({ otherTier: true }));
  });
});

describe('a message for a customer of the same dialect', () => {
  it('is the same text', async () => {
    const body = '{"id":"msg_1", "type":"message","content":[{"type":"text","text":"1"}],"stop_reason":"end_turn" }';
    expect(await ask(says(body), native())).toMatchObject({ kind: 'whole', content: body, metered: { texts: ['1'] } });
  });

  it('streams the events as they are, each with its pieces, but for the end, which is withheld', async () => {
    const all = await readStream(streamed(...stream), native({ stream: true }));
    expect(
      deltas(all)
        .map(({ wire }) => wire?.() ?? '')
        .join(''),
    ).toBe(events(...stream.slice(0, -2)));
    expect(textOf(all)).toBe('hmHi.f{"a":1}shell{"input":"ls -l"}g');
    expect(piecesOf(all)).toContainEqual({ kind: 'tool_call', index: 0, id: 't', name: 'f' });
    const [last] = deltas(all).slice(-1);
    expect(last).toMatchObject({ usage: { input_tokens: 9, output_tokens: 30 }, usageChunk: stream.at(-2) });
  });

  it('has each event on one line, as the format reads it', async () => {
    const pretty = (event: { readonly type: string }) =>
      `event: ${event.type}\n${JSON.stringify(event, null, 1).replaceAll(/^/gm, 'data: ')}\n\n`;
    const body = [start, ...text(0, 'x'), ends('end_turn'), stop].map(pretty).join('');
    const all = await readStream(says(body, { contentType: 'text/event-stream' }), native({ stream: true }));
    for (const { wire } of deltas(all)) expect(wire?.() ?? '').toMatch(/^(?:event: \w+\ndata: .*\n\n)?$/);
    expect(textOf(all)).toBe('x');
  });

  it('begins once, as the clients expect it', async () => {
    const all = await readStream(
      streamed(start, start, ...text(0, 'x'), ends('end_turn'), stop),
      native({ stream: true }),
    );
    const written = deltas(all)
      .map(({ wire }) => wire?.() ?? '')
      .join('');
    expect(written.match(/event: message_start/g)).toHaveLength(1);
  });
});

describe('an error', () => {
  it.each<[number, string, string]>([
    [400, 'invalid_request_error', 'request'],
    [413, 'request_too_large', 'request'],
    [401, 'authentication_error', 'account'],
    [402, 'billing_error', 'account'],
    [403, 'permission_error', 'account'],
    [429, 'rate_limit_error', 'overload'],
    [503, 'api_error', 'overload'],
    [529, 'overloaded_error', 'overload'],
    [504, 'timeout_error', 'timeout'],
    [500, 'api_error', 'failure'],
  ])('of status %i, %s, is caused by the %s', async (status, type, cause) => {
    const answer = await ask(refuses(status, type, 'Buy more credits.'), request());
    expect(answer).toMatchObject({ kind: 'refused', status, cause });
    if (cause !== 'request') expect(JSON.stringify(answer)).not.toContain('credits');
  });

  it('about our credit is not shown, although its status is 400', async () => {
    const answer = await ask(refuses(400, 'invalid_request_error', 'Your credit balance is too low.'), request());
    expect(answer).toMatchObject({ kind: 'refused', cause: 'account' });
    expect(JSON.stringify(answer)).not.toContain('balance');
  });

  const failure = (type: string) => ({ type: 'error', error: { type, message: 'prompt is too long' } });

  it('in place of a stream is a refusal if the request caused it', async () => {
    const answer = await ask(streamed(failure('invalid_request_error')), request({ stream: true }));
    expect(answer).toMatchObject({ kind: 'refused', cause: 'request', status: 400, within: true });
    expect(await ask(says(JSON.stringify(failure('invalid_request_error'))), request())).toMatchObject({
      kind: 'refused',
    });
  });

  it('in mid-stream ends it, and what follows counts for nothing', async () => {
    const all = await readStream(streamed(start, ...text(0, 'x'), failure('overloaded_error'), ...text(1, 'y'), stop));
    expect(textOf(all)).toBe('x');
    expect(all).toContainEqual({ kind: 'failed', refusal: undefined });
    expect(all.some(({ kind }) => kind === 'done')).toBe(false);
  });

  it('rejects if the answer is no message', async () => {
    for (const body of ['{}', 'no JSON', '[]']) await expect(ask(says(body), request())).rejects.toThrow('not a valid');
  });
});
