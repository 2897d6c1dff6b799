import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSimulatedServer, createSimulator, type Endpoint, type SimulatedServer } from '@kissapi/simulator';
import { bytesOf, chat, drain, eventsIn, json, simulate, streamed, textIn, user } from './calls.ts';
import type { Json, Send } from './calls.ts';

const simulator = createSimulator();
const inProcess: Send = (endpoint, body, signal = new AbortController().signal) =>
  simulator.send({ endpoint, body: bytesOf(body), signal });

let server: SimulatedServer;
beforeAll(async () => {
  server = await createSimulatedServer();
});
afterAll(async () => {
  await server.close();
  await simulator.close();
});

const overHttp: Send = async (endpoint, body, signal) => {
  const response = await fetch(server.url + endpoint, {
    method: 'POST',
    body: bytesOf(body),
    ...(signal && { signal }),
  });
  const retryAfter = response.headers.get('retry-after');
  return {
    status: response.status,
    contentType: response.headers.get('content-type') ?? '',
    ...(retryAfter !== null && { retryAfterMs: Number(retryAfter) * 1_000 }),
    body: response.body as AsyncIterable<Uint8Array>,
  };
};

describe.each([
  { way: 'in process', send: inProcess },
  { way: 'over HTTP', send: overHttp },
])('the simulated provider $way', ({ send }) => {
  const ask = async (body: unknown, endpoint: Endpoint = '/chat/completions') => json(await send(endpoint, body));
  const stream = async (body: unknown, endpoint: Endpoint = '/chat/completions') =>
    drain((await send(endpoint, body)).body);

  describe('/chat/completions', () => {
    it('answers in the shape of OpenAI', async () => {
      const response = await send('/chat/completions', chat());
      expect(response).toMatchObject({ status: 200, contentType: 'application/json' });
      expect(await json(response)).toEqual({
        id: expect.stringMatching(/^chatcmpl-\w{29}$/),
        object: 'chat.completion',
        created: expect.any(Number),
        model: 'simulated-small',
        system_fingerprint: 'simulated',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: expect.stringMatching(/^\w+( \w+){15}$/), refusal: null },
            logprobs: null,
            finish_reason: 'stop',
          },
        ],
        usage: {
          prompt_tokens: 6,
          completion_tokens: 16,
          total_tokens: 22,
          prompt_tokens_details: { cached_tokens: 0 },
          completion_tokens_details: { reasoning_tokens: 0 },
        },
      });
    });

    it('streams the role, then one token at a time, then the finish reason', async () => {
      const response = await send('/chat/completions', streamed({ text: 'one two' }));
      expect(response).toMatchObject({ status: 200, contentType: 'text/event-stream; charset=utf-8' });
      const { text } = await drain(response.body);
      expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
      const choices = (delta: Json, finish_reason: string | null = null) => [
        { index: 0, delta, logprobs: null, finish_reason },
      ];
      expect(eventsIn(text).map((event) => event['choices'])).toEqual([
        choices({ role: 'assistant', content: '', refusal: null }),
        choices({ content: 'one' }),
        choices({ content: ' two' }),
        choices({}, 'stop'),
      ]);
      for (const event of eventsIn(text)) {
        expect(event).toMatchObject({ object: 'chat.completion.chunk', system_fingerprint: 'simulated' });
        expect(event).not.toHaveProperty('usage');
      }
    });

    it('streams usage only if include_usage is set', async () => {
      const events = eventsIn((await stream(streamed({}, { stream_options: { include_usage: true } }))).text);
      expect(events.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 16 } });
      expect(events.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
    });

    it('gives the same answer to the same body, and another answer for another seed', async () => {
      expect(await ask(chat({ seed: 1 }))).toEqual(await ask(chat({ seed: 1 })));
      const [one, two] = await Promise.all([ask(chat({ seed: 1 })), ask(chat({ seed: 2 }))]);
      expect(one?.['choices'][0].message.content).not.toBe(two?.['choices'][0].message.content);
      expect(one?.['id']).not.toBe(two?.['id']);
      expect((await stream(streamed())).text).toBe((await stream(streamed())).text);
    });

    it('gives n choices and counts the tokens of all', async () => {
      const { choices, usage } = await ask(chat({ n: 3 }));
      expect(new Set(choices.map((choice: Json) => JSON.stringify(choice['message']))).size).toBe(3);
      expect(usage.completion_tokens).toBe(48);
      const events = eventsIn((await stream(streamed({}, { n: 3 }))).text);
      expect(new Set(events.map((event) => event['choices'][0].index))).toEqual(new Set([0, 1, 2]));
    });

    it.each(['max_tokens', 'max_completion_tokens'])('ends at %s with the reason length', async (limit) => {
      const { choices, usage } = await ask(chat({ [limit]: 5 }));
      expect(choices[0].finish_reason).toBe('length');
      expect(choices[0].message.content.split(' ')).toHaveLength(5);
      expect(usage.completion_tokens).toBe(5);
    });

    it('counts reasoning towards the limit, as OpenAI does', async () => {
      const { choices, usage } = await ask(simulate({ reasoningTokens: 4 }, { max_completion_tokens: 6 }));
      expect(choices[0].message.content.split(' ')).toHaveLength(2);
      expect(usage).toMatchObject({ completion_tokens: 6, completion_tokens_details: { reasoning_tokens: 4 } });
    });

    it('ends before a stop sequence, even inside a word', async () => {
      const { choices, usage } = await ask(simulate({ text: 'one two three four' }, { stop: ['zzz', 'ree'] }));
      expect(choices[0]).toMatchObject({ message: { content: 'one two th' }, finish_reason: 'stop' });
      expect(usage.completion_tokens).toBe(3);
    });

    it('lists log probabilities if requested', async () => {
      const body = { logprobs: true, top_logprobs: 2, simulate: { text: 'one two' } };
      const [choice] = (await ask(chat(body)))['choices'];
      expect(choice.logprobs.content).toHaveLength(2);
      expect(choice.logprobs.content[0]).toMatchObject({ token: 'one', bytes: [111, 110, 101] });
      expect(choice.logprobs.content[0].logprob).toBeLessThan(0);
      expect(choice.logprobs.content[0].top_logprobs).toHaveLength(2);
      const events = eventsIn((await stream(chat({ ...body, stream: true }))).text);
      expect(events[1]?.['choices'][0].logprobs.content[0].token).toBe('one');
    });

    it('accepts images and unknown fields, and counts at most one token per byte', async () => {
      const image = { type: 'image_url', image_url: { url: 'data:,x' } };
      const content = [{ type: 'text', text: 'What is this?' }, ...Array<Json>(5).fill(image)];
      const body = chat({ messages: [{ role: 'user', content }], whatever: 1, temperature: null, stop: null });
      const { usage } = await ask(body);
      expect(usage.prompt_tokens).toBe(JSON.stringify(body).length);
    });

    it('answers with JSON that matches the schema', async () => {
      const schema = {
        type: 'object',
        properties: {
          size: { enum: ['small', 'large'] },
          count: { type: 'integer', minimum: 3 },
          parts: { type: 'array', items: { $ref: '#/$defs/part' } },
          note: { anyOf: [{ type: 'null' }, { type: 'string' }] },
        },
        $defs: { part: { type: 'object', properties: { name: { type: 'string' }, ok: { type: 'boolean' } } } },
      };
      const format = { type: 'json_schema', json_schema: { name: 'thing', schema } };
      const { choices } = await ask(chat({ response_format: format }));
      const expected = { size: 'small', count: 3, parts: [{ name: 'simulated name', ok: true }], note: null };
      expect(JSON.parse(choices[0].message.content)).toEqual(expected);
      expect(JSON.parse(textIn((await stream(streamed({}, { response_format: format }))).text))).toEqual(expected);
      const anyJson = await ask(chat({ response_format: { type: 'json_object' } }));
      expect(JSON.parse(anyJson['choices'][0].message.content)).toMatchObject({ simulated: true });
    });
  });

  describe('tools', () => {
    const tool = (name: string) => ({
      type: 'function',
      function: { name, parameters: { type: 'object', properties: { city: { type: 'string' } } } },
    });
    const tools = [tool('get_time'), tool('get_weather')];

    it.each([
      ['the user mentions it', { messages: user('Call get_weather!') }, 'get_weather'],
      ['one is required', { tool_choice: 'required' }, 'get_time'],
      ['it is named', { tool_choice: { type: 'function', function: { name: 'get_weather' } } }, 'get_weather'],
    ])('calls one when %s', async (_, extra, name) => {
      const [choice] = (await ask(chat({ tools, ...extra })))['choices'];
      expect(choice).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } });
      expect(choice.message.tool_calls).toEqual([
        {
          id: expect.stringMatching(/^call_\w{24}$/),
          type: 'function',
          function: { name, arguments: '{"city":"simulated city"}' },
        },
      ]);
    });

    it.each([
      ['nobody mentions one', { messages: user('Hello') }],
      ['none may be called', { messages: user('Call get_weather!'), tool_choice: 'none' }],
      [
        'one has just answered',
        { messages: [...user('get_weather'), { role: 'tool', tool_call_id: 'c', content: '9' }] },
      ],
    ])('answers in words when %s', async (_, extra) => {
      const [choice] = (await ask(chat({ tools, ...extra })))['choices'];
      expect(choice.finish_reason).toBe('stop');
      expect(choice.message).not.toHaveProperty('tool_calls');
    });

    it('streams the arguments in pieces', async () => {
      const events = eventsIn((await stream(chat({ tools, tool_choice: 'required', stream: true }))).text);
      const calls = events.flatMap((event) => event['choices'][0].delta.tool_calls ?? []);
      expect(calls[0]).toMatchObject({ index: 0, type: 'function', function: { name: 'get_time', arguments: '' } });
      expect(calls.length).toBeGreaterThan(3);
      expect(calls.map((call) => call.function.arguments).join('')).toBe('{"city":"simulated city"}');
      expect(events.at(-1)?.['choices'][0].finish_reason).toBe('tool_calls');
    });
  });

  describe('/completions', () => {
    const legacy = (extra: Json = {}) => ({ model: 'm', prompt: 'Once upon', ...extra });

    it('answers in the shape of OpenAI', async () => {
      expect(await ask(legacy({ logprobs: 1, simulate: { text: 'a bc' } }), '/completions')).toMatchObject({
        id: expect.stringMatching(/^cmpl-/),
        object: 'text_completion',
        choices: [
          {
            text: 'a bc',
            index: 0,
            logprobs: { tokens: ['a', ' bc'], text_offset: [0, 1], top_logprobs: [{ a: expect.any(Number) }, {}] },
            finish_reason: 'stop',
          },
        ],
        usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
      });
    });

    it('gives n choices for each prompt', async () => {
      const { choices, usage } = await ask(legacy({ prompt: [[1, 2], [3]], n: 2 }), '/completions');
      expect(choices.map(({ index }: Json) => index)).toEqual([0, 1, 2, 3]);
      expect(usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 64 });
    });

    it('streams', async () => {
      const { text } = await stream(legacy({ stream: true, simulate: { text: 'a bc' } }), '/completions');
      expect(eventsIn(text).map(({ choices }) => [choices[0].text, choices[0].finish_reason])).toEqual([
        ['a', null],
        [' bc', null],
        ['', 'stop'],
      ]);
      expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    });
  });

  describe('/embeddings', () => {
    const embed = (extra: Json = {}) => ask({ model: 'e', input: 'hello', ...extra }, '/embeddings');
    const fromBase64 = (text: string) => {
      const bytes = Buffer.from(text, 'base64');
      return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));
    };

    it('answers in the shape of OpenAI with a unit vector', async () => {
      const answer = await embed();
      expect(answer).toMatchObject({
        object: 'list',
        data: [{ object: 'embedding', index: 0 }],
        model: 'e',
        usage: { prompt_tokens: 2, total_tokens: 2 },
      });
      const [{ embedding }] = answer['data'];
      expect(embedding).toHaveLength(256);
      expect(Math.hypot(...embedding)).toBeCloseTo(1, 5);
    });

    it('gives the same numbers in base64, as little-endian float32', async () => {
      const [float, base64] = await Promise.all([embed(), embed({ encoding_format: 'base64' })]);
      expect(fromBase64(base64['data'][0].embedding)).toEqual(float['data'][0].embedding);
    });

    it('supports dimensions and every form of input', async () => {
      const sizes = async (input: unknown) =>
        (await embed({ input, dimensions: 8 }))['data'].map(
          ({ embedding }: { embedding: unknown[] }) => embedding.length,
        );
      expect(await sizes('one')).toEqual([8]);
      expect(await sizes(['one', 'two'])).toEqual([8, 8]);
      expect(await sizes([1, 2, 3])).toEqual([8]);
      expect(await sizes([[1], [2], [3]])).toEqual([8, 8, 8]);
    });
  });

  describe('400', () => {
    it.each<[string, Endpoint, unknown, string | null, string | null]>([
      ['JSON that does not parse', '/chat/completions', '{"model":', null, null],
      ['a body that is no object', '/chat/completions', [], null, 'invalid_value'],
      ['no model', '/chat/completions', { messages: user('x') }, 'model', 'missing_required_parameter'],
      ['no messages', '/chat/completions', { model: 'm' }, 'messages', 'missing_required_parameter'],
      ['no prompt', '/completions', { model: 'm' }, 'prompt', 'missing_required_parameter'],
      ['an empty prompt list', '/completions', { model: 'm', prompt: [] }, 'prompt', 'invalid_value'],
      ['no input', '/embeddings', { model: 'm' }, 'input', 'missing_required_parameter'],
      ['a limit of no tokens', '/chat/completions', chat({ max_tokens: 0 }), 'max_tokens', 'invalid_value'],
      [
        'a tool that is not there',
        '/chat/completions',
        chat({ tool_choice: { type: 'function', function: { name: 'x' } } }),
        'tool_choice',
        'invalid_value',
      ],
      ['an unknown knob', '/chat/completions', simulate({ speed: 1 }), 'simulate.speed', 'unknown_parameter'],
      ['a bad knob', '/chat/completions', simulate({ tokenMs: -1 }), 'simulate.tokenMs', 'invalid_value'],
      ['a bad choice', '/chat/completions', simulate({ hang: 'never' }), 'simulate.hang', 'invalid_value'],
      [
        'a retry without a status',
        '/chat/completions',
        simulate({ retryAfter: 1 }),
        'simulate.retryAfter',
        'invalid_value',
      ],
    ])('for %s', async (_, endpoint, body, param, code) => {
      const response = await send(endpoint, body);
      expect(response).toMatchObject({ status: 400, contentType: 'application/json' });
      const error = { message: expect.any(String), type: 'invalid_request_error', param, code };
      expect(await json(response)).toEqual({ error });
    });
  });

  describe('simulate: content and usage', () => {
    it('outputTokens, promptTokens, cachedTokens and cacheWriteTokens', async () => {
      const { choices, usage } = await ask(
        simulate({ outputTokens: 3, promptTokens: 100, cachedTokens: 60, cacheWriteTokens: 20 }),
      );
      expect(choices[0].message.content.split(' ')).toHaveLength(3);
      expect(usage).toMatchObject({
        prompt_tokens: 100,
        completion_tokens: 3,
        total_tokens: 103,
        prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 20 },
      });
    });

    it('text, verbatim', async () => {
      const text = ' Grüße,\n  世界!  ';
      const { choices, usage } = await ask(simulate({ text }));
      expect(choices[0].message.content).toBe(text);
      expect(usage.completion_tokens).toBe(3);
      expect(textIn((await stream(streamed({ text }))).text)).toBe(text);
    });

    it('echo', async () => {
      const messages = [...user('first'), { role: 'assistant', content: 'x' }, ...user('say this')];
      expect((await ask(chat({ messages, simulate: { echo: true } })))['choices'][0].message.content).toBe('say this');
    });

    it.each([{ prompt_tokens: -5, completion_tokens: 1.5 }, { total_tokens: 1e300, prompt_tokens: 'many' }, {}])(
      'usage %j word for word',
      async (usage) => {
        expect((await ask(simulate({ usage })))['usage']).toEqual(usage);
        const { text } = await stream(streamed({ usage }, { stream_options: { include_usage: true } }));
        expect(eventsIn(text).at(-1)).toMatchObject({ choices: [], usage });
      },
    );

    it('usage missing', async () => {
      expect(await ask(simulate({ usage: 'missing' }))).not.toHaveProperty('usage');
      const { text } = await stream(streamed({ usage: 'missing' }, { stream_options: { include_usage: true } }));
      expect(text).not.toContain('usage');
      expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    });

    it('comments and done', async () => {
      const { text } = await stream(streamed({ text: 'a b c', comments: 2, done: false }));
      expect(text.match(/^: keep-alive$/gm)).toHaveLength(4);
      expect(text).not.toContain('[DONE]');
      expect(textIn(text)).toBe('a b c');
    });
  });

  describe('simulate: failures', () => {
    it.each([
      [401, 'invalid_request_error', 'invalid_api_key'],
      [429, 'requests', 'rate_limit_exceeded'],
      [503, 'server_error', null],
    ])('status %i', async (status, type, code) => {
      const response = await send('/chat/completions', simulate({ status, message: 'No.', retryAfter: 7 }));
      expect(response).toMatchObject({ status, retryAfterMs: 7_000 });
      expect(await json(response)).toEqual({ error: { message: 'No.', type, param: null, code } });
    });

    it('breakAfter sends every token before the reset', async () => {
      for (const breakAfter of [0, 1, 5, 16, 99]) {
        const { text, broke } = await stream(streamed({ breakAfter }));
        expect(broke).toBeInstanceOf(Error);
        // The opening chunk and the tokens, but neither the end nor [DONE].
        expect(eventsIn(text)).toHaveLength(1 + Math.min(breakAfter, 16));
      }
    });

    it('breakAfter sends half of an answer that is not streamed', async () => {
      const whole = (await stream(simulate({}))).text;
      const { text, broke } = await stream(simulate({ breakAfter: 3 }));
      expect(broke).toBeInstanceOf(Error);
      expect(text.length).toBeGreaterThan(whole.length / 3);
      expect(() => JSON.parse(text)).toThrow();
    });

    it('resetBeforeHead', async () => {
      await expect(send('/chat/completions', simulate({ resetBeforeHead: true }))).rejects.toThrow();
    });

    it('errorMidStream', async () => {
      const { text, broke } = await stream(streamed({ errorMidStream: 2 }));
      expect(broke).toBeUndefined();
      const events = eventsIn(text);
      expect(events).toHaveLength(4);
      expect(events.at(-1)).toEqual({ error: expect.objectContaining({ type: 'server_error' }) });
      expect(text).not.toContain('[DONE]');
      expect(await send('/chat/completions', simulate({ errorMidStream: 2 }))).toMatchObject({ status: 500 });
    });

    it.each([{ stream: true }, { stream: false }])('hang midStream, until aborted: %j', async (extra) => {
      const controller = new AbortController();
      const { status, body } = await send(
        '/chat/completions',
        simulate({ hang: 'midStream' }, extra),
        controller.signal,
      );
      expect(status).toBe(200);
      setTimeout(() => controller.abort(new Error('enough')), 50);
      const { text, broke } = await drain(body);
      expect(broke).toEqual(new Error('enough'));
      if (extra.stream) expect(eventsIn(text)).toHaveLength(9);
      else expect(() => JSON.parse(text)).toThrow();
    });

    it('hang midStream sends the head even if nothing follows', async () => {
      const controller = new AbortController();
      const body = { model: 'm', prompt: 'x', stream: true, simulate: { hang: 'midStream', text: '' } };
      expect(await send('/completions', body, controller.signal)).toMatchObject({ status: 200 });
      controller.abort();
    });

    it('hang beforeHead, until aborted', async () => {
      const controller = new AbortController();
      const sent = send('/chat/completions', simulate({ hang: 'beforeHead' }), controller.signal);
      setTimeout(() => controller.abort(new Error('enough')), 50);
      await expect(sent).rejects.toThrow('enough');
    });
  });

  describe('simulate: timing and framing', () => {
    it('firstByteMs delays the head, tokenMs each following token', async () => {
      const started = performance.now();
      const { body } = await send('/chat/completions', streamed({ firstByteMs: 60, tokenMs: 30, outputTokens: 3 }));
      expect(performance.now() - started).toBeGreaterThan(55);
      const headAt = performance.now();
      const { chunks } = await drain(body);
      expect(performance.now() - headAt).toBeGreaterThan(55);
      expect(chunks.length).toBeGreaterThanOrEqual(3);
    });

    it('an answer that is not streamed waits for the sum of tokenMs', async () => {
      const started = performance.now();
      await send('/chat/completions', simulate({ tokenMs: 20, outputTokens: 4 }));
      expect(performance.now() - started).toBeGreaterThan(75);
    });

    it('chunkBytes ignores event boundaries and loses nothing', async () => {
      const whole = (await stream(streamed({ text: 'Grüße, 世界 🌍!' }))).text;
      const { text } = await stream(streamed({ text: 'Grüße, 世界 🌍!', chunkBytes: 3 }));
      // The ids differ, as the bodies do.
      expect(textIn(text)).toBe(textIn(whole));
      expect(text.length).toBe(whole.length);
    });
  });
});
