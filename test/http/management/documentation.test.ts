import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PriceEntry } from '../../../src/domain/prices/events.ts';
import { linesOf } from '../../../src/domain/prices/lines.ts';
import { emptyPriceBook, evolvePriceBook } from '../../../src/domain/prices/price-book.ts';
import { routes } from '../../../src/http/management/routes.ts';
import { withTermsInForce } from '../../../src/http/management/documentation/terms-in-examples.ts';
import { startManagementApi, TERMS, type ManagementApi } from './management-api.ts';

const rates = {
  input: 250_000n,
  cachedInput: 25_000n,
  cacheWrite: 250_000n,
  output: 2_000_000n,
  reasoning: 2_000_000n,
};
const entry: PriceEntry = {
  ...{ model: 'gpt-5-mini', kind: 'chat', ownedBy: 'openai', upstream: 'openai' },
  ...{ upstreamModel: 'gpt-5-mini', contextTokens: 400_000, maxOutputTokens: 128_000 },
  ...{ lines: linesOf(rates), cost: linesOf({ ...rates, input: 1n }) },
  ...{ source: 'https://example.com', asOf: '2026-01-01' },
};
const effectiveFrom = new Date('2026-01-01T00:00:00Z');
const book = evolvePriceBook(emptyPriceBook(), { type: 'PriceListed', version: 2, effectiveFrom, entry });

let api: ManagementApi;
beforeEach(async () => (api = await startManagementApi({ priceBook: () => book })));
afterEach(() => api.close());

/** How many kinds of token a route accepts. */
const securities = (principals: readonly string[]): number =>
  new Set(
    principals
      .map((rule) => rule.replace(/:.*/, ''))
      .map((kind) => (['member', 'staff'].includes(kind) ? 'person' : kind)),
  ).size;

describe('GET /prices', () => {
  it('200 with the prices in force, in USD per million tokens', async () => {
    const { json } = await api.get('/prices');
    expect(json).toMatchObject({
      data: [{ model: 'gpt-5-mini', version: 2, usd_per_million_tokens: { input: '0.25', cached_input: '0.025' } }],
    });
  });
});

type Node = Readonly<Record<string, unknown>>;

const refsIn = (node: unknown): string[] => {
  if (typeof node !== 'object' || node === null) return [];
  const own = '$ref' in node ? [String(node.$ref)] : [];
  return [...own, ...Object.values(node).flatMap(refsIn)];
};

describe('GET /openapi.json', () => {
  it('200 without a token, with every route, its schemas, examples, errors and headers', async () => {
    const { status, json } = await api.get('/openapi.json', { token: null });
    expect(status).toBe(200);
    expect(json['openapi']).toMatch(/^3\.1\./);
    expect(json).toMatchObject({
      servers: [{ url: 'https://api.example.com/api' }, { url: '/api' }],
      components: { securitySchemes: { adminToken: { type: 'http', scheme: 'bearer' } } },
    });
    const paths = json['paths'] as Record<string, Record<string, Node>>;
    const documented = Object.entries(paths).flatMap(([path, item]) => Object.keys(item).map((m) => `${m} ${path}`));
    expect(documented.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
    for (const { method, path, body, success, principals } of routes) {
      const isPublic = principals.includes('public');
      const operation = paths[path]?.[method] ?? {};
      const responses = operation['responses'] as Record<string, Node>;
      expect(operation['summary']).toEqual(expect.any(String));
      expect(Object.keys(responses)).toEqual(expect.arrayContaining([`${success.status}`, '500', '503']));
      expect('401' in responses).toBe(!isPublic);
      expect(operation['security'] as unknown as readonly unknown[]).toHaveLength(
        isPublic ? 0 : securities(principals),
      );
      expect(operation['description']).toMatch(/Callers: .+\.$/);
      expect(responses[success.status]).toMatchObject({
        content: success.contentType
          ? { [success.contentType]: { schema: { format: 'binary' } } }
          : { 'application/json': { example: withTermsInForce(success.example, TERMS) } },
      });
      expect(operation['requestBody'] === undefined).toBe(body === undefined);
      const parameters = (operation['parameters'] ?? []) as { name: string; in: string; required?: boolean }[];
      const inPath = parameters.filter((parameter) => parameter.in === 'path');
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
      expect(inPath.every(({ required }) => required)).toBe(true);
      expect(parameters.some(({ name }) => name === 'Idempotency-Key')).toBe(method === 'post' && !isPublic);
    }
    const ids = Object.values(paths).flatMap((item) => Object.values(item).map((one) => one['operationId']));
    expect(new Set(ids).size).toBe(ids.length);
    const schemas = (json['components'] as Record<string, Node>)['schemas'];
    for (const ref of refsIn(json)) expect(schemas).toHaveProperty(ref.replace('#/components/schemas/', ''));
  });

  it.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
    'the examples of %s match its schemas',
    (_, { body, success }) => {
      if (body) expect(body.schema.safeParse(body.example).error).toBeUndefined();
      expect(success.schema.parse(success.example)).toEqual(success.example);
    },
  );
});

describe('GET /docs', () => {
  const get = (path: string) => fetch(`${api.url}${path}`);

  it('200 without a token, under a policy without inline scripts, inline styles and other origins', async () => {
    const response = await get('/docs');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/html; charset=utf-8/);
    const policy = response.headers.get('content-security-policy');
    expect(policy).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(await response.text()).not.toMatch(/<script>|<style|\son\w+=|javascript:|style="|https?:/i);
  });

  it('serves every script, style and icon of the page from this origin', async () => {
    const html = await (await get('/docs')).text();
    const links = [...html.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map(([, path]) => path);
    expect(links).toHaveLength(4);
    for (const path of links) {
      const response = await get(`/${path}`);
      expect(response.status, path).toBe(200);
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect((await response.text()).length).toBeGreaterThan(0);
    }
    expect(await (await get('/docs/start.js')).text()).toContain("url: 'openapi.json'");
  });
});
