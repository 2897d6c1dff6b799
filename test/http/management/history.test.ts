import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccountCommand } from '../../../src/domain/account/decide.ts';
import { noUsage } from '../../../src/domain/money.ts';
import { WrongMasterKey } from '../../../src/eventstore/secrets/data-keys.ts';
import { message, param, refusal, startManagementApi, TERMS, type ManagementApi } from './management-api.ts';

const rates = {
  input: 250_000n,
  cachedInput: 25_000n,
  cacheWrite: 250_000n,
  output: 2_000_000n,
  reasoning: 2_000_000n,
};
const price = { model: 'gpt-5-mini', version: 3, rates };

const reserve = (keyId: string): AccountCommand => ({
  type: 'ReserveCredits',
  requestId: 'gen-1',
  amount: 12_000_000n,
  keyId,
  runId: 'run-1',
  at: Date.UTC(2026, 0, 31, 12),
  price,
  request: {
    endpoint: '/chat/completions',
    upstream: 'openai',
    streamed: true,
    inputTokensBound: 100,
    outputTokensBound: 1000,
  },
});

const settle: AccountCommand = {
  type: 'SettleHold',
  requestId: 'gen-1',
  usage: { ...noUsage, input: 100, output: 1000 },
  delivery: {
    ...{ usageSource: 'reported', ended: 'completed', finishReason: 'stop', upstreamId: 'chatcmpl-1' },
    ...{ firstByteMs: 100, totalMs: 900, anomalies: [] },
  },
};

let api: ManagementApi;
let account: string;

/** An account whose each event is a minute after the one before, from 10:00 on. */
beforeEach(async () => {
  api = await startManagementApi();
  const id = await api.account();
  account = `/accounts/${id}`;
  const minute = (): void => api.clock.advance(60_000);
  minute();
  await api.post(`${account}/grants`, { usd: '5.00', reason: 'Welcome' }); // 2, 10:01
  minute();
  const { json } = await api.post(`${account}/keys`, { name: 'production' }); // 3, 10:02
  minute();
  await api.execute(id, reserve(String(json['key_id']))); // 4, 10:03
  minute();
  await api.execute(id, settle); // 5, 10:04
  minute();
  await api.post(`${account}/suspend`, { reason: 'Resale' }); // 6, 10:05
});
afterEach(() => api.close());

const at = async (time: string) => (await api.get(`${account}?at=${encodeURIComponent(time)}`)).json;

describe('GET /accounts/{account_id}', () => {
  it('200: the account as it is', async () => {
    expect((await api.get(account)).json).toMatchObject({
      ...{ status: 'suspended', suspension_reason: 'Resale', revision: 6 },
      ...{ registered_at: '2026-01-31T10:00:00.000Z', last_event_at: '2026-01-31T10:05:00.000Z' },
      ...{ balance_usd: '4.997975', held_usd: '0.00', available_usd: '4.997975', charged_usd: '0.002025' },
    });
  });

  it('200: ?revision= the account as it was after an event, holds and all', async () => {
    expect((await api.get(`${account}?revision=4`)).json).toMatchObject({
      ...{ status: 'active', revision: 4, last_event_at: '2026-01-31T10:03:00.000Z' },
      ...{ balance_usd: '5.00', held_usd: '0.012', available_usd: '4.988', charged_usd: '0.00' },
      open_holds: [{ generation_id: 'gen-1', amount_usd: '0.012', model: 'gpt-5-mini', price_version: 3 }],
      keys: [{ name: 'production', revoked: false }],
    });
    expect((await api.get(`${account}?revision=0`)).json).toMatchObject({ terms_version: null, keys: [] });
  });

  it('200: ?at= the account as it was at a moment, that moment included', async () => {
    expect(await at('2026-01-31T10:03:00Z')).toMatchObject({ revision: 4, held_usd: '0.012' });
    expect(await at('2026-01-31T10:03:59.999Z')).toMatchObject({ revision: 4 });
    expect(await at('2026-01-31T12:04:00+02:00')).toMatchObject({ revision: 5, held_usd: '0.00' });
    expect(await at('2026-01-31T10:05:00Z')).toEqual((await api.get(account)).json);
  });

  it('404: before it was registered, saying when that was', async () => {
    const answer = await api.get(`${account}?at=2026-01-31T09:59:59Z`);
    expect(refusal(answer)).toEqual([404, 'account_not_found']);
    expect(message(answer)).toContain('2026-01-31T10:00:00.000Z');
  });

  it('404: an account that does not exist', async () => {
    for (const path of [
      '/accounts/nobody',
      '/accounts/nobody?at=2020-01-01T00:00:00Z',
      '/accounts/nobody?revision=0',
    ]) {
      expect(refusal(await api.get(path))).toEqual([404, 'account_not_found']);
    }
  });

  it.each([
    ['revision=7', 'revision', /newest revision is 6/],
    ['at=2026-01-31T10:05:01Z', 'at', /yet to come/],
    ['at=2026-01-31T10:00:00Z&revision=1', 'at', /not for both/],
    ['at=yesterday', 'at', /ISO 8601/],
    ['at=2026-01-31', 'at', /ISO 8601/],
    ['at=2026-02-30T10:00:00Z', 'at', /ISO 8601/],
    ['at=2026-01-31T10:00:00+02:00', 'at', /%2B/],
    ['at=2026-01-31T10:00:00Z&at=2026-01-31T10:00:00Z', 'at', /ISO 8601/],
    ['revision=-1', 'revision', /whole number/],
    ['revision=1.5', 'revision', /whole number/],
    ['revision=', 'revision', /whole number/],
    ['when=now', 'when', /unknown field/],
  ])('400: ?%s', async (query, field, words) => {
    const answer = await api.get(`${account}?${query}`);
    expect(refusal(answer)).toEqual([400, 'invalid_request']);
    expect(param(answer)).toBe(field);
    expect(message(answer)).toMatch(words);
  });
});

describe('GET /accounts/{account_id}/events', () => {
  it('200: what happened, in order, with who did it', async () => {
    const { json } = await api.get(`${account}/events`);
    const events = json['data'] as Record<string, unknown>[];
    expect(json['next_revision']).toBeNull();
    expect(events.map(({ type }) => type)).toEqual([
      ...['AccountRegistered', 'TermsAccepted', 'CreditsToppedUp', 'KeyIssued', 'CreditsReserved', 'HoldSettled'],
      'AccountSuspended',
    ]);
    expect(events[2]).toMatchObject({
      ...{ revision: 2, position: 3, time: '2026-01-31T10:01:00.000Z', actor: 'admin' },
      data: { amount_usd: '5.00', source: { kind: 'grant', reason: 'Welcome' } },
    });
    expect(events[5]).toMatchObject({
      actor: 'key:test',
      request_id: null,
      data: {
        ...{ generation_id: 'gen-1', cost_usd: '0.002025', charged_usd: '0.002025', held_usd: '0.012' },
        price: { model: 'gpt-5-mini', version: 3, usd_per_million_tokens: { input: '0.25', output: '2.00' } },
        tokens: { input: 100, output: 1000, reasoning: 0 },
      },
    });
    expect(events[6]?.['request_id']).toMatch(/^req_/);
  });

  it('200: without name and e-mail address where they were sealed under another master key', async () => {
    const seals = await startManagementApi({
      vault: {
        seal: (_, { name }) => Promise.resolve(`sealed for ${name}`),
        open: () => Promise.reject(new WrongMasterKey('another')),
      },
    });
    const created = await seals.send('POST', '/accounts', {
      body: { name: 'Ada', email: 'ada@example.com', adult: true, accept_terms: TERMS },
    });
    const path = `/accounts/${String(created.json['account_id'])}`;
    expect(await seals.get(path)).toMatchObject({ status: 200, json: { name: null, email: null } });
    expect((await seals.get(`${path}/events`)).status).toBe(200);
    await seals.close();
  });

  it('200: without name and e-mail address once they were erased, and with all the money', async () => {
    const before = (await api.get(account)).json;
    const [registered] = (await api.get(`${account}/events`)).json['data'] as { data: unknown }[];
    expect(registered?.data).toEqual({ name: 'Ada Lovelace', email: 'ada@example.com', holder: 'person' });
    api.dataKeys.destroy(String(before['account_id']));
    expect((await api.get(account)).json).toEqual({ ...before, name: null, email: null });
    const [erased] = (await api.get(`${account}/events`)).json['data'] as { data: unknown }[];
    expect(erased?.data).toEqual({ name: null, email: null, holder: 'person' });
    expect((await api.get(`${account}?revision=0`)).json).toMatchObject({ name: null, email: null, holder: 'person' });
  });

  it('200: page by page', async () => {
    const seen: unknown[] = [];
    let next: unknown = 0;
    for (; next !== null && seen.length < 100;) {
      const { json } = await api.get(`${account}/events?from_revision=${String(next)}&limit=3`);
      seen.push(...(json['data'] as { revision: number }[]).map(({ revision }) => revision));
      next = json['next_revision'];
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect((await api.get(`${account}/events?from_revision=7`)).json).toEqual({ data: [], next_revision: null });
  });

  it.each(['limit=0', 'limit=1001', 'limit=many', 'from_revision=-1'])('400: ?%s', async (query) => {
    expect(refusal(await api.get(`${account}/events?${query}`))).toEqual([400, 'invalid_request']);
  });

  it('404: an account that does not exist', async () => {
    expect(refusal(await api.get('/accounts/acc_nobody/events'))).toEqual([404, 'account_not_found']);
  });
});
