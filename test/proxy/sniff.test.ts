import { describe, expect, it } from 'vitest';
import { isEventStream, sniffed } from '../../src/proxy/sniff.ts';
import type { UpstreamResponse } from '../../src/proxy/upstream.ts';
import { chunk, sse } from './examples.ts';

const under = (contentType: string, body: AsyncIterable<Uint8Array>): UpstreamResponse => ({
  ...{ status: 200, contentType, body },
});
async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}
const all = async ({ body }: UpstreamResponse): Promise<string> => {
  const read: Uint8Array[] = [];
  for await (const piece of body) read.push(piece);
  return Buffer.concat(read).toString();
};

describe('a response that is looked at', () => {
  it('is told by how it begins wherever it is cut, and loses no byte by that', async () => {
    const stream = sse(chunk({ content: 'ä' }), '[DONE]');
    for (const [text, streams] of [
      [`\uFEFF${stream}`, true],
      [`\r\n\r\n${stream}`, true],
      [`\uFEFF\n \t\n${stream}`, true],
      [': \u00e4\n\n', true],
      ['\uFEFF{"data:": 1}', false],
      ['\n\n[]', false],
      ['\u00ef\u00bb', false],
    ] as const) {
      for (const size of [1, 2, 3, 1000]) {
        const response = await sniffed(under('application/json', pieces(Buffer.from(text), size)));
        expect(isEventStream(response)).toBe(streams);
        expect(await all(response)).toBe(text);
      }
    }
  });

  it('is no stream where nothing but blank lines come, of which not all are waited for', async () => {
    let taken = 0;
    async function* blank(): AsyncGenerator<Uint8Array> {
      while (taken < 1000) {
        taken++;
        yield await Promise.resolve(Buffer.alloc(1024, '\n'));
      }
    }
    const response = await sniffed(under('application/json', blank()));
    expect(isEventStream(response)).toBe(false);
    expect(taken).toBe(65);
    expect(await all(response)).toHaveLength(1000 * 1024);
  });
});
