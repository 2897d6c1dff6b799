import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../../src/eventstore/event-store.ts';
import { routes } from '../../../src/http/management/routes.ts';
import { ada, message, param, refusal, startManagementApi, TOKEN, type ManagementApi } from './management-api.ts';

let api: ManagementApi;
beforeEach(async () => (api = await startManagementApi()));
afterEach(() => api.close());

describe('the door', () => {
  it.each(
    routes
      .filter(({ principals }) => principals.includes('admin'))
      .map(({ method, path }) => [method.toUpperCase(), path.replaceAll(/[{}]/g, '')]),
  )('401: %s %s without the token', async (method, path) => {
    const wrong = [null, 'wrong', `${TOKEN}x`, TOKEN.slice(1), TOKEN.toUpperCase(), 'kiss_live_x'];
    for (const token of wrong) {
      const answer = await api.send(method, path, { token, ...(method === 'POST' ? { body: {} } : {}) });
      expect(refusal(answer)).toEqual([401, 'invalid_admin_token']);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(answer.headers.get('x-should-retry')).toBe('false');
    }
    expect(await api.store.head()).toBe(0);
  });

  it('401: a token in the wrong scheme, and nothing told of what there is', async () => {
    const headers = { authorization: `Basic ${TOKEN}` };
    expect(refusal(await api.get('/prices/proposals', { token: null, headers }))).toEqual([401, 'invalid_admin_token']);
    expect(refusal(await api.get('/nothing', { token: null }))).toEqual([401, 'invalid_admin_token']);
  });

  it('every answer has its id and is kept by nobody', async () => {
    for (const answer of [
      await api.get('/prices'),
      await api.get('/nothing'),
      await api.get('/prices/proposals', { token: null }),
    ]) {
      expect(answer.headers.get('x-request-id')).toMatch(/^req_[0-9a-f-]{36}$/);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it.each([['[]'], ['7'], ['null']])('400: %s is JSON, and no object', async (body) => {
    const answer = await api.post('/accounts', JSON.parse(body));
    expect(refusal(answer)).toEqual([400, 'invalid_request']);
    expect(message(answer)).toBe('The body: must be an object.');
  });

  it.each<[unknown, string]>([
    [{ name: 'x'.repeat(201), email: 'a@example.com' }, 'name: must have at most 200 characters.'],
    [{ ...ada, holder: 'robot' }, 'holder: must be "person" or "entity".'],
    [{ ...ada, adult: 'yes' }, 'adult: must be true or false.'],
    [{ ...ada, name: ['Ada'] }, 'name: must be a single string.'],
    [{}, 'name: is required.'],
  ])('400: %j is told of in words that no compiler uses', async (body, told) => {
    expect(message(await api.post('/accounts', body))).toBe(told);
  });

  it('404: a path that leads nowhere', async () => {
    const answer = await api.get('/nothing?secret=1');
    expect(refusal(answer)).toEqual([404, 'not_found']);
    expect(message(answer)).toContain('GET /api/nothing here');
  });

  it('405: names the methods that there are', async () => {
    const answer = await api.send('PUT', '/accounts/acc_1/keys', { body: {} });
    expect(refusal(answer)).toEqual([405, 'method_not_allowed']);
    expect(answer.headers.get('allow')).toBe('POST, GET');
  });

  it('400: a body that is not JSON, or not there', async () => {
    expect(refusal(await api.post('/accounts', '{"name":'))).toEqual([400, 'invalid_json']);
    expect(refusal(await api.send('POST', '/accounts'))).toEqual([400, 'invalid_request']);
    expect(refusal(await api.post('/accounts', '[]'))).toEqual([400, 'invalid_request']);
    expect(refusal(await api.post('/accounts', '['.repeat(30_000)))).toEqual([400, 'invalid_json']);
  });

  it('400: a path that cannot be decoded', async () => {
    expect(refusal(await api.get('/accounts/%E0%A4%A'))).toEqual([400, 'invalid_request']);
  });

  it('413: a body that is too large', async () => {
    const answer = await api.post('/accounts', { ...ada, name: 'A'.repeat(70_000) });
    expect(refusal(answer)).toEqual([413, 'request_too_large']);
  });

  it('415: a body that is not said to be JSON, or is compressed', async () => {
    const headers = { 'content-type': 'text/plain' };
    expect(refusal(await api.post('/accounts', JSON.stringify(ada), { headers }))).toEqual([
      415,
      'unsupported_media_type',
    ]);
    const compressed = { 'content-encoding': 'gzip' };
    expect(refusal(await api.post('/accounts', ada, { headers: compressed }))).toEqual([415, 'unsupported_media_type']);
  });

  it('400: an Idempotency-Key that is none', async () => {
    for (const key of ['', 'a'.repeat(256), 'caf\u00e9']) {
      const answer = await sendKey(`${api.url}/accounts`, key);
      expect(answer).toMatchObject({ status: 400, json: { error: { param: 'Idempotency-Key' } } });
    }
    expect((await api.post('/accounts', ada, { key: ` !"~${'k'.repeat(251)}` })).status).toBe(201);
  });

  it('413 and 415 say not to send it again, and where the field is known it is named', async () => {
    const answer = await api.post('/accounts', { ...ada, email: 1 });
    expect(param(answer)).toBe('email');
    expect(answer.headers.get('x-should-retry')).toBe('false');
  });
});

/** fetch would refuse to send some of these. */
const sendKey = (url: string, key: string): Promise<{ status: number | undefined; json: unknown }> =>
  new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
      'idempotency-key': key,
    };
    const sent = request(url, { method: 'POST', headers }, (response) => {
      const read = async () => JSON.parse(Buffer.concat(await response.toArray()).toString()) as unknown;
      read().then((json) => resolve({ status: response.statusCode, json }), reject);
    });
    sent.on('error', reject);
    sent.end(JSON.stringify(ada));
  });

describe('503: the store does not answer', () => {
  const gone = () => Promise.reject(new StoreUnavailable('gone'));

  it('says that asking again is safe only where it is', async () => {
    await api.close();
    api = await startManagementApi({
      commands: { execute: gone, read: gone },
      store: { readStream: gone, findEvent: gone, head: gone },
    });
    const read = await api.get('/accounts/acc_1');
    const repeatable = await api.post('/accounts', ada, { key: 'one' });
    const blind = await api.post('/accounts', ada);
    for (const answer of [read, repeatable, blind]) expect(refusal(answer)).toEqual([503, 'store_unavailable']);
    expect([read, repeatable, blind].map(({ headers }) => headers.get('x-should-retry'))).toEqual([
      'true',
      'true',
      'false',
    ]);
    expect(read.headers.get('retry-after')).toBe('2');
    expect(message(blind)).toContain('Idempotency-Key');
  });
});
