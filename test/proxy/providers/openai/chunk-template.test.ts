import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStreamReader } from '../../../../src/proxy/providers/openai/stream-reader.ts';

/** What is read of each chunk, and what is passed on of it. */
const read = (chunks: readonly string[]) => {
  const { events } = createStreamReader().read(Buffer.from(chunks.map((chunk) => `data: ${chunk}\n\n`).join('')));
  return events.map((event) => ({ ...event, ...(event.kind === 'delta' ? { wire: event.wire?.() } : {}) }));
};
/** The same of a chunk that follows no other, so that there is no template. */
const readAlone = (chunk: string) => read([JSON.stringify({ id: 'chatcmpl-1', choices: [] }), chunk]).slice(1);

const chunkOf = (choice: object, more: object = { usage: null }): string =>
  JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'm', choices: [choice], ...more });
const content = (text: string): string =>
  chunkOf({ index: 0, delta: { content: text }, logprobs: null, finish_reason: null });

const begun = [chunkOf({ index: 0, delta: { role: 'assistant', content: '' } }), content('Hello'), content(' you')];
const readAfter = (chunk: string) => read([...begun, chunk]).slice(begun.length);

describe('a chunk like the ones before it', () => {
  it('is read as if it were the only one, whatever its text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('"', '\\', 'u', '0', 'a') }),
    );
    const same = (one: string): void => {
      expect(readAfter(content(one))).toEqual(readAlone(content(one)));
    };
    fc.assert(fc.property(text, same), { numRuns: 1000 });
  });

  it('is read as if it were the only one, whatever stands in the place of its text', () => {
    const [before = '', after = ''] = content('|').split('|');
    const unit = fc.constantFrom(...['"', '\\', ',', ':', '{', '}', 'a', 'content', 'finish_reason', 'stop', 'null']);
    const same = (one: string): void => {
      expect(readAfter(before + one + after)).toEqual(readAlone(before + one + after));
    };
    fc.assert(fc.property(fc.string({ unit }), same), { numRuns: 2000 });
    same('a","role":"b');
    same('"},"finish_reason":"stop","delta":{"content":"');
    same('\u0041\\u0041');
  });

  it.each([
    ['with a finish reason', chunkOf({ index: 0, delta: { content: 'x' }, logprobs: null, finish_reason: 'length' })],
    ['with an error', chunkOf({ index: 0, delta: { content: 'x' }, logprobs: null, finish_reason: 'error' })],
    ['of another choice', chunkOf({ index: 1, delta: { content: 'x' }, logprobs: null, finish_reason: null })],
    ['with usage', content('x').replace('"usage":null', '"usage":{"prompt_tokens":1}')],
    [
      'with more text',
      chunkOf({ index: 0, delta: { content: 'x', refusal: 'no' }, logprobs: null, finish_reason: null }),
    ],
    ['cut short', content('x').slice(0, -1)],
  ])('is read in full if it differs: %s', (_, chunk) => expect(readAfter(chunk)).toEqual(readAlone(chunk)));
});

describe('chunks whose text is not the only output', () => {
  it.each([
    [
      'beside a longer text of the choice',
      (text: string) => chunkOf({ index: 0, text: 'longer', delta: { content: text } }),
    ],
    ['beside reasoning', (text: string) => chunkOf({ index: 0, delta: { reasoning: 'ab', content: text } })],
    ['twice under one name', (text: string) => content(text).replace('"content"', '"content":"first","content"')],
    ['in two choices', (text: string) => JSON.stringify({ choices: [{ delta: { content: text } }, { index: 1 }] })],
    ['as a field that is no output', (text: string) => chunkOf({ index: 0, delta: { role: text } })],
  ])('are read in full: %s', (_, chunk) => {
    const texts = ['Hello', 'ab', 'abc', '', 'a text that is longer than the others'];
    const all = [JSON.stringify({ id: 'chatcmpl-1', choices: [] }), ...texts.map(chunk)];
    expect(read(all).slice(1)).toEqual(texts.flatMap((text) => readAlone(chunk(text))));
  });
});
