import { describe, expect, it } from 'vitest';
import type { AssistantPart, Tool } from '../../../../../src/proxy/formats/conversation.ts';
import type { AnswerEvent, NeutralAnswer, Piece } from '../../../../../src/proxy/providers/provider.ts';
import type { Dialect } from '../../../../../src/proxy/providers/openai/dialects.ts';
import { chunk, createTestProvider, sse, streamOf, usage } from '../../../examples.ts';
import { foreignJob } from '../../foreign-job.ts';

const patch: Tool = { kind: 'custom', name: 'patch' };
const dialect: Dialect = { outputLimitField: 'max_tokens' };
const { signal } = new AbortController();
const nothing = (): void => undefined;
const watch = { heard: nothing, pause: nothing, expectEnd: nothing, isWanted: true };

const asked = (body: string, streamed: boolean, tools: readonly Tool[]) => {
  const upstream = createTestProvider(() => (streamed ? streamOf([body]) : { body: streamOf([body]).body }), dialect);
  const job = foreignJob({ tools }, { streamed });
  return upstream.ask({ job, model: 'm', outputCap: undefined, signal, watch });
};

const read = async (deltas: readonly object[], finish: string | null, tools: readonly Tool[] = []) => {
  const end = chunk({}, { choices: [{ index: 0, delta: {}, finish_reason: finish }] });
  const report = chunk({}, { choices: [], usage: usage(3, 4) });
  const body = sse(...deltas.map((delta) => chunk(delta)), end, report, '[DONE]');
  const answer = await asked(body, true, tools);
  if (answer.kind !== 'stream') throw new Error(answer.kind);
  const events: AnswerEvent[] = [];
  for await (const batch of answer.batches) {
    expect(batch.bytes).toBeUndefined();
    events.push(...batch.events);
  }
  const parts = events.flatMap((event) => (event.kind === 'delta' ? event.parts : []));
  expect(events.filter((event) => event.kind === 'delta').every(({ wire }) => wire === undefined)).toBe(true);
  expect(events.some((event) => 'usageChunk' in event && event.usageChunk !== undefined)).toBe(false);
  return {
    pieces: parts.flatMap(({ pieces = [] }): readonly Piece[] => pieces),
    text: parts.map((part) => part.text).join(''),
    last: parts.at(-1),
  };
};

const whole = async (message: object, finish: string, tools: readonly Tool[] = []): Promise<NeutralAnswer> => {
  const choices = [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }];
  const answer = await asked(JSON.stringify({ id: 'c-1', choices, usage: usage(3, 4) }), false, tools);
  if (answer.kind !== 'whole' || typeof answer.content === 'string') throw new Error(answer.kind);
  expect(answer.metered).toMatchObject({ usage: usage(3, 4), finishReason: answer.content.choices[0]?.finishReason });
  return answer.content;
};

const call = (index: number | undefined, id: string | undefined, name: string | undefined, text: string) => ({
  tool_calls: [{ index, id, type: 'function', function: { name, arguments: text } }],
});

describe('the answer of a chat, read for another format', () => {
  it('has its text, refusal and reasoning, under whichever name', async () => {
    const { pieces, text, last } = await read(
      [
        { role: 'assistant', content: '' },
        { reasoning: 'a', reasoning_content: 'a' },
        { reasoning_details: [{ type: 'reasoning.text', text: 'b', format: 'unknown' }], reasoning: 'b' },
        { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'c' }] }] },
        { reasoning_details: [{ type: 'reasoning.text', text: '', signature: 's', format: 'anthropic-claude-v1' }] },
        { content: 'd' },
        { refusal: 'e' },
      ],
      'stop',
    );
    expect(pieces).toEqual([
      { kind: 'thinking', text: 'a' },
      { kind: 'thinking', text: 'b' },
      { kind: 'thinking', text: 'c' },
      { kind: 'thinking', text: '', signature: { from: 'anthropic', value: 's' } },
      { kind: 'text', text: 'd' },
      { kind: 'refusal', text: 'e' },
    ]);
    expect(text).toBe('abcde');
    expect(last).toMatchObject({ finishReason: 'stop' });
  });

  it.each<[string, readonly object[]]>([
    [
      'by their index',
      [
        call(0, 'a', 'f', ''),
        call(1, 'b', 'g', '{'),
        call(0, undefined, undefined, '{}'),
        call(1, undefined, undefined, '}'),
      ],
    ],
    [
      'by their ids, without an index',
      [call(undefined, 'a', 'f', '{}'), call(undefined, 'b', 'g', '{'), call(undefined, 'b', undefined, '}')],
    ],
    [
      'by their ids, under one index',
      [call(0, 'a', 'f', '{}'), call(0, 'b', 'g', '{'), call(0, undefined, undefined, '}')],
    ],
    [
      'by the order, without an index or an id in what follows',
      [call(0, 'a', 'f', '{}'), call(1, 'b', 'g', '{'), call(undefined, undefined, undefined, '}')],
    ],
  ])('has parallel tool calls %s', async (_, deltas) => {
    const { pieces, text, last } = await read(deltas, 'stop');
    const calls = [0, 1].map((index) => {
      const own = pieces.filter((piece) => piece.kind === 'tool_call' && piece.index === index);
      expect(own[0]).toMatchObject(index === 0 ? { id: 'a', name: 'f' } : { id: 'b', name: 'g' });
      return own.map((piece) => (piece.kind === 'tool_call' ? (piece.arguments ?? '') : '')).join('');
    });
    expect(calls).toEqual(['{}', '{}']);
    expect(text.length).toBe('f{}g{}'.length);
    expect(last).toMatchObject({ finishReason: 'tool_calls', nativeFinishReason: 'stop' });
  });

  it('has an id for each call, also of a server that gives none', async () => {
    const { pieces } = await read(
      [call(undefined, undefined, 'f', '{}'), call(undefined, undefined, 'g', '{}')],
      'stop',
    );
    expect(pieces).toMatchObject([{ id: 'call_chatcmpl-1_0' }, { id: 'call_chatcmpl-1_1' }]);
  });

  it('has the input of a custom tool that went as a function, as text', async () => {
    const deltas = [
      call(0, 'a', 'patch', '{"in'),
      call(0, undefined, undefined, 'put": "x\\'),
      call(0, undefined, undefined, 'ny'),
    ];
    const { pieces, text } = await read(deltas, 'tool_calls', [patch]);
    const custom = true;
    expect(pieces).toEqual([
      { kind: 'tool_call', index: 0, id: 'a', name: 'patch', arguments: '', custom },
      { kind: 'tool_call', index: 0, arguments: 'x', custom },
      { kind: 'tool_call', index: 0, arguments: '\ny', custom },
    ]);
    expect(text).toBe('patch{"input": "x\\ny');
  });

  it('has calls of custom tools as OpenAI writes them, and bills their text', async () => {
    const custom = { tool_calls: [{ index: 0, id: 'a', type: 'custom', custom: { name: 'patch', input: 'x' } }] };
    const { pieces, text } = await read([custom], 'tool_calls', [patch]);
    expect(pieces).toEqual([{ kind: 'tool_call', index: 0, id: 'a', name: 'patch', arguments: 'x', custom: true }]);
    expect(text).toBe('patchx');
  });

  it.each([
    ['model_length', 'length'],
    ['MAX_TOKENS', 'length'],
    ['function_call', 'tool_calls'],
    ['content_filter', 'content_filter'],
    ['whatever', 'stop'],
  ])('that finished with %s has the reason %s, and the own one beside it', async (native, reason) => {
    const { last } = await read([{ content: 'a' }], native);
    expect(last).toMatchObject({ finishReason: reason });
    expect(last?.nativeFinishReason).toBe(native === reason ? undefined : native);
  });

  it('in one piece has its parts in order', async () => {
    const google = { thought_signature: 'g' };
    const message = {
      content: 'b',
      reasoning_content: 'a',
      tool_calls: [
        { id: 'x', type: 'function', function: { name: 'f', arguments: '{}' }, extra_content: { google } },
        { id: 'y', type: 'function', function: { name: 'patch', arguments: '{"input":"p"}' } },
      ],
    };
    const { choices } = await whole(message, 'stop', [patch]);
    expect(choices[0]).toEqual({
      parts: [
        { kind: 'thinking', text: 'a' },
        { kind: 'text', text: 'b' },
        { kind: 'thinking', text: '', signature: { from: 'gemini', value: 'g' } },
        { kind: 'tool_call', id: 'x', name: 'f', arguments: '{}' },
        { kind: 'tool_call', id: 'y', name: 'patch', arguments: 'p', custom: true },
      ] satisfies AssistantPart[],
      ...{ finishReason: 'tool_calls', nativeFinishReason: 'stop' },
    });
  });

  it('that is an error or has no choice is no answer', async () => {
    const error = JSON.stringify({ error: { message: 'x', type: 'server_error' } });
    for (const body of [error, JSON.stringify({ usage: usage(1, 1) }), '[]']) {
      await expect(asked(body, false, [])).rejects.toThrow('not a valid completion');
    }
  });
});
