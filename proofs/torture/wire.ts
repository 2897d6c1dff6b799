import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Where a connection breaks. */
export type Cut = {
  /** Whether the bytes are those sent to the server or those received from it. */
  readonly of: 'request' | 'reply';
  /** This number of bytes passes from now on; the next one does not. */
  readonly afterBytes: number;
  /** Only on connections to PostgreSQL with this application name; if left out, on any. The first that reaches the limit is cut. */
  readonly application?: string;
  /** Closed at once, or silent forever. */
  readonly then: 'close' | 'hang';
};

export type Wire = {
  /** The URL of the server through the wire. */
  readonly url: string;
  /** Prepares a cut; resolves when it has happened. Replaces a prepared cut that has not happened yet. */
  cut(cut: Cut): Promise<void>;
  /** The number of bytes that have passed on connections with this application name. */
  passed(application: string): { readonly request: number; readonly reply: number };
  /** Whether the server sees a connection of the wire as coming from this port. */
  comesFrom(port: number): boolean;
  close(): Promise<void>;
};

const APPLICATION = /application_name\0([^\0]*)\0/;

/** A TCP proxy between a program and a server at a URL that breaks connections on request. */
export const createWire = async (serverUrl: string): Promise<Wire> => {
  const { hostname, port } = new URL(serverUrl);
  const sockets = new Set<Socket>();
  const counts = new Map<string, { request: number; reply: number }>();
  let armed: { readonly cut: Cut; left: number; readonly happened: () => void } | undefined;

  const join = (client: Socket): void => {
    const server = connect(Number(port), hostname);
    let application: string | undefined;
    let broken = false;
    const closeBoth = (): void => [client, server].forEach((socket) => socket.destroy());
    const prepare = (socket: Socket, other: Socket): void => {
      sockets.add(socket);
      socket.setNoDelay();
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroySoon(); // It may still have to deliver the final bytes of this one.
      });
    };
    prepare(client, server);
    prepare(server, client);

    /** Delivers the last bytes first, so that the other side receives everything before the cut. */
    const breakAfter = (last: Buffer, to: Socket, then: Cut['then']): void => {
      broken = true;
      if (then === 'hang') to.write(last);
      else to.end(last, closeBoth);
    };

    const pass = (of: Cut['of'], from: Socket, to: Socket): void => {
      from.on('data', (bytes: Buffer) => {
        if (broken) return;
        application ??= APPLICATION.exec(bytes.toString('latin1'))?.[1] ?? '';
        const count = counts.get(application) ?? { request: 0, reply: 0 };
        count[of] += bytes.length;
        counts.set(application, count);
        if (armed && armed.cut.of === of && (armed.cut.application ?? application) === application) {
          const { cut, left, happened } = armed;
          if (bytes.length >= left) {
            armed = undefined;
            breakAfter(bytes.subarray(0, left), to, cut.then);
            return happened();
          }
          armed.left -= bytes.length;
        }
        if (to.write(bytes)) return;
        from.pause();
        to.once('drain', () => from.resume());
      });
    };
    pass('request', client, server);
    pass('reply', server, client);
  };

  const listener = createServer(join).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const url = new URL(serverUrl);
  url.port = String((listener.address() as AddressInfo).port);
  return {
    url: url.href,
    cut: (cut) =>
      new Promise((resolve) => {
        armed = { cut, left: cut.afterBytes, happened: resolve };
      }),
    passed: (application) => ({ ...(counts.get(application) ?? { request: 0, reply: 0 }) }),
    comesFrom: (port) => [...sockets].some(({ localPort }) => localPort === port),
    close: async () => {
      listener.close();
      for (const socket of sockets) socket.destroy();
      await once(listener, 'close');
    },
  };
};
