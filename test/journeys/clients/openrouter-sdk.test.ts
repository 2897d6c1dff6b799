import { HTTPClient, OpenRouter } from '@openrouter/sdk';
import type { ChatRequest, ChatStreamChunk } from '@openrouter/sdk/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Knobs } from '@kissapi/simulator';
import { auditedOne, type Customer } from '../../support/customers/audit.ts';
import { collect, sharedHouse, type House } from '../../support/house.ts';

const messages = [{ role: 'user' as const, content: 'Hello' }];
const ask = { model: 'gpt-4o-mini', messages };
const tools = [
  {
    type: 'function' as const,
    function: {
      name: 'get_weather',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  },
];
const askForTools = { ...ask, messages: [{ role: 'user' as const, content: 'get_weather in Oslo' }], tools };

describe('@openrouter/sdk', () => {
  let house: House;
  let customer: Customer;
  beforeAll(async () => {
    house = await sharedHouse();
    customer = await house.gateway.openAccount('5.00');
  });
  afterAll(() => house.close());

  const one = <T>(act: () => Promise<T>) => auditedOne(house, customer, act);
  const client = (knobs: Knobs = {}): OpenRouter => {
    const fetcher = async (input: string | URL | Request): Promise<Response> => {
      const request = input as Request;
      if (request.method !== 'POST') return fetch(request);
      const body = { ...(JSON.parse(await request.text()) as object), simulate: knobs };
      return fetch(request.url, { method: 'POST', headers: request.headers, body: JSON.stringify(body) });
    };
    return new OpenRouter({
      apiKey: customer.apiKey,
      serverURL: `${house.gateway.url}/v1`,
      httpClient: new HTTPClient({ fetcher }),
      retryConfig: { strategy: 'none' },
    });
  };

  const stream = async (request: ChatRequest, knobs?: Knobs): Promise<AsyncIterable<ChatStreamChunk>> => {
    const answer = await client(knobs).chat.send({ chatRequest: { ...request, stream: true } });
    if (!(Symbol.asyncIterator in answer)) throw new Error('it streams');
    return answer;
  };

  it('reads an answer that comes whole, with its cost', async () => {
    const { result, generation } = await one(() =>
      client({ text: 'one two three', cachedTokens: 1, promptTokens: 9 }).chat.send({
        chatRequest: { ...ask, stream: false },
      }),
    );
    expect(result).toMatchObject({
      choices: [{ finishReason: 'stop', message: { role: 'assistant', content: 'one two three' } }],
      usage: { completionTokens: 3, promptTokensDetails: { cachedTokens: 1 }, cost: Number(generation.chargedUsd) },
    });
  });

  it('reads a stream, with its cost if that was asked for', async () => {
    for (const includeUsage of [true, false]) {
      const request = { ...ask, ...(includeUsage ? { streamOptions: { includeUsage } } : {}) };
      const { result: chunks, generation } = await one(async () =>
        collect(await stream(request, { text: 'one two three' })),
      );
      expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('one two three');
      const cost = chunks.at(-1)?.usage?.cost;
      expect(cost).toBe(includeUsage ? Number(generation.chargedUsd) : undefined);
    }
  });

  it('calls tools, whole and streamed', async () => {
    const whole = await one(() => client().chat.send({ chatRequest: { ...askForTools, stream: false } }));
    expect(whole.result).toMatchObject({
      choices: [{ finishReason: 'tool_calls', message: { toolCalls: [{ function: { name: 'get_weather' } }] } }],
    });
    const { result: chunks } = await one(async () => collect(await stream(askForTools)));
    const calls = chunks.flatMap(({ choices }) => choices[0]?.delta.toolCalls ?? []);
    expect(calls.map(({ function: called }) => called?.name ?? '').join('')).toBe('get_weather');
    const json = calls.map(({ function: called }) => called?.arguments ?? '').join('');
    expect(JSON.parse(json)).toHaveProperty('city');
  });

  it('raises on a stream that breaks in the middle', async () => {
    let text = '';
    const { result, generation } = await one(async () => {
      const chunks = await stream(ask, { text: 'one two three four', breakAfter: 2 });
      try {
        for await (const { choices } of chunks) text += choices[0]?.delta.content ?? '';
        return undefined;
      } catch (error) {
        return error;
      }
    });
    expect(text).toBe('one two');
    expect(result).toBeInstanceOf(Error);
    expect(generation.delivery).toMatchObject({ ended: 'upstream_broke' });
  });

  it('reads the credits, the key and a receipt', async () => {
    const { result, generation } = await one(() => client().chat.send({ chatRequest: { ...ask, stream: false } }));
    const router = client();
    const { data: credits } = await router.credits.getCredits();
    expect(credits.totalCredits).toBe(5);
    expect(credits.totalUsage).toBeGreaterThan(0);
    await house.gateway.manage('PUT', `/accounts/${customer.accountId}/keys/${customer.keyId}/limits`, {
      spending_usd: { month: '2.50' },
      expires_at: '2099-01-01T00:00:00Z',
    });
    const { data: key } = await router.apiKeys.getCurrentKeyMetadata();
    expect(key).toMatchObject({
      label: 'test',
      limit: 2.5,
      limitReset: 'monthly',
      usage: credits.totalUsage,
      usageDaily: credits.totalUsage,
      expiresAt: new Date('2099-01-01T00:00:00Z'),
    });
    expect(key.limitRemaining).toBeCloseTo(2.5 - credits.totalUsage, 9);
    const { data: receipt } = await router.generations.getGeneration({ id: generation.generationId });
    expect(receipt).toMatchObject({
      id: generation.generationId,
      totalCost: Number(generation.chargedUsd),
      usage: Number(generation.chargedUsd),
      upstreamId: (result as { id: string }).id,
      apiType: 'completions',
      streamed: false,
      finishReason: 'stop',
    });
  });
});
