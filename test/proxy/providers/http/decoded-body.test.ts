import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import * as zlib from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { ProviderFailed } from '../../../../src/proxy/providers/provider.ts';
import { decodedBody } from '../../../../src/proxy/providers/http/decoded-body.ts';
import { createHttpTransport } from '../../../../src/proxy/providers/http/http-transport.ts';

type Pieces = AsyncIterableIterator<Uint8Array>;
const pieces = (bytes: Uint8Array, size: number, broken?: Error): Pieces =>
  (async function* () {
    for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
    if (broken) throw broken;
  })();
const read = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  let text = Buffer.alloc(0);
  for await (const piece of body) text = Buffer.concat([text, piece]);
  return text.toString();
};
const decode = (bytes: Uint8Array, coding: string, size = 7) => read(decodedBody(pieces(bytes, size), coding));

const text = JSON.stringify({ choices: [{ message: { content: 'Grüße '.repeat(300) } }] });
const { gzipSync: gzip, deflateSync, deflateRawSync, brotliCompressSync: br, zstdCompressSync: zstd } = zlib;
const bytes = Buffer.from(text);
/** More than the most that a small body may decode to. */
const tooMuch = Buffer.alloc(80 * 1024 * 1024);

describe('a body with a content coding', () => {
  it.each<[string, Uint8Array]>([
    ['', bytes],
    ['identity', bytes],
    ['gzip', gzip(bytes)],
    ['x-gzip', gzip(bytes)],
    ['GZip', gzip(bytes)],
    ['deflate', deflateSync(bytes)],
    ['deflate', deflateRawSync(bytes)],
    ['br', br(bytes)],
    ['zstd', zstd(bytes)],
    ['gzip, br', br(gzip(bytes))],
    ['identity, zstd ,deflate', deflateSync(zstd(bytes))],
    ['gzip,gzip', gzip(gzip(bytes))],
    ['gzip', Buffer.concat([gzip(bytes.subarray(0, 99)), gzip(bytes.subarray(99))])],
  ])('is decoded from %s, however it is cut', async (coding, encoded) => {
    for (const size of [1, 7, 100_000]) expect(await decode(encoded, coding, size)).toBe(text);
  });

  it.each(['gzip', 'deflate', 'br', 'zstd'])('may be empty: %s', async (coding) => {
    expect(await decode(Buffer.alloc(0), coding)).toBe('');
  });

  it.each<[string, () => zlib.Gzip, number]>([
    ['gzip', zlib.createGzip, zlib.constants.Z_SYNC_FLUSH],
    ['deflate', zlib.createDeflate, zlib.constants.Z_SYNC_FLUSH],
    ['br', zlib.createBrotliCompress, zlib.constants.BROTLI_OPERATION_FLUSH],
    ['zstd', zlib.createZstdCompress, zlib.constants.ZSTD_e_flush],
  ])('hands out what has come before more comes: %s', async (coding, create, flush) => {
    const encoder = create();
    const compressed = (part: string): Promise<Buffer> =>
      new Promise((resolve) => {
        encoder.write(part);
        encoder.flush(flush, () => resolve(encoder.read() as Buffer));
      });
    const more = Promise.withResolvers<Buffer>();
    const body = decodedBody(
      (async function* () {
        yield await compressed('data: 1\n\n');
        yield await more.promise;
      })(),
      coding,
    )[Symbol.asyncIterator]();
    expect(Buffer.from((await body.next()).value as Uint8Array).toString()).toBe('data: 1\n\n');
    more.resolve(await compressed('data: 2\n\n'));
    expect(Buffer.from((await body.next()).value as Uint8Array).toString()).toBe('data: 2\n\n');
  });

  it('hands out what came before the connection broke, and then fails as that did', async () => {
    const broken = new ProviderFailed('timeout', 'silent');
    const got: Uint8Array[] = [];
    const body = decodedBody(pieces(deflateRawSync(bytes, { level: 0 }).subarray(0, -100), 10, broken), 'deflate');
    await expect(
      (async () => {
        for await (const piece of body) got.push(piece);
      })(),
    ).rejects.toBe(broken);
    expect(Buffer.concat(got).length).toBeGreaterThan(bytes.length - 120);
  });

  it('does not need the checksum at its end', async () => {
    expect(await decode(gzip(bytes).subarray(0, -8), 'gzip')).toBe(text);
  });

  it.each<[string, Uint8Array]>([
    ['gzip', bytes],
    ['br', bytes],
    ['zstd', bytes],
    ['deflate', Buffer.from([0x78, 0x9c, 0xff, 0xff, 0xff])],
    ['compress', bytes],
    ['gzip, aes128gcm', gzip(bytes)],
    ['gzip,gzip,gzip,gzip,gzip', gzip(gzip(gzip(gzip(gzip(bytes)))))],
  ])('fails by `reset` if it cannot be decoded: %s', async (coding, encoded) => {
    await expect(decode(encoded, coding)).rejects.toMatchObject({ name: 'ProviderFailed', code: 'reset' });
  });

  it.each<[string, Uint8Array]>([
    ['br', br(tooMuch, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } })],
    ['zstd', zstd(tooMuch)],
    ['gzip, zstd', zstd(gzip(tooMuch, { level: 1 }))],
  ])('fails once it decodes to far more than any answer: %s', async (coding, bomb) => {
    let decoded = 0;
    const take = async (): Promise<void> => {
      for await (const piece of decodedBody(pieces(bomb, 1 << 16), coding)) decoded += piece.length;
    };
    await expect(take()).rejects.toMatchObject({ name: 'ProviderFailed', code: 'reset' });
    expect(decoded).toBeLessThan(tooMuch.length);
  });

  it('is left at once, while more of it is waited for', async () => {
    let left = false;
    const next = Promise.withResolvers<never>();
    next.promise.catch(() => undefined);
    const silent: Pieces = {
      [Symbol.asyncIterator]: () => silent,
      next: () => next.promise,
      return: () => {
        left = true;
        next.reject(new Error('the reader has left'));
        return Promise.resolve({ done: true, value: undefined });
      },
    };
    const body = decodedBody(silent, 'gzip')[Symbol.asyncIterator]();
    const pending = body.next();
    pending.catch(() => undefined);
    await body.return?.();
    expect(left).toBe(true);
    await expect(pending).rejects.toThrow();
  });
});

describe('a response that HTTP allows', () => {
  const servers: (() => void)[] = [];
  afterEach(() => servers.splice(0).forEach((close) => close()));

  /** Answers each request with these bytes, and closes the connection unless it is to stay open. */
  const answering = async (...parts: readonly (string | Uint8Array)[]) => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('data', () => {
        for (const part of parts) socket.write(part);
        socket.end();
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const upstream = createHttpTransport({
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
      apiKey: 'sk-1',
      firstByteTimeoutMs: 2000,
      idleTimeoutMs: 2000,
    });
    servers.push(() => {
      void upstream.close();
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    const signal = new AbortController().signal;
    const response = await upstream.send({ endpoint: '/chat/completions', body: Buffer.from('{}'), signal });
    return { ...response, text: await read(response.body) };
  };
  const head = (...lines: readonly string[]): string => [...lines, '', ''].join('\r\n');

  it.each<[string, readonly (string | Uint8Array)[], object]>([
    ['of HTTP/1.0 without a length', [head('HTTP/1.0 200 OK', 'Content-Type: application/json'), '{}'], { text: '{}' }],
    ['without a length', [head('HTTP/1.1 200 OK'), '{}'], { text: '{}', contentType: '' }],
    ['of no length', [head('HTTP/1.1 200 OK', 'content-length: 0')], { text: '' }],
    ['without a body', [head('HTTP/1.1 204 No Content')], { status: 204, text: '' }],
    [
      'after interim responses',
      [head('HTTP/1.1 102 Processing'), head('HTTP/1.1 103 Early Hints', 'link: x'), head('HTTP/1.1 200 OK'), '{}'],
      { status: 200, text: '{}' },
    ],
    [
      'with chunk extensions and trailers',
      [head('HTTP/1.1 200 OK', 'Transfer-Encoding: Chunked'), '2;a=b;c="d"\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n'],
      { text: '{}' },
    ],
    ['accepted for later', [head('HTTP/1.1 202 Accepted', 'content-length: 2'), '{}'], { status: 202, text: '{}' }],
    [
      'compressed under names in any case, in two headers',
      [head('HTTP/1.1 400 Bad', 'CONTENT-ENCODING: GZIP', 'Content-Encoding: br'), br(gzip(bytes))],
      { status: 400, text },
    ],
  ])('%s is read', async (_, parts, expected) => expect(await answering(...parts)).toMatchObject(expected));
});
