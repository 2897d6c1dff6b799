import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { png } from '../../proxy/media/media.ts';
import { auditedOne, type Customer } from '../../support/customers/audit.ts';
import {
  collect,
  costIn,
  sharedHouse,
  explain,
  failure,
  simulate,
  UPSTREAM_KEY,
  type House,
} from '../../support/house.ts';

const MODEL = 'gpt-4o-mini';
const messages = [{ role: 'user' as const, content: 'How are you?' }];

let house: House;
let customer: Customer;
let client: OpenAI;
beforeAll(async () => {
  house = await sharedHouse();
  customer = await house.gateway.openAccount('5.00');
  client = house.gateway.client(customer.apiKey);
});
afterAll(() => house.close());

const one = <T>(act: () => Promise<T>) => auditedOne(house, customer, act);

describe('a chat completion', () => {
  it('comes whole, with its cost in the usage and in the headers', async () => {
    const { result, generation } = await one(() =>
      client.chat.completions.create({ model: MODEL, messages, ...simulate({ outputTokens: 7 }) }).withResponse(),
    );
    const { data, response, request_id } = result;
    expect(data).toMatchObject({ object: 'chat.completion', model: MODEL, usage: { completion_tokens: 7 } });
    expect(costIn(data.usage)).toBe(generation.chargedUsd);
    expect(generation).toMatchObject({ tokens: { output: 7 }, delivery: { usage_source: 'reported', anomalies: [] } });
    expect(request_id).toMatch(/^req_/);
    expect(data).toHaveProperty('_request_id', request_id);
    const header = (name: string) => response.headers.get(name);
    expect(header('x-kissapi-generation-id')).toBe(generation.generationId);
    expect(header('x-generation-id')).toBe(generation.generationId);
    expect(header('x-kissapi-cost-usd')).toBe(generation.chargedUsd);
    expect(header('x-kissapi-balance-usd')).toMatch(/^4\.\d{2,9}$/);
    expect(Number(header('openai-processing-ms'))).toBeGreaterThanOrEqual(0);
    expect(header('x-kissapi-output-capped')).toBeNull();
  });

  it('is explained in a terminal with the same figures, by either of its ids', async () => {
    const { generation } = await one(() => client.chat.completions.create({ model: MODEL, messages }));
    for (const id of [generation.generationId, generation.delivery?.upstream_id ?? '']) {
      const explained = await explain(house, id);
      expect(explained).toContain(`${generation.generationId} of account ${customer.accountId}`);
      expect(explained).toMatch(new RegExp(`^charged +${generation.chargedUsd} USD$`, 'm'));
      expect(explained).toContain('The recomputation agrees with the log.');
    }
  });

  it('sends the provider the body and our own key, and no header of the customer', async () => {
    await one(() =>
      client.chat.completions.create(
        { model: MODEL, messages, seed: 7, stop: ['never'], user: 'u-1', ...{ surprise: { deep: [1, null] } } },
        { headers: { 'x-secret': 'mine', cookie: 'a=b' } },
      ),
    );
    const { headers, body } = house.upstream.lastRequest ?? {};
    expect(body).toEqual({
      model: MODEL,
      messages,
      seed: 7,
      stop: ['never'],
      user: 'u-1',
      surprise: { deep: [1, null] },
      ...{ service_tier: 'default', store: false },
    });
    expect(headers?.authorization).toBe(`Bearer ${UPSTREAM_KEY}`);
    expect(Object.keys(headers ?? {}).sort()).toEqual(
      [
        'accept',
        'accept-encoding',
        'authorization',
        'connection',
        'content-length',
        'content-type',
        'host',
        'user-agent',
      ].sort(),
    );
  });

  it('streams, with the usage and its cost if the client asks for it', async () => {
    const { result: chunks, generation } = await one(async () =>
      collect(
        await client.chat.completions.create({
          model: MODEL,
          messages,
          stream: true,
          stream_options: { include_usage: true },
          ...simulate({ text: 'one two three', cachedTokens: 4, promptTokens: 40, reasoningTokens: 2 }),
        }),
      ),
    );
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('one two three');
    expect(chunks.filter(({ usage }) => usage)).toHaveLength(1);
    const last = chunks.at(-1);
    expect(last).toMatchObject({
      object: 'chat.completion.chunk',
      choices: [],
      usage: { prompt_tokens: 40, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 4 } },
    });
    expect(costIn(last?.usage)).toBe(generation.chargedUsd);
    expect(new Set(chunks.map(({ id }) => id))).toEqual(new Set([generation.delivery?.upstream_id]));
    expect(generation.tokens).toEqual({ input: 36, cached_input: 4, cache_write: 0, output: 3, reasoning: 2 });
  });

  it('streams without the usage to who does not ask, and is charged by it all the same', async () => {
    for (const options of [{}, { stream_options: null }, { stream_options: { include_usage: false } }]) {
      const { result, generation } = await one(async () => {
        const { data, response } = await client.chat.completions
          .create({ model: MODEL, messages, stream: true, ...options, ...simulate({ outputTokens: 3 }) })
          .withResponse();
        return { chunks: await collect(data), response };
      });
      expect(result.chunks.every(({ choices }) => choices.length === 1)).toBe(true);
      expect(result.chunks.every(({ usage }) => !usage)).toBe(true);
      expect(result.response.headers.get('x-kissapi-generation-id')).toBe(generation.generationId);
      expect(generation).toMatchObject({ tokens: { output: 3 }, delivery: { usage_source: 'reported' } });
      expect(house.upstream.lastRequest?.body).toMatchObject({ stream_options: { include_usage: true } });
    }
  });

  it('streams to the helper of the SDK', async () => {
    const { result, generation } = await one(async () => {
      const stream = client.chat.completions.stream({ model: MODEL, messages, ...simulate({ text: 'up and down' }) });
      return stream.finalChatCompletion();
    });
    expect(result.choices[0]?.message.content).toBe('up and down');
    expect(generation.delivery).toMatchObject({ ended: 'completed', finish_reason: 'stop' });
  });

  const tools = [
    {
      type: 'function' as const,
      function: {
        name: 'get_weather',
        parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      },
    },
  ];
  const asked = [{ role: 'user' as const, content: 'get_weather in Oslo' }];

  it('calls tools', async () => {
    const { result, generation } = await one(() =>
      client.chat.completions.create({ model: MODEL, messages: asked, tools, tool_choice: 'auto' }),
    );
    const [choice] = result.choices;
    expect(choice?.finish_reason).toBe('tool_calls');
    const call = choice?.message.tool_calls?.[0];
    if (call?.type !== 'function') throw new Error('a function is called');
    expect(call.function.name).toBe('get_weather');
    expect(JSON.parse(call.function.arguments)).toHaveProperty('city');

    const { result: end } = await one(() =>
      client.chat.completions.create({
        model: MODEL,
        messages: [...asked, choice?.message ?? asked[0]!, { role: 'tool', tool_call_id: call.id, content: 'sunny' }],
        tools,
      }),
    );
    expect(end.choices[0]).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant' } });
    expect(generation.delivery?.finish_reason).toBe('tool_calls');
  });

  it('calls tools in a stream, and the SDK puts the pieces together', async () => {
    const { result, generation } = await one(() =>
      client.chat.completions.stream({ model: MODEL, messages: asked, tools }).finalChatCompletion(),
    );
    const call = result.choices[0]?.message.tool_calls?.[0];
    expect(call).toMatchObject({ type: 'function', function: { name: 'get_weather' } });
    if (call?.type === 'function') expect(JSON.parse(call.function.arguments)).toHaveProperty('city');
    expect(generation.delivery?.finish_reason).toBe('tool_calls');
  });

  it('keeps to a JSON schema', async () => {
    const schema = { type: 'object', properties: { name: { type: 'string' }, age: { type: 'integer' } } };
    const { result } = await one(() =>
      client.chat.completions.parse({
        model: MODEL,
        messages,
        response_format: { type: 'json_schema', json_schema: { name: 'person', schema, strict: true } },
      }),
    );
    const content = JSON.parse(result.choices[0]?.message.content ?? '') as unknown;
    expect(content).toEqual({ name: expect.any(String) as string, age: expect.any(Number) as number });
  });

  it('gives several choices, and charges each', async () => {
    const body = { model: MODEL, messages, n: 3, ...simulate({ outputTokens: 5 }) };
    const { result, generation } = await one(() => client.chat.completions.create(body));
    expect(result.choices.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(generation.tokens).toMatchObject({ output: 15 });

    const streamed = await one(async () => collect(await client.chat.completions.create({ ...body, stream: true })));
    expect(new Set(streamed.result.map(({ choices }) => choices[0]?.index))).toEqual(new Set([0, 1, 2]));
    expect(streamed.generation.tokens).toMatchObject({ output: 15 });
  });

  it('gives log probabilities, whole and streamed', async () => {
    const body = { model: MODEL, messages, logprobs: true, top_logprobs: 2, ...simulate({ text: 'yes no' }) };
    const { result } = await one(() => client.chat.completions.create(body));
    expect(result.choices[0]?.logprobs?.content?.map(({ token }) => token)).toEqual(['yes', ' no']);
    expect(result.choices[0]?.logprobs?.content?.[0]?.top_logprobs).toHaveLength(2);
    const streamed = await one(async () => collect(await client.chat.completions.create({ ...body, stream: true })));
    const tokens = streamed.result.flatMap(({ choices }) => choices[0]?.logprobs?.content ?? []);
    expect(tokens.map(({ token }) => token)).toEqual(['yes', ' no']);
  });

  it('looks at images, by address and sent along', async () => {
    const picture = (url: string) => ({ type: 'image_url' as const, image_url: { url } });
    const bytes = Buffer.concat([png(512, 512), Buffer.alloc(300_000)]);
    const inline = `data:image/png;base64,${bytes.toString('base64')}`;
    const { generation } = await one(() =>
      client.chat.completions.create({
        model: MODEL,
        max_tokens: 20,
        messages: [
          {
            role: 'user',
            content: [{ type: 'text', text: 'What is this?' }, picture('https://example.com/a.png'), picture(inline)],
          },
        ],
      }),
    );
    expect(generation.tokens?.['input']).toBeGreaterThan(2 * 85);
    // The bytes of a picture are no tokens: 400,000 of them would hold six cents. At this model a tile is 5,667 of them:
    // one for the picture that was sent along, and eight for the other, which may be of any size.
    expect(generation.held).toBeGreaterThan(8_500_000n);
    expect(generation.held).toBeLessThan(8_700_000n);
  });

  it('stops at a stop sequence and at the limit', async () => {
    const stopped = await one(() =>
      client.chat.completions.create({ model: MODEL, messages, stop: ' two', ...simulate({ text: 'one two three' }) }),
    );
    expect(stopped.result.choices[0]?.message.content).toBe('one');
    for (const limit of [{ max_tokens: 2 }, { max_completion_tokens: 2 }]) {
      const { result, generation } = await one(() =>
        client.chat.completions.create({ model: MODEL, messages, ...limit, ...simulate({ text: 'one two three' }) }),
      );
      expect(result.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'one two' } });
      expect(generation.delivery?.finish_reason).toBe('length');
    }
  });

  it('holds no more than what the limit allows, and gives the rest back', async () => {
    const { generation } = await one(() =>
      client.chat.completions.create({ model: MODEL, messages, max_tokens: 1000 }),
    );
    // 1000 tokens at $0.60 per million, and a prompt of less than 200 bytes at $0.15.
    expect(generation.held).toBeGreaterThan(600_000n);
    expect(generation.held).toBeLessThan(630_000n);
    expect(generation.charged).toBeLessThan(generation.held);
  });

  it('passes text of any script through, whole and streamed, in pieces that cut characters', async () => {
    const text = 'naïve 😀 家族 👩‍👩‍👧 "quoted" \\back {brace} [DONE] data: x';
    const body = { model: MODEL, messages: [{ role: 'user' as const, content: text }], ...simulate({ echo: true }) };
    const whole = await one(() => client.chat.completions.create(body));
    expect(whole.result.choices[0]?.message.content).toBe(text);
    const cut = { ...body, ...simulate({ echo: true, chunkBytes: 3 }) };
    const { result } = await one(async () => collect(await client.chat.completions.create({ ...cut, stream: true })));
    expect(result.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(text);
  });
});

describe('a legacy completion', () => {
  const model = 'simulated-completion';

  it('comes whole and streamed', async () => {
    const body = { model, prompt: 'Once', max_tokens: 20, ...simulate({ text: 'upon a time' }) };
    const whole = await one(() => client.completions.create(body));
    expect(whole.result).toMatchObject({ object: 'text_completion', choices: [{ text: 'upon a time' }] });
    expect(costIn(whole.result.usage)).toBe(whole.generation.chargedUsd);

    const streamed = await one(async () =>
      collect(await client.completions.create({ ...body, stream: true, stream_options: { include_usage: true } })),
    );
    expect(streamed.result.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe('upon a time');
    expect(costIn(streamed.result.at(-1)?.usage)).toBe(streamed.generation.chargedUsd);
    expect(streamed.result.at(-1)).toMatchObject({ object: 'text_completion', choices: [] });
  });

  it('answers several prompts, and reserves for each', async () => {
    const { result, generation } = await one(() =>
      client.completions.create({ model, prompt: ['one', 'two'], n: 2, max_tokens: 8 }),
    );
    expect(result.choices).toHaveLength(4);
    expect(generation.tokens).toMatchObject({ output: 32 });
    expect(generation.held).toBeGreaterThanOrEqual(4n * 8n * 4000n);
  });
});

describe('embeddings', () => {
  const model = 'text-embedding-3-small';

  it('come as base64 unless asked otherwise, which the SDK turns into numbers', async () => {
    const { result, generation } = await one(() => client.embeddings.create({ model, input: ['one', 'two'] }));
    expect(house.upstream.lastRequest?.body).toMatchObject({ encoding_format: 'base64' });
    expect(result.data).toHaveLength(2);
    expect(Math.hypot(...(result.data[0]?.embedding ?? []))).toBeCloseTo(1, 5);
    expect(costIn(result.usage)).toBe(generation.chargedUsd);
    expect(generation.tokens).toMatchObject({ input: result.usage.prompt_tokens, output: 0 });
  });

  it('are the bytes of the provider, but for the cost', async () => {
    for (const format of ['float', 'base64'] as const) {
      const body = JSON.stringify({ model, input: 'one', encoding_format: format });
      const post = async (url: string, key: string) => {
        const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
        return (await fetch(`${url}/embeddings`, { method: 'POST', headers, body })).text();
      };
      const straight = await post(house.upstream.url, UPSTREAM_KEY);
      const { result, generation } = await one(() => post(`${house.gateway.url}/v1`, customer.apiKey));
      const { chargedUsd } = generation;
      expect(result.replace(`,"cost":${chargedUsd},"cost_usd":"${chargedUsd}"`, '')).toBe(straight);
      expect(result).not.toBe(straight);
    }
  });

  it('take lists of tokens', async () => {
    const { generation } = await one(() => client.embeddings.create({ model, input: [[1, 2, 3], [4]] }));
    expect(generation.tokens).toMatchObject({ input: 4 });
  });
});

describe('models', () => {
  it('are listed and read, with their prices', async () => {
    const all = await collect(client.models.list());
    expect(all.map(({ id }) => id)).toEqual(
      expect.arrayContaining([MODEL, 'simulated-chat', 'text-embedding-3-small']),
    );
    // Whose provider is not switched on cannot be had.
    expect(all.map(({ id }) => id)).not.toContain('claude-haiku-4-5');
    const found = await client.models.retrieve(MODEL);
    expect(found).toMatchObject({
      id: MODEL,
      object: 'model',
      owned_by: 'openai',
      usd_per_million_tokens: { input: '0.15', output: '0.60' },
    });
    expect(Number.isInteger(found.created)).toBe(true);
    for (const id of ['no-such-model', 'openai/gpt-oss-20b', 'claude-haiku-4-5']) {
      const error = await failure(client.models.retrieve(id));
      expect(error).toBeInstanceOf(OpenAI.NotFoundError);
      expect(error).toMatchObject({ code: 'model_not_found', type: 'invalid_request_error', param: 'model' });
    }
  });
});
