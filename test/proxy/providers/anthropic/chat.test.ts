import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createScriptedUpstream, type Script, type ScriptedUpstream } from '../../../support/scripted-upstream.ts';
import { openAiClientOf } from '../../formats/messages/client.ts';
import {
  adds,
  closes,
  ends,
  isStream,
  opens,
  providerAt,
  start,
  stop,
  streamed,
  text,
  usage,
  whole,
} from './upstream.ts';

let server: ScriptedUpstream;
beforeAll(async () => {
  server = await createScriptedUpstream();
});
afterAll(() => server.close());

const thinking = { type: 'thinking', thinking: 'hm', signature: 's' };
const call = { type: 'tool_use', id: 't', name: 'f', input: { a: 1 } };
const stream = [
  start,
  opens(0, { ...thinking, thinking: '', signature: '' }),
  adds(0, { type: 'thinking_delta', thinking: 'hm' }),
  adds(0, { type: 'signature_delta', signature: 's' }),
  closes(0),
  ...text(1, 'Let me ', 'look.'),
  opens(2, { ...call, input: {} }),
  adds(2, { type: 'input_json_delta', partial_json: '{"a":1}' }),
  closes(2),
  ends('tool_use', { output_tokens: 30, cache_read_input_tokens: 40 }),
  stop,
];
const answer = whole({
  ...{ content: [thinking, { type: 'text', text: 'Let me look.' }, call], stop_reason: 'tool_use' },
  usage: { ...usage, cache_read_input_tokens: 40, output_tokens: 30 },
});
const either: Script = (response, body, request) =>
  (isStream(body) ? streamed(...stream) : answer)(response, body, request);

const charged = 9_000n + 10_000n + 120_000n;
const asked = { model: 'm', messages: [{ role: 'user' as const, content: 'x' }] };
const expected = {
  role: 'assistant',
  content: 'Let me look.',
  tool_calls: [{ id: 't', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
};

describe("OpenAI's client on a provider with Anthropic's wire format", () => {
  it('reads a whole answer with tool calls, the usage in its names, and the cost', async () => {
    server.play(either);
    const { openai, account } = openAiClientOf(providerAt(server.url));
    const completion = await openai.chat.completions.create(asked);
    expect(completion.choices).toMatchObject([{ finish_reason: 'tool_calls', message: expected }]);
    expect(completion.usage).toMatchObject({ prompt_tokens: 49, completion_tokens: 30, cost_usd: '0.000139' });
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldSettled', charged });
  });

  it('reads the same from a stream', async () => {
    server.play(either);
    const { openai, account } = openAiClientOf(providerAt(server.url));
    const completion = await openai.chat.completions
      .stream({ ...asked, stream_options: { include_usage: true } })
      .finalChatCompletion();
    expect(completion.choices).toMatchObject([{ finish_reason: 'tool_calls', message: expected }]);
    expect(completion.usage).toMatchObject({ prompt_tokens: 49, completion_tokens: 30 });
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldSettled', charged });
  });

  it('returns an answer with its reasoning, which the provider receives as it was', async () => {
    server.play(either);
    const { openai } = openAiClientOf(providerAt(server.url));
    const { choices } = await openai.chat.completions.create(asked);
    const [message] = choices.map((choice) => choice.message);
    if (!message) throw new Error('it has a choice');
    const result: OpenAI.ChatCompletionToolMessageParam = { role: 'tool', tool_call_id: 't', content: '7' };
    await openai.chat.completions.create({ ...asked, messages: [...asked.messages, message, result] });
    expect(JSON.parse(server.bodies.at(-1) ?? '')).toMatchObject({
      messages: [
        { role: 'user' },
        { role: 'assistant', content: [thinking, { type: 'text', text: 'Let me look.' }, call] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: '7' }] }] },
      ],
    });
  });
});
