import { createServer, type RequestListener, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Connections that came at once and are not taken up yet; beyond Node's 511 a rush would be turned away. */
const BACKLOG = 4096;
const SETTINGS: ServerOptions = {
  maxHeaderSize: 64 * 1024,
  requestTimeout: 120_000,
  headersTimeout: 30_000,
  keepAliveTimeout: 75_000,
  // The app says it better than the server, which says nothing.
  requireHostHeader: false,
};
/** How long the last answers may take to leave after the grace. */
const LAST_WORDS_MS = 2000;
/** How long the streams that end with the grace may take to be metered and settled. */
const METERED_WITHIN_MS = 6000;

export type DoorOptions = {
  readonly app: RequestListener;
  /** Listens to what the server tells besides requests. */
  readonly attend: (server: Server) => void;
  readonly host: string;
  readonly port: number;
  /** How long requests are still served after `close`, so that a balancer can notice that this node is not ready. */
  readonly delayMs: number;
  /** How long requests under way may take after that. */
  readonly graceMs: number;
  /** Ends what is under way, within the grace. */
  readonly drain: (graceMs: number) => Promise<unknown>;
};

export type Door = {
  readonly port: number;
  /** Serves on for the delay, then lets requests under way finish and refuses new ones; then no connection is left. */
  close(): Promise<void>;
};

/** Throws CannotListen. */
export const openDoor = async (options: DoorOptions): Promise<Door> => {
  const { app, attend, host, port, delayMs, graceMs, drain } = options;
  const underWay = new Set<ServerResponse>();
  let leaving = false;
  const server = createServer(SETTINGS, (request, response) => {
    response.shouldKeepAlive &&= !leaving;
    underWay.add(response);
    response.once('close', () => underWay.delete(response));
    app(request, response);
  });
  attend(server);
  await listen(server, port, host);
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      // The answers say `connection: close`, so that the clients connect anew, to another node.
      leaving = true;
      for (const response of underWay) if (!response.headersSent) response.shouldKeepAlive = false;
      if (delayMs > 0) await sleep(delayMs);
      // Close connections whose clients do not read. Streams that end with the grace are metered first, which takes a while
      // if the tokenizer must be loaded for it.
      const hangUp = setTimeout(() => server.closeAllConnections(), graceMs + METERED_WITHIN_MS);
      // The door stays open meanwhile, so that who comes now is told to ask another node.
      await drain(graceMs);
      const closed = new Promise((resolve) => server.close(resolve));
      // The last answers are on their way out; connections that are merely kept open may go, each as it falls idle.
      const idle = setInterval(() => server.closeIdleConnections(), 50);
      const lingering = setTimeout(() => server.closeAllConnections(), LAST_WORDS_MS);
      await closed;
      for (const timer of [hangUp, idle, lingering]) clearTimeout(timer);
    },
  };
};

/** Fault: the door cannot be opened; the message says what the operator can do. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen';
  readonly code = 'cannot_listen';
}

const listen = (server: Server, port: number, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException): void => {
      const message =
        cause.code === 'EADDRINUSE'
          ? `Port ${port} of ${host} is taken. Stop what listens there, or set PORT to another; 0 picks a free one.`
          : `The gateway cannot listen on port ${port} of ${host}: ${cause.message}. Set HOST and PORT to what it may have.`;
      reject(new CannotListen(message, { cause }));
    };
    server.once('error', failed);
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off('error', failed);
      resolve();
    });
  });
