import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createBodyMemory, type BodyMemory } from '../../../src/http/server/body-memory.ts';
import { createReadBody, type WholeBody } from '../../../src/http/server/read-body.ts';
import type { Problem } from '../../../src/http/server/problems.ts';

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

const MAX_BYTES = 10_000;

type Sent = string | Uint8Array | ReadableStream;
type Options = { readonly memory?: BodyMemory; readonly hold?: Promise<void> };

/** A server that answers with what it read, and holds each share until it has answered. */
const open = async ({ memory = createBodyMemory({ limitBytes: 1e9, waitMs: 0 }), hold }: Options = {}) => {
  const failures: unknown[] = [];
  const read = createReadBody({ maxBytes: MAX_BYTES, memory });
  const server = createServer((request, response) => {
    const answer = (outcome: WholeBody | Problem): void => {
      if ('status' in outcome) return void response.writeHead(outcome.status).end(JSON.stringify(outcome));
      void Promise.resolve(hold).then(() => {
        outcome.share.release();
        response.end(outcome.bytes);
      });
    };
    read(request).then(answer, (error: unknown) => failures.push(error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  const post = (body: Sent, encoding?: string) =>
    fetch(`http://127.0.0.1:${port}`, {
      method: 'POST',
      body,
      duplex: 'half',
      headers: encoding === undefined ? {} : { 'content-encoding': encoding },
    } as RequestInit);
  return { port, post, memory, failures };
};

const text = 'How are you? '.repeat(500);
const inPieces = (bytes: Uint8Array, size = 1000): ReadableStream =>
  new ReadableStream({
    start: (to) => {
      for (let at = 0; at < bytes.length; at += size) to.enqueue(bytes.slice(at, at + size));
      to.close();
    },
  });

describe('a body', () => {
  it.each<[string | undefined, (bytes: Buffer) => Buffer]>([
    [undefined, (bytes) => bytes],
    ['', (bytes) => bytes],
    ['identity', (bytes) => bytes],
    ['gzip', gzipSync],
    ['GZip', gzipSync],
    ['x-gzip', gzipSync],
    ['X-GZIP', gzipSync],
    ['identity, gzip', gzipSync],
    [' gzip ,', gzipSync],
    ['deflate', deflateSync],
    ['x-deflate', deflateSync],
    ['br', brotliCompressSync],
    ['deflate, gzip', (bytes) => gzipSync(deflateSync(bytes))],
  ])('is read in the content-encoding %s, with and without a length', async (encoding, encode) => {
    const { post, memory } = await open();
    const bytes = encode(Buffer.from(text));
    for (const sent of [new Uint8Array(bytes), inPieces(bytes)]) {
      const response = await post(sent, encoding);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(text);
    }
    await vi.waitFor(() => expect(memory.usedBytes).toBe(0));
  });

  it.each(['zip', 'gzip2', 'gzip, zip', 'constructor', 'gzip, gzip, gzip', 'g zip'])(
    'in the content-encoding %s is refused, and that is named',
    async (encoding) => {
      const { post } = await open();
      const response = await post(text, encoding);
      expect(response.status).toBe(415);
      const told = (await response.json()) as Problem;
      expect(told).toMatchObject({ code: 'unsupported_media_type', param: 'content-encoding' });
      expect(told.message).toContain('content-encoding');
      expect(told.message).not.toContain('content-type');
    },
  );

  it('that is not encoded as it says, or only in part, is refused', async () => {
    const { post, memory } = await open();
    for (const bytes of [Buffer.from(text), gzipSync(text).subarray(0, 50)]) {
      const response = await post(new Uint8Array(bytes), 'gzip');
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: 'invalid_request' });
    }
    expect(memory.usedBytes).toBe(0);
  });

  it('of more bytes than are taken is refused, whether it says so or not, also once decoded', async () => {
    const { post, memory } = await open();
    const large = Buffer.alloc(MAX_BYTES + 1, 'x');
    const sent: readonly [Sent, string?][] = [
      [new Uint8Array(large)],
      [inPieces(large)],
      [new Uint8Array(gzipSync(large)), 'gzip'],
      [inPieces(gzipSync(large)), 'gzip'],
    ];
    for (const [body, encoding] of sent) expect((await post(body, encoding)).status).toBe(413);
    expect((await post(new Uint8Array(large.subarray(1)))).status).toBe(200);
    expect(memory.usedBytes).toBe(0);
  });

  it('without room is refused and may be sent again, whether its length is known or not', async () => {
    const memory = createBodyMemory({ limitBytes: 6 * MAX_BYTES, waitMs: 10 });
    const hold = Promise.withResolvers<void>();
    const { post } = await open({ memory, hold: hold.promise });
    const first = post('x'.repeat(MAX_BYTES));
    await vi.waitFor(() => expect(memory.usedBytes).toBeGreaterThan(0));
    const sent: readonly [Sent, string?][] = [
      ['x'.repeat(MAX_BYTES)],
      [inPieces(Buffer.alloc(MAX_BYTES))],
      [new Uint8Array(gzipSync(Buffer.alloc(MAX_BYTES))), 'gzip'],
    ];
    for (const [body, encoding] of sent) {
      const refused = await post(body, encoding);
      expect(refused.status).toBe(503);
      expect(await refused.json()).toMatchObject({ code: 'server_is_overloaded', shouldRetry: true });
    }
    hold.resolve();
    expect((await first).status).toBe(200);
    await vi.waitFor(() => expect(memory.usedBytes).toBe(0));
    expect((await post('x'.repeat(MAX_BYTES))).status).toBe(200);
  });

  it('that breaks off gives its memory back', async () => {
    const { port, memory, failures } = await open();
    const socket = connect(port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf');
    await vi.waitFor(() => expect(memory.usedBytes).toBeGreaterThan(0));
    socket.destroy();
    await vi.waitFor(() => expect(failures).toHaveLength(1));
    expect(memory.usedBytes).toBe(0);
  });
});
