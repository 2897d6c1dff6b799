import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { message, param, refusal, startManagementApi, type ManagementApi } from '../management-api.ts';

const DAY = 24 * 60 * 60_000;
const FIRST = '2026-01-30';
const NEXT = '2026-02-20';

let api: ManagementApi;
beforeEach(async () => {
  api = await startManagementApi();
  expect(await publish({ version: FIRST })).toMatchObject({ status: 201, json: { effective_at: null, changed: true } });
});
afterEach(() => api.close());

const body = (version: string) => ({ document: 'terms', version, text: `# Version ${version}\n`, summary: 'Shorter.' });
const publish = (asked: Readonly<Record<string, unknown>>, sent = {}) =>
  api.post('/terms', { ...body(NEXT), ...asked }, sent);
const withdraw = (version: string, reason = 'A mistake', sent = {}) =>
  api.post(`/terms/terms/${version}/withdraw`, { reason }, sent);
const listed = async (query = '') =>
  ((await api.get(`/terms${query}`, { token: null })).json['data'] as Readonly<Record<string, unknown>>[]).map(
    ({ document, version, status, since, until }) => ({ document, version, status, since, until }),
  );
const inMs = (ms: number): string => new Date(api.clock.now().getTime() + ms).toISOString();

describe('POST /api/terms', () => {
  it('201: announces a version for the time asked for, and stores its text as it was sent', async () => {
    const text = '# Terms\r\n\r\n1. Straße\n';
    const sha256 = createHash('sha256').update(text).digest('hex');
    const effective = inMs(DAY);
    expect(await publish({ text, effective_at: effective })).toMatchObject({
      status: 201,
      json: { document: 'terms', version: NEXT, sha256, effective_at: effective, url: `/terms/${NEXT}`, changed: true },
    });
    expect(api.texts).toContain(text);
    expect(api.published).toHaveLength(2);
  });

  it('201: takes effect in 2 minutes, and if it is significant in 14 days and 5 minutes', async () => {
    expect((await publish({})).json).toMatchObject({ effective_at: inMs(2 * 60_000) });
    expect((await publish({ version: '2026-02-21', significant: true })).json).toMatchObject({
      effective_at: inMs(14 * DAY + 5 * 60_000),
    });
  });

  it('201 without a change: the same version again', async () => {
    const { json } = await publish({});
    api.clock.advance(30_000);
    expect(await publish({})).toMatchObject({ status: 201, json: { ...json, changed: false } });
  });

  it('repeats its answer to the same Idempotency-Key, also if the text differs in nothing but time', async () => {
    const { json } = await publish({}, { key: 'k' });
    api.clock.advance(DAY);
    const again = await publish({}, { key: 'k' });
    expect([again.status, again.json, again.headers.get('idempotent-replayed')]).toEqual([201, json, 'true']);
    expect(refusal(await publish({ summary: 'Longer.' }, { key: 'k' }))).toEqual([409, 'idempotency_key_reused']);
  });

  it.each([
    ['terms_version_changed', { version: FIRST, text: 'Another' }],
    ['terms_version_not_newer', { version: '2026-01-29' }],
    ['takes_effect_too_soon', { effective_at: '2026-01-31T10:00:59Z' }],
    ['notice_too_short', { significant: true, effective_at: '2026-02-14T09:59:59Z' }],
  ])('409 %s', async (code, asked) => expect(refusal(await publish(asked))).toEqual([409, code]));

  it('409 takes_effect_before_another_version', async () => {
    await publish({ effective_at: inMs(2 * DAY) });
    const earlier = await publish({ version: '2026-02-21', effective_at: inMs(DAY) });
    expect(refusal(earlier)).toEqual([409, 'takes_effect_before_another_version']);
  });

  it.each([
    ['document', { document: 'imprint' }],
    ['version', { version: '2026-02-20.10' }],
    ['version', { version: 'next' }],
    ['text', { text: '' }],
    ['text', { text: 'a\0b' }],
    ['text', { text: '\ud83d' }],
    ['text', { text: 'a'.repeat(60_001) }],
    ['summary', { summary: ' ' }],
    ['effective_at', { effective_at: 'tomorrow' }],
  ])('400: %s is invalid in %j', async (field, asked) => {
    const answer = await publish(asked);
    expect(refusal(answer)).toEqual([400, 'invalid_request']);
    expect(param(answer)).toBe(field);
  });

  it('401 without a token', async () => expect((await publish({}, { token: null })).status).toBe(401));
});

describe('POST /api/terms/{document}/{version}/withdraw', () => {
  it('200: an announced version does not take effect', async () => {
    await publish({ effective_at: inMs(DAY) });
    expect(await withdraw(NEXT)).toMatchObject({
      status: 200,
      json: { document: 'terms', version: NEXT, changed: true },
    });
    api.clock.advance(2 * DAY);
    expect((await listed()).map(({ version, status }) => [version, status])).toEqual([
      [NEXT, 'withdrawn'],
      [FIRST, 'in_force'],
    ]);
    expect(await withdraw(NEXT)).toMatchObject({ status: 200, json: { changed: false } });
  });

  it('repeats its answer to the same Idempotency-Key', async () => {
    await publish({ version: '2026-02-20.2', effective_at: inMs(DAY) });
    const { json } = await withdraw('2026-02-20.2', 'A mistake', { key: 'k' });
    expect(json).toMatchObject({ version: '2026-02-20.2', changed: true });
    expect((await withdraw('2026-02-20.2', 'A mistake', { key: 'k' })).json).toEqual(json);
    const other = await withdraw('2026-02-20.2', 'Another reason', { key: 'k' });
    expect(refusal(other)).toEqual([409, 'idempotency_key_reused']);
  });

  it('409 terms_version_in_force', async () =>
    expect(refusal(await withdraw(FIRST))).toEqual([409, 'terms_version_in_force']));

  it.each(['/terms/terms/2026-12-31/withdraw', '/terms/imprint/2026-02-20/withdraw', '/terms/terms/%00/withdraw'])(
    '404: %s',
    async (path) => {
      const answer = await api.post(path, { reason: 'A mistake' });
      expect(refusal(answer)).toEqual([404, 'terms_version_not_found']);
      expect(message(answer)).toContain('GET /api/terms');
    },
  );
});

describe('GET /api/terms', () => {
  it('200 without a token: every version of every document, the newest first, with its times', async () => {
    const published = api.clock.now().toISOString();
    const effective = inMs(DAY);
    await publish({ effective_at: effective });
    await publish({ document: 'privacy', version: FIRST });
    const privacy = { document: 'privacy', version: FIRST, status: 'in_force', since: published, until: null };
    expect(await listed()).toEqual([
      { document: 'terms', version: NEXT, status: 'upcoming', since: effective, until: null },
      { document: 'terms', version: FIRST, status: 'in_force', since: published, until: effective },
      privacy,
    ]);
    expect(await listed('?document=privacy')).toEqual([privacy]);
    expect(await listed('?document=acceptable_use')).toEqual([]);
    api.clock.advance(DAY);
    expect((await listed('?document=terms')).map(({ status }) => status)).toEqual(['in_force', 'past']);
  });

  it('400: an unknown document', async () =>
    expect(refusal(await api.get('/terms?document=imprint'))).toEqual([400, 'invalid_request']));
});
