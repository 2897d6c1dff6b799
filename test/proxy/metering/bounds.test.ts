import { describe, expect, it } from 'vitest';
import { countedTokensBound, inputTokensBound, tokensPerCounted } from '../../../src/proxy/metering/bounds.ts';
import { mediaOf } from '../../../src/proxy/media/media-parts.ts';
import type { Job } from '../../../src/proxy/formats/format.ts';
import { png, wav } from '../media/media.ts';
import type { Endpoint } from '../../../src/proxy/providers/http/transport.ts';
import { isBadRequest } from '../../../src/proxy/formats/format.ts';
import { goodJob, like, readJob } from '../examples.ts';

const model = { ...like('gpt-4o'), contextTokens: 1_000_000 };
const small = { ...model, contextTokens: 1000 };
/** What gpt-4o makes of a picture of which nobody knows how large it is. */
const PICTURE = 85 + 8 * 170;
const read = (fields: object, endpoint?: Endpoint): Job => goodJob({ model: 'm', ...fields }, endpoint);
const noMedia = { tokens: 0, least: 0, bytes: 0 };
const chat = (...content: unknown[]) => read({ messages: [{ role: 'user', content }] });

const counted = (request: Job, tokens: number) =>
  countedTokensBound(request, model, mediaOf(request, model), { texts: request.texts(), tokens });
const bytesBound = (request: Job, reader: typeof model) => inputTokensBound(request, reader, mediaOf(request, reader));

describe('inputTokensBound', () => {
  it('is the bytes of the body, for no token is less than one', () => {
    const request = read({ messages: [{ role: 'user', content: '家族 😀' }] });
    expect(bytesBound(request, model)).toBe(request.body.length);
    expect(request.body.length).toBeGreaterThan('家族 😀'.length);
  });

  it('is never more than the model reads, once for each choice', () => {
    const long = { messages: [{ role: 'user', content: 'x'.repeat(5000) }] };
    expect(bytesBound(read(long), small)).toBe(1000);
    expect(bytesBound(read({ prompt: ['x'.repeat(5000), 'y'.repeat(5000)] }, '/completions'), small)).toBe(2000);
  });

  it('of embeddings is the bytes alone: each of many inputs may fill the context', () => {
    const request = read({ input: Array.from({ length: 10 }, () => 'x'.repeat(5000)) }, '/embeddings');
    expect(bytesBound(request, small)).toBe(request.body.length);
  });

  it('counts pictures and sound apart from their bytes', () => {
    // Of no known size; and a WAV of 12 seconds.
    const data = 'A'.repeat(300_000);
    const sound = wav({ samplesPerSecond: 24_000, bits: 16, seconds: 12 }).toString('base64');
    const request = chat(
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } },
      { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
      { type: 'input_audio', input_audio: { data: sound, format: 'wav' } },
    );
    for (const bound of [bytesBound(request, model), counted(request, 5)]) {
      expect(bound).toBeGreaterThan(2 * PICTURE + 120);
      expect(bound).toBeLessThan(2 * PICTURE + 120 + 500);
    }
  });

  it('cannot be talked below zero', () => {
    // JSON writes these six bytes for one character each: what is taken off is less than what is there.
    const request = chat({ type: 'image_url', image_url: { url: '\u0001'.repeat(1000) } });
    expect(bytesBound(request, model)).toBeGreaterThan(PICTURE + 4000);
  });

  it.each<[string, unknown]>([
    ['a file', { type: 'file', file: { file_data: 'data:application/pdf;base64,JVBERi0=' } }],
    ['sound without a length', { type: 'input_audio', input_audio: { data: 'T2dnUw==', format: 'ogg' } }],
    ['a PDF instead of a picture', { type: 'image_url', image_url: { url: 'data:application/pdf;base64,JVBERi0=' } }],
    ['a video instead of one', { type: 'image_url', image_url: ' DATA:video/mp4;base64,AAAA' }],
    ['data of no type', { type: 'image_url', image_url: { url: 'data:;base64,AAAA' } }],
    ['what nobody knows', { type: 'video_url', video_url: { url: 'https://example.com' } }],
    ['what has no type', { image: 'iVBORw0KGgo=' }],
  ])('is all that the model reads where there is %s', (_what, part) => {
    const request = chat({ type: 'text', text: 'Read this.' }, part);
    expect(bytesBound(request, model)).toBe(model.contextTokens);
    // And is so however the texts are counted.
    expect(counted(request, 3)).toBeGreaterThanOrEqual(model.contextTokens);
  });

  it('is the bytes where parts are text, whatever they are called', () => {
    const parts = [{ text: 'a' }, 'b', { type: 'thinking', thinking: 'c' }, { type: 'refusal', refusal: 'd' }];
    const request = chat(...parts);
    expect(bytesBound(request, model)).toBe(request.body.length);
  });

  it('looks at no more pictures than a provider takes, so that nobody waits for a million of them', () => {
    const tiny = { type: 'image_url', image_url: { url: `data:image/png;base64,${png(1, 1).toString('base64')}` } };
    const bound = bytesBound(chat(...Array.from({ length: 1002 }, () => tiny)), {
      ...model,
      contextTokens: Infinity,
    });
    const ofTwo = bytesBound(chat(tiny, tiny), model) - bytesBound(chat(tiny), model);
    // All but two cost a tile.
    expect(bound - 1002 * ofTwo).toBeGreaterThan(2 * (8 - 1) * 170 - 100);
    expect(bound - 1002 * ofTwo).toBeLessThan(2 * (8 - 1) * 170 + 100);
  });

  it('takes no offence at what is none', () => {
    for (const content of [null, 7, [null], [7], [{ type: 7 }], [{ type: 'image_url', image_url: null }]]) {
      const request = read({ messages: [null, 'x', { role: 'user', content }] });
      expect(bytesBound(request, model)).toBeGreaterThan(0);
    }
  });
});

describe('the texts of a job', () => {
  it('are what a model reads: texts, calls of tools, and the tools', () => {
    const calls = [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }];
    const tools = [{ type: 'function', function: { name: 'f' } }];
    const request = read({
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Hi' },
            { type: 'image_url', image_url: { url: 'x' } },
          ],
        },
        { role: 'assistant', content: null, tool_calls: calls },
      ],
      tools,
    });
    expect(request.texts()).toEqual(['Be brief.', 'Hi', JSON.stringify(calls), JSON.stringify(tools)]);
  });

  it('leave out what is nested too deeply to be written, which bytes bound all the same', () => {
    const depth = 20_000;
    const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
    const message = `{"role":"assistant","content":"Hi","tool_calls":${deep}}`;
    const body = Buffer.from(`{"model":"m","messages":[${message}],"tools":${deep}}`);
    const request = readJob('/chat/completions', body);
    if (isBadRequest(request)) throw new Error(request.message);
    expect(request.texts()).toEqual(['Hi']);
    expect(counted(request, 1)).toBeGreaterThan(4 * depth);
  });

  it('of the other endpoints are their prompts and inputs', () => {
    expect(read({ prompt: 'a' }, '/completions').texts()).toEqual(['a']);
    expect(read({ prompt: ['a', 'b'] }, '/completions').texts()).toEqual(['a', 'b']);
    expect(read({ input: ['a', 'b'] }, '/embeddings').texts()).toEqual(['a', 'b']);
  });
});

describe('countedTokensBound', () => {
  it('is nearer than the bytes, and more than what was counted', () => {
    const request = read({ messages: [{ role: 'user', content: 'word '.repeat(1000) }] });
    expect(counted(request, 1000)).toBeGreaterThan(1150);
    expect(counted(request, 1000)).toBeLessThan(1250);
  });

  it.each([['claude-opus-5-5'], ['deepseek-flash'], [undefined]])('leaves room for another tokenizer: %s', (name) => {
    const texts = ['word '.repeat(1000)];
    const asked = read({ messages: [{ role: 'user', content: texts[0] }] });
    const facts = name === undefined ? {} : like(name);
    expect(tokensPerCounted(facts)).toBe(1.5);
    const reader = { contextTokens: model.contextTokens, ...facts };
    expect(countedTokensBound(asked, reader, noMedia, { texts, tokens: 1000 })).toBeGreaterThan(1500);
  });

  it.each(['gpt-4o', 'gpt-4.1-mini', 'gpt-5', 'o3', 'simulated-chat'])('counts the tokens of %s as it does', (name) =>
    expect(tokensPerCounted(like(name))).toBe(1),
  );

  it('lets nothing pass uncounted: what is no text counts by its bytes', () => {
    const schema = { description: 'x'.repeat(9000) };
    const hidden = [
      { response_format: { type: 'json_schema', json_schema: { name: 'n', schema } } },
      { functions: [{ name: 'f', parameters: schema }] },
      { prediction: { type: 'content', content: 'x'.repeat(9000) } },
      { nobody_knows: schema },
    ];
    for (const fields of hidden) {
      const request = read({ messages: [{ role: 'user', content: 'Hi' }], ...fields });
      expect(counted(request, 1)).toBeGreaterThan(9000);
    }
  });

  it('counts tokens that come in lists', () => {
    const ids = Array.from({ length: 500 }, (_, n) => n);
    for (const input of [ids, [ids, ids]]) {
      const request = read({ input }, '/embeddings');
      expect(request.tokenIds()).toBe(input.flat().length);
      expect(counted(request, 0)).toBeGreaterThan(input.flat().length);
    }
    expect(read({ prompt: [1, 2, 3] }, '/completions').tokenIds()).toBe(3);
    expect(read({ prompt: 'x' }, '/completions').tokenIds()).toBe(0);
    expect(chat({ type: 'text', text: 'x' }).tokenIds()).toBe(0);
  });
});
