import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGeminiProvider } from '../../../../src/proxy/providers/gemini/gemini.ts';
import type { Provider } from '../../../../src/proxy/providers/provider.ts';
import { createGeminiUpstream } from '../../../support/upstreams/gemini.ts';
import type { Upstream } from '../../../support/upstreams/upstream.ts';
import { KEY_ID, openAccount } from '../../engine/account.ts';
import { engineOf } from '../../engine/engine-of.ts';
import { chat, sinkOf } from '../../examples.ts';

let upstream: Upstream;
let provider: Provider;
beforeAll(async () => {
  upstream = await createGeminiUpstream();
  provider = createGeminiProvider({
    ...{ name: 'test', baseUrl: upstream.url, apiKey: 'k', firstByteTimeoutMs: 5000, idleTimeoutMs: 5000 },
  });
});
afterAll(async () => {
  await provider.close();
  await upstream.close();
});

const complete = async (endpoint: string, fields: object) => {
  const account = openAccount(1_000_000_000n);
  const completions = engineOf(account, { test: provider });
  const answer = await completions.complete({
    ...{ uuid: '0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d', accountId: 'acc_1', keyId: KEY_ID },
    ...{ endpoint, gone: new AbortController().signal },
    body: Buffer.from(JSON.stringify({ ...chat, ...fields })),
  });
  if (answer.kind === 'problem') throw new Error(JSON.stringify(answer.problem));
  let written = answer.kind === 'whole' ? answer.body : '';
  if (answer.kind === 'stream') await answer.relay(sinkOf((passing) => void (written += String(passing))));
  return { written, last: account.events.at(-1) };
};

/** Long enough for the usage. */
const messages = [{ role: 'user', content: 'How are you? '.repeat(50) }];
const usage = { input: 100, cached: 40, output: 30, reasoning: 10 };
/** 100 × $1 + 40 × $0.25 + 40 × $4, each per million. */
const CHARGED = 270_000n;

describe.each([
  ['/chat/completions', {}],
  ['/messages', { max_tokens: 500 }],
])('a request to %s with a provider of Gemini', (endpoint, fields) => {
  it.each([{}, { stream: true }])('is charged by what Google reports: %j', async (streamed) => {
    upstream.play({ thinking: { text: 'Hm.', signature: 'c2ln' }, texts: ['one ', 'two'], usage });
    const { written, last } = await complete(endpoint, { ...fields, ...streamed, messages });
    expect(written).toContain('two');
    expect(last).toMatchObject({ type: 'HoldSettled', charged: CHARGED });
  });

  it('is charged for what was delivered if the model fails within the stream', async () => {
    upstream.play({
      texts: ['one two three four'],
      nativeFinish: 'MALFORMED_FUNCTION_CALL',
      usage: { raw: undefined },
    });
    const { written, last } = await complete(endpoint, { ...fields, stream: true });
    expect(written).toContain('four');
    expect(last).toMatchObject({ type: 'HoldSettled', charged: 3n * 1000n + 4n * 4000n });
  });
});

describe('a loop of tools in the format of Anthropic with a provider of Gemini', () => {
  it('returns the signature of Google with the call', async () => {
    const tool = { name: 'get_weather', input_schema: { type: 'object', properties: { city: { type: 'string' } } } };
    const fields = { max_tokens: 500, tools: [tool] };
    const question = { role: 'user', content: 'The weather of Bern' };
    upstream.play();
    const first = await complete('/messages', { ...fields, messages: [question] });
    const { content, stop_reason: reason } = JSON.parse(first.written) as {
      readonly content: readonly { readonly type: string; readonly id?: string; readonly input?: object }[];
      readonly stop_reason: string;
    };
    const call = content.find(({ type }) => type === 'tool_use');
    expect([reason, call?.input]).toEqual(['tool_use', { city: 'Bern' }]);
    const results = [{ type: 'tool_result', tool_use_id: call?.id, content: '21 degrees' }];
    const messages = [question, { role: 'assistant', content }, { role: 'user', content: results }];
    const second = await complete('/messages', { ...fields, messages });
    expect(second.written).toContain('The result is 21 degrees.');
    expect(upstream.asked.at(-1)?.messages[1]?.parts).toMatchObject([
      { kind: 'thinking', text: '', signature: { from: 'gemini', value: 'sig-call-1' } },
      { kind: 'tool_call', id: 'call_1_0' },
    ]);
  });
});
