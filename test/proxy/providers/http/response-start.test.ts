import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readStart } from '../../../../src/proxy/providers/http/response-start.ts';
import type { TransportResponse } from '../../../../src/proxy/providers/http/transport.ts';
import { bodyOf, chunk, never, sse, type Piece } from '../../examples.ts';

const JSON_TYPE = 'application/json';
const STREAM_TYPE = 'text/event-stream';
const under = (contentType: string, body: AsyncIterable<Uint8Array>): TransportResponse => ({
  ...{ status: 200, contentType, body },
});
async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}
const all = async ({ body }: TransportResponse): Promise<string> => {
  const read: Uint8Array[] = [];
  for await (const piece of body) read.push(piece);
  return Buffer.concat(read).toString();
};

describe('the start of a response', () => {
  const stream = sse(chunk({ content: 'ä' }), '[DONE]');

  it.each<[string, string, boolean]>([
    [JSON_TYPE, `\uFEFF${stream}`, true],
    [JSON_TYPE, `\r\n\r\n${stream}`, true],
    [JSON_TYPE, `\uFEFF\n \t\n${stream}`, true],
    [JSON_TYPE, ': \u00e4\n\n', true],
    ['', stream, true],
    [JSON_TYPE, '\uFEFF{"data:": 1}', false],
    [JSON_TYPE, '\n\n[]', false],
    ['', '{}', false],
    [JSON_TYPE, '\u00ef\u00bb', false],
    [STREAM_TYPE, stream, true],
    ['Text/Event-Stream;charset=UTF-8; x=y', stream, true],
    [STREAM_TYPE, 'x: 1\n\n', true],
    [STREAM_TYPE, '', true],
    [STREAM_TYPE, '{"choices":[]}', false],
    [STREAM_TYPE, '\n[{"error":{}}]', false],
  ])('of type %j that is %j is a stream: %s, however it is cut', async (contentType, text, streams) => {
    const bytes = Buffer.from(text);
    for (const size of [1, 2, 3, 1000]) {
      const start = await readStart(under(contentType, pieces(bytes, size)));
      expect(start.streams).toBe(streams);
      expect((await all(start.response)).replace(/^\uFEFF/, '')).toBe(text.replace(/^\uFEFF/, ''));
    }
  });

  it('leaves out a byte order mark, which some clients take for a part of the first field', async () => {
    for (const contentType of [JSON_TYPE, STREAM_TYPE]) {
      const start = await readStart(under(contentType, pieces(Buffer.from(`\uFEFF${stream}`), 2)));
      const first = await start.response.body[Symbol.asyncIterator]().next();
      expect(Buffer.from(first.value as Uint8Array).toString('latin1')).toMatch(/^data/);
    }
  });

  it('has the first event, behind comments', async () => {
    const text = `: wait\n\n: wait\n\nevent: error\ndata: 1\n\n${stream}`;
    for (const size of [1, 5, 1000]) {
      const start = await readStart(under(STREAM_TYPE, pieces(Buffer.from(text), size)));
      expect(start.event).toMatchObject({ data: '1', event: 'error' });
      expect(await all(start.response)).toBe(text);
    }
  });

  it('is no stream if only blank lines come, of which not all are waited for', async () => {
    let taken = 0;
    async function* blank(): AsyncGenerator<Uint8Array> {
      while (taken < 1000) {
        taken++;
        yield await Promise.resolve(Buffer.alloc(1024, '\n'));
      }
    }
    const start = await readStart(under(JSON_TYPE, blank()));
    expect(start.streams).toBe(false);
    expect(taken).toBe(65);
    expect(await all(start.response)).toHaveLength(1000 * 1024);
  });

  it('passes a failure on when that is read', async () => {
    const broken = new Error('broken');
    const start = await readStart(under(STREAM_TYPE, bodyOf([': wait\n\n', broken])));
    expect(start).toMatchObject({ streams: true, event: undefined });
    const body = start.response.body[Symbol.asyncIterator]();
    await body.next();
    await expect(body.next()).rejects.toBe(broken);
  });

  describe('of a slow stream', () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    it('is not waited for long, and loses nothing by that', async () => {
      for (const begun of [[], [': wait\n\n']] as const) {
        const more = Promise.withResolvers<void>();
        const slow: Piece[] = [...begun, more.promise, stream];
        const reading = readStart(under(STREAM_TYPE, bodyOf(slow)));
        await vi.advanceTimersByTimeAsync(10_000);
        const start = await reading;
        expect(start).toMatchObject({ streams: true, event: undefined });
        more.resolve();
        expect(await all(start.response)).toBe(begun.join('') + stream);
      }
    });

    it('is waited for if only that shows whether it is one', async () => {
      let known = false;
      void readStart(under(JSON_TYPE, bodyOf([never]))).then(() => (known = true));
      await vi.advanceTimersByTimeAsync(60_000);
      expect(known).toBe(false);
    });
  });
});
