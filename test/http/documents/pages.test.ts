import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { documentPages } from '../../../src/http/documents/document-pages.ts';
import { arrive } from '../../../src/http/server/request-id.ts';
import type { DocumentVersion } from '../../../src/projections/views/terms-list.ts';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8';
const at = (day: string): Date => new Date(`2026-${day}T10:00:00Z`);
const texts: Readonly<Record<string, string>> = {
  '2026-11-24': '# Terms of Service\n\n## 1. Refunds\n\nAll sales are final.\n\nThe end.\n',
  '2026-12-01': '# Terms of Service\n\n## 1. Refunds\n\nAll sales are final. Ask support.\n\nThe end.\n',
  '2026-12-20': '# Terms of Service\n\n## 1. Refunds\n\nAll sales are final. Ask our support.\n\nThe end.\n',
  '2026-12-21': '# Withdrawn\n',
};
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const version = (name: string, more: Partial<DocumentVersion> = {}): DocumentVersion => ({
  ...{
    document: 'terms',
    version: name,
    sha256: sha256(texts[name] ?? name),
    summary: `Of <${name}>`,
    significant: false,
  },
  ...{ effectiveAt: null, publishedAt: at('11-24'), withdrawn: undefined },
  ...more,
});
const published: readonly DocumentVersion[] = [
  version('2026-11-24', { summary: '' }),
  version('2026-12-01', { effectiveAt: at('12-01') }),
  version('2026-12-20', { effectiveAt: at('12-20') }),
  version('2026-12-21', { effectiveAt: at('12-21'), withdrawn: { at: at('12-02'), reason: 'a mistake' } }),
];

const servers: ReturnType<typeof createServer>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

const serve = async (more: readonly DocumentVersion[] = [], other: Readonly<Record<string, string>> = {}) => {
  const app = express();
  app.set('query parser', 'simple');
  const all = [...Object.values(texts), ...Object.values(other)];
  const pages = documentPages({
    publishedTerms: () => [...published, ...more],
    findTermsText: (hash) => {
      const text = all.find((one) => sha256(one) === hash);
      return Promise.resolve(text === undefined ? undefined : Buffer.from(text));
    },
    now: () => at('12-05'),
  });
  app.use((_request, response, next) => {
    arrive(response, '1');
    next();
  });
  for (const [route, handler] of Object.entries(pages)) app.get(route, handler);
  const server = createServer(app).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return async (path: string, accept = '*/*') => {
    const response = await fetch(url + path, { headers: { accept } });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
};

describe('the text of a document', () => {
  it('200: the one in force, with its version, hash, status and times', async () => {
    const get = await serve();
    const { status, headers, text } = await get('/terms');
    expect([status, text]).toEqual([200, texts['2026-12-01']]);
    expect(Object.fromEntries([...headers].filter(([name]) => name.startsWith('x-kissapi')))).toEqual({
      'x-kissapi-terms-version': '2026-12-01',
      'x-kissapi-terms-sha256': sha256(texts['2026-12-01'] ?? ''),
      'x-kissapi-terms-status': 'in_force',
      'x-kissapi-terms-in-force-since': '2026-12-01T10:00:00.000Z',
      'x-kissapi-terms-in-force-until': '2026-12-20T10:00:00.000Z',
    });
    expect(headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(headers.get('vary')).toMatch(/accept/i);
  });

  it('200: any version, also one that is upcoming or was withdrawn', async () => {
    const get = await serve();
    for (const [name, status] of Object.entries({
      '2026-11-24': 'past',
      '2026-12-20': 'upcoming',
      '2026-12-21': 'withdrawn',
    })) {
      const { headers, text } = await get(`/terms/${name}`);
      expect([text, headers.get('x-kissapi-terms-status')]).toEqual([texts[name], status]);
    }
  });

  it.each([
    '/terms/2026-12-02',
    '/terms/x%00',
    '/terms/2026-12-02/changes',
    '/terms/2026-12-01/changes?from=x',
    '/terms/2026-12-01/changes?from=2026-11-24&from=x',
    '/privacy',
  ])('404 terms_not_found: %s', async (path) => {
    const { status, text } = await (await serve())(path);
    expect([status, text]).toEqual([404, expect.stringContaining('terms_not_found')]);
  });

  it('404 if no node has stored it', async () => {
    const { status, text } = await (await serve([version('2026-12-22')]))('/terms/2026-12-22');
    expect([status, text]).toEqual([404, expect.stringContaining('not stored yet')]);
  });
});

describe('the differences', () => {
  it('200: to the version before, as a unified diff', async () => {
    const { status, headers, text } = await (await serve())('/terms/2026-12-20/changes');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
    expect(text).toContain('--- 2026-12-01\n+++ 2026-12-20\n');
    expect(text).toContain('-All sales are final. Ask support.\n+All sales are final. Ask our support.\n');
  });

  it('200: to another version', async () => {
    const { text } = await (await serve())('/terms/2026-12-20/changes?from=2026-11-24');
    expect(text).toContain('-All sales are final.\n+All sales are final. Ask our support.\n');
  });

  it('skip a withdrawn version', async () => {
    const later = { '2026-12-22': '# Later\n' };
    const get = await serve([version('2026-12-22', { sha256: sha256(later['2026-12-22']) })], later);
    expect((await get('/terms/2026-12-22/changes')).text).toContain('--- 2026-12-20\n');
  });

  it('404 for the first version', async () => {
    const { status, text } = await (await serve())('/terms/2026-11-24/changes');
    expect([status, text]).toEqual([404, expect.stringContaining('is the first one')]);
  });

  it('are marked word by word in a browser', async () => {
    const { text } = await (await serve())('/terms/2026-12-20/changes', BROWSER);
    expect(text).toContain('All sales are final. Ask </span><ins>our </ins><span>support.');
    expect(text).toContain('Of &lt;2026-12-20&gt;');
  });

  it('of texts that have little in common are shown within a second', async () => {
    const long = (word: string): string =>
      Array.from({ length: 5000 }, (_, n) => `${word} ${n * 7} ${word}`).join('\n');
    const other = { a: long('old'), b: long('new') };
    const versions = Object.values(other).map((text, n) => version(`2026-12-2${n + 4}`, { sha256: sha256(text) }));
    const get = await serve(versions, other);
    const began = performance.now();
    const { status, text } = await get('/terms/2026-12-25/changes', BROWSER);
    expect([status, text.includes('<del>')]).toEqual([200, true]);
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

describe('the page of a document', () => {
  it('is HTML for browsers, with a policy that allows no script', async () => {
    const { status, headers, text } = await (await serve())('/terms', BROWSER);
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'self'; /);
    expect(headers.get('content-security-policy')).not.toMatch(/script|unsafe|https?:/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(text).not.toMatch(/<script|<style|\son\w+="|style="/i);
    expect(text).toContain('<h2 id="1-refunds">1. Refunds</h2>');
    expect(headers.get('x-kissapi-terms-version')).toBe('2026-12-01');
  });

  it('announces the coming version with its date, its summary and the differences', async () => {
    const { text } = await (await serve())('/terms', BROWSER);
    const [, banner = ''] = /<aside class="coming">(.*?)<\/aside>/s.exec(text) ?? [];
    expect(banner).toContain('20 December 2026 at 10:00 UTC');
    expect(banner).toContain('Of &lt;2026-12-20&gt;');
    expect(banner).toContain('href="./terms/2026-12-20/changes"');
  });

  it('lists every version with its times', async () => {
    const { text } = await (await serve())('/terms', BROWSER);
    const rows = text
      .split('<tr>')
      .slice(2)
      .map((row) =>
        row
          .replaceAll(/<[^>]+>/g, ' ')
          .replaceAll(/\s+/g, ' ')
          .trim(),
      );
    expect(rows.map((row) => row.slice(0, 45))).toEqual([
      expect.stringMatching(/^2026-12-21 withdrawn/),
      expect.stringMatching(/^2026-12-20 takes effect on 20 December/),
      expect.stringMatching(/^2026-12-01 in force since 1 December/),
      expect.stringMatching(/^2026-11-24 in force from 24 November/),
    ]);
  });

  it.each([
    ['2026-12-20', 'This version takes effect on'],
    ['2026-11-24', 'This version was in force until'],
    ['2026-12-21', 'This version was withdrawn'],
  ])('of version %s, which is not in force, shows its status', async (name, notice) => {
    const { text } = await (await serve())(`/terms/${name}`, BROWSER);
    expect(text).toContain(notice);
    expect(text).toContain('<a href="../terms">Read the version in force.</a>');
  });

  it('shows HTML and scripts in a text as they are written', async () => {
    const hostile = {
      x: '# <script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n\n[a](javascript:alert(1)) [b](https://example.com)\n',
    };
    const get = await serve([version('2026-12-22', { sha256: sha256(hostile.x) })], hostile);
    const { text } = await get('/terms/2026-12-22', BROWSER);
    expect(text).not.toMatch(/<script|<img|href="javascript:/i);
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(text).toContain('<a href="https://example.com">b</a>');
  });

  it('has links that work below a path of a proxy, with and without a slash at the end', async () => {
    const get = await serve();
    expect((await get('/terms', BROWSER)).text).toContain('href="./documents.css"');
    expect((await get('/terms/', BROWSER)).text).toContain('href="../documents.css"');
    expect((await get('/terms/2026-12-01', BROWSER)).text).toContain('href="../documents.css"');
    expect((await get('/terms/2026-12-01/changes', BROWSER)).text).toContain('href="../../documents.css"');
    expect((await get('/documents.css')).headers.get('content-type')).toBe('text/css; charset=utf-8');
  });
});
