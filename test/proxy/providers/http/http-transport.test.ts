import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Transport } from '../../../../src/proxy/providers/http/transport.ts';
import { ProviderFailed } from '../../../../src/proxy/providers/provider.ts';
import { createHttpTransport } from '../../../../src/proxy/providers/http/http-transport.ts';
import { createScriptedUpstream, says, type ScriptedUpstream } from '../../../support/scripted-upstream.ts';

let server: ScriptedUpstream;
let upstream: Transport;
beforeAll(async () => {
  server = await createScriptedUpstream();
});
afterAll(() => server.close());
const at = (baseUrl: string) =>
  createHttpTransport({
    baseUrl,
    apiKey: 'sk-1',
    firstByteTimeoutMs: 300,
    idleTimeoutMs: 300,
  });
beforeEach(() => {
  upstream = at(server.url);
});
afterEach(() => upstream.close());

const signal = new AbortController().signal;
const send = (to = upstream, abort = signal) =>
  to.send({ endpoint: '/chat/completions', body: Buffer.from('{"a":"ü"}'), signal: abort });
const text = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
};
const failure = async (promise: Promise<unknown>): Promise<ProviderFailed> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ProviderFailed);
  return error as ProviderFailed;
};

describe('the HTTP transport to an OpenAI-compatible server', () => {
  it('posts the body with our key, and nothing else of anybody', async () => {
    let seen: unknown;
    server.play((response, body, request) => {
      seen = { url: request.url, method: request.method, headers: request.headers, body };
      response.end('{}');
    });
    const response = await send();
    expect(response).toMatchObject({ status: 200, contentType: '' });
    expect(await text(response.body)).toBe('{}');
    expect(seen).toMatchObject({
      url: '/v1/chat/completions',
      method: 'POST',
      headers: { authorization: 'Bearer sk-1', 'content-type': 'application/json', 'content-length': '10' },
      body: '{"a":"ü"}',
    });
  });

  it('asks for a body without a content coding', async () => {
    let seen: unknown;
    server.play((response, _body, { headers }) => {
      seen = headers['accept-encoding'];
      response.end('{}');
    });
    await text((await send()).body);
    expect(seen).toBe('identity');
  });

  it('is found under any path', async () => {
    const paths: (string | undefined)[] = [];
    server.play((response, _body, request) => {
      paths.push(request.url);
      response.end();
    });
    for (const base of ['/', '/api/v1', '/api/v1/']) {
      const elsewhere = at(new URL(base, server.url).href);
      await text((await send(elsewhere)).body);
      await elsewhere.close();
    }
    expect(paths).toEqual(['/chat/completions', '/api/v1/chat/completions', '/api/v1/chat/completions']);
  });

  it('uses a connection again, also after a stream whose end comes later than its last word', async () => {
    const before = server.connections;
    server.play((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: [DONE]\n\n');
      setTimeout(() => response.end(), 20);
    });
    for (let n = 0; n < 6; n++) await text((await send()).body);
    // Two, where the second request comes before the first connection is put back.
    expect(server.connections).toBeLessThanOrEqual(before + 2);
  });

  it('does not follow where it is sent', async () => {
    server.play((response) => response.writeHead(307, { location: server.url }).end(), says('followed'));
    expect((await send()).status).toBe(307);
  });

  it('fails by `connect` where nobody listens', async () => {
    const nobody = createServer();
    nobody.listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const { port } = nobody.address() as AddressInfo;
    nobody.close();
    await once(nobody, 'close');
    const gone = at(`http://127.0.0.1:${port}/v1`);
    expect((await failure(send(gone))).code).toBe('connect');
    await gone.close();
  });

  it('fails by `reset` where the connection breaks, before the head and after', async () => {
    server.play((response) => response.destroy());
    expect((await failure(send())).code).toBe('reset');
    server.play((response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{');
      setTimeout(() => response.destroy(), 20);
    });
    const { body } = await send();
    expect((await failure(text(body))).code).toBe('reset');
  });

  it('fails by `reset` where what answers is no HTTP', async () => {
    const strange = createServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
    strange.listen(0, '127.0.0.1');
    await once(strange, 'listening');
    const other = at(`http://127.0.0.1:${(strange.address() as AddressInfo).port}/v1`);
    expect((await failure(send(other))).code).toBe('reset');
    await other.close();
    strange.close();
  });

  it('fails by `timeout` where it is silent, before the head and after', async () => {
    server.play(() => undefined);
    expect((await failure(send())).code).toBe('timeout');
    server.play((response) => void response.writeHead(200).write('{'));
    const { body } = await send();
    expect((await failure(text(body))).code).toBe('timeout');
  });

  it('fails by the reason of the signal when it is aborted, and closes the connection', async () => {
    for (const withHead of [false, true]) {
      let closed = false;
      server.play((response) => {
        response.on('close', () => (closed = true));
        if (withHead) response.writeHead(200).write('{');
      });
      const controller = new AbortController();
      const reason = new ProviderFailed('reset', 'cancelled');
      setTimeout(() => controller.abort(reason), 50);
      const whole = async (): Promise<string> => text((await send(upstream, controller.signal)).body);
      expect(await failure(whole())).toBe(reason);
      await vi.waitFor(() => expect(closed).toBe(true));
    }
  });

  it('closes the connection when the body is left', async () => {
    let closed = false;
    server.play((response) => {
      response.on('close', () => (closed = true));
      response.writeHead(200).write('{');
    });
    const { body } = await send();
    const pieces = body[Symbol.asyncIterator]();
    await pieces.next();
    await pieces.return?.();
    await vi.waitFor(() => expect(closed).toBe(true));
  });

  it('leaves none open when it is closed', async () => {
    server.play(says('{}'));
    await text((await send()).body);
    await upstream.close();
    await expect(send()).rejects.toThrow();
  });
});
