import { describe, expect, it } from 'vitest';
import { ProviderFailed } from '../../../src/proxy/providers/provider.ts';
import { chat, chunk, createTestProvider, lastChunk, like, price, sse, usage, usageChunk } from '../examples.ts';
import { bodyOf, streamOf, type Piece } from '../examples.ts';
import { KEY_ID, openAccount, type TestAccount } from './account.ts';
import { engineOf } from './engine-of.ts';

const model = { ...price, ...like('gpt-4o'), maxOutputTokens: 10_000 };
/** A hold of the whole limit is $0.04, so an ample balance is $1.28 or more. */
const [AMPLE, SMALL] = [2_000_000_000n, 50_000_000n];

const call = { id: 'call_1', type: 'function', function: { name: 'find', arguments: '{"a":1}' } };
const whole = JSON.stringify({
  ...{ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'm', system_fingerprint: null },
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'one two', refusal: null, tool_calls: [call] },
      logprobs: null,
      finish_reason: 'tool_calls',
    },
  ],
  usage: usage(9, 4),
});
const begun = { id: 'call_1', type: 'function', function: { name: 'find', arguments: '' } };
const chunks = [
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: 'one ' }),
  chunk({ content: 'two' }),
  chunk({ tool_calls: [{ index: 0, ...begun }] }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '{"a":1}' } }] }),
  chunk({}, { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] }),
  usageChunk(9, 4),
  '[DONE]',
];

type Options = { readonly pieces?: readonly Piece[]; readonly gone?: AbortSignal; readonly fields?: object };

const providerOf = (pieces: readonly Piece[]) => {
  const provider = createTestProvider((signal) =>
    provider.sent.at(-1)?.body['stream'] === true ? streamOf(pieces, signal) : { body: bodyOf([whole]) },
  );
  return provider;
};

const complete = async (
  account: TestAccount,
  { pieces = [sse(...chunks)], gone = new AbortController().signal, fields = {} }: Options = {},
) => {
  const provider = providerOf(pieces);
  const completions = engineOf(account, { test: provider }, { findPrice: () => model, factsOf: () => like('gpt-4o') });
  const uuid = `0198f3c2-7b1e-7c3a-9d52-${String(account.events.length).padStart(12, '0')}`;
  const answer = await completions.complete({
    ...{ uuid, accountId: 'acc_1', keyId: KEY_ID, endpoint: '/chat/completions', gone },
    body: Buffer.from(JSON.stringify({ ...chat, ...fields })),
  });
  return { answer, sent: provider.sent.at(-1)?.body };
};

const jsonOf = ({ answer }: Awaited<ReturnType<typeof complete>>): unknown => {
  if (answer.kind !== 'whole') throw new Error(JSON.stringify(answer));
  return JSON.parse(answer.body);
};

describe('an answer in one piece without a limit', () => {
  it('is the same whether it is requested as a stream, or in one piece on an ample balance', async () => {
    const [small, ample] = [openAccount(SMALL), openAccount(AMPLE)];
    const [gathered, plain] = [await complete(small), await complete(ample)];
    expect(gathered.sent).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    expect(plain.sent).not.toHaveProperty('stream');
    expect(jsonOf(gathered)).toEqual(jsonOf(plain));
    expect(small.events.at(-1)).toMatchObject({ type: 'HoldSettled', charged: 25_000n });
    expect(ample.events.at(-1)).toMatchObject({ type: 'HoldSettled', charged: 25_000n });
  });

  it('holds one step of output, and is in the log as what the customer asked for', async () => {
    const account = openAccount(SMALL);
    await complete(account);
    expect(account.events[0]).toMatchObject({
      type: 'CreditsReserved',
      request: { streamed: false, outputTokensBound: 2048 },
    });
  });

  it('is requested in one piece, and held for in full, if the customer set a limit', async () => {
    const { sent } = await complete(openAccount(SMALL), { fields: { max_tokens: 4000 } });
    expect(sent).not.toHaveProperty('stream');
  });

  it('ends with what the credits pay for, with the reason beside it', async () => {
    const account = openAccount(9_000_000n);
    const words = Array.from({ length: 5000 }, (_, n) => sse(chunk({ content: `w${n} ` })));
    const answer = jsonOf(
      await complete(account, { pieces: [...words, sse(lastChunk, usageChunk(9, 5000), '[DONE]')] }),
    );
    expect(answer).toMatchObject({
      choices: [{ finish_reason: 'length' }],
      kissapi: { error: { code: 'credit_balance_exhausted' } },
    });
    const { choices } = answer as { choices: [{ message: { content: string } }] };
    const delivered = choices[0].message.content.trim().split(' ').length;
    expect(delivered).toBeGreaterThan(1000);
    expect(account.events.at(-1)).toMatchObject({
      type: 'HoldSettled',
      usage: { output: delivered },
      delivery: { ended: 'out_of_credits', finishReason: 'length' },
    });
  });

  it.each<[string, readonly Piece[], object]>([
    [
      'breaks off',
      [sse(...chunks.slice(0, 3)), new ProviderFailed('reset', 'broke')],
      { kind: 'upstream_failed', code: 'upstream_error' },
    ],
    ['ends without a finish', [sse(...chunks.slice(0, 3))], { kind: 'upstream_failed', code: 'upstream_error' }],
    [
      'reports an error that the request caused',
      [
        sse(
          ...chunks.slice(0, 3),
          JSON.stringify({
            error: { message: 'Too long.', type: 'invalid_request_error', code: 'context_length_exceeded' },
          }),
        ),
      ],
      { kind: 'upstream_refused' },
    ],
  ])('costs nothing if the stream behind it %s', async (_, pieces, problem) => {
    const account = openAccount(SMALL);
    const { answer } = await complete(account, { pieces });
    expect(answer).toMatchObject({ kind: 'problem', problem });
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldReleased' });
    expect(account.state.wallet.held).toBe(0n);
  });

  it('costs nothing if the customer leaves before it', async () => {
    const account = openAccount(SMALL);
    const customer = new AbortController();
    const pieces = [sse(...chunks.slice(0, 3)), new Promise<void>(() => setTimeout(() => customer.abort(), 10))];
    const { answer } = await complete(account, { pieces, gone: customer.signal });
    expect(answer).toMatchObject({ kind: 'problem', problem: { kind: 'client_gone' } });
    expect(account.events.at(-1)).toMatchObject({ type: 'HoldReleased', reason: 'client_gone' });
  });
});
