import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PriceVersion } from '../../../src/domain/prices/price-book.ts';
import { renderDocs } from '../../../src/http/management/documentation/docs-page.ts';
import { createManagementDocument } from '../../../src/http/management/documentation/openapi.ts';
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
const price: PriceVersion = {
  ...{ model: 'gpt-5-mini', version: 2, kind: 'chat', ownedBy: 'openai', upstream: 'openai' },
  ...{ upstreamModel: 'gpt-5-mini', contextTokens: 400_000, maxOutputTokens: 128_000, rates },
  ...{ source: 'https://example.com', asOf: '2026-01-01', effectiveFrom: new Date('2026-01-01T00:00:00Z') },
};

let api: ManagementApi;
beforeEach(async () => (api = await startManagementApi({ prices: () => [price] })));
afterEach(() => api.close());

describe('GET /prices', () => {
  it('200: the prices in force, in USD per million tokens', async () => {
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
  it('200: for everybody, every route with its schemas, examples, errors and headers', async () => {
    const { status, json } = await api.get('/openapi.json', { token: null });
    expect(status).toBe(200);
    expect(json['openapi']).toMatch(/^3\.1\./);
    expect(json).toMatchObject({
      security: [{ adminToken: [] }],
      components: { securitySchemes: { adminToken: { type: 'http', scheme: 'bearer' } } },
    });
    const paths = json['paths'] as Record<string, Record<string, Node>>;
    const documented = Object.entries(paths).flatMap(([path, item]) => Object.keys(item).map((m) => `${m} ${path}`));
    expect(documented.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
    for (const { method, path, body, success, public: isPublic = false } of routes) {
      const operation = paths[path]?.[method] ?? {};
      const responses = operation['responses'] as Record<string, Node>;
      expect(operation['summary']).toEqual(expect.any(String));
      expect(Object.keys(responses)).toEqual(expect.arrayContaining([`${success.status}`, '500', '503']));
      expect('401' in responses).toBe(!isPublic);
      expect(operation['security']).toEqual(isPublic ? [] : undefined);
      expect(responses[success.status]).toMatchObject({
        content: { 'application/json': { example: withTermsInForce(success.example, TERMS) } },
      });
      expect(operation['requestBody'] === undefined).toBe(body === undefined);
      const parameters = (operation['parameters'] ?? []) as { name: string; in: string; required?: boolean }[];
      const inPath = parameters.filter((parameter) => parameter.in === 'path');
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
      expect(inPath.every(({ required }) => required)).toBe(true);
      expect(parameters.some(({ name }) => name === 'Idempotency-Key')).toBe(method === 'post');
    }
    const ids = Object.values(paths).flatMap((item) => Object.values(item).map((one) => one['operationId']));
    expect(new Set(ids).size).toBe(ids.length);
    const schemas = (json['components'] as Record<string, Node>)['schemas'];
    for (const ref of refsIn(json)) expect(schemas).toHaveProperty(ref.replace('#/components/schemas/', ''));
  });

  it.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
    'the examples of %s are as its schemas want them',
    (_, { body, success }) => {
      if (body) expect(body.schema.safeParse(body.example).error).toBeUndefined();
      expect(success.schema.parse(success.example)).toEqual(success.example);
    },
  );
});

describe('GET /docs', () => {
  const page = async () => {
    const response = await fetch(`${api.url}/docs`);
    return { response, html: await response.text() };
  };

  it('200: for everybody, names every route, field and error', async () => {
    const { response, html } = await page();
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/html; charset=utf-8/);
    for (const { method, path, success } of routes) {
      expect(html).toContain(`${method.toUpperCase()} /api${path}`);
      for (const field of Object.keys(success.example as object)) expect(html).toContain(field);
    }
    expect(html).toContain('idempotency_key_reused');
    expect(html).toContain('open_holds[].generation_id');
  });

  it('loads nothing, runs nothing, and its policy allows no more than its own style', async () => {
    const { response, html } = await page();
    expect(html).not.toMatch(/<script|<link|<img|<iframe|\son\w+=|javascript:|style="/i);
    const style = /<style>(.*?)<\/style>/s.exec(html)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    const policy = response.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`style-src 'sha256-${hash}'`);
    expect(policy).toContain("frame-ancestors 'none'");
  });

  it('every link within the page leads somewhere', async () => {
    const { html } = await page();
    const links = [...html.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
    expect(links).toHaveLength(routes.length);
    for (const id of links) expect(html).toContain(`id="${id}"`);
  });

  it('escapes whatever it shows', () => {
    const [route] = routes;
    if (!route) throw new Error('there are routes');
    const hostile = `"><script>alert('1')</script>&`;
    const document = createManagementDocument([{ ...route, summary: hostile, description: hostile }]);
    const { html } = renderDocs(document);
    expect(html).not.toContain('<script');
    expect(html).toContain('&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;');
  });
});
