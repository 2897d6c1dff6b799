import { once } from 'node:events';
import type { Started } from '../../test/support/process.ts';

/** Makes a Node process listen for an inspector, on a free port of the loopback interface. */
export const INSPECTABLE = { NODE_OPTIONS: '--inspect=127.0.0.1:0' } as const;

type Ask = <Answer>(method: string, params?: object) => Promise<Answer>;

export type Inspector = {
  /** Sends a method of the Chrome DevTools Protocol to the main thread. */
  readonly ask: Ask;
  /** The same for the thread whose script URL ends with `file`; undefined if there is no such thread. */
  askThread(file: string): Promise<Ask | undefined>;
  close(): void;
};

/** Numbers the requests, and matches the responses to them. */
const createDialogue = (send: (message: string) => void) => {
  const asked = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  let last = 0;
  return {
    ask: <Answer>(method: string, params = {}) =>
      new Promise<Answer>((resolve, reject) => {
        const id = ++last;
        asked.set(id, { resolve: resolve as (answer: unknown) => void, reject });
        send(JSON.stringify({ id, method, params }));
      }),
    hear: ({ id, result, error }: Message): void => {
      if (id === undefined) return;
      if (error) asked.get(id)?.reject(new Error(error.message));
      else asked.get(id)?.resolve(result);
      asked.delete(id);
    },
    end: (): void => {
      for (const { reject } of asked.values()) reject(new Error('the process has ended'));
    },
  };
};
type Dialogue = ReturnType<typeof createDialogue>;

/** Connects to a process that was started with INSPECTABLE. */
export const inspect = async (process: Started): Promise<Inspector> => {
  const [, url] = /Debugger listening on (ws:\S+)/.exec(process.output()) ?? [];
  if (url === undefined) throw new Error('the process printed no inspector address');
  const socket = new WebSocket(url);
  await once(socket, 'open');
  const main = createDialogue((message) => socket.send(message));
  const threads = new Map<string, Dialogue & { readonly file: string }>();
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    const { sessionId = '', workerInfo, message: told } = message.params ?? {};
    if (message.method === 'NodeWorker.attachedToWorker') {
      const send = (text: string): void =>
        void main.ask('NodeWorker.sendMessageToWorker', { message: text, sessionId }).catch(() => undefined);
      threads.set(sessionId, { ...createDialogue(send), file: workerInfo?.url ?? '' });
    } else if (message.method === 'NodeWorker.receivedMessageFromWorker') {
      threads.get(sessionId)?.hear(JSON.parse(told ?? '{}') as Message);
    } else if (message.method === 'NodeWorker.detachedFromWorker') {
      threads.get(sessionId)?.end();
      threads.delete(sessionId);
    } else main.hear(message);
  });
  socket.addEventListener('close', () => {
    for (const { end } of [main, ...threads.values()]) end();
  });
  return {
    ask: main.ask,
    askThread: async (file) => {
      // The events for existing threads arrive before the response.
      await main.ask('NodeWorker.enable', { waitForDebuggerOnStart: false });
      return [...threads.values()].find((thread) => thread.file.endsWith(file))?.ask;
    },
    close: () => socket.close(),
  };
};

/** A response or an event. */
type Message = {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
  readonly method?: string;
  readonly params?: {
    readonly sessionId?: string;
    readonly workerInfo?: { readonly url: string };
    readonly message?: string;
  };
};
