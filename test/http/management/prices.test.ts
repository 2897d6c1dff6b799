import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MIN_AHEAD_MS, NOTICE_MS } from '../../../src/domain/notice.ts';
import { linesOf } from '../../../src/domain/prices/lines.ts';
import { PRICES_STREAM } from '../../../src/domain/prices/decide.ts';
import { emptyPriceBook, type PriceBook } from '../../../src/domain/prices/price-book.ts';
import { proposedEntry, type CatalogueModel } from '../../../src/domain/prices/proposals.ts';
import { message, param, refusal, startManagementApi, type ManagementApi } from './management-api.ts';

const MODEL = 'a/model';
const rates = { ...{ input: 250_000n, cachedInput: 25_000n, cacheWrite: 250_000n }, output: 2n, reasoning: 2n };
const catalogued: CatalogueModel = {
  ...{ model: MODEL, kind: 'chat', ownedBy: 'o', upstream: 'u', upstreamModel: 'secret-name' },
  ...{ contextTokens: 400_000, maxOutputTokens: 128_000, cost: linesOf(rates) },
  ...{ source: 'https://example.com', asOf: '2026-01-01' },
};
const usd = (output = '0.000002') => ({
  ...{ input: '0.25', cached_input: '0.025', cache_write: '0.25', output, reasoning: '0.000002' },
});

let api: ManagementApi;
let book: PriceBook;
const catalogue = { models: [] as CatalogueModel[], margin: 0n };

beforeEach(async () => {
  book = emptyPriceBook();
  catalogue.models = [catalogued];
  api = await startManagementApi({
    priceBook: () => book,
    publishKey: async () => void (book = (await api.priceCommands.read(PRICES_STREAM)).state),
    catalogue,
    findProvider: (upstream) =>
      upstream === 'u' ? { name: 'U', usagePolicyUrl: 'https://u.example/policy' } : undefined,
  });
  const at = new Date('2026-01-01T00:00:00Z');
  const entry = proposedEntry(catalogued, 0n);
  const command = { type: 'ListPrice', entry, effectiveFrom: at, at } as const;
  await api.priceCommands.execute(PRICES_STREAM, command, { actor: 'test', commandId: 'listed' });
  book = (await api.priceCommands.read(PRICES_STREAM)).state;
});
afterEach(() => api.close());

const after = (ms: number): string => new Date(Date.parse('2026-01-31T10:00:00Z') + ms).toISOString();
const withoutToken = { token: null };

describe('GET /prices', () => {
  it('200 without a token: lines, the usage policy and announced changes, but neither cost nor source', async () => {
    await api.post('/prices', { model: MODEL, usd_per_million_tokens: usd('1') });
    const { json } = await api.get('/prices', withoutToken);
    expect(json).toEqual({
      data: [
        {
          ...{ model: MODEL, version: 1, kind: 'chat', owned_by: 'o', upstream: 'u', provider: 'U' },
          ...{ usage_policy_url: 'https://u.example/policy', context_tokens: 400_000, max_output_tokens: 128_000 },
          usd_per_million_tokens: usd(),
          lines: expect.arrayContaining([
            { unit: 'token', per: 1_000_000, match: { class: 'cached_input' }, usd: '0.025' },
          ]) as unknown,
          effective_from: '2026-01-01T00:00:00.000Z',
          upcoming: [
            {
              ...{ price_version: 2, effective_from: after(NOTICE_MS), is_increase: true },
              usd_per_million_tokens: usd('1.00'),
            },
          ],
          ends_at: null,
        },
      ],
    });
  });

  it('200 for a time, and for a model', async () => {
    await api.post('/prices', { model: MODEL, usd_per_million_tokens: usd('1') });
    const at = encodeURIComponent(after(NOTICE_MS));
    expect((await api.get(`/prices?at=${at}`)).json).toMatchObject({ data: [{ version: 2, upcoming: [] }] });
    expect((await api.get('/prices?at=2025-01-01T00:00:00Z')).json).toEqual({ data: [] });
    expect((await api.get('/prices?model=other')).json).toEqual({ data: [] });
    expect((await api.get(`/prices?model=${MODEL}`)).json).toMatchObject({ data: [{ model: MODEL }] });
    expect(param(await api.get('/prices?at=tomorrow'))).toBe('at');
  });
});

describe('GET /prices/history', () => {
  it('200 without a token, with withdrawn prices and ends of sale', async () => {
    await api.post('/prices', { model: MODEL, usd_per_million_tokens: usd('1') });
    await api.post('/prices/withdrawals', { model: MODEL, version: 2, reason: 'A typo' });
    await api.post('/delistings', { model: MODEL, reason: 'Too few customers' });
    const { json } = await api.get(`/prices/history?model=${MODEL}`, withoutToken);
    expect(json).toMatchObject({
      model: MODEL,
      data: [
        { version: 1, withdrawn: false, usd_per_million_tokens: usd() },
        { version: 2, withdrawn: true, usd_per_million_tokens: usd('1.00') },
      ],
      off_sale_from: [after(NOTICE_MS)],
    });
  });

  it('404 for a model that was never listed', async () =>
    expect(refusal(await api.get('/prices/history?model=other'))).toEqual([404, 'model_not_listed']));
});

describe('GET /prices/proposals', () => {
  it('200: what the cost and the margin lead to, with the notice that it needs', async () => {
    expect((await api.get('/prices/proposals')).json).toEqual({ data: [] });
    catalogue.models = [{ ...catalogued, cost: linesOf({ ...rates, output: 4n }) }];
    expect((await api.get('/prices/proposals')).json).toMatchObject({
      data: [
        {
          ...{ model: MODEL, listed_version: 1, needs_notice: true, earliest_effect: after(NOTICE_MS) },
          ...{ listed_margin_percent: -50, proposed_usd_per_million_tokens: { output: '0.000004' } },
        },
      ],
    });
    catalogue.models = [{ ...catalogued, cost: linesOf({ ...rates, output: 1n }) }];
    expect((await api.get('/prices/proposals')).json).toMatchObject({
      data: [{ needs_notice: false, earliest_effect: after(MIN_AHEAD_MS) }],
    });
  });
});

describe('POST /prices', () => {
  it('200: announces what the catalogue proposes, at the earliest time', async () => {
    catalogue.models = [{ ...catalogued, cost: linesOf({ ...rates, output: 4n }), contextTokens: 200_000 }];
    const { status, json } = await api.post('/prices', { model: MODEL });
    expect(status).toBe(200);
    expect(json).toMatchObject({ price_version: 2, effective_from: after(NOTICE_MS), changed: true });
    expect(book.get(MODEL)?.versions.at(-1)).toMatchObject({ contextTokens: 200_000, rates: { output: 4n } });
    expect((await api.get('/prices/proposals')).json).toEqual({ data: [] });
  });

  it('200: announces the price that is sent, a minute ahead if it costs no more', async () => {
    const { json } = await api.post('/prices', { model: MODEL, usd_per_million_tokens: usd('0') });
    expect(json).toMatchObject({ price_version: 2, effective_from: after(MIN_AHEAD_MS) });
  });

  it('200: changes nothing for the price that is listed', async () =>
    expect((await api.post('/prices', { model: MODEL, usd_per_million_tokens: usd() })).json).toMatchObject({
      ...{ price_version: 1, changed: false },
    }));

  it('200: repeated with the same key, announces once', async () => {
    const body = { model: MODEL, usd_per_million_tokens: usd('1') };
    const first = await api.post('/prices', body, { key: 'one' });
    api.clock.advance(NOTICE_MS);
    const again = await api.post('/prices', body, { key: 'one' });
    expect(again.json).toEqual(first.json);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const other = { ...body, usd_per_million_tokens: usd('2') };
    expect(refusal(await api.post('/prices', other, { key: 'one' }))).toEqual([409, 'idempotency_key_reused']);
  });

  it('409 if the notice is too short', async () => {
    const dearer = { model: MODEL, usd_per_million_tokens: usd('1') };
    const at = (ms: number) => ({ ...dearer, effective_from: after(ms) });
    expect(refusal(await api.post('/prices', at(NOTICE_MS - 1)))).toEqual([409, 'notice_too_short']);
    expect(refusal(await api.post('/prices', at(MIN_AHEAD_MS - 1)))).toEqual([409, 'takes_effect_too_soon']);
    await api.post('/prices', at(2 * NOTICE_MS));
    expect(refusal(await api.post('/prices', { ...at(NOTICE_MS), usd_per_million_tokens: usd('3') }))).toEqual([
      ...[409, 'takes_effect_before_a_listed_price'],
    ]);
  });

  it('404 for a model that was never listed, or is off sale by then', async () => {
    expect(refusal(await api.post('/prices', { model: 'other' }))).toEqual([404, 'model_not_listed']);
    await api.post('/delistings', { model: MODEL, ended_by_provider: true, reason: 'r' });
    const answer = await api.post('/prices', { model: MODEL, usd_per_million_tokens: usd('1') });
    expect(refusal(answer)).toEqual([404, 'model_delisted']);
    const withKey = await api.post('/prices', { model: MODEL, usd_per_million_tokens: usd('1') }, { key: 'off' });
    expect(refusal(withKey)).toEqual([404, 'model_delisted']);
  });

  it('400 without a price if the catalogue lacks the model, and for a price that is not a decimal', async () => {
    catalogue.models = [];
    const answer = await api.post('/prices', { model: MODEL });
    expect([refusal(answer), param(answer)]).toEqual([[400, 'invalid_request'], 'usd_per_million_tokens']);
    for (const output of ['-1', '1e3', '0.0000001', '', 1]) {
      const wrong = { model: MODEL, usd_per_million_tokens: { ...usd(), output } };
      expect(param(await api.post('/prices', wrong))).toBe('usd_per_million_tokens.output');
    }
  });
});

describe('POST /prices/withdrawals', () => {
  it('200, once', async () => {
    await api.post('/prices', { model: MODEL, usd_per_million_tokens: usd('1') });
    const body = { model: MODEL, version: 2, reason: 'A typo' };
    expect((await api.post('/prices/withdrawals', body)).json).toMatchObject({ price_version: 2, changed: true });
    expect((await api.post('/prices/withdrawals', body)).json).toMatchObject({ changed: false });
  });

  it('409 of a price in force, and 404 of one that does not exist', async () => {
    const of = (version: number) => api.post('/prices/withdrawals', { model: MODEL, version, reason: 'r' });
    expect(refusal(await of(1))).toEqual([409, 'takes_effect_too_soon']);
    const missing = await of(7);
    expect([refusal(missing), param(missing)]).toEqual([[404, 'price_version_not_found'], 'version']);
  });
});

describe('POST /delistings', () => {
  it('200: with a notice of 14 days, or a minute ahead if the provider ends the model', async () => {
    const later = await api.post('/delistings', { model: MODEL, reason: 'r' });
    expect(later.json).toEqual({ model: MODEL, effective_from: after(NOTICE_MS), changed: true });
    const sooner = await api.post('/delistings', { model: MODEL, ended_by_provider: true, reason: 'r' });
    expect(sooner.json).toEqual({ model: MODEL, effective_from: after(MIN_AHEAD_MS), changed: true });
    expect((await api.get('/prices')).json).toMatchObject({ data: [{ ends_at: after(MIN_AHEAD_MS) }] });
  });

  it('409 without the notice', async () => {
    const at = after(NOTICE_MS - 1);
    expect(refusal(await api.post('/delistings', { model: MODEL, at, reason: 'r' }))).toEqual([
      409,
      'notice_too_short',
    ]);
    const answer = await api.post('/delistings', { model: MODEL, at: after(0), ended_by_provider: true, reason: 'r' });
    expect(refusal(answer)).toEqual([409, 'takes_effect_too_soon']);
    expect(message(answer)).toContain('after a minute');
  });
});
