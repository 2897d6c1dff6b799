import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createSimulatedServer, type SimulatedServer } from '@kissapi/simulator';
import { chat, drain, eventsIn, simulate, streamed, type Json } from './calls.ts';

let server: SimulatedServer;
beforeAll(async () => {
  server = await createSimulatedServer();
});
afterAll(() => server.close());

const post = (body: unknown, to = server, signal?: AbortSignal) =>
  fetch(`${to.url}/chat/completions`, { method: 'POST', body: JSON.stringify(body), ...(signal && { signal }) });

const read = async (response: Response) => drain(response.body as AsyncIterable<Uint8Array>);

describe('the simulated server', () => {
  it('counts how requests end and keeps the last request', async () => {
    const own = await createSimulatedServer();
    const counts = { started: 0, completed: 0, aborted: 0, broken: 0, open: 0 };
    await (await post(chat(), own)).text();
    await vi.waitFor(() => expect(own.requests).toEqual({ ...counts, started: 1, completed: 1 }));
    expect(own.lastRequest).toMatchObject({ method: 'POST', path: '/v1/chat/completions', body: chat() });

    const controller = new AbortController();
    await post(streamed({ hang: 'midStream' }), own, controller.signal);
    expect(own.requests).toMatchObject({ started: 2, open: 1 });
    controller.abort();
    await vi.waitFor(() => expect(own.requests).toEqual({ ...counts, started: 2, completed: 1, aborted: 1 }));

    await expect(post(simulate({ resetBeforeHead: true }), own)).rejects.toThrow();
    await vi.waitFor(() => expect(own.requests).toMatchObject({ started: 3, broken: 1, open: 0 }));
    await own.close();
  });

  it('counts a client that disconnects while sending its body as aborted', async () => {
    const own = await createSimulatedServer();
    const { hostname, port } = new URL(own.url);
    const socket = connect(Number(port), hostname);
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"model":');
    await vi.waitFor(() => expect(own.requests.open).toBe(1));
    socket.destroy();
    await vi.waitFor(() => expect(own.requests).toMatchObject({ aborted: 1, open: 0 }));
    await own.close();
  });

  it('sends every token before a reset, each time', async () => {
    for (let at = 0; at < 100; at++) {
      const { text, broke } = await read(await post(streamed({ breakAfter: 8, text: `${'x '.repeat(20)}${at}` })));
      expect(broke).toBeInstanceOf(Error);
      expect(eventsIn(text)).toHaveLength(9);
    }
  });

  it('waits for a slow reader', async () => {
    const own = await createSimulatedServer();
    const response = await post(streamed({ outputTokens: 100_000 }), own);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(own.requests.open).toBe(1);
    expect(eventsIn((await read(response)).text)).toHaveLength(100_002);
    await own.close();
  });

  it('closes the connections that are open after the grace period', async () => {
    const own = await createSimulatedServer();
    const hung = await post(streamed({ hang: 'midStream' }), own);
    const closed = own.close(100);
    await expect(hung.text()).rejects.toThrow();
    await closed;
    expect(own.requests).toMatchObject({ broken: 1, open: 0 });
  });

  it('waits for open answers on close, and no longer', async () => {
    const own = await createSimulatedServer();
    const response = await post(streamed({ tokenMs: 10 }), own);
    const [, text] = await Promise.all([own.close(600_000), response.text()]);
    expect(text.endsWith('[DONE]\n\n')).toBe(true);
    expect(own.requests).toMatchObject({ completed: 1, broken: 0, open: 0 });
  });

  it('404 for any other path', async () => {
    const response = await fetch(`${server.url}/responses`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
  });

  it('413 for a body over 64 MiB', async () => {
    const body = Buffer.alloc(65 * 1024 * 1024);
    expect((await fetch(`${server.url}/chat/completions`, { method: 'POST', body })).status).toBe(413);
  });
});

describe('npm run simulate', () => {
  const run = (...args: string[]) => spawn(process.execPath, ['src/cli/simulate.ts', ...args]);

  it('prints its base URL, serves, and exits with 0 on SIGTERM', async () => {
    const child = run('--port', '0');
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const url = /http:\S+/.exec(line.toString())?.[0];
    expect((await fetch(`${url}/models`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it.each([
    ['a bad port', ['--port', 'x'], 'whole number'],
    ['a port that is taken', () => ['--port', new URL(server.url).port], 'Cannot listen'],
  ])('explains %s', async (_, args, explanation) => {
    const child = run(...(typeof args === 'function' ? args() : args));
    const chunks: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    expect(await once(child, 'close')).toEqual([2, null]);
    expect(Buffer.concat(chunks).toString()).toContain(explanation);
  });
});

describe('the openai package against the simulated server', () => {
  const client = () => new OpenAI({ baseURL: server.url, apiKey: 'sk-test', maxRetries: 0 });
  const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'How are you?' }];
  const model = 'gpt-anything';
  // The SDK passes on what it does not know, as long as the compiler does not see it.
  const knobs = (simulate: Json) => ({ simulate }) as object;

  it('reads a completion', async () => {
    const { choices, usage } = await client().chat.completions.create({ model, messages, max_tokens: 4 });
    expect(choices[0]).toMatchObject({ finish_reason: 'length', message: { role: 'assistant' } });
    expect(usage?.completion_tokens).toBe(4);
    expect(server.lastRequest?.headers.authorization).toBe('Bearer sk-test');
  });

  it('reads a stream, cut anywhere', async () => {
    const stream = client().chat.completions.stream({
      model,
      messages,
      stream_options: { include_usage: true },
      ...knobs({ text: 'Grüße, 世界!', chunkBytes: 5, comments: 1 }),
    });
    expect(await stream.finalContent()).toBe('Grüße, 世界!');
    expect((await stream.totalUsage()).completion_tokens).toBe(2);
  });

  it('runs a tool and gets an answer', async () => {
    const runner = client().chat.completions.runTools({
      model,
      messages: [{ role: 'user', content: 'Please use get_weather.' }],
      tools: [
        {
          type: 'function',
          function: {
            name: 'get_weather',
            description: 'The weather in a city.',
            parameters: { type: 'object', properties: { city: { type: 'string' } } },
            parse: JSON.parse as (text: string) => { city: string },
            function: ({ city }: { city: string }) => `Sun over ${city}.`,
          },
        },
      ],
    });
    expect(await runner.finalFunctionToolCallResult()).toBe('Sun over simulated city.');
    expect(await runner.finalContent()).toMatch(/\w+/);
  });

  it('reads legacy completions, embeddings and models', async () => {
    const legacy = await client().completions.create({ model, prompt: 'Once', max_tokens: 2 });
    expect(legacy.choices[0]?.text.split(' ')).toHaveLength(2);
    const { data } = await client().embeddings.create({ model, input: ['a', 'b'], dimensions: 4 });
    expect(data.map(({ embedding }) => embedding.length)).toEqual([4, 4]);
    const models = await client().models.list();
    expect(models.data[0]).toMatchObject({ object: 'model', owned_by: 'kissapi-simulated' });
  });

  it('receives errors by status and mid-stream', async () => {
    const failing = client().chat.completions.create({ model, messages, ...knobs({ status: 429, retryAfter: 3 }) });
    await expect(failing).rejects.toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
    const stream = client().chat.completions.stream({ model, messages, ...knobs({ errorMidStream: 2 }) });
    await expect(stream.finalContent()).rejects.toThrow('half-way');
  });
});
