import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { Router } from 'express';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createApp, type AppOptions } from '../../../src/http/server/app.ts';
import { getMetrics } from '../../../src/http/get-metrics.ts';
import type { Answer, Asked, Sink, RefusedRequest } from '../../../src/http/v1/create-completion.ts';

const noPayments: AppOptions['payments'] = {
  find: () => Promise.resolve(undefined),
  check: () => Promise.resolve(undefined),
  receiveWebhook: () => Promise.resolve({ status: 500, message: 'no payment partner is configured' }),
};

class StoreGone extends Error {}

const servers: Server[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
});

const whole: Answer = {
  kind: 'whole',
  provider: 'test',
  failed: [],
  generationId: 'gen-1',
  body: '{"choices":[]}',
  costUsd: '0.01',
};

const SUPPORT = { email: 'support@example.com', url: 'https://api.example.com/contact' };

/** The door alone: behind it answers what the test says. */
const open = async (options: Partial<AppOptions> = {}) => {
  const failures: unknown[] = [];
  const answered: (number | undefined)[] = [];
  const refused: RefusedRequest[] = [];
  let ids = 0;
  const app = createApp({
    newId: () => `id-${++ids}`,
    now: () => new Date(),
    support: () => SUPPORT,
    contacts: { writeAsStranger: () => Promise.reject(new Error('not now')) },
    maxBodyBytes: 1000,
    maxBodyMemoryBytes: 1_000_000,
    commentAfterMs: 12_000,
    slowReaderMs: 60_000,
    hashKey: (secret) => [{ hash: secret, pepperId: '1' }],
    findKeyOwner: (hash) =>
      hash === 'good'
        ? { accountId: 'acc_1', keyId: 'key_1', revoked: false, expiresAtMs: null, pepperIds: ['1'] }
        : undefined,
    complete: () => Promise.resolve(whole),
    countTokens: () => Promise.resolve({ kind: 'counted', inputTokens: 7 }),
    balanceUsd: () => '4.99',
    rateLimits: () => ({}),
    refused: (one) => refused.push(one),
    listModels: () => Promise.resolve([]),
    delistedSince: () => undefined,
    findGenerations: () => Promise.resolve([]),
    findKeyUsage: () => Promise.resolve({ day: 1n, week: 2n, month: 3n, total: 4n }),
    findAccount: () => Promise.reject(new Error('not now')),
    publishedTerms: () => [],
    findTermsText: () => Promise.resolve(undefined),
    termsUrl: () => 'https://api.example.com/terms',
    ...{ payments: noPayments, isSimulatedPartner: () => false },
    management: Router(),
    trustedProxies: [],
    metrics: getMetrics('admin', { contentType: 'text/plain', text: () => Promise.resolve('up 1\n') }),
    answered: (status) => answered.push(status),
    readiness: () => ({ ready: true, status: 'ok', checks: {} }),
    isStoreUnavailable: (error) => error instanceof StoreGone,
    failed: (error, requestId) => failures.push([requestId, error]),
    ...options,
  });
  const server = createServer({ requireHostHeader: false }, app);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const post = (init: RequestInit = {}) =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: '{}',
      ...init,
      headers: { authorization: 'Bearer good', 'content-type': 'application/json', ...init.headers },
    });
  return { url, port, post, failures, answered, refused, routes: app.routes };
};

describe('a route outside the management API', () => {
  /** Every route with its callers; the table of /api is in test/http/auth/principals.test.ts. */
  const table: Readonly<Record<string, 'key' | 'public' | 'admin'>> = {
    'POST /v1/chat/completions': 'key',
    'POST /v1/completions': 'key',
    'POST /v1/embeddings': 'key',
    'POST /v1/responses': 'key',
    'POST /v1/messages': 'key',
    'POST /v1/messages/count_tokens': 'key',
    'GET /v1/models': 'key',
    'GET /v1/models/*id': 'key',
    'GET /v1/generation': 'key',
    'GET /v1/key': 'key',
    'GET /v1/credits': 'key',
    'GET /terms': 'public',
    'GET /terms/:version': 'public',
    'GET /terms/:version/changes': 'public',
    'GET /acceptable-use': 'public',
    'GET /acceptable-use/:version': 'public',
    'GET /acceptable-use/:version/changes': 'public',
    'GET /privacy': 'public',
    'GET /privacy/:version': 'public',
    'GET /privacy/:version/changes': 'public',
    'GET /documents.css': 'public',
    'GET /metrics': 'admin',
    'GET /confirm': 'public',
    'GET /confirm.css': 'public',
    'GET /confirm.js': 'public',
    'GET /contact': 'public',
    'GET /contact/thanks': 'public',
    'GET /contact.css': 'public',
    'POST /contact/messages': 'public',
    'POST /webhooks/creem': 'public',
    'GET /top-ups/:payment_id': 'public',
    'GET /top-up.css': 'public',
    'GET /dev/outbox': 'public',
    'GET /health/live': 'public',
    'GET /health/ready': 'public',
    'GET /health': 'public',
  };

  it('is in the table, with its callers', async () => {
    const { routes } = await open({ devOutbox: () => '' });
    const declared = routes.map(({ method, path, principals }) => [`${method} ${path}`, principals]);
    expect(Object.fromEntries(declared)).toEqual(
      Object.fromEntries(Object.entries(table).map(([route, principal]) => [route, [principal]])),
    );
  });

  it.each(Object.entries(table))('%s answers 401 to all but its callers: %s', async (route, principal) => {
    const { url } = await open({ devOutbox: () => '' });
    const [method = '', path = ''] = route.replace(/[*:]\w+/, 'x').split(' ');
    const callers = { '': undefined, wrong: 'wrong', key: 'good', admin: 'admin', session: 'kiss_ses_x' };
    for (const [caller, token] of Object.entries(callers)) {
      const { status } = await fetch(url + path, {
        method,
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      });
      const isAllowed = principal === 'public' || caller === principal;
      if (isAllowed) expect(status, caller).not.toBe(401);
      else expect(status, caller).toBe(401);
    }
  });
});

describe('a refusal after authentication', () => {
  it('is reported with its account, key and request', async () => {
    const { post, refused } = await open({
      complete: () => Promise.resolve({ kind: 'problem', problem: { kind: 'draining' } }),
    });
    const response = await post();
    expect(refused).toMatchObject([
      {
        ...{ accountId: 'acc_1', keyId: 'key_1', requestId: response.headers.get('x-request-id') },
        problem: { status: response.status },
      },
    ]);
  });
  it('is reported for a request that is refused before its body is read', async () => {
    const { post, refused } = await open();
    await post({ headers: { 'content-type': 'text/plain' } });
    expect(refused).toMatchObject([{ problem: { code: 'unsupported_media_type' } }]);
  });
  it('is not reported once credits were held, because the generation is in the log', async () => {
    const { post, refused } = await open({
      complete: ({ held }) => {
        held('gen-1');
        return Promise.resolve({ kind: 'problem', problem: { kind: 'upstream_failed', code: 'upstream_error' } });
      },
    });
    expect((await post()).headers.get('x-generation-id')).toBe('gen-1');
    expect(refused).toEqual([]);
  });
  it('is not reported without a valid key', async () => {
    const { post, refused } = await open();
    await post({ headers: { authorization: 'Bearer bad' } });
    expect(refused).toEqual([]);
  });
});

/** A stream that writes what it is given, one by one, as fast as the reader reads. */
const streamOf = (pieces: Iterable<string>): Answer => ({
  kind: 'stream',
  provider: 'test',
  failed: [],
  generationId: 'gen-1',
  relay: async (sink) => {
    for (const piece of pieces) {
      const slow = sink.write(piece);
      if (slow) await slow;
    }
  },
});

describe('the door', () => {
  it('gives each answer an id of its own, whatever it is', async () => {
    const { url, post } = await open();
    const answers = [await post(), await fetch(`${url}/nothing`), await fetch(`${url}/health`)];
    expect(answers.map(({ headers }) => headers.get('x-request-id'))).toEqual(['req_id-1', 'req_id-2', 'req_id-3']);
    for (const { headers } of answers) {
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('etag')).toBeNull();
    }
  });

  it('answers /health/live always, and /health/ready and /health by the checks', async () => {
    const checks = { log: { ok: false, reason: 'the database is read-only' } };
    for (const [status, found] of [
      [200, { ready: true, status: 'ok', checks: { log: { ok: true } } }],
      [503, { ready: false, status: 'not ready', checks }],
    ] as const) {
      const { url } = await open({ readiness: () => found });
      const { ready: _, ...body } = found;
      for (const path of ['/health/ready', '/health']) {
        const response = await fetch(`${url}${path}`);
        expect([response.status, await response.json()]).toEqual([status, body]);
        expect(response.headers.get('cache-control')).toBe('no-store');
        expect((await fetch(`${url}${path}`, { method: 'HEAD' })).status).toBe(status);
      }
      const live = await fetch(`${url}/health/live`);
      expect([live.status, await live.json()]).toEqual([200, { status: 'ok' }]);
    }
  });

  it('passes on who asks for what', async () => {
    const complete = vi.fn((_asked: Asked) => Promise.resolve(whole));
    const { post } = await open({ complete });
    const response = await post({ body: '{"a":"ü"}' });
    expect(complete.mock.calls[0]?.[0]).toMatchObject({
      uuid: 'id-1',
      accountId: 'acc_1',
      keyId: 'key_1',
      endpoint: '/chat/completions',
      body: Buffer.from('{"a":"ü"}'),
    });
    expect(await response.text()).toBe('{"choices":[]}');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json',
      'x-kissapi-generation-id': 'gen-1',
      'x-kissapi-cost-usd': '0.01',
      'x-kissapi-balance-usd': '4.99',
    });
  });

  it('tells how the limits by the minute stand, of a refusal too', async () => {
    const rateLimits = () => ({ requests: { limit: 60, remaining: 0, resetMs: 61_200 } });
    const refused: Answer = { kind: 'problem', problem: { kind: 'draining' } };
    for (const answer of [whole, refused]) {
      const { post } = await open({ rateLimits, complete: () => Promise.resolve(answer) });
      const { headers } = await post();
      expect(Object.fromEntries(headers)).toMatchObject({
        'x-ratelimit-limit-requests': '60',
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '1m2s',
      });
      expect(headers.get('x-ratelimit-limit-tokens')).toBeNull();
    }
  });

  it('passes an idempotency key on, and no such thing as could not be one', async () => {
    const complete = vi.fn((_asked: Asked) => Promise.resolve(whole));
    const { post } = await open({ complete });
    const longest = 'k'.repeat(255);
    for (const key of ['a', longest, 'any printable: ~!']) {
      expect((await post({ headers: { 'idempotency-key': key } })).status).toBe(200);
    }
    await post();
    expect(complete.mock.calls.map(([{ idempotencyKey }]) => idempotencyKey)).toEqual([
      'a',
      longest,
      'any printable: ~!',
      undefined,
    ]);
    for (const key of ['', `${longest}k`, 'naïve', 'a\tb']) {
      const refused = await post({ headers: { 'idempotency-key': key } });
      expect([key, refused.status, refused.headers.get('x-should-retry')]).toEqual([key, 400, 'false']);
      expect(await refused.json()).toMatchObject({ error: { code: 'invalid_request', param: 'Idempotency-Key' } });
    }
    expect(complete).toHaveBeenCalledTimes(4);
  });

  it('tells of the cap, and nothing of a balance that it does not know', async () => {
    const { post } = await open({
      complete: () => Promise.resolve({ ...whole, outputCap: 20 }),
      balanceUsd: () => undefined,
    });
    const { headers } = await post();
    expect(headers.get('x-kissapi-output-capped')).toBe('20');
    expect(headers.get('x-kissapi-balance-usd')).toBeNull();
  });

  it('streams', async () => {
    const { post } = await open({ complete: () => Promise.resolve(streamOf(['data: 1\n\n', 'data: [DONE]\n\n'])) });
    const response = await post();
    expect(await response.text()).toBe('data: 1\n\ndata: [DONE]\n\n');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
      'x-kissapi-generation-id': 'gen-1',
    });
  });
});

describe('the metrics', () => {
  const ask = async (headers: Readonly<Record<string, string>>) => {
    const { url } = await open();
    return fetch(`${url}/metrics`, { headers });
  };

  it('are for the administrator', async () => {
    const response = await ask({ authorization: 'Bearer admin' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.text()).toBe('up 1\n');
  });

  it.each([{}, { authorization: 'Bearer good' }, { authorization: 'admin' }])(
    'are for nobody else: %o',
    async (sent) => {
      const response = await ask(sent as Record<string, string>);
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(await response.json()).toMatchObject({ error: { code: 'invalid_admin_token' } });
    },
  );

  it('count what was answered, and who left before', async () => {
    const { url, post, answered } = await open({
      complete: ({ body }) => (body.length > 2 ? new Promise(() => undefined) : Promise.resolve(whole)),
    });
    await (await post()).text();
    await (await fetch(`${url}/nothing`)).text();
    const controller = new AbortController();
    const left = post({ body: '{"a":1}', signal: controller.signal });
    left.catch(() => undefined);
    await vi.waitFor(() => expect(answered).toEqual([200, 404]));
    setTimeout(() => controller.abort(), 50);
    await vi.waitFor(() => expect(answered).toEqual([200, 404, undefined]));
  });
});

describe('500', () => {
  const broken = () => Promise.reject(new TypeError('a secret of ours'));

  it('to what nobody expected: the customer reads that it happened, and we read what', async () => {
    const { post, failures } = await open({ complete: broken });
    const response = await post();
    expect(response.status).toBe(500);
    expect(response.headers.get('x-should-retry')).toBe('false');
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({
      error: { type: 'server_error', code: 'server_error', request_id: 'req_id-1' },
    });
    expect(text).not.toContain('secret');
    expect(failures).toEqual([['req_id-1', expect.any(TypeError)]]);
  });

  it('in a stream that has begun: its last event is the error alone, in the shape of all others', async () => {
    const complete = (): Promise<Answer> =>
      Promise.resolve({
        kind: 'stream',
        provider: 'test',
        failed: [],
        generationId: 'gen-1',
        relay: async (sink: Sink) => {
          await sink.write('data: 1\n\n');
          await sink.fail({ kind: 'stream_broken', code: 'upstream_error' });
        },
      });
    const { post } = await open({ complete });
    const [first, last, ...rest] = (await (await post()).text()).split('\n\n');
    expect(first).toBe('data: 1');
    expect(rest).toEqual(['']);
    expect(JSON.parse(last?.slice('data: '.length) ?? '')).toEqual({
      error: {
        message: 'The provider broke off the stream.',
        type: 'upstream_error',
        code: 'upstream_error',
        param: null,
        request_id: 'req_id-1',
        generation_id: 'gen-1',
      },
    });
  });

  it('in a stream that has begun: names support, if the client must contact it', async () => {
    const relay = async (sink: Sink) => sink.fail({ kind: 'access_ended', code: 'account_suspended' });
    const { post } = await open({
      complete: () => Promise.resolve({ kind: 'stream', provider: 'test', failed: [], generationId: 'gen-1', relay }),
    });
    expect(await (await post()).text()).toContain(`Contact support: ${SUPPORT.email} or ${SUPPORT.url}.`);
  });

  it('of a provider that asks for a long wait: the wait is one that the SDKs accept', async () => {
    const failed = { kind: 'upstream_failed', code: 'server_is_overloaded', retryAfterMs: 3_600_000 } as const;
    const { post } = await open({ complete: () => Promise.resolve({ kind: 'problem', problem: failed }) });
    const { headers } = await post();
    expect([headers.get('retry-after-ms'), headers.get('retry-after')]).toEqual(['59000', '59']);
  });

  it('is a broken connection where the answer had begun', async () => {
    const relay = async ({ write }: Sink): Promise<void> => {
      await write('data: 1\n\n');
      throw new TypeError('a bug');
    };
    const { post, failures } = await open({
      complete: () => Promise.resolve({ kind: 'stream', provider: 'test', failed: [], generationId: 'g', relay }),
    });
    await expect(post().then((response) => response.text())).rejects.toThrow();
    expect(failures).toHaveLength(1);
  });
});

describe('an error after credits were held', () => {
  const refused: Answer = { kind: 'problem', problem: { kind: 'upstream_failed', code: 'upstream_error' } };
  const fails: Answer = {
    kind: 'stream',
    provider: 'test',
    failed: [],
    generationId: 'gen-1',
    relay: () => Promise.reject(new TypeError('a bug')),
  };

  it.each<[number, () => Promise<Answer>]>([
    [502, () => Promise.resolve(refused)],
    [500, () => Promise.reject(new TypeError('a bug'))],
    [503, () => Promise.reject(new StoreGone())],
    [500, () => Promise.resolve(fails)],
  ])('%i names the generation, whose receipt can be fetched', async (status, answer) => {
    const { post } = await open({
      complete: ({ held }) => {
        held('gen-1');
        return answer();
      },
    });
    const response = await post();
    expect(response.status).toBe(status);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-kissapi-generation-id': 'gen-1',
      'x-generation-id': 'gen-1',
      'content-type': 'application/json; charset=utf-8',
    });
    expect(await response.json()).toMatchObject({ error: { generation_id: 'gen-1' } });
  });

  it('and none before: there is no receipt', async () => {
    const { post } = await open({ complete: () => Promise.resolve(refused) });
    const response = await post();
    expect(response.headers.get('x-generation-id')).toBeNull();
    expect(((await response.json()) as { error: object }).error).not.toHaveProperty('generation_id');
  });
});

describe('503', () => {
  it('while the store is away, which nobody need look into', async () => {
    const { post, failures } = await open({ complete: () => Promise.reject(new StoreGone()) });
    const response = await post();
    expect(response.status).toBe(503);
    expect(response.headers.get('x-should-retry')).toBe('true');
    expect(Number(response.headers.get('retry-after-ms'))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({ error: { code: 'store_unavailable' } });
    expect(failures).toEqual([]);
  });

  it('while the gateway stops', async () => {
    const { post } = await open({
      complete: () => Promise.resolve({ kind: 'problem', problem: { kind: 'draining' } }),
    });
    const response = await post();
    expect(response.status).toBe(503);
    expect(response.headers.get('x-should-retry')).toBe('true');
    expect(await response.json()).toMatchObject({ error: { code: 'draining' } });
  });
});

describe('400', () => {
  it('to a request that does not say which host it is for, as HTTP/1.1 asks', async () => {
    const { port, answered } = await open();
    const ask = async (version: string): Promise<string> => {
      const socket = connect(port, '127.0.0.1');
      let text = '';
      socket.setEncoding('utf8').on('data', (more: string) => (text += more));
      socket.write(`GET /health HTTP/${version}\r\n\r\n`);
      await once(socket, 'end');
      return text;
    };
    const refused = await ask('1.1');
    expect(refused).toMatch(/^HTTP\/1\.1 400 /);
    expect(refused).toMatch(/x-should-retry: false\r\n/i);
    expect(JSON.parse(refused.slice(refused.indexOf('\r\n\r\n')))).toMatchObject({
      error: { code: 'invalid_request', message: expect.stringContaining('Host') as string },
    });
    expect(await ask('1.0')).toContain('{"status":"ok"');
    expect(answered).toEqual([400, 200]);
  });
});

describe('headers', () => {
  /** Sends one request on a connection of its own, and returns what comes until it ends. */
  const raw = async (port: number, ...lines: readonly string[]): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (more: string) => (text += more));
    socket.write([...lines, '', ''].join('\r\n'));
    await once(socket, 'end');
    return text;
  };
  const get = ['GET /health HTTP/1.1', 'connection: close'];

  it.each([
    ['Host', ['host: a', 'host: a']],
    ['Host', ['host: a', 'Host: b']],
    ['Host', ['host: a', 'HOST:']],
    ['Host', ['host: a, b']],
    ['Host', ['host: a b']],
    ['Host', ['host: a/b']],
    ['Host', ['host: user@a']],
    ['Authorization', ['host: a', 'authorization: Bearer good', 'authorization: Bearer other']],
    ['Idempotency-Key', ['host: a', 'idempotency-key: a', 'Idempotency-Key: b']],
    ['Content-Type', ['host: a', 'content-type: application/json', 'content-type: text/plain']],
  ])('of which there may be one are refused if there are more, or if they are invalid: %s %j', async (name, lines) => {
    const { port } = await open();
    for (const start of [get, ['GET /health HTTP/1.0']]) {
      const refused = await raw(port, ...start, ...lines);
      expect(refused).toMatch(/^HTTP\/1\.1 400 /);
      expect(JSON.parse(refused.slice(refused.indexOf('\r\n\r\n')))).toMatchObject({
        error: { code: 'invalid_request', param: name, message: expect.stringContaining(name) as string },
      });
    }
  });

  it.each(['localhost', 'localhost:8080', '[::1]:80', '127.0.0.1', '', 'a-b.example.com:1', 'ü.example'])(
    'may name the host %s',
    async (host) => {
      const { port } = await open();
      expect(await raw(port, ...get, `host: ${host}`)).toContain('{"status":"ok"');
    },
  );

  it.each([
    ['content-length: 2', 'transfer-encoding: chunked'],
    ['content-length: 2', 'content-length: 3'],
    ['transfer-encoding: chunked', 'transfer-encoding: identity'],
    ['transfer-encoding: gzip'],
    ['content-length: 2, 2'],
    ['content-length: -1'],
    ['content-length: 1e1'],
  ])('that give a body two lengths, or none that is valid, are refused: %s %s', async (...lines) => {
    const { port } = await open();
    const start = ['POST /v1/chat/completions HTTP/1.1', 'host: a', 'authorization: Bearer good'];
    const refused = await raw(port, ...start, 'content-type: application/json', ...lines, '', '2', '{}', '0');
    expect(refused).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('404 and 405', () => {
  it.each([
    ['POST', '/v1/v1/chat/completions', 404, 'The path is /v1/chat/completions'],
    ['POST', '/chat/completions', 404, 'The path is /v1/chat/completions'],
    ['POST', '//v1/chat/completions', 404, 'The path is /v1/chat/completions'],
    ['POST', '/v1//chat/completions', 404, 'The path is /v1/chat/completions'],
    ['POST', '/api/v1/chat/completions', 404, 'The path is /v1/chat/completions'],
    ['POST', '/v1/responses/resp_1/cancel', 404, 'Offered are'],
    ['POST', '/v1/complete', 404, 'Offered are'],
    ['POST', '/v1beta/models/gemini-2.5-pro:generateContent', 404, 'The Gemini API is not offered'],
    ['POST', '/v1/models/gemini-2.5-pro:generateContent', 405, 'The Gemini API is not offered'],
    ['GET', '/v1/chat/completions', 405, 'GET is not allowed for /v1/chat/completions, but POST'],
  ])('to %s %s say what there is', async (method, path, status, message) => {
    const { url } = await open();
    const response = await fetch(`${url}${path}`, { method });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining(message) as string } });
  });
});

describe('503', () => {
  it('to a body for which there is no memory, and 200 to the same body later', async () => {
    const complete = Promise.withResolvers<Answer>();
    const { post } = await open({ maxBodyMemoryBytes: 8000, complete: () => complete.promise });
    const body = JSON.stringify({ text: 'x'.repeat(900) });
    const first = post({ body });
    const refused = await post({ body });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('x-should-retry')).toBe('true');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ error: { code: 'server_is_overloaded' } });
    complete.resolve(whole);
    expect((await first).status).toBe(200);
    expect((await post({ body })).status).toBe(200);
  });
});

describe('405', () => {
  it('names the methods that there are', async () => {
    const { url } = await open();
    for (const [path, allow] of [
      ['/v1/chat/completions', 'POST'],
      ['/v1/models', 'GET, HEAD'],
      ['/health', 'GET, HEAD'],
      ['/health/live', 'GET, HEAD'],
      ['/health/ready', 'GET, HEAD'],
      ['/metrics', 'GET, HEAD'],
    ]) {
      const response = await fetch(`${url}${path}`, { method: 'PATCH' });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe(allow);
    }
  });
});

describe('a customer who leaves', () => {
  it('is told of to who answers, and to him only', async () => {
    let gone: AbortSignal | undefined;
    const { post } = await open({
      complete: (asked) => {
        gone = asked.gone;
        return new Promise(() => undefined);
      },
    });
    const controller = new AbortController();
    const asked = post({ signal: controller.signal });
    asked.catch(() => undefined);
    await vi.waitFor(() => expect(gone).toBeDefined());
    expect(gone?.aborted).toBe(false);
    controller.abort();
    await vi.waitFor(() => expect(gone?.aborted).toBe(true));
  });

  it('is not who has read all', async () => {
    let gone: AbortSignal | undefined;
    const { url, post } = await open({
      complete: (asked) => {
        gone = asked.gone;
        return Promise.resolve(whole);
      },
    });
    await (await post()).text();
    await fetch(`${url}/health`);
    expect(gone?.aborted).toBe(false);
  });
});

describe('a reader who takes nothing', () => {
  /** Asks for a stream and reads no more than the head of it. */
  const ask = async (port: number) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(
      'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\n' +
        'content-type: application/json\r\ncontent-length: 2\r\n\r\n{}',
    );
    await once(socket, 'readable');
    return socket;
  };

  it('for a minute is left, and who answers is told', async () => {
    let waiting = false;
    let ended = false;
    let gone: AbortSignal | undefined;
    const relay = async ({ write }: Sink): Promise<void> => {
      const piece = `data: ${'x'.repeat(100_000)}\n\n`;
      while (!gone?.aborted) {
        const slow = write(piece);
        waiting = slow !== undefined;
        if (slow) await slow;
        else await new Promise(setImmediate);
      }
      ended = true;
    };
    // Sockets and the event loop keep their own time; only the gateway's is turned forward.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    const { port } = await open({
      complete: (asked) => {
        gone = asked.gone;
        return Promise.resolve({ kind: 'stream', provider: 'test', failed: [], generationId: 'g', relay });
      },
    });
    const socket = await ask(port);
    // The sockets on the way take some before they make the gateway wait.
    for (let quiet = 0; quiet < 1000; quiet = waiting ? quiet + 1 : 0) await new Promise(setImmediate);
    await vi.advanceTimersByTimeAsync(59_000);
    expect(gone?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(2000);
    for (let turn = 0; turn < 10_000 && !ended; turn++) await new Promise(setImmediate);
    expect(gone?.aborted).toBe(true);
    expect(ended).toBe(true);
    socket.destroy();
  });

  it('is kept company in silence: a comment as often as was said', async () => {
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    let relaying = false;
    const relay = async ({ write }: Sink): Promise<void> => {
      relaying = true;
      await write('data: 1\n\n');
      await finished;
      await write('data: [DONE]\n\n');
    };
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { post } = await open({
      complete: () => Promise.resolve({ kind: 'stream', provider: 'test', failed: [], generationId: 'g', relay }),
    });
    const answered = post();
    while (!relaying) await new Promise(setImmediate);
    await answered;
    await vi.advanceTimersByTimeAsync(25_000);
    finish();
    const text = await (await answered).text();
    expect(text).toBe('data: 1\n\n: still working\n\n: still working\n\ndata: [DONE]\n\n');
  });
});
