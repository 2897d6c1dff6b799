import { createServer, type RequestListener, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The maximum of connections that wait to be accepted. With Node's default of 511 a rush of connections would be
 * refused.
 */
const BACKLOG = 4096;
const SETTINGS: ServerOptions = {
  maxHeaderSize: 64 * 1024,
  requestTimeout: 120_000,
  headersTimeout: 30_000,
  keepAliveTimeout: 75_000,
  // The app answers a missing Host header with an error body; the server would answer without one.
  requireHostHeader: false,
};
/** Time to deliver the final responses after the grace period. */
const LAST_WORDS_MS = 2000;
/** Time to meter and settle the streams that end with the grace period. */
const METERED_WITHIN_MS = 6000;

export type DoorOptions = {
  readonly app: RequestListener;
  /** Attaches listeners to the server for other events than requests. */
  readonly attend: (server: Server) => void;
  readonly host: string;
  readonly port: number;
  /**
   * How long requests are still served after `close`, so that a load balancer can detect that this node is not ready.
   */
  readonly delayMs: number;
  /** How long requests in progress may take after that. */
  readonly graceMs: number;
  /** Ends the work in progress within the grace period. */
  readonly drain: (graceMs: number) => Promise<unknown>;
};

export type Door = {
  readonly port: number;
  /**
   * Serves requests for the delay, then drains requests in progress and refuses new ones, then closes all connections.
   */
  close(): Promise<void>;
};

/** Emptied at the end of the response, because a busy Set keeps former entries in memory: see RunningCall. */
type Open = { response: ServerResponse | undefined };

/** Starts the HTTP server. Throws CannotListen. */
export const openDoor = async (options: DoorOptions): Promise<Door> => {
  const { app, attend, host, port, delayMs, graceMs, drain } = options;
  const underWay = new Set<Open>();
  let leaving = false;
  const server = createServer(SETTINGS, (request, response) => {
    response.shouldKeepAlive &&= !leaving;
    const open: Open = { response };
    underWay.add(open);
    response.once('close', () => {
      underWay.delete(open);
      open.response = undefined;
    });
    app(request, response);
  });
  attend(server);
  await listen(server, port, host);
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      // Responses contain `connection: close`, so that clients reconnect to another node.
      leaving = true;
      for (const { response } of underWay) if (response?.headersSent === false) response.shouldKeepAlive = false;
      if (delayMs > 0) await sleep(delayMs);
      // Close connections whose clients do not read. Streams that end with the grace period are metered first, which
      // takes a while if the tokenizer must be loaded for it.
      const hangUp = setTimeout(() => server.closeAllConnections(), graceMs + METERED_WITHIN_MS);
      // Keep accepting connections while draining and answer 503, so that clients try another node.
      await drain(graceMs);
      const closed = new Promise((resolve) => server.close(resolve));
      // The final responses are being delivered; close keep-alive connections as they become idle.
      const idle = setInterval(() => server.closeIdleConnections(), 50);
      const lingering = setTimeout(() => server.closeAllConnections(), LAST_WORDS_MS);
      await closed;
      for (const timer of [hangUp, idle, lingering]) clearTimeout(timer);
    },
  };
};

/** Fault: the server cannot listen. The message has the remedy. */
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
