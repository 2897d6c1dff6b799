import { connect } from 'node:net';
import OpenAI from 'openai';
import type { ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { auditedOne, untouched, type Customer } from '../support/audit.ts';
import { createHouse, failure, simulate, type House } from '../support/house.ts';

const MODEL = 'gpt-4o-mini';
const messages = [{ role: 'user' as const, content: 'How are you?' }];
/** What our tokenizer makes of that prompt. */
const PROMPT_TOKENS = 4;
const body = { model: MODEL, messages };
/** A hundred words, each of one token. */
const TEXT = Array.from({ length: 100 }, () => 'word').join(' ');

let house: House;
let customer: Customer;
let client: OpenAI;
let before: { aborted: number };
beforeAll(async () => {
  house = await createHouse();
});
beforeEach(async () => {
  customer = await house.gateway.openAccount('5.00');
  client = house.gateway.client(customer.apiKey);
  before = { ...house.upstream.requests };
});
afterAll(() => house.close());

const one = <T>(act: () => Promise<T>) => auditedOne(house, customer, act);

/** The provider saw the connection close, once, and nothing of it goes on. */
const expectLeft = () =>
  vi.waitFor(() => expect(house.upstream.requests).toMatchObject({ open: 0, aborted: before.aborted + 1 }), {
    timeout: 10_000,
  });

type Extra = Partial<ChatCompletionCreateParamsStreaming> & ReturnType<typeof simulate>;

/** Reads so many pieces of the answer and leaves. Tells how many came. */
const leaveAfter = async (pieces: number, extra: Extra) => {
  const stream = await client.chat.completions.create({ ...body, ...extra, stream: true });
  let seen = 0;
  for await (const { choices } of stream) {
    const delta = choices[0]?.delta;
    if (delta?.content || delta?.tool_calls?.[0]?.function?.arguments) seen++;
    if (seen >= pieces) break;
  }
  return seen;
};

describe('a customer who leaves in the middle of a stream', () => {
  it('pays for what was metered, gets the rest back, and the provider is left', async () => {
    const { result: seen, generation } = await one(() => leaveAfter(5, simulate({ text: TEXT, tokenMs: 20 })));
    expect(seen).toBe(5);
    expect(generation.tokens).toMatchObject({ input: PROMPT_TOKENS, cached_input: 0, reasoning: 0 });
    // What was on its way when the customer left was delivered as far as anybody can tell.
    expect(generation.tokens?.['output']).toBeGreaterThanOrEqual(5);
    expect(generation.tokens?.['output']).toBeLessThan(100);
    expect(generation.delivery).toMatchObject({
      usage_source: 'metered',
      ended: 'client_gone',
      finish_reason: null,
      anomalies: ['usage_missing'],
    });
    expect(generation.charged).toBeLessThan(generation.held);
    await expectLeft();
  });

  it('may do so by the signal of an AbortController', async () => {
    const controller = new AbortController();
    const { generation } = await one(async () => {
      const stream = await client.chat.completions.create(
        { ...body, stream: true, ...simulate({ text: TEXT, tokenMs: 20 }) },
        { signal: controller.signal },
      );
      for await (const { choices } of stream) if (choices[0]?.delta.content) controller.abort();
    });
    expect(generation.delivery).toMatchObject({ ended: 'client_gone', usage_source: 'metered' });
    expect(generation.charged).toBeGreaterThan(0n);
    await expectLeft();
  });

  it('pays for each of several choices', async () => {
    const { generation } = await one(() => leaveAfter(6, { n: 3, ...simulate({ text: TEXT, tokenMs: 20 }) }));
    expect(generation.tokens?.['output']).toBeGreaterThanOrEqual(6);
    expect(generation.tokens?.['output']).toBeLessThan(300);
    await expectLeft();
  });

  it('pays for the arguments of a tool', async () => {
    const properties = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`field_${n}`, { type: 'string' }]));
    const tool = {
      type: 'function' as const,
      function: { name: 'fill_in', parameters: { type: 'object', properties } },
    };
    const { generation } = await one(() =>
      leaveAfter(8, { tools: [tool], tool_choice: 'required', ...simulate({ tokenMs: 20 }) }),
    );
    expect(generation.delivery).toMatchObject({ ended: 'client_gone', usage_source: 'metered' });
    expect(generation.tokens?.['output']).toBeGreaterThanOrEqual(4);
    await expectLeft();
  });

  it('at the very end pays what the provider reported', async () => {
    const { generation } = await one(() => leaveAfter(3, simulate({ text: 'a b c', promptTokens: 77 })));
    expect(generation.tokens).toMatchObject({ input: 77, output: 3 });
    expect(generation.delivery).toMatchObject({ ended: 'completed', usage_source: 'reported' });
  });
});

describe('a customer who leaves before the first token', () => {
  it('of a stream that has not begun pays nothing, and the provider is left', async () => {
    for (const stream of [true, false]) {
      before = { ...house.upstream.requests };
      const controller = new AbortController();
      const { result, generation } = await one(async () => {
        const answer = client.chat.completions.create(
          { ...body, stream, ...simulate({ hang: 'beforeHead' }) },
          { signal: controller.signal },
        );
        await vi.waitFor(() => expect(house.upstream.requests.open).toBe(1), { timeout: 10_000 });
        controller.abort();
        return failure(answer);
      });
      expect(result).toBeInstanceOf(OpenAI.APIUserAbortError);
      expect(generation).toMatchObject({ charged: 0n, reason: 'client_gone' });
      await expectLeft();
    }
  });

  it('because it waited long enough pays nothing', async () => {
    const impatient = client.withOptions({ timeout: 300 });
    const { result, generation } = await one(() =>
      failure(impatient.chat.completions.create({ ...body, ...simulate({ firstByteMs: 60_000 }) })),
    );
    expect(result).toBeInstanceOf(OpenAI.APIConnectionTimeoutError);
    expect(generation).toMatchObject({ charged: 0n, reason: 'client_gone' });
    await expectLeft();
  });

  it('half-way through an answer that does not stream pays nothing', async () => {
    const impatient = client.withOptions({ timeout: 300 });
    const { generation } = await one(() =>
      failure(impatient.chat.completions.create({ ...body, ...simulate({ hang: 'midStream' }) })),
    );
    expect(generation).toMatchObject({ charged: 0n, reason: 'client_gone' });
    await expectLeft();
  });

  it('in the middle of the request never asked', async () => {
    const { started } = house.upstream.requests;
    await untouched(house, customer, async () => {
      const { hostname, port } = new URL(house.gateway.url);
      const socket = connect(Number(port), hostname);
      socket.write(
        `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${customer.apiKey}\r\n` +
          'content-type: application/json\r\ncontent-length: 1000\r\n\r\n{"model":',
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
      socket.destroy();
      // Whoever comes next is served as ever.
      await client.models.list();
    });
    expect(house.upstream.requests.started).toBe(started);
  });
});
