import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  createScriptedUpstream,
  says,
  streams,
  type Script,
  type ScriptedUpstream,
} from '../../../support/scripted-upstream.ts';
import {
  adds,
  closes,
  ends,
  events,
  isStream,
  opens,
  ping,
  providerAt,
  start,
  stop,
  streamed,
  text,
  usage,
  whole,
} from '../../providers/anthropic/upstream.ts';
import { createOpenAiProvider } from '../../../../src/proxy/providers/openai/openai.ts';
import { chunk } from '../../examples.ts';
import { clientOf } from './client.ts';

let server: ScriptedUpstream;
beforeAll(async () => {
  server = await createScriptedUpstream();
});
afterAll(() => server.close());

const asked = { model: 'm', max_tokens: 100, messages: [{ role: 'user' as const, content: 'How are you?' }] };
const thinking = { type: 'thinking', thinking: 'Let me see.', signature: 'sig' };
const tool = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Bern', at: 1 } };
const reported = { ...usage, cache_read_input_tokens: 40, output_tokens: 30 };

const play = (all: readonly { readonly type: string }[], answer: object): void => {
  const either: Script = (response, body, request) =>
    (isStream(body) ? streamed(...all) : whole(answer))(response, body, request);
  server.play(either);
};

const thought = [
  start,
  ping,
  opens(0, { type: 'thinking', thinking: '', signature: '' }),
  adds(0, { type: 'thinking_delta', thinking: 'Let me see.' }),
  adds(0, { type: 'signature_delta', signature: 'sig' }),
  closes(0),
  ...text(1, 'I shall ', 'look.'),
  opens(2, { ...tool, input: {} }),
  adds(2, { type: 'input_json_delta', partial_json: '' }),
  adds(2, { type: 'input_json_delta', partial_json: '{"city":"Bern",' }),
  adds(2, { type: 'input_json_delta', partial_json: '"at":1}' }),
  closes(2),
  ends('tool_use', { output_tokens: 30, cache_read_input_tokens: 40 }),
  stop,
];
const content = [thinking, { type: 'text', text: 'I shall look.' }, tool];
/** 9 in, 40 from the cache, 30 out. */
const charged = 9_000n + 10_000n + 120_000n;

describe("Anthropic's client on a provider of the same dialect", () => {
  it('reads a whole message with thinking, text, a tool call and the cost', async () => {
    play(thought, { content, stop_reason: 'tool_use', usage: reported });
    const { anthropic, account } = clientOf(providerAt(server.url));
    const message = await anthropic.messages.create(asked);
    expect(message).toMatchObject({ id: 'msg_1', role: 'assistant', stop_reason: 'tool_use', content });
    expect(message.usage).toMatchObject({ input_tokens: 9, cache_read_input_tokens: 40, output_tokens: 30 });
    expect(message.usage).toMatchObject({ cost_usd: '0.000139' });
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldSettled', charged });
  });

  it('reads the same message from a stream, at the same charge', async () => {
    play(thought, {});
    const { anthropic, account } = clientOf(providerAt(server.url));
    const stream = anthropic.messages.stream(asked);
    const types: string[] = [];
    const ending: unknown[] = [];
    stream.on('streamEvent', (event) => {
      types.push(event.type);
      if (event.type === 'message_delta') ending.push(event);
    });
    const message = await stream.finalMessage();
    expect(message).toMatchObject({ id: 'msg_1', stop_reason: 'tool_use', content });
    expect(message.usage).toMatchObject({ input_tokens: 9, cache_read_input_tokens: 40, output_tokens: 30 });
    expect(ending).toMatchObject([{ usage: { output_tokens: 30, cost: 0.000139, cost_usd: '0.000139' } }]);
    expect(types.slice(-2)).toEqual(['message_delta', 'message_stop']);
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldSettled', charged });
  });

  it('sends the body as it is, with the priced tier and the name of the model at the provider', async () => {
    play(thought, { content, stop_reason: 'end_turn' });
    const { anthropic } = clientOf(providerAt(server.url));
    const metadata = { user_id: 'u' };
    await anthropic.messages.create({ ...asked, metadata, service_tier: 'auto' });
    expect(JSON.parse(server.bodies.at(-1) ?? '')).toEqual({
      ...{ ...asked, metadata, service_tier: 'standard_only', model: 'gpt-4o' },
    });
  });

  it('reads an answer that did not stream as a stream, if it asked for one', async () => {
    server.play(whole({ content, stop_reason: 'tool_use', usage: reported }));
    const { anthropic } = clientOf(providerAt(server.url));
    const message = await anthropic.messages.stream(asked).finalMessage();
    expect(message).toMatchObject({ id: 'msg_1', stop_reason: 'tool_use', content });
    expect(message.usage).toMatchObject({ input_tokens: 9, output_tokens: 30 });
  });

  it('throws what the provider answers about the request, and keeps the text before an error in mid-stream', async () => {
    const { anthropic } = clientOf(providerAt(server.url));
    server.play(
      streamed(start, opens(0, { type: 'text', text: '' }), adds(0, { type: 'text_delta', text: 'one' }), {
        type: 'error',
        error: { type: 'overloaded_error', message: 'Overloaded' },
      } as { readonly type: string }),
    );
    const stream = anthropic.messages.stream(asked);
    let seen = '';
    stream.on('text', (piece) => void (seen += piece));
    await expect(stream.finalMessage()).rejects.toThrow('stream_broken');
    expect(seen).toBe('one');
  });

  it('closes a stream that goes on beyond its limit, and charges no more than that limit', async () => {
    const words = 'word '.repeat(100);
    const cached = { ...start, message: { ...start.message, usage: { ...usage, cache_read_input_tokens: 40 } } };
    play([cached, ...text(0, ...Array.from({ length: 40 }, () => words)), ends('end_turn'), stop], {});
    const { anthropic, account } = clientOf(providerAt(server.url));
    const message = await anthropic.messages.stream({ ...asked, max_tokens: 10 }).finalMessage();
    expect(message).toMatchObject({ stop_reason: 'max_tokens', content: [{ type: 'text' }] });
    // The provider's report is of the whole stream. Its input, which it reported at the start, still counts.
    expect(message.usage).toMatchObject({ input_tokens: 9, cache_read_input_tokens: 40, output_tokens: 10 });
    expect(account.events.find(({ type }) => type === 'HoldSettled')).toMatchObject({
      delivery: { finishReason: 'length' },
    });
  });

  it.each<[string, object, object]>([
    ['as the provider reported it at the start', { cache_read_input_tokens: 40 }, { input: 9, cachedInput: 40 }],
    ['by our count if that report is not credible', { input_tokens: -9 }, { input: 3, cachedInput: 0 }],
  ])('leaves before the usage of the answer, and pays for its input %s', async (_, reported, counted) => {
    const first = { ...start, message: { ...start.message, usage: { ...usage, ...reported } } };
    const piece = adds(0, { type: 'text_delta', text: 'one two' });
    const begun = events(first, opens(0, { type: 'text', text: '' }), piece);
    server.play((response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).write(begun));
    const { anthropic, account } = clientOf(providerAt(server.url));
    const left = new AbortController();
    const stream = anthropic.messages.stream(asked, { signal: left.signal });
    stream.on('text', () => left.abort());
    await expect(stream.finalMessage()).rejects.toThrow();
    await vi.waitFor(() => expect(account.events.at(-1)).toMatchObject({ type: 'HoldSettled' }), 5000);
    expect(account.events.at(-1)).toMatchObject({
      usage: { ...counted, output: 2 },
      delivery: { ended: 'client_gone', usageSource: 'metered' },
    });
  });

  it('is refused before the hold for fields that are not sold', async () => {
    const { anthropic, account } = clientOf(providerAt(server.url));
    const container = { ...asked, container: 'container_1' };
    await expect(anthropic.messages.create(container)).rejects.toThrow('container: names something that is kept');
    expect(account.events).toEqual([]);
  });
});

describe("Anthropic's client on a provider with OpenAI's wire format", () => {
  const called = { id: 't', type: 'function', function: { name: 'weather', arguments: '{"city":"Bern"}' } };
  const reported = {
    prompt_tokens: 49,
    completion_tokens: 30,
    total_tokens: 79,
    prompt_tokens_details: { cached_tokens: 40 },
  };
  const answer = {
    id: 'chatcmpl-1',
    choices: [
      {
        ...{ index: 0, finish_reason: 'tool_calls' },
        message: { role: 'assistant', content: 'I shall look.', reasoning_content: 'hm', tool_calls: [called] },
      },
    ],
    usage: reported,
  };
  const deltas = [
    { role: 'assistant', reasoning_content: 'hm' },
    { content: 'I shall ' },
    { content: 'look.' },
    { tool_calls: [{ index: 0, ...called, function: { name: 'weather', arguments: '' } }] },
    ...['{"city":', '"Bern"}'].map((json) => ({ tool_calls: [{ index: 0, function: { arguments: json } }] })),
  ];
  const either: Script = (response, body, request) => {
    const end = chunk({}, { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] });
    const last = chunk({}, { choices: [], usage: reported });
    const chunks = deltas.map((delta) => chunk(delta));
    const script = isStream(body) ? streams(...chunks, end, last, '[DONE]') : says(JSON.stringify(answer));
    script(response, body, request);
  };
  const provider = () =>
    createOpenAiProvider({
      ...{
        name: 'test',
        baseUrl: server.url,
        apiKey: 'sk-1',
        outputLimitField: 'max_completion_tokens',
        responses: false,
      },
      ...{ firstByteTimeoutMs: 10_000, idleTimeoutMs: 10_000 },
    });
  const expected = {
    ...{ id: 'chatcmpl-1', type: 'message', role: 'assistant', stop_reason: 'tool_use' },
    content: [
      { type: 'thinking', thinking: 'hm', signature: '' },
      { type: 'text', text: 'I shall look.', citations: [] },
      { type: 'tool_use', id: 't', name: 'weather', input: { city: 'Bern' } },
    ],
    usage: { input_tokens: 9, cache_read_input_tokens: 40, output_tokens: 30 },
  };
  const tools = [
    { name: 'weather', input_schema: { type: 'object' as const, properties: { city: { type: 'string' } } } },
  ];

  it.each(['whole', 'streamed'])(
    'reads a %s message with thinking, text and a tool call, at the right charge',
    async (how) => {
      server.play(either);
      const { anthropic, account } = clientOf(provider());
      const { messages } = anthropic;
      const told = { ...asked, tools, system: 'Be brief.' };
      const message = await (how === 'whole' ? messages.create(told) : messages.stream(told).finalMessage());
      expect(message).toMatchObject(expected);
      expect(account.events.at(-1)).toMatchObject({ type: 'HoldSettled', charged });
      expect(JSON.parse(server.bodies.at(-1) ?? '')).toMatchObject({
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'How are you?' },
        ],
        tools: [{ type: 'function', function: { name: 'weather', parameters: tools[0]?.input_schema } }],
      });
    },
  );

  it('returns the message and the result of the tool to the provider', async () => {
    server.play(either);
    const { anthropic } = clientOf(provider());
    const { content: returned } = await anthropic.messages.create({ ...asked, tools });
    const result = {
      role: 'user' as const,
      content: [{ type: 'tool_result' as const, tool_use_id: 't', content: '7' }],
    };
    const messages = [...asked.messages, { role: 'assistant' as const, content: returned }, result];
    await anthropic.messages.create({ ...asked, tools, messages });
    expect(JSON.parse(server.bodies.at(-1) ?? '')).toMatchObject({
      messages: [
        { role: 'user' },
        { role: 'assistant', content: 'I shall look.', tool_calls: [called] },
        { role: 'tool', tool_call_id: 't', content: '7' },
      ],
    });
  });
});
