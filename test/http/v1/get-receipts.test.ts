import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type RequestHandler } from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { emptyTallies } from '../../../src/domain/account/limits/tallies.ts';
import { arrive } from '../../../src/http/server/request-id.ts';
import { getCredits, getGeneration, getKey, type Generation } from '../../../src/http/v1/get-receipts.ts';

const generation: Generation = {
  ...{ request_id: 'gen-1', upstream_id: 'chatcmpl-1', status: 'settled', model: 'm', price_version: 1 },
  ...{ endpoint: '/chat/completions', upstream: 'u', streamed: false, cost: 7n, charged: 7n, written_off: 0n },
  reversed: 2n,
  ...{ input_tokens: 1, cached_input_tokens: 0, cache_write_tokens: 0, output_tokens: 1, reasoning_tokens: 0 },
  ...{ usage_source: 'reported', ended: 'completed', finish_reason: 'stop', detail: null },
  ...{ first_byte_ms: 1, total_ms: 2, reserved_at: new Date(0), ended_at: new Date(1) },
};

const authenticate = () => ({ accountId: 'acc_1', keyId: 'key_1' });
const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

/** The text of an answer, on a real socket: `JSON.parse` would round amounts. */
const ask = async (handler: RequestHandler, query = ''): Promise<{ status: number; text: string }> => {
  const server = createServer(
    express()
      .use((_request, response, next) => {
        arrive(response, 'id-1');
        next();
      })
      .use(handler),
  ).listen(0, '127.0.0.1');
  closing.push(() => void server.close());
  await once(server, 'listening');
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${query}`);
  return { status: response.status, text: await response.text() };
};

const UUID = '0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3e';
const REQUEST = `req_${UUID}`;
const ANSWERED = { ...generation, request_id: `gen-${UUID}-2`, upstream: 'two' };
const FAILED = {
  ...generation,
  ...{ request_id: `gen-${UUID}`, upstream: 'one', status: 'released', charged: 0n, detail: 'upstream_failed: reset' },
};

describe('GET /v1/generation', () => {
  const find = (id: string): Promise<readonly Generation[]> => {
    const all = [{ ...generation, request_id: 'gen-2', charged: 9n, reserved_at: new Date(5) }, generation];
    if (id === REQUEST || id === FAILED.request_id)
      return Promise.resolve(id === REQUEST ? [ANSWERED, FAILED] : [FAILED]);
    return Promise.resolve(all.filter((one) => one.request_id === id || one.upstream_id === id));
  };
  const receipt = async (id: string) => {
    const { status, text } = await ask(getGeneration(authenticate, find), `?id=${id}`);
    return { status, json: JSON.parse(text) as Record<string, unknown> };
  };

  it('lists every generation to which the provider gave one id, the newest first, and states that', async () => {
    const { status, json } = await receipt('chatcmpl-1');
    expect(status).toBe(200);
    expect(json).toMatchObject({
      data: { id: 'gen-2' },
      note: expect.stringContaining('more than one generation') as unknown,
      candidates: [
        { id: 'gen-2', total_cost: '0.000000009', created_at: new Date(5).toISOString() },
        { id: 'gen-1', total_cost: '0.000000007', created_at: new Date(0).toISOString() },
      ],
    });
  });

  it('lists no candidates if the id is of one generation', async () => {
    const { json } = await receipt('gen-1');
    expect(json).toMatchObject({ data: { id: 'gen-1', reversed_usd: '0.000000002' } });
    expect(Object.keys(json)).toEqual(['data', 'attempts']);
  });

  it('has all attempts of the request in order, and the one that answered if asked by the request id', async () => {
    const attempts = [
      { id: `gen-${UUID}`, provider_name: 'one', status: 'released', detail: 'upstream_failed: reset' },
      { id: `gen-${UUID}-2`, provider_name: 'two', status: 'settled', detail: null },
    ];
    expect((await receipt(REQUEST)).json).toEqual({
      data: expect.objectContaining({ id: `gen-${UUID}-2`, status: 'settled' }) as unknown,
      attempts,
    });
    expect((await receipt(`gen-${UUID}`)).json).toEqual({
      data: expect.objectContaining({ id: `gen-${UUID}`, status: 'released' }) as unknown,
      attempts,
    });
  });

  it('answers 404 to a request id of no generation, and that nothing was charged', async () => {
    const { status, json } = await receipt('req_0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d');
    expect(status).toBe(404);
    expect(json).toMatchObject({
      error: { message: expect.stringMatching(/^Nothing was charged for the request req_0198f3c2/) as unknown },
    });
  });
});

describe("amounts under OpenRouter's names", () => {
  // No float has all of these decimals.
  const [amount, usd] = [123_456_789_123_456_789n, '123456789.123456789'];
  const wallet = { charged: amount, reversed: 0n, balance: 0n, locked: 0n, held: 0n };
  const findAccount = () => Promise.resolve({ wallet, keys: new Map(), tallies: emptyTallies() });

  it('are numbers with all decimals in GET /v1/credits, with the exact text beside them', async () => {
    const { text } = await ask(getCredits(authenticate, findAccount));
    for (const name of ['total_credits', 'total_usage']) {
      expect(text).toContain(`"${name}":${usd},"${name}_usd":"${usd}"`);
    }
  });

  it('are of one account: credits less usage are the balance, also after reversals', async () => {
    const reversed = { charged: 7n, reversed: 3n, balance: 9n, locked: 4n, held: 2n };
    const find = () => Promise.resolve({ wallet: reversed, keys: new Map(), tallies: emptyTallies() });
    const { data } = JSON.parse((await ask(getCredits(authenticate, find))).text) as { data: unknown };
    expect(data).toMatchObject({
      ...{ total_credits_usd: '0.000000013', total_usage_usd: '0.000000004', balance: '0.000000009' },
      ...{ held: '0.000000002', locked: '0.000000004', available: '0.000000003' },
    });
  });

  it('are numbers with all decimals in GET /v1/key', async () => {
    const usage = () => Promise.resolve({ day: amount, week: amount, month: amount, total: amount });
    const { text } = await ask(getKey(authenticate, findAccount, usage, () => new Date(0)));
    for (const name of ['usage', 'usage_daily', 'usage_weekly', 'usage_monthly']) {
      expect(text).toContain(`"${name}":${usd},"${name}_usd":"${usd}"`);
    }
    expect(text).toContain('"limit":null,"limit_usd":null');
  });

  it('are numbers with all decimals in GET /v1/generation', async () => {
    const find = () => Promise.resolve([{ ...generation, charged: amount }]);
    const { text } = await ask(getGeneration(authenticate, find), '?id=gen-1');
    expect(text).toContain(`"total_cost":${usd},"usage":${usd},"total_cost_usd":"${usd}"`);
  });
});
