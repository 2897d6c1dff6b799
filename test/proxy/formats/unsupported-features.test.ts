import { describe, expect, it } from 'vitest';
import { dialects } from '../../../src/proxy/providers/openai/dialects.ts';
import { unpricedCache } from '../../../src/proxy/providers/cache-lifetimes.ts';
import { chat, readJob, request as good } from '../examples.ts';

const read = (extra: object) => readJob('/chat/completions', Buffer.from(JSON.stringify({ ...chat, ...extra })));
const part = (extra: object) => ({ messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', ...extra }] }] });
const message = (extra: object) => ({ messages: [{ role: 'user', content: 'Hi', ...extra }] });
const tool = (extra: object) => ({ tools: [{ type: 'function', function: { name: 'f' }, ...extra }] });

describe('a field without a price', () => {
  it.each<[object, string, string]>([
    [{ service_tier: 'flex' }, 'service_tier', '"flex" has no price here. Leave it out, or send "auto" or "default".'],
    [{ service_tier: 'ultrafast' }, 'service_tier', '"ultrafast" has no price here'],
    [{ service_tier: ['priority'] }, 'service_tier', 'a list has no price here'],
    [{ speed: 'fast' }, 'speed', '"fast" has no price here'],
    [{ inference_geo: 'us' }, 'inference_geo', '"us" has no price here'],
    [{ modalities: ['text', 'audio'] }, 'modalities', 'only text is sold here, and not "audio"'],
    [{ modalities: 'audio' }, 'modalities', 'only text is sold here, and not "audio"'],
    [{ tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'tools', '"web_search_20250305" is run by the'],
    [{ tools: [{ type: 'function' }, { type: 'code_interpreter' }] }, 'tools', '"code_interpreter" is run by the'],
    [{ tools: { type: 'web_search' } }, 'tools', '"web_search" is run by the provider'],
    [{ tools: [{ google_search: {} }] }, 'tools', '"google_search" is run by the provider'],
    [
      { tools: [{ type: 'function', function: {}, googleSearch: {} }] },
      'tools',
      '"googleSearch" is run by the provider',
    ],
    [{ tools: [{ type: { a: 1 } }] }, 'tools', 'an object is run by the provider'],
    [{ tools: [{ type: 'x'.repeat(1000) }] }, 'tools', `"${'x'.repeat(59)}… is run`],
    [{ web_search_options: {} }, 'web_search_options', 'searching the web is not sold here'],
    [{ enable_search: true }, 'enable_search', 'searching the web'],
    [{ web_search: true }, 'web_search', 'searching the web'],
    [{ search_parameters: { mode: 'auto' } }, 'search_parameters', 'searching the web'],
    [{ search_parameters: {} }, 'search_parameters', 'searching the web'],
    [{ plugins: [{ id: 'web' }] }, 'plugins', 'its price is not by token'],
    [{ plugins: [{ id: 'web', enabled: false }, { id: 'pdf' }] }, 'plugins', 'its price is not by token'],
    [{ audio: { voice: 'alloy' } }, 'audio', 'its price is not that of text'],
    [{ models: ['gpt-5'] }, 'models', 'priced by one model'],
    [{ background: true }, 'background', 'cannot run in the background'],
    [{ mcp_servers: [{ url: 'https://example.com' }] }, 'mcp_servers', 'its price is not by token'],
    [{ cached_content: 'cachedContents/1' }, 'cached_content', 'kept at a provider'],
    [{ extra_body: { google: { cached_content: 'cachedContents/1' } } }, 'cached_content', 'kept at a provider'],
    [{ extra_body: { web_search_options: {} } }, 'web_search_options', 'searching the web'],
  ])('%j is refused by its name: %s', (extra, param, why) => {
    const refused = read(extra);
    expect(refused).toMatchObject({ code: 'unsupported_parameter', param });
    expect((refused as { message: string }).message).toContain(`${param}: `);
    expect((refused as { message: string }).message).toContain(why);
  });

  it.each([
    ...['plugins', 'tools', 'modalities', 'models', 'mcp_servers', 'audio', 'web_search_options'].flatMap((name) => [
      { [name]: [] },
      { [name]: null },
    ]),
    ...['enable_search', 'web_search', 'web_search_options', 'background', 'plugins', 'audio'].map((name) => ({
      [name]: false,
    })),
    { search_parameters: { mode: 'off' } },
    { plugins: [{ id: 'web', enabled: false }] },
    { service_tier: 'auto', speed: 'standard', inference_geo: 'global', modalities: ['text'] },
    { service_tier: null, speed: null, inference_geo: null, extra_body: {} },
    {
      tools: [
        { name: 'f', description: 'd', input_schema: {} },
        { type: 'custom', custom: {} },
      ],
    },
  ])('%j asks for nothing', (extra) => void good(extra));
});

describe('a lifetime in a prompt cache', () => {
  const places: readonly [string, (ttl: unknown) => object][] = [
    ['prompt_cache_options.ttl', (ttl) => ({ prompt_cache_options: { mode: 'explicit', ttl } })],
    ['prompt_cache_breakpoint.ttl', (ttl) => part({ prompt_cache_breakpoint: { mode: 'explicit', ttl } })],
    ['prompt_cache_breakpoint.ttl', (ttl) => message({ prompt_cache_breakpoint: { ttl } })],
    ['cache_control.ttl', (ttl) => ({ cache_control: { type: 'ephemeral', ttl } })],
    ['cache_control.ttl', (ttl) => part({ cache_control: { type: 'ephemeral', ttl } })],
    ['cache_control.ttl', (ttl) => message({ cache_control: { ttl } })],
    ['cache_control.ttl', (ttl) => message({ tool_calls: [{ function: { name: 'f', cache_control: { ttl } } }] })],
    ['cache_control.ttl', (ttl) => tool({ cache_control: { ttl } })],
    [
      'cache_control.ttl',
      (ttl) => ({ tools: [{ type: 'function', function: { name: 'f', cache_control: { ttl } } }] }),
    ],
    ['cache_control.ttl', (ttl) => ({ system: [{ type: 'text', text: 'x', cache_control: { ttl } }] })],
    ['cache_control.ttl', (ttl) => ({ unknown: [{ deeper: { cache_control: { ttl } } }] })],
    ['extra_body.ttl', (ttl) => ({ extra_body: { ttl } })],
    ['ttl', (ttl) => ({ ttl })],
  ];

  it.each(places)('is refused at %s unless it is the one that is priced', (param, place) => {
    for (const ttl of ['12h', '1h', '24h', '5m', '30M', ' 30m', 1800, {}, ['30m']]) {
      const refused = unpricedCache(good(place(ttl)), ['30m']);
      expect([ttl, refused]).toMatchObject([ttl, { code: 'unsupported_parameter', param }]);
      expect(refused?.message).toContain('has no price here. Leave it out, or send "30m".');
    }
    for (const ttl of ['30m', null]) expect(unpricedCache(good(place(ttl)), ['30m'])).toBeUndefined();
    expect(unpricedCache(good(place('30m')), [])).toMatchObject({ param });
  });

  it('is refused as a retention that is more than memory', () => {
    for (const where of [{}, { extra_body: {} }]) {
      const retained = (value: unknown) =>
        'extra_body' in where ? { extra_body: { prompt_cache_retention: value } } : { prompt_cache_retention: value };
      expect(unpricedCache(good(retained('24h')), ['30m'])?.param).toContain('prompt_cache_retention');
      for (const value of ['in_memory', 'in-memory', null]) {
        expect(unpricedCache(good(retained(value)), [])).toBeUndefined();
      }
    }
  });

  it('is none in a schema of a tool', () => {
    const properties = { ttl: { type: 'string' }, cache_control: { type: 'object', properties: { ttl: {} } } };
    const request = good({ tools: [{ type: 'function', function: { name: 'f', parameters: { properties } } }] });
    expect(unpricedCache(request, [])).toBeUndefined();
  });

  it('is priced for OpenAI at half an hour and for Anthropic at five minutes', () => {
    expect(dialects['openai']?.cacheTtls).toEqual(['30m']);
    expect(dialects['anthropic']?.cacheTtls).toEqual(['5m']);
  });
});

describe('a chat at OpenAI', () => {
  it('is in the tier that is priced, and is not stored in the account of the operator', () => {
    expect(dialects['openai']?.chatFields).toEqual({ service_tier: 'default', store: false });
  });
});
