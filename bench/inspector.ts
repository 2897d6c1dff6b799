import { once } from 'node:events';
import type { Started } from '../test/support/process.ts';

/** Makes a process of Node listen for an inspector, on a free port of this machine alone. */
export const INSPECTABLE = { NODE_OPTIONS: '--inspect=127.0.0.1:0' } as const;

export type Inspector = {
  /** Of the Chrome DevTools protocol. */
  ask<Answer>(method: string, params?: object): Promise<Answer>;
  close(): void;
};

/** Speaks to a process that was started INSPECTABLE. */
export const inspect = async (process: Started): Promise<Inspector> => {
  const [, url] = /Debugger listening on (ws:\S+)/.exec(process.output()) ?? [];
  if (url === undefined) throw new Error('the process does not say where its inspector listens');
  const socket = new WebSocket(url);
  await once(socket, 'open');
  const asked = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  socket.addEventListener('message', ({ data }) => {
    const { id, result, error } = JSON.parse(String(data)) as Reply;
    if (error) asked.get(id)?.reject(new Error(error.message));
    else asked.get(id)?.resolve(result);
    asked.delete(id);
  });
  socket.addEventListener('close', () => {
    for (const { reject } of asked.values()) reject(new Error('the process has ended'));
  });
  let last = 0;
  return {
    ask: <Answer>(method: string, params = {}) =>
      new Promise<Answer>((resolve, reject) => {
        const id = ++last;
        asked.set(id, { resolve: resolve as (answer: unknown) => void, reject });
        socket.send(JSON.stringify({ id, method, params }));
      }),
    close: () => socket.close(),
  };
};

type Reply = { readonly id: number; readonly result?: unknown; readonly error?: { readonly message: string } };
