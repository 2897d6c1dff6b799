import { Agent, get, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { openDoor } from '../../src/gateway/http-server.ts';

/** Answers at once, or when the test lets it. */
const opened = async (delayMs: number) => {
  const slow = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const drained = Promise.withResolvers<void>();
  const door = await openDoor({
    app: (request, response) => {
      if (request.url !== '/slow') return void response.end('ok');
      asked.resolve();
      void slow.promise.then(() => response.end('ok'));
    },
    attend: () => undefined,
    ...{ host: '127.0.0.1', port: 0, delayMs, graceMs: 1000 },
    drain: async () => {
      drained.resolve();
      await slow.promise;
    },
  });
  const agent = new Agent({ keepAlive: true });
  const ask = async (path: string): Promise<IncomingMessage> => {
    const [answer] = (await once(get({ port: door.port, path, agent }), 'response')) as [IncomingMessage];
    answer.resume();
    return answer;
  };
  return { door, ask, slow, asked: asked.promise, drained: drained.promise };
};

describe('a door that closes', () => {
  it('continues to serve during the delay, and closes the connection with each answer', async () => {
    const { door, ask, slow, asked, drained } = await opened(60_000);
    expect((await ask('/')).headers.connection).toBe('keep-alive');
    const underWay = ask('/slow');
    await asked;
    void door.close();
    expect(await Promise.race([drained.then(() => 'drained'), ask('/')])).toMatchObject({ statusCode: 200 });
    expect((await ask('/')).headers.connection).toBe('close');
    slow.resolve();
    expect((await underWay).headers.connection).toBe('close');
  });

  it('drains after the delay, and without one at once', async () => {
    for (const delayMs of [0, 50]) {
      const { door, slow, drained } = await opened(delayMs);
      const closed = door.close();
      await drained;
      slow.resolve();
      await closed;
    }
  });
});
