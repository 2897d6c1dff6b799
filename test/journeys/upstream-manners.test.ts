import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI, { type APIError } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Knobs } from '../../src/proxy/upstreams/simulated-request.ts';
import { audited, auditedOne, type Customer, type Ended } from '../support/audit.ts';
import { collect, costIn, createHouse, failure, simulate, type House } from '../support/house.ts';
import { createScriptedUpstream, says, streams, type ScriptedUpstream } from '../support/scripted-upstream.ts';

const MODEL = 'gpt-4o-mini';
/** Served by another provider, which calls it by another name. */
const RENAMED = 'gpt-oss-20b';
const messages = [{ role: 'user' as const, content: 'How are you?' }];
/** What our tokenizer makes of that prompt. */
const PROMPT_TOKENS = 4;
const body = { model: MODEL, messages };

let house: House;
let scripted: ScriptedUpstream;
let folder: string;
let customer: Customer;
let client: OpenAI;
beforeAll(async () => {
  scripted = await createScriptedUpstream();
  folder = await mkdtemp(join(tmpdir(), 'kissapi-upstreams-'));
  const file = join(folder, 'upstreams.json');
  const upstreams = [{ name: 'groq', baseUrl: scripted.url, apiKeyEnv: 'KEY_OF_GROQ' }];
  await writeFile(file, JSON.stringify({ upstreams }));
  house = await createHouse({
    KISSAPI_UPSTREAMS: file,
    KEY_OF_GROQ: 'gsk-of-the-house',
    UPSTREAM_FIRST_BYTE_TIMEOUT_MS: '700',
    UPSTREAM_IDLE_TIMEOUT_MS: '700',
  });
});
// One each, so that what one leaves behind is not blamed on the next.
beforeEach(async () => {
  customer = await house.gateway.openAccount('5.00');
  client = house.gateway.client(customer.apiKey);
});
afterAll(async () => {
  await house.close();
  await scripted.close();
  await rm(folder, { recursive: true });
});

const one = <T>(act: () => Promise<T>) => auditedOne(house, customer, act);
const shouldRetry = (error: APIError) => error.headers?.get('x-should-retry');

const expectReleased = (generation: Ended, reason: string, detail: string): void =>
  expect(generation).toMatchObject({ charged: 0n, reason, detail });

/** Reads a stream to where it breaks; tells the words that came and the error that ended them. */
const broken = async (extra: object, model = MODEL) => {
  let text = '';
  const reading = async () => {
    const stream = await client.chat.completions.create({ model, messages, stream: true, ...extra });
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
  };
  const error = await failure(reading());
  return { text, error };
};

describe('an upstream that refuses', () => {
  type Case = readonly [Knobs, object, { status: number; code: string; type: string; retry: string }];
  const unavailable = 'service_unavailable_error';
  const cases: readonly Case[] = [
    [
      { status: 400, message: 'Too long.' },
      OpenAI.BadRequestError,
      { status: 400, code: 'upstream_refused', type: 'invalid_request_error', retry: 'false' },
    ],
    [
      { status: 401 },
      OpenAI.InternalServerError,
      { status: 503, code: 'no_provider', type: unavailable, retry: 'true' },
    ],
    [
      { status: 402 },
      OpenAI.InternalServerError,
      { status: 503, code: 'no_provider', type: unavailable, retry: 'true' },
    ],
    [
      { status: 403 },
      OpenAI.InternalServerError,
      { status: 503, code: 'no_provider', type: unavailable, retry: 'true' },
    ],
    [
      { status: 404 },
      OpenAI.NotFoundError,
      { status: 404, code: 'model_not_found', type: 'invalid_request_error', retry: 'false' },
    ],
    [
      { status: 409 },
      OpenAI.ConflictError,
      { status: 409, code: 'upstream_refused', type: 'invalid_request_error', retry: 'false' },
    ],
    [
      { status: 422 },
      OpenAI.UnprocessableEntityError,
      { status: 422, code: 'upstream_refused', type: 'invalid_request_error', retry: 'false' },
    ],
    [
      { status: 429 },
      OpenAI.InternalServerError,
      { status: 503, code: 'server_is_overloaded', type: unavailable, retry: 'true' },
    ],
    [
      { status: 500 },
      OpenAI.InternalServerError,
      { status: 502, code: 'upstream_error', type: 'upstream_error', retry: 'true' },
    ],
    [
      { status: 502 },
      OpenAI.InternalServerError,
      { status: 502, code: 'upstream_error', type: 'upstream_error', retry: 'true' },
    ],
    [
      { status: 503 },
      OpenAI.InternalServerError,
      { status: 503, code: 'server_is_overloaded', type: unavailable, retry: 'true' },
    ],
    [
      { status: 504 },
      OpenAI.InternalServerError,
      { status: 504, code: 'upstream_timeout', type: 'upstream_error', retry: 'true' },
    ],
    [
      { status: 529 },
      OpenAI.InternalServerError,
      { status: 503, code: 'server_is_overloaded', type: unavailable, retry: 'true' },
    ],
  ];

  it.each(cases)('%o: nothing is charged, and whether to retry is said', async (knobs, type, expected) => {
    const { retry, ...wire } = expected;
    for (const stream of [false, true]) {
      const { result: error, generation } = await one(() =>
        failure(client.chat.completions.create({ ...body, stream, ...simulate(knobs) })),
      );
      expect(error).toBeInstanceOf(type);
      expect(error).toMatchObject(wire);
      expect(shouldRetry(error)).toBe(retry);
      expect(error.requestID).toMatch(/^req_/);
      expectReleased(generation, 'upstream_refused', `status ${knobs.status}`);
      if (knobs.message !== undefined) expect(error.message).toContain(knobs.message);
      // Whose key is wrong at the provider's, or who is out of credit there, is no customer's business.
      if (retry === 'true') expect(error.message).not.toContain('simulated');
    }
  });

  it('passes on how long to wait', async () => {
    const { result } = await one(() =>
      failure(client.chat.completions.create({ ...body, ...simulate({ status: 429, retryAfter: 3 }) })),
    );
    expect(result.headers?.get('retry-after-ms')).toBe('3000');
    expect(result.headers?.get('retry-after')).toBe('3');
  });
});

describe('an upstream that breaks before its answer', () => {
  type Case = readonly [Knobs, { status: number; code: string }, string];
  const cases: readonly Case[] = [
    [{ resetBeforeHead: true }, { status: 502, code: 'upstream_error' }, 'reset'],
    [{ hang: 'beforeHead' }, { status: 504, code: 'upstream_timeout' }, 'timeout'],
  ];
  it.each(cases)('%o: nothing is charged, and a retry is safe', async (knobs, wire, detail) => {
    for (const stream of [false, true]) {
      const { result: error, generation } = await one(() =>
        failure(client.chat.completions.create({ ...body, stream, ...simulate(knobs) })),
      );
      expect(error).toBeInstanceOf(OpenAI.InternalServerError);
      expect(error).toMatchObject({ ...wire, type: 'upstream_error' });
      expect(shouldRetry(error)).toBe('true');
      expectReleased(generation, 'upstream_failed', detail);
    }
    expect(house.upstream.requests.open).toBe(0);
  });

  it.each<Case>([
    [{ breakAfter: 3 }, { status: 502, code: 'upstream_error' }, 'reset'],
    [{ hang: 'midStream' }, { status: 504, code: 'upstream_timeout' }, 'timeout'],
  ])('%o half-way through an answer that is not streamed', async (knobs, wire, detail) => {
    const { result: error, generation } = await one(() =>
      failure(client.chat.completions.create({ ...body, ...simulate(knobs) })),
    );
    expect(error).toMatchObject(wire);
    expect(shouldRetry(error)).toBe('true');
    expectReleased(generation, 'upstream_failed', detail);
    expect(house.upstream.requests.open).toBe(0);
  });
});

describe('a stream that breaks', () => {
  it('is charged for what was metered, and the SDK raises', async () => {
    const { result, generation } = await one(() => broken(simulate({ breakAfter: 5, text: 'a b c d e f g h' })));
    expect(result.text).toBe('a b c d e');
    expect(result.error).toMatchObject({ code: 'upstream_error', type: 'upstream_error', status: undefined });
    expect(result.error.requestID).toMatch(/^req_/);
    expect(generation.tokens).toMatchObject({ input: PROMPT_TOKENS, output: 5 });
    expect(generation.delivery).toMatchObject({
      usage_source: 'metered',
      ended: 'upstream_broke',
      anomalies: ['usage_missing'],
    });
  });

  it('ends with fields as any chunk has them, an error, and no [DONE]', async () => {
    const { result } = await one(async () => {
      const response = await client.chat.completions
        .create({ ...body, stream: true, ...simulate({ breakAfter: 2 }) })
        .asResponse();
      return response.text();
    });
    const last = result.trim().split('\n\n').at(-1) ?? '';
    expect(JSON.parse(last.replace(/^data: /, ''))).toMatchObject({
      object: 'chat.completion.chunk',
      model: MODEL,
      choices: [{ index: 0, delta: {}, finish_reason: 'error' }],
      error: { type: 'upstream_error', code: 'upstream_error', param: null },
    });
    expect(result).not.toContain('[DONE]');
  });

  it('costs nothing where nothing had been delivered', async () => {
    for (const knobs of [{ breakAfter: 0 }, { errorMidStream: 0 }, { hang: 'midStream', outputTokens: 0 }] as const) {
      const { result, generation } = await one(() => broken(simulate(knobs)));
      expect(result.text).toBe('');
      expect(generation).toMatchObject({ charged: 0n, reason: 'upstream_failed' });
    }
  });

  it('says so when the upstream said why', async () => {
    const { result, generation } = await one(() => broken(simulate({ errorMidStream: 3, text: 'a b c d' })));
    expect(result).toMatchObject({ text: 'a b c', error: { type: 'server_error' } });
    expect(generation.tokens).toMatchObject({ input: PROMPT_TOKENS, output: 3 });
    expect(generation.delivery).toMatchObject({ ended: 'upstream_broke', usage_source: 'metered' });
  });

  it('is left when it falls silent, and comments are silence too', async () => {
    for (const knobs of [{ hang: 'midStream' }, { tokenMs: 60_000, comments: 600 }] as const) {
      const { result, generation } = await one(() => broken(simulate({ ...knobs, text: 'a b' })));
      expect(result).toMatchObject({ text: 'a', error: { code: 'upstream_timeout', type: 'upstream_error' } });
      expect(generation.tokens).toMatchObject({ output: 1 });
      expect(generation.delivery).toMatchObject({ ended: 'upstream_broke' });
    }
    expect(house.upstream.requests.open).toBe(0);
  });

  it('is complete without [DONE] where it said how it finished', async () => {
    const { result, generation } = await one(async () => {
      const response = await client.chat.completions
        .create({ ...body, stream: true, stream_options: { include_usage: true }, ...simulate({ done: false }) })
        .asResponse();
      return response.text();
    });
    expect(result).toMatch(/"cost":"[\d.]+"\}\}\n\ndata: \[DONE\]\n\n$/);
    expect(generation.delivery).toMatchObject({ ended: 'completed', usage_source: 'reported' });
  });
});

describe('an upstream whose usage', () => {
  const text = 'a b c d e f';
  const metered = { input: PROMPT_TOKENS, cached_input: 0, cache_write: 0, output: 6, reasoning: 0 };
  const cases: readonly (readonly [string, Knobs['usage'], string])[] = [
    ['is missing', 'missing', 'usage_missing'],
    ['is empty', {}, 'usage_invalid'],
    ['is negative', { prompt_tokens: -5, completion_tokens: 6 }, 'usage_invalid'],
    ['is negative in the output', { prompt_tokens: 5, completion_tokens: -6 }, 'usage_invalid'],
    ['is fractional', { prompt_tokens: 5.5, completion_tokens: 6 }, 'usage_invalid'],
    ['is a text', { prompt_tokens: '5', completion_tokens: '6' }, 'usage_invalid'],
    ['is huge', { prompt_tokens: 5, completion_tokens: 1e9 }, 'usage_beyond_context'],
    ['is no safe integer', { prompt_tokens: 1e300, completion_tokens: 6 }, 'usage_invalid'],
    ['is huge in all', { prompt_tokens: 5, completion_tokens: 6, total_tokens: 1e9 }, 'usage_beyond_context'],
    [
      'has more cached than there was',
      { prompt_tokens: 5, completion_tokens: 6, prompt_tokens_details: { cached_tokens: 6 } },
      'usage_details_exceed_total',
    ],
  ];

  it.each(cases)('%s is metered instead, and flagged', async (_name, usage, anomaly) => {
    const knobs = simulate({ text, ...(usage === undefined ? {} : { usage }) });
    const whole = await one(() => client.chat.completions.create({ ...body, ...knobs }));
    const streamed = await one(async () =>
      collect(
        await client.chat.completions.create({
          ...body,
          stream: true,
          stream_options: { include_usage: true },
          ...knobs,
        }),
      ),
    );
    expect(streamed.result.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(text);
    for (const [told, { tokens, delivery, chargedUsd }] of [
      [whole.result.usage, whole.generation],
      [streamed.result.at(-1)?.usage, streamed.generation],
    ] as const) {
      expect(tokens).toEqual(metered);
      expect(delivery).toMatchObject({ usage_source: 'metered', ended: 'completed', anomalies: [anomaly] });
      // The customer reads what is charged, not the provider's nonsense.
      expect(told).toEqual({ prompt_tokens: 4, completion_tokens: 6, total_tokens: 10, cost: chargedUsd });
      expect(costIn(told)).toBe(chargedUsd);
    }
  });

  it('leaves reasoning out of the completion is read by its total', async () => {
    const usage = {
      prompt_tokens: 10,
      completion_tokens: 6,
      total_tokens: 116,
      completion_tokens_details: { reasoning_tokens: 100 },
    };
    const { generation } = await one(() => client.chat.completions.create({ ...body, ...simulate({ text, usage }) }));
    expect(generation.tokens).toMatchObject({ input: 10, output: 6, reasoning: 100 });
    expect(generation.delivery?.anomalies).toEqual(['output_taken_from_total']);
  });

  it('is more than was held is paid from the balance, and the rest written off', async () => {
    const poor = await house.gateway.openAccount('0.001');
    const usage = { prompt_tokens: 5, completion_tokens: 100_000, total_tokens: 100_005 };
    const { generation } = await auditedOne(house, poor, () =>
      house.gateway.client(poor.apiKey).chat.completions.create({ ...body, max_tokens: 10, ...simulate({ usage }) }),
    );
    expect(generation.chargedUsd).toBe('0.001');
    expect(generation.tokens).toMatchObject({ output: 100_000 });
  });
});

describe('an upstream with manners of its own', () => {
  const ask = (extra: object = {}) =>
    client.chat.completions.create({ model: RENAMED, messages, ...extra, stream: false });
  const choices = [{ index: 0, message: { role: 'assistant', content: 'Fine.' }, finish_reason: 'stop' }];
  const usage = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 };
  const answer = {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'openai/gpt-oss-20b',
    choices,
    usage,
  };

  it('is asked by its own name for the model', async () => {
    scripted.play(says(JSON.stringify(answer)));
    const { generation } = await one(() => ask());
    expect(JSON.parse(scripted.bodies.at(-1) ?? '')).toMatchObject({ model: 'openai/gpt-oss-20b', messages });
    expect(generation.tokens).toMatchObject({ input: 9, output: 2 });
  });

  it('may put blank lines before its JSON', async () => {
    scripted.play(says(`\n\n  ${JSON.stringify(answer)}`));
    const { result, generation } = await one(() => ask());
    expect(costIn(result.usage)).toBe(generation.chargedUsd);
  });

  const error = { message: 'Overloaded', code: 502 };
  it.each([
    ['no JSON', '<html>'],
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['an error, with 200', JSON.stringify({ error })],
    ['an error and a usage, with 200', JSON.stringify({ error, usage })],
    ['no choices', JSON.stringify({ id: 'x', usage: null })],
  ])('that answers %s has failed: nothing is charged', async (_name, text) => {
    scripted.play(says(text));
    const { result, generation } = await one(() => failure(ask()));
    expect(result).toMatchObject({ status: 502, code: 'upstream_error' });
    expect(shouldRetry(result)).toBe('true');
    expect(generation).toMatchObject({ charged: 0n, reason: 'upstream_failed' });
  });

  it('that answers by going elsewhere has failed', async () => {
    scripted.play((response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end());
    const { result, generation } = await one(() => failure(ask()));
    expect(result).toMatchObject({ status: 502, code: 'upstream_error' });
    expectReleased(generation, 'upstream_refused', 'status 302');
  });

  const chunk = (delta: object, more: object = {}) =>
    JSON.stringify({
      id: 'c-1',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'm',
      choices: [{ index: 0, delta, finish_reason: null }],
      ...more,
    });

  it('that sends the usage with its last words is charged by it once, and the cost is told at the end', async () => {
    const last = { index: 0, delta: {}, finish_reason: 'stop' };
    scripted.play(
      streams(chunk({ content: 'Fine.' }), chunk({}, { choices: [last], usage, x_groq: { id: 'r', usage } }), '[DONE]'),
    );
    const { result, generation } = await one(async () =>
      collect(
        await client.chat.completions.create({
          model: RENAMED,
          messages,
          stream: true,
          stream_options: { include_usage: true },
        }),
      ),
    );
    expect(generation.tokens).toMatchObject({ input: 9, output: 2 });
    expect(result.at(-1)).toMatchObject({ choices: [], usage: { ...usage, cost: generation.chargedUsd } });
    expect(result.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Fine.');
  });

  it('that counts up in every chunk is charged by the last', async () => {
    const growing = [1, 2, 3].map((n) =>
      chunk({ content: 'x' }, { usage: { prompt_tokens: 9, completion_tokens: n, total_tokens: 9 + n } }),
    );
    scripted.play(streams(...growing, '[DONE]'));
    const { generation } = await one(async () =>
      collect(await client.chat.completions.create({ model: RENAMED, messages, stream: true })),
    );
    expect(generation.tokens).toMatchObject({ input: 9, output: 3 });
  });

  it('that says no more after [DONE], but stays on the line, is left', async () => {
    scripted.play((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${chunk({ content: 'Fine.' })}\n\ndata: [DONE]\n\n`);
    });
    const { result } = await one(async () =>
      collect(await client.chat.completions.create({ model: RENAMED, messages, stream: true })),
    );
    expect(result).toHaveLength(1);
  });
});

describe('the retries of the SDK', () => {
  const patient = () => client.withOptions({ maxRetries: 2 });

  it('after our 5xx lead to one charge, for the answer that came', async () => {
    const answer = {
      id: 'chatcmpl-2',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Third time lucky' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 },
    };
    scripted.play(says('{}', { status: 500 }), (response) => response.destroy(), says(JSON.stringify(answer)));
    const { result, generations } = await audited(house, customer, () =>
      patient().chat.completions.create({ model: RENAMED, messages }),
    );
    expect(result.choices[0]?.message.content).toBe('Third time lucky');
    expect(generations.map(({ reason, charged }) => [reason, charged > 0n])).toEqual([
      ['upstream_refused', false],
      ['upstream_failed', false],
      [undefined, true],
    ]);
  });

  it('end without a charge where no answer came', async () => {
    const { result, generations } = await audited(house, customer, () =>
      failure(patient().chat.completions.create({ ...body, ...simulate({ status: 500 }) })),
    );
    expect(result.status).toBe(502);
    expect(generations.map(({ charged }) => charged)).toEqual([0n, 0n, 0n]);
  });

  it('do not come where we said that they are no use', async () => {
    for (const knobs of [{ status: 400 }, { status: 409 }] as const) {
      const { generations } = await audited(house, customer, () =>
        failure(patient().chat.completions.create({ ...body, ...simulate(knobs) })),
      );
      expect(generations).toHaveLength(1);
    }
  });

  it('do not come in the middle of a stream', async () => {
    const { generation } = await one(async () => {
      const stream = await patient().chat.completions.create({ ...body, stream: true, ...simulate({ breakAfter: 2 }) });
      return failure(collect(stream));
    });
    expect(generation.charged).toBeGreaterThan(0n);
  });
});

describe('a reader who takes its time', () => {
  it('is not taken for an upstream that is silent', async () => {
    const tokens = 30_000;
    const { result, generation } = await one(async () => {
      const response = await client.chat.completions
        .create({ ...body, n: 1, stream: true, ...simulate({ outputTokens: tokens }) })
        .asResponse();
      // More than the sockets on the way can hold, so that the gateway must wait for who reads.
      await new Promise((resolve) => setTimeout(resolve, 2500));
      return response.text();
    });
    expect(result.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(generation).toMatchObject({ tokens: { output: tokens }, delivery: { ended: 'completed' } });
  });
});

describe('an upstream that is down', () => {
  it('502, and nothing is charged', async () => {
    await house.upstream.close();
    const { result, generation } = await one(() => failure(client.chat.completions.create(body)));
    expect(result).toMatchObject({ status: 502, code: 'upstream_error' });
    expect(shouldRetry(result)).toBe('true');
    expectReleased(generation, 'upstream_failed', 'connect');
  });
});
