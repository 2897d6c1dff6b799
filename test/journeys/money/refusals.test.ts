import OpenAI, { type APIError } from 'openai';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createKeyring } from '../../../src/http/auth/api-keys.ts';
import { accountStream } from '../../../src/domain/account/account.ts';
import { encode } from '../../../src/eventstore/journal/codec.ts';
import { eventId } from '../../../src/eventstore/ids.ts';
import { auditedOne, untouched, type Customer } from '../../support/customers/audit.ts';
import { createHouse, failure, simulate, type House } from '../../support/house.ts';
import { SOON } from '../../support/soon.ts';

const MODEL = 'gpt-4o-mini';
const MAX_BODY_BYTES = 200_000;
const PEPPER = 'pepper-of-these-tests-0123456789abcdefgh';
const messages = [{ role: 'user' as const, content: 'How are you?' }];
const body = { model: MODEL, messages };

let house: House;
let customer: Customer;
let client: OpenAI;
beforeAll(async () => {
  house = await createHouse({ MAX_BODY_BYTES: String(MAX_BODY_BYTES), KISSAPI_KEY_PEPPER: PEPPER });
  customer = await house.gateway.openAccount('5.00');
  client = house.gateway.client(customer.apiKey);
});
afterAll(() => house.close());

type ErrorClass = abstract new (...args: never[]) => APIError;

/** What an error must be, whatever it is about: OpenAI's shape, our request id, and a word on whether to retry. */
const expectProblem = (error: APIError, type: ErrorClass, expected: Readonly<Record<string, unknown>>): void => {
  expect(error).toBeInstanceOf(type);
  expect(error).toMatchObject(expected);
  expect(error.requestID).toMatch(/^req_[0-9a-f-]{36}$/);
  expect(error.error).toMatchObject({
    request_id: error.requestID,
    message: expect.stringMatching(/\w/) as string,
  });
  const about = error.headers?.has('x-generation-id') ? ['generation_id'] : [];
  expect(Object.keys(error.error as object).sort()).toEqual([
    'code',
    ...about,
    'message',
    'param',
    'request_id',
    'type',
  ]);
  expect(error.headers?.get('x-should-retry')).toMatch(/^(true|false)$/);
};
const shouldRetry = (error: APIError): string | null | undefined => error.headers?.get('x-should-retry');

/** Asks past the SDK, which would never send such a thing. */
const raw = (method: string, path: string, init: RequestInit = {}, apiKey = customer.apiKey): Promise<Response> =>
  fetch(`${house.gateway.url}${path}`, {
    method,
    ...init,
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', ...init.headers },
  });

const expectRaw = async (response: Response, status: number, code: string): Promise<Response> => {
  expect(response.status).toBe(status);
  expect(response.headers.get('x-should-retry')).toBe('false');
  const requestId = response.headers.get('x-request-id');
  expect(requestId).toMatch(/^req_/);
  expect(await response.json()).toMatchObject({
    error: { code, type: 'invalid_request_error', request_id: requestId },
  });
  return response;
};

describe('401', () => {
  const refused = { status: 401, code: 'invalid_api_key', type: 'invalid_request_error', param: null };

  it('to a key that is malformed, mistyped or unknown, on every route', async () => {
    const last = customer.apiKey.slice(-1);
    const stranger = createKeyring({ mode: 'test', peppers: [{ id: '1', secret: 'another-pepper' }] }).create().secret;
    const wrong = [
      'sk-proj-of-somebody',
      `${customer.apiKey}x`,
      `${customer.apiKey.slice(0, -1)}${last === 'a' ? 'b' : 'a'}`,
      stranger,
    ];
    for (const apiKey of wrong) {
      const intruder = house.gateway.client(apiKey);
      const calls = [
        () => intruder.chat.completions.create(body),
        () => intruder.chat.completions.create({ ...body, stream: true }),
        () => intruder.completions.create({ model: 'simulated-completion', prompt: 'x' }),
        () => intruder.embeddings.create({ model: 'text-embedding-3-small', input: 'x' }),
        () => intruder.models.list(),
        () => intruder.models.retrieve(MODEL),
        () => intruder.get('/generation', { query: { id: 'gen-1' } }),
        () => intruder.get('/key'),
        () => intruder.get('/credits'),
      ];
      for (const call of calls) {
        const error = await failure(call());
        expectProblem(error, OpenAI.AuthenticationError, refused);
        expect(shouldRetry(error)).toBe('false');
        expect(error.message).not.toContain(apiKey);
      }
    }
  });

  it('to none, and to one that is not a bearer', async () => {
    for (const authorization of ['', 'Basic YTpi', `Bearer`, `Bearer ${customer.apiKey} ${customer.apiKey}`]) {
      const init = { headers: { authorization }, body: JSON.stringify(body) };
      await expectRaw(await raw('POST', '/v1/chat/completions', init), 401, 'invalid_api_key');
    }
  });

  it('to a key from the moment it is revoked; the others go on', async () => {
    const { accountId } = customer;
    const key = await house.gateway.manage<{ secret: string; key_id: string }>('POST', `/accounts/${accountId}/keys`, {
      name: 'to be revoked',
    });
    const owner = house.gateway.client(key.secret);
    await owner.models.list();
    await house.gateway.manage('DELETE', `/accounts/${accountId}/keys/${key.key_id}`, { reason: 'leaked' });
    for (const call of [() => owner.chat.completions.create(body), () => owner.models.list()]) {
      const error = await failure(call());
      expectProblem(error, OpenAI.AuthenticationError, refused);
      expect(error.message).toContain('revoked');
    }
    await client.chat.completions.create(body);
  });

  it('does not make the body be read first', async () => {
    const init = { body: 'x'.repeat(MAX_BODY_BYTES * 2) };
    await expectRaw(await raw('POST', '/v1/chat/completions', init, 'sk-wrong'), 401, 'invalid_api_key');
  });

  it('and lets the rest of the body come, for who is cut short does not hear why', async () => {
    const socket = connect(Number(new URL(house.gateway.url).port), '127.0.0.1').setEncoding('utf8');
    const head = ['POST /v1/chat/completions HTTP/1.1', 'host: x', 'content-type: application/json'];
    socket.write([...head, 'authorization: Bearer sk-wrong', 'content-length: 1000', '', ''].join('\r\n'));
    const [refused] = (await once(socket, 'data')) as [string];
    expect(refused).toMatch(/^HTTP\/1.1 401 /);
    let more = '';
    socket.on('data', (text: string) => (more += text));
    socket.write(`${'x'.repeat(1000)}GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    await once(socket, 'end');
    expect(more).toMatch(/HTTP\/1.1 200 /);
  });
});

/** No route issues one: the terms come first. It takes an event of the log to find out that they count here too. */
const keyWithoutTerms = async (accountId: string): Promise<string> => {
  const { secret, hash, pepperId, hint } = createKeyring({
    mode: 'test',
    peppers: [{ id: '1', secret: PEPPER }],
  }).create();
  const commandId = randomUUID();
  const metadata = { actor: 'system:test', commandId };
  const issued = { type: 'KeyIssued', keyId: `key_${commandId}`, name: 'x', hash, pepperId, hint } as const;
  const events = [encode(issued, eventId(commandId, 0), metadata)];
  expect(
    await house.store.append([{ stream: accountStream(accountId), expected: { revision: 0 }, events }]),
  ).toMatchObject([{ kind: 'appended' }]);
  await vi.waitFor(() => house.gateway.client(secret).models.list(), { timeout: 10_000 });
  return secret;
};

describe('403', () => {
  it('to a suspended account, until it is reinstated', async () => {
    const { gateway } = house;
    const suspect = await gateway.openAccount('1.00');
    await gateway.manage('POST', `/accounts/${suspect.accountId}/suspend`, { reason: 'resale' });
    const error = await untouched(house, suspect, () =>
      failure(gateway.client(suspect.apiKey).chat.completions.create(body)),
    );
    expectProblem(error, OpenAI.PermissionDeniedError, {
      code: 'account_suspended',
      type: 'permission_error',
      param: null,
    });
    expect(error.message).toContain('suspended by a decision of the operator');
    expect(shouldRetry(error)).toBe('false');
    await gateway.manage('POST', `/accounts/${suspect.accountId}/reinstate`, { reason: 'a mistake' });
    await auditedOne(house, suspect, () => gateway.client(suspect.apiKey).chat.completions.create(body));
  });

  it('to an account that has not accepted the terms', async () => {
    const { gateway } = house;
    const registered = await gateway.manage<{ account_id: string }>('POST', '/accounts', {
      name: 'Eve',
      email: 'eve@example.com',
      adult: true,
    });
    const accountId = registered.account_id;
    await expect(gateway.manage('POST', `/accounts/${accountId}/keys`, { name: 'x' })).rejects.toThrow(
      'terms_not_accepted',
    );

    const apiKey = await keyWithoutTerms(accountId);
    await gateway.manage('POST', `/accounts/${accountId}/grants`, { usd: '1.00', reason: 'test' });
    const error = await untouched(house, { accountId, apiKey, keyId: '' }, () =>
      failure(gateway.client(apiKey).chat.completions.create(body)),
    );
    expectProblem(error, OpenAI.PermissionDeniedError, { code: 'terms_not_accepted', type: 'permission_error' });
    expect(shouldRetry(error)).toBe('false');
  });
});

describe('402', () => {
  const exhausted = { status: 402, code: 'credit_balance_exhausted', type: 'insufficient_quota', param: null };
  const broke = async (usd: string) => {
    const poor = await house.gateway.openAccount(usd);
    return { poor, client: house.gateway.client(poor.apiKey, { maxRetries: 2 }) };
  };

  it('without credit, and the SDK does not try again', async () => {
    const { started } = house.upstream.requests;
    const { poor, client } = await broke('0.000000001');
    let attempts = 0;
    const counted = client.withOptions({
      fetch: (url, init) => {
        attempts++;
        return fetch(url, init);
      },
    });
    const error = await untouched(house, poor, () => failure(counted.chat.completions.create(body)));
    expectProblem(error, OpenAI.APIError, exhausted);
    expect(shouldRetry(error)).toBe('false');
    expect(error.message).toContain('$0.000000001 is available');
    expect(attempts).toBe(1);
    expect(house.upstream.requests.started).toBe(started);
  });

  it('where max_tokens is more than the balance pays for, saying how many are affordable', async () => {
    const { poor, client } = await broke('0.001');
    const error = await untouched(house, poor, () =>
      failure(client.chat.completions.create({ ...body, max_tokens: 10_000 })),
    );
    expectProblem(error, OpenAI.APIError, exhausted);
    const affordable = Number(/at most (\d+) output tokens/.exec(error.message)?.[1]);
    // $0.001 pays for 1666 tokens at $0.60 per million, less the prompt.
    expect(affordable).toBeGreaterThan(1600);
    expect(affordable).toBeLessThanOrEqual(1666);
    expect(shouldRetry(error)).toBe('false');

    // More is too much (one may fit: a limit of fewer digits is a shorter body), and so many are not.
    await untouched(house, poor, () =>
      failure(client.chat.completions.create({ ...body, max_tokens: affordable + 3 })),
    );
    await auditedOne(house, poor, () => client.chat.completions.create({ ...body, max_tokens: affordable }));
  });

  // A model that may hide its reasoning is asked in one piece, so the cap is sent with the request.
  const hiding = { ...body, model: 'gpt-6-luna' };

  it('caps the output of a model that hides its reasoning by the credits, and reports the cap', async () => {
    const { poor, client } = await broke('0.001');
    const { result, generation } = await auditedOne(house, poor, () =>
      client.chat.completions.create({ ...hiding, ...simulate({ outputTokens: 5000 }) }).withResponse(),
    );
    const cap = Number(result.response.headers.get('x-kissapi-output-capped'));
    expect(cap).toBeGreaterThan(1600);
    expect(house.upstream.lastRequest?.body).toMatchObject({ max_completion_tokens: cap });
    expect(result.data.choices[0]?.finish_reason).toBe('length');
    expect(result.data).toMatchObject({
      kissapi: {
        generation_id: generation.generationId,
        error: { code: 'credit_balance_exhausted', type: 'insufficient_quota', param: null },
      },
    });
    expect(generation.tokens).toMatchObject({ output: cap });
    expect(generation.held).toBeLessThanOrEqual(1_000_000n);
  });

  it('caps each of several choices', async () => {
    const { poor, client } = await broke('0.001');
    const { result, generation } = await auditedOne(house, poor, () =>
      client.chat.completions.create({ ...hiding, n: 4, ...simulate({ outputTokens: 1000 }) }).withResponse(),
    );
    const cap = Number(result.response.headers.get('x-kissapi-output-capped'));
    expect(cap).toBeGreaterThan(400);
    expect(cap).toBeLessThanOrEqual(500);
    expect(generation.tokens).toMatchObject({ output: 4 * cap });
  });

  it('ends an answer in one piece at what the credits pay for, with the reason', async () => {
    const { poor, client } = await broke('0.002');
    const { result, generation } = await auditedOne(house, poor, () =>
      client.chat.completions.create({ ...body, ...simulate({ outputTokens: 5000 }) }).withResponse(),
    );
    expect(house.upstream.lastRequest?.body).toMatchObject({ stream: true });
    expect(result.data.choices[0]?.finish_reason).toBe('length');
    expect(result.data).toMatchObject({ kissapi: { error: { code: 'credit_balance_exhausted' } } });
    expect(result.data.choices[0]?.message.content?.split(' ')).toHaveLength(generation.tokens?.['output'] ?? 0);
    expect(generation.tokens?.['output']).toBeGreaterThan(3000);
    expect(generation.delivery).toMatchObject({ ended: 'out_of_credits' });
  });

  it('counts the prompt before it says no: a long one costs fewer tokens than bytes', async () => {
    const { poor, client } = await broke('0.003');
    const long = [{ role: 'user' as const, content: 'How many words fit into this prompt? '.repeat(1000) }];
    const { generation } = await auditedOne(house, poor, () =>
      client.chat.completions.create({ ...body, messages: long, max_tokens: 20 }),
    );
    // 37,000 bytes would have held $0.0056.
    expect(generation.held).toBeLessThan(3_000_000n);
  });

  it('to lists of tokens that cost more than there is: they are no texts, but they count', async () => {
    const { poor, client } = await broke('0.00001');
    // $0.00001 pays for 500 tokens at $0.02 per million.
    const error = await untouched(house, poor, () =>
      failure(client.embeddings.create({ model: 'text-embedding-3-small', input: Array<number>(1000).fill(7) })),
    );
    expectProblem(error, OpenAI.APIError, exhausted);
  });

  it('with true where others hold the credits, for then waiting helps', async () => {
    const { poor, client } = await broke('0.001');
    const stream = await client.chat.completions.create({
      ...body,
      max_tokens: 1500,
      stream: true,
      ...simulate({ hang: 'midStream' }),
    });
    const error = await failure(client.chat.completions.create({ ...body, max_tokens: 1500 }, { maxRetries: 0 }));
    expectProblem(error, OpenAI.APIError, {
      status: 402,
      code: 'credits_held_by_concurrent_requests',
      type: 'insufficient_quota',
    });
    expect(shouldRetry(error)).toBe('true');
    expect(Number(error.headers?.get('retry-after-ms'))).toBeGreaterThan(0);
    stream.controller.abort();
    await vi.waitFor(
      async () =>
        expect(await house.gateway.manage('GET', `/accounts/${poor.accountId}`)).toMatchObject({ open_holds: [] }),
      { timeout: 10_000 },
    );
  });
});

describe('404', () => {
  it('to a model that is not here, or not at this endpoint', async () => {
    const calls = [
      () => client.chat.completions.create({ ...body, model: 'no-such-model' }),
      () => client.chat.completions.create({ ...body, model: 'no-such-model', stream: true }),
      () => client.chat.completions.create({ ...body, model: 'text-embedding-3-small' }),
      () => client.completions.create({ model: MODEL, prompt: 'x' }),
      () => client.embeddings.create({ model: MODEL, input: 'x' }),
    ];
    for (const call of calls) {
      const error = await untouched(house, customer, () => failure(call()));
      expectProblem(error, OpenAI.NotFoundError, {
        code: 'model_not_found',
        type: 'invalid_request_error',
        param: 'model',
      });
      expect(shouldRetry(error)).toBe('false');
    }
  });

  it('to a model whose provider is not switched on, which the list of models does not have either', async () => {
    const model = 'claude-haiku-4-5';
    const error = await untouched(house, customer, () => failure(client.chat.completions.create({ ...body, model })));
    expectProblem(error, OpenAI.NotFoundError, { code: 'model_not_found', param: 'model' });
    expect(shouldRetry(error)).toBe('false');
    expect((await client.models.list()).data.map(({ id }) => id)).not.toContain(model);
  });

  it('to a generation of somebody else', async () => {
    const stranger = await house.gateway.openAccount('1.00');
    const { generation } = await auditedOne(house, customer, () => client.chat.completions.create(body));
    for (const id of [generation.generationId, generation.delivery?.upstream_id]) {
      const error = await failure(house.gateway.client(stranger.apiKey).get('/generation', { query: { id } }));
      expectProblem(error, OpenAI.NotFoundError, { code: 'not_found', param: 'id' });
    }
    const error = await failure(client.get('/generation'));
    expectProblem(error, OpenAI.BadRequestError, { code: 'invalid_request', param: 'id' });
  });

  it('to an address where there is nothing', async () => {
    for (const path of ['/v1/nothing', '/v1', '/', '/v1/chat', '/v1/audio/speech']) {
      await expectRaw(await raw('POST', path, { body: '{}' }), 404, 'not_found');
      await expectRaw(await raw('GET', path), 404, 'not_found');
    }
  });
});

describe('405', () => {
  it('to another method than the one there is, and names that one', async () => {
    for (const path of ['/v1/chat/completions', '/v1/completions', '/v1/embeddings']) {
      for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
        const response = await expectRaw(await raw(method, path), 405, 'method_not_allowed');
        expect(response.headers.get('allow')).toBe('POST');
      }
    }
    for (const path of ['/v1/models', `/v1/models/${MODEL}`, '/v1/generation', '/v1/key', '/v1/credits', '/health']) {
      const response = await expectRaw(await raw('POST', path, { body: '{}' }), 405, 'method_not_allowed');
      expect(response.headers.get('allow')).toBe('GET, HEAD');
    }
  });
});

describe('400', () => {
  const invalid = { status: 400, code: 'invalid_request', type: 'invalid_request_error' };

  it('to what is no JSON', async () => {
    for (const text of ['', '{', 'null', '"text"', '[]', '{"model":', '\u0000']) {
      const response = await raw('POST', '/v1/chat/completions', { body: text });
      expect(response.status).toBe(400);
      expect(response.headers.get('x-should-retry')).toBe('false');
      expect(await response.json()).toMatchObject({
        error: { type: 'invalid_request_error', code: expect.stringMatching(/^invalid_(json|request)$/) as string },
      });
    }
  });

  it('to a request that lacks something, or whose limits are none, naming the field', async () => {
    const cases: readonly (readonly [object, string])[] = [
      [{ messages }, 'model'],
      [{ model: 7, messages }, 'model'],
      [{ model: MODEL }, 'messages'],
      [{ model: MODEL, messages: [] }, 'messages'],
      [{ model: MODEL, messages: 'hello' }, 'messages'],
      [{ ...body, max_tokens: 0 }, 'max_tokens'],
      [{ ...body, max_tokens: -1 }, 'max_tokens'],
      [{ ...body, max_tokens: 1.5 }, 'max_tokens'],
      [{ ...body, max_tokens: '16' }, 'max_tokens'],
      [{ ...body, max_completion_tokens: 1e300 }, 'max_completion_tokens'],
      [{ ...body, n: 0 }, 'n'],
      [{ ...body, n: 129 }, 'n'],
      [{ ...body, stream: 'yes' }, 'stream'],
    ];
    await untouched(house, customer, async () => {
      for (const [wrong, param] of cases) {
        const error = await failure(client.chat.completions.create(wrong as never));
        expectProblem(error, OpenAI.BadRequestError, { ...invalid, param });
        expect(shouldRetry(error)).toBe('false');
      }
    });
  });

  it('to what has no price by token', async () => {
    const cases: readonly (readonly [object, string])[] = [
      [{ service_tier: 'priority' }, 'service_tier'],
      [{ service_tier: 'flex' }, 'service_tier'],
      [{ web_search_options: {} }, 'web_search_options'],
      [{ modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' } }, 'audio'],
      [{ modalities: ['text', 'audio'] }, 'modalities'],
      [{ tools: [{ type: 'browser_search' }] }, 'tools'],
    ];
    await untouched(house, customer, async () => {
      for (const [extra, param] of cases) {
        const error = await failure(client.chat.completions.create({ ...body, ...(extra as object) }));
        expectProblem(error, OpenAI.BadRequestError, { code: 'unsupported_parameter', param });
        expect(shouldRetry(error)).toBe('false');
      }
    });
    await client.chat.completions.create({ ...body, service_tier: 'default', modalities: ['text'] });
  });

  it('of the provider, in its own words', async () => {
    const { result: error, generation } = await auditedOne(house, customer, () =>
      failure(client.chat.completions.create({ ...body, stop: 7 as never })),
    );
    expectProblem(error, OpenAI.BadRequestError, {
      code: 'invalid_value',
      param: 'stop',
      type: 'invalid_request_error',
    });
    expect(shouldRetry(error)).toBe('false');
    expect(generation).toMatchObject({ reason: 'upstream_refused', detail: 'status 400', charged: 0n });
    const id = error.headers?.get('x-generation-id');
    expect(id).toBe(generation.generationId);
    const receipt = await raw('GET', `/v1/generation?id=${id}`);
    expect(await receipt.json()).toMatchObject({ data: { id, status: 'released', total_cost_usd: '0.00' } });
  });

  it('to an address that cannot be read', async () => {
    await expectRaw(await raw('GET', '/v1/models/%ZZ'), 400, 'invalid_request');
  });
});

describe('413, 415 and 431', () => {
  const path = '/v1/chat/completions';
  const large = JSON.stringify({ ...body, padding: 'x'.repeat(MAX_BODY_BYTES) });

  it('413 to a body that is too large, also once it is unpacked, or comes without a length', async () => {
    const error = await untouched(house, customer, () =>
      failure(client.chat.completions.create({ ...body, ...{ padding: 'x'.repeat(MAX_BODY_BYTES) } })),
    );
    expectProblem(error, OpenAI.APIError, { status: 413, code: 'request_too_large', type: 'invalid_request_error' });
    expect(error.message).toContain(String(MAX_BODY_BYTES));
    expect(shouldRetry(error)).toBe('false');

    const packed = { body: gzipSync(large), headers: { 'content-encoding': 'gzip' } };
    await expectRaw(await raw('POST', path, packed), 413, 'request_too_large');
    const chunked = { body: new Blob([large]).stream(), duplex: 'half' } as RequestInit;
    await expectRaw(await raw('POST', path, chunked), 413, 'request_too_large');
  });

  it('reads a body that was packed', async () => {
    const packed = { body: gzipSync(JSON.stringify(body)), headers: { 'content-encoding': 'gzip' } };
    const { result } = await auditedOne(house, customer, () => raw('POST', path, packed));
    expect(result.status).toBe(200);
    expect(house.upstream.lastRequest?.body).toEqual({ ...body, service_tier: 'default', store: false });
  });

  it('415 to another content type, and to a packing that nobody knows', async () => {
    for (const contentType of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/jsonp',
      'application/json-seq',
      '',
    ]) {
      const init = { body: JSON.stringify(body), headers: { 'content-type': contentType } };
      await expectRaw(await raw('POST', path, init), 415, 'unsupported_media_type');
    }
    const packed = { body: JSON.stringify(body), headers: { 'content-encoding': 'zip' } };
    await expectRaw(await raw('POST', path, packed), 415, 'unsupported_media_type');
    for (const contentType of ['application/json; charset=utf-8', 'Application/JSON']) {
      const init = { body: JSON.stringify(body), headers: { 'content-type': contentType } };
      expect((await raw('POST', path, init)).status).toBe(200);
    }
  });

  it('reads as many headers as clients send', async () => {
    const headers = { 'x-much': 'y'.repeat(50_000) };
    expect((await raw('GET', '/v1/models', { headers })).status).toBe(200);
  });

  it('and 431 to more than anybody needs', async () => {
    const error = await failure(client.models.list({ headers: { 'x-much': 'y'.repeat(70_000) } }));
    expectProblem(error, OpenAI.APIError, { status: 431, code: 'headers_too_large', type: 'invalid_request_error' });
    expect(shouldRetry(error)).toBe('false');
  });
});

describe('a refusal', () => {
  it('can be looked up by its request id and its account, without content', async () => {
    const poor = await house.gateway.openAccount('0.000001');
    const secret = 'the quick brown fox';
    const error = await failure(
      house.gateway.client(poor.apiKey).chat.completions.create({
        ...{ model: MODEL, max_tokens: 100 },
        messages: [{ role: 'user', content: secret }],
      }),
    );
    const found = () =>
      house.gateway.manage<{ readonly refusals: readonly unknown[] }>('GET', `/requests/${error.requestID ?? ''}`);
    await expect
      .poll(async () => (await found()).refusals, SOON)
      .toMatchObject([
        { account_id: poor.accountId, key_id: poor.keyId, code: 'credit_balance_exhausted', status: 402, count: 1 },
      ]);
    const listed = await house.gateway.manage('GET', `/accounts/${poor.accountId}/refusals`);
    expect(listed).toMatchObject({ data: [{ figures: expect.stringContaining('$0.000001 is available') as string }] });
    expect(JSON.stringify([await found(), listed])).not.toContain(secret);
    expect(await house.gateway.manage('GET', `/accounts/${poor.accountId}/requests`)).toEqual({ data: [], next: null });
  });
});
