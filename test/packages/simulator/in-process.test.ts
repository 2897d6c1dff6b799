import { afterEach, describe, expect, it, vi } from 'vitest';
import { ConnectionFault, createSimulator } from '@kissapi/simulator';
import { bytesOf, chat, drain, eventsIn, simulate, streamed } from './calls.ts';

const simulator = createSimulator();
afterEach(() => {
  vi.useRealTimers();
});

describe('createSimulator', () => {
  const signal = new AbortController().signal;
  const send = (body: unknown, abort = signal) =>
    simulator.send({ endpoint: '/chat/completions', body: bytesOf(body), signal: abort });

  it('yields pieces of exactly chunkBytes and flushes before a reset', async () => {
    const { chunks } = await drain((await send(streamed({ chunkBytes: 100 }))).body);
    expect(new Set(chunks.slice(0, -1).map(({ length }) => length))).toEqual(new Set([100]));
    const { text } = await drain((await send(streamed({ chunkBytes: 1_000_000, breakAfter: 3 }))).body);
    expect(eventsIn(text)).toHaveLength(4);
  });

  it('rejects with ConnectionFault when the connection breaks', async () => {
    await expect(send(simulate({ resetBeforeHead: true }))).rejects.toMatchObject({ code: 'reset' });
    const { broke } = await drain((await send(streamed({ breakAfter: 1 }))).body);
    expect(broke).toBeInstanceOf(ConnectionFault);
    expect(broke).toMatchObject({ code: 'reset' });
  });

  it('sets no timer without a delay, and clears the timer on abort', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await drain((await send(chat())).body);
    await drain((await send(streamed({ outputTokens: 500 }))).body);
    expect(vi.getTimerCount()).toBe(0);

    const controller = new AbortController();
    const { body } = await send(streamed({ tokenMs: 60_000 }), controller.signal);
    const drained = drain(body);
    await new Promise(setImmediate);
    expect(vi.getTimerCount()).toBe(1);
    controller.abort(new Error('enough'));
    expect((await drained).broke).toEqual(new Error('enough'));
    expect(vi.getTimerCount()).toBe(0);
  });

  it('lets timers fire while it streams', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 5);
    const { broke } = await drain((await send(streamed({ outputTokens: 200_000 }), controller.signal)).body);
    expect(broke).toEqual(new Error('enough'));
  });

  it('can be closed while a read is pending', async () => {
    const iterator = (await send(streamed({ hang: 'midStream', text: '' }))).body[Symbol.asyncIterator]();
    const pending = iterator.next();
    expect(await iterator.return?.()).toMatchObject({ done: true });
    expect(await pending).toMatchObject({ done: true });
    expect(await iterator.next()).toMatchObject({ done: true });
  });

  it('rejects if the signal is already aborted', async () => {
    await expect(send(chat(), AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  });

  it('breaks open connections on close and rejects later requests', async () => {
    const own = createSimulator();
    const body = bytesOf(streamed({ hang: 'midStream' }));
    const response = await own.send({ endpoint: '/chat/completions', body, signal });
    setTimeout(() => void own.close(), 20);
    expect((await drain(response.body)).broke).toMatchObject({ code: 'reset' });
    await expect(own.send({ endpoint: '/chat/completions', body, signal })).rejects.toMatchObject({ code: 'connect' });
  });
});
