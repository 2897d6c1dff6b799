import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool, type Dispatcher } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exchange } from '../../../../src/proxy/providers/http/exchange.ts';
import { SOON } from '../../../support/soon.ts';

let server: Server;
let play: (response: ServerResponse) => void;
let pool: Pool;
beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    request.on('end', () => play(response));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => server.close());
beforeEach(() => {
  pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterEach(() => pool.destroy());

const ask = (signal = new AbortController().signal) =>
  exchange(pool, { path: '/', method: 'POST', body: Buffer.from('{}') }, signal);
const turns = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve));
};

describe('an exchange with an upstream', () => {
  it('hands out what came together as one piece', async () => {
    let end = (): void => undefined;
    play = (response) => {
      for (const part of ['a', 'b', 'c']) response.write(part);
      end = () => response.end('d');
    };
    const { head, body } = ask();
    expect((await head).status).toBe(200);
    await turns(20);
    expect((await body.next()).value?.toString()).toBe('abc');
    end();
    expect((await body.next()).value?.toString()).toBe('d');
    expect(await body.next()).toEqual({ done: true, value: undefined });
  });

  it('hands out what came before the connection broke, and then says that it did', async () => {
    play = (response) => response.write('said', () => response.destroy());
    const { head, body } = ask();
    await head;
    await turns(50);
    expect((await body.next()).value?.toString()).toBe('said');
    await expect(body.next()).rejects.toMatchObject({ name: 'ProviderFailed', code: 'reset' });
  });

  it('holds an upstream up whose reader does not read, and loses nothing', async () => {
    const block = Buffer.alloc(64 * 1024, 'x');
    const blocks = 800;
    let written = 0;
    play = (response) => {
      const go = (): void => {
        while (written < blocks) {
          written++;
          if (!response.write(block)) return void response.once('drain', go);
        }
        response.end();
      };
      go();
    };
    const { head, body } = ask();
    await head;
    const stalled = async (): Promise<boolean> => {
      const before = written;
      await turns(500);
      return written === before;
    };
    await expect.poll(stalled, SOON).toBe(true);
    expect(written).toBeLessThan(blocks);
    let bytes = 0;
    for await (const piece of body) bytes += piece.length;
    expect(bytes).toBe(blocks * block.length);
  });

  it('drops what was not read where the signal aborts, and tells its reason', async () => {
    const gone = new AbortController();
    let closed = false;
    play = (response) => {
      response.on('close', () => (closed = true));
      response.write('unread');
    };
    const { head, body } = ask(gone.signal);
    await head;
    await turns(20);
    const reason = new Error('nobody needs it any more');
    gone.abort(reason);
    await expect(body.next()).rejects.toBe(reason);
    await expect.poll(() => closed, SOON).toBe(true);
  });

  it('hands out nothing that the parser still had when the signal aborted', async () => {
    const gone = new AbortController();
    let started: Dispatcher.DispatchHandler = {};
    const controller = { abort: () => undefined, pause: () => undefined, resume: () => undefined, paused: false };
    const from = controller as unknown as Dispatcher.DispatchController;
    const dispatcher = { dispatch: (_: unknown, handler: Dispatcher.DispatchHandler) => (started = handler) };
    const { body } = exchange(dispatcher as unknown as Dispatcher, { path: '/', method: 'POST' }, gone.signal);
    started.onRequestStart?.(from, undefined);
    started.onResponseStart?.(from, 200, {}, 'OK');
    const reason = new Error('nobody needs it any more');
    gone.abort(reason);
    started.onResponseData?.(from, Buffer.from('too late'));
    await expect(body.next()).rejects.toBe(reason);
  });

  it('closes the connection where its reader leaves, and keeps it where the answer was whole', async () => {
    let connections = 0;
    server.on('connection', () => connections++);
    play = (response) => response.end('all');
    for (let n = 0; n < 3; n++) for await (const piece of ask().body) expect(piece.toString()).toBe('all');
    // Two, where the second request comes before the first connection is put back.
    expect(connections).toBeLessThanOrEqual(2);
    let closed = false;
    play = (response) => {
      response.on('close', () => (closed = true));
      response.write('first');
    };
    for await (const piece of ask().body) {
      expect(piece.toString()).toBe('first');
      break;
    }
    await expect.poll(() => closed, SOON).toBe(true);
  });

  it('asks nobody where the signal has aborted before', async () => {
    play = () => expect.unreachable();
    const reason = new Error('gone');
    await expect(ask(AbortSignal.abort(reason)).head).rejects.toBe(reason);
  });
});
