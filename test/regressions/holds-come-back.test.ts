import { describe, expect, it } from 'vitest';
import { says } from '../support/scripted-upstream.ts';
import { SOON } from '../support/soon.ts';
import { ask, expectSettled, statusOf } from './support/customers.ts';
import { costOf, nanoUsd, usdOf } from '../support/money.ts';
import {
  begins,
  breaksAfter,
  completion,
  completionBody,
  gate,
  stream,
  tokensOf,
  usageOf,
} from './support/provider.ts';
import { useTarget, need } from './support/target.ts';

const at = useTarget({ silenceMs: 1500 });
const MAX_TOKENS = 1000;

/** Enough credit for the hold of one such request, and not for two: a hold that is not released blocks the next request. */
const tightCredit = async (): Promise<string> => {
  const { target } = at;
  return usdOf(costOf(tokensOf(600, MAX_TOKENS), await target.prices(target.model)));
};

describe('hold leaked', () => {
  const failures = {
    'is not there': (response) => response.destroy(),
    'breaks off in the middle of its answer': (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
      response.write(completionBody(usageOf(5, 5)), () => setTimeout(() => response.destroy(), 20));
    },
    'answers 400': says('{"error":{"message":"no"}}', { status: 400 }),
    'answers 401': says('{"error":{"message":"no"}}', { status: 401 }),
    'answers 429': says('{"error":{"message":"no"}}', { status: 429 }),
    'answers 500': says('', { status: 500 }),
    'answers 503 in HTML': says('<html>', { status: 503, contentType: 'text/html' }),
    'answers with what is no answer': says('<html>'),
    'answers with an error and 200': says('{"error":{"message":"no","code":500}}'),
  } satisfies Record<string, ReturnType<typeof says>>;

  it('releases the hold whatever the provider does, so that the next request can use it', async () => {
    const { target } = at;
    const credit = await tightCredit();
    const customer = await target.openCustomer(credit);
    for (const [what, failure] of Object.entries(failures)) {
      for (const streamed of [false, true]) {
        target.upstream.play(failure);
        const status = await statusOf(ask(target, customer, { maxTokens: MAX_TOKENS, stream: streamed }));
        expect(status, `a provider that ${what}`).toBeGreaterThanOrEqual(400);
        expect(status, `after a provider that ${what}, 402 is a phantom`).not.toBe(402);
      }
    }
    await expectSettled(target, customer, nanoUsd(credit));
    target.upstream.play(completion(usageOf(10, MAX_TOKENS)));
    expect(await statusOf(ask(target, customer, { maxTokens: MAX_TOKENS }))).toBe(200);
  });

  it('releases the whole hold if a stream fails before its first output', async () => {
    const { target } = at;
    const credit = await tightCredit();
    const customer = await target.openCustomer(credit);
    for (const failure of [breaksAfter(), begins('{"error":{"message":"overloaded"}}'), says('', { status: 502 })]) {
      target.upstream.play(failure);
      const sent = ask(target, customer, { maxTokens: MAX_TOKENS, stream: true });
      expect(await statusOf(sent)).not.toBe(402);
    }
    await expectSettled(target, customer, nanoUsd(credit));
  });

  it('releases it if a client disconnects before any output, and if a provider is silent', async (context) => {
    const { target } = at;
    need(context, target.silenceMs, 'short patience with providers');
    const credit = await tightCredit();
    const customer = await target.openCustomer(credit);
    for (const streamed of [false, true]) {
      const provider = gate(completion(usageOf(5, 5)));
      target.upstream.play(provider.script);
      const left = ask(target, customer, { maxTokens: MAX_TOKENS, stream: streamed });
      await expect.poll(() => provider.waiting(), SOON).toBe(1);
      left.leave();
      await expectSettled(target, customer, nanoUsd(credit));
      expect(await statusOf(ask(target, customer, { maxTokens: MAX_TOKENS, stream: streamed }))).toBe(504);
    }
    await expectSettled(target, customer, nanoUsd(credit));
  });

  it('holds nothing after the charge: the same credit pays for one request after another', async () => {
    const { target } = at;
    const credit = await tightCredit();
    const customer = await target.openCustomer(credit);
    const prices = await target.prices(target.model);
    for (let n = 0; n < 10; n++) {
      target.upstream.play(n % 2 === 0 ? completion(usageOf(3, 2)) : stream(2, usageOf(3, 2)));
      expect(await statusOf(ask(target, customer, { maxTokens: MAX_TOKENS, stream: n % 2 === 1 }))).toBe(200);
    }
    await expectSettled(target, customer, nanoUsd(credit) - 10n * costOf(tokensOf(3, 2), prices));
  });
});
