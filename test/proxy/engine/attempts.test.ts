import { describe, expect, it } from 'vitest';
import type { TransportResponse } from '../../../src/proxy/providers/http/transport.ts';
import { ProviderFailed } from '../../../src/proxy/providers/provider.ts';
import { createHealth } from '../../../src/proxy/routing/health.ts';
import { bodyOf, chat, chunk, createTestProvider, lastChunk, like, price, sinkOf, sse } from '../examples.ts';
import { streamOf, usage, usageChunk } from '../examples.ts';
import { KEY_ID, openAccount } from './account.ts';
import { engineOf } from './engine-of.ts';

type Reply = (signal: AbortSignal) => Partial<TransportResponse> | Promise<Partial<TransportResponse>>;

const whole =
  (text: string): Reply =>
  () => ({
    body: bodyOf([
      JSON.stringify({
        id: 'chatcmpl-1',
        choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
        usage: usage(9, 2),
      }),
    ]),
  });
const error =
  (status: number, code: string | null = null): Reply =>
  () => ({
    status,
    body: bodyOf([JSON.stringify({ error: { message: 'no', type: 'x', param: null, code } })]),
  });
const streams =
  (text: string): Reply =>
  (signal) =>
    streamOf([sse(chunk({ content: text }), lastChunk, usageChunk(9, 2), '[DONE]')], signal);
const breaks: Reply = () => Promise.reject(new ProviderFailed('connect', 'down'));

/** The model m at one, and at two for the same price. */
const book = ['m', 'm@two'].map((model) => ({
  ...{ ...price, ...like('gpt-4o'), model, upstreamModel: model, upstream: model === 'm' ? 'one' : 'two' },
}));

const complete = async (one: Reply, two: Reply, fields: object = {}, idempotencyKey?: string) => {
  const account = openAccount(1_000_000_000n);
  const named = (name: string, reply: Reply) => ({ ...createTestProvider(reply), name });
  const health = createHealth(() => 0);
  const completions = engineOf(
    account,
    { one: named('one', one), two: named('two', two) },
    { health, factsOf: () => like('gpt-4o'), findPrice: (model) => book.find((entry) => entry.model === model) },
  );
  const held: string[] = [];
  const answer = await completions.complete({
    ...{ uuid: '0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d', accountId: 'acc_1', keyId: KEY_ID, idempotencyKey },
    ...{ endpoint: '/chat/completions', gone: new AbortController().signal, held: (id) => void held.push(id) },
    body: Buffer.from(JSON.stringify({ ...chat, max_tokens: 10, ...fields })),
  });
  let written = '';
  if (answer.kind === 'stream') await answer.relay(sinkOf((passing) => void (written += String(passing))));
  const ends = account.events.map((event) => ('requestId' in event ? `${event.type} ${event.requestId}` : event.type));
  return { answer, account, held, ends, written, active: completions.active, health };
};

const FIRST = 'gen-0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d';

describe('a request that two providers can serve', () => {
  it.each<readonly [string, Reply, string]>([
    ['cannot be reached', breaks, 'upstream_error'],
    ['answers 500', error(500), 'upstream_error'],
    ['answers 429', error(429), 'server_is_overloaded'],
    ['answers 402, about our account', error(402), 'no_provider'],
    ['does not have the model', error(404, 'model_not_found'), 'upstream_refused'],
    ['sends what is not an answer', () => ({ body: bodyOf(['{}']) }), 'upstream_error'],
  ])('is answered by the second if the first %s, and charged once', async (_, reply, reason) => {
    const { answer, ends, held, account, active } = await complete(reply, whole('yes'));
    expect(answer).toMatchObject({
      ...{ kind: 'whole', generationId: `${FIRST}-2`, provider: 'two' },
      failed: [{ generationId: FIRST, provider: 'one', model: 'm', reason }],
    });
    expect(ends).toEqual([
      `CreditsReserved ${FIRST}`,
      `HoldReleased ${FIRST}`,
      `CreditsReserved ${FIRST}-2`,
      `HoldSettled ${FIRST}-2`,
    ]);
    expect(held).toEqual([FIRST, `${FIRST}-2`]);
    expect(account.state.wallet.held).toBe(0n);
    expect(active).toBe(0);
  });

  it('is answered by the second if the stream of the first fails before its first event', async () => {
    for (const first of [streamOf([new ProviderFailed('reset', 'broke')]), streamOf([': hello\n\n'])]) {
      const { answer, written, active } = await complete(() => first, streams('yes'), { stream: true });
      expect(answer).toMatchObject({ kind: 'stream', provider: 'two', failed: [{ provider: 'one' }] });
      expect(written).toContain('"content":"yes"');
      expect(active).toBe(0);
    }
  });

  it('is not sent again once the customer has received a part of the answer', async () => {
    const first: Reply = () => streamOf([sse(chunk({ content: 'yes' })), new ProviderFailed('reset', 'broke')]);
    const { answer, written, ends } = await complete(first, streams('no'), { stream: true });
    expect(answer).toMatchObject({ kind: 'stream', provider: 'one', failed: [] });
    expect(written).toContain('"kind":"stream_broken"');
    expect(ends).toEqual([`CreditsReserved ${FIRST}`, `HoldSettled ${FIRST}`]);
  });

  it('is refused at once if the request is at fault', async () => {
    const { answer, ends } = await complete(error(400), whole('no'));
    expect(answer).toMatchObject({ kind: 'problem', problem: { kind: 'upstream_refused', status: 400 } });
    expect(ends).toEqual([`CreditsReserved ${FIRST}`, `HoldReleased ${FIRST}`]);
  });

  it('has the failure of the last attempt if all fail, and costs nothing', async () => {
    const { answer, account, active } = await complete(breaks, error(429));
    expect(answer).toMatchObject({ kind: 'problem', problem: { code: 'server_is_overloaded' } });
    expect(account.events.filter(({ type }) => type === 'HoldReleased')).toHaveLength(2);
    expect(account.state.wallet).toMatchObject({ held: 0n, balance: 1_000_000_000n });
    expect(active).toBe(0);
  });

  it('goes to the second provider first after the first one has failed five times', async () => {
    const { health } = await complete(breaks, whole('yes'));
    expect(health.of('one', 'gpt-4o').isCool).toBe(false);
    for (let n = 0; n < 4; n++) health.record('one', 'gpt-4o', { kind: 'failed' });
    expect(health.of('one', 'gpt-4o').isCool).toBe(true);
  });
});
