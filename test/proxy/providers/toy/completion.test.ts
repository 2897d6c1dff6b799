import { describe, expect, it } from 'vitest';
import { KEY_ID, openAccount } from '../../engine/account.ts';
import { engineOf } from '../../engine/engine-of.ts';
import { chat, sinkOf } from '../../examples.ts';
import { createToyProvider, type Line } from './toy.ts';

async function* lines(): AsyncGenerator<Line> {
  yield* [
    ['say', 'one '],
    ['say', 'two'],
    ['end', 'stop'],
    ['count', 9, 2],
  ] satisfies Line[];
}

const asked: unknown[] = [];
const toy = createToyProvider((question) => {
  asked.push(question);
  return lines();
});

const complete = async (fields: object) => {
  const account = openAccount(1_000_000_000n);
  const completions = engineOf(account, { test: toy });
  const answer = await completions.complete({
    ...{ uuid: '0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d', accountId: 'acc_1', keyId: KEY_ID },
    ...{ endpoint: '/chat/completions', gone: new AbortController().signal },
    body: Buffer.from(JSON.stringify({ ...chat, ...fields })),
  });
  let written = '';
  const sink = sinkOf((passing) => void (written += String(passing)));
  if (answer.kind === 'stream') await answer.relay(sink);
  return { answer, written, account };
};

describe('a chat with a provider of another wire format', () => {
  it('has its answer in the wire shape of the chat, with the usage and its cost', async () => {
    const { answer, account } = await complete({});
    if (answer.kind !== 'whole') throw new Error(answer.kind);
    expect(JSON.parse(answer.body)).toMatchObject({
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content: 'one two' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11, cost_usd: '0.000017' },
    });
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldSettled', charged: 17_000n });
    expect(asked.at(-1)).toEqual([{ role: 'user', text: 'How are you?' }]);
  });

  it('has its stream in the wire shape of the chat', async () => {
    const { written, account } = await complete({ stream: true, stream_options: { include_usage: true } });
    const events = written.split('\n\n').filter((event) => event !== '');
    expect(events.at(-1)).toBe('data: [DONE]');
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event.slice('data: '.length)) as unknown);
    const chunk = { object: 'chat.completion.chunk', id: 'gen-0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d' };
    expect(chunks).toMatchObject([
      { ...chunk, choices: [{ index: 0, delta: { content: 'one ' }, finish_reason: null }] },
      { ...chunk, choices: [{ index: 0, delta: { content: 'two' }, finish_reason: null }] },
      { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
      { ...chunk, choices: [], usage: { prompt_tokens: 9, completion_tokens: 2, cost_usd: '0.000017' } },
    ]);
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldSettled', charged: 17_000n });
  });

  it('is refused before the hold if it asks for what the provider does not know', async () => {
    const { answer, account } = await complete({ temperature: 0.5 });
    expect(answer).toMatchObject({
      problem: { kind: 'bad_request', code: 'unsupported_parameter', param: 'temperature' },
    });
    expect(account.events).toEqual([]);
  });
});
