import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Where a connection breaks. */
export type Cut = {
  /** Of what the program says to PostgreSQL, or of what it is told. */
  readonly of: 'request' | 'reply';
  /** As many bytes pass, from now on; the next one does not. */
  readonly afterBytes: number;
  /** Only on connections with this application name; on the first of them that gets so far. */
  readonly application: string;
  /** Closed at once, or silent for ever. */
  readonly then: 'close' | 'hang';
};

export type Wire = {
  /** The URL of the database, by way of the wire. */
  readonly url: string;
  /** Prepares a cut; resolves when it has happened. A cut that was prepared before and has not happened is forgotten. */
  cut(cut: Cut): Promise<void>;
  /** How many bytes have passed on connections with this application name. */
  passed(application: string): { readonly request: number; readonly reply: number };
  close(): Promise<void>;
};

const APPLICATION = /application_name\0([^\0]*)\0/;

/** A network between a program and its PostgreSQL, which breaks where it is told to. */
export const createWire = async (databaseUrl: string): Promise<Wire> => {
  const { hostname, port } = new URL(databaseUrl);
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
        other.destroySoon(); // It may still have the last words of this one to pass on.
      });
    };
    prepare(client, server);
    prepare(server, client);

    /** Lets the last bytes through, so that the other side has all that should have reached it. */
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
        if (armed && armed.cut.of === of && armed.cut.application === application) {
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
  const url = new URL(databaseUrl);
  url.port = String((listener.address() as AddressInfo).port);
  return {
    url: url.href,
    cut: (cut) =>
      new Promise((resolve) => {
        armed = { cut, left: cut.afterBytes, happened: resolve };
      }),
    passed: (application) => ({ ...(counts.get(application) ?? { request: 0, reply: 0 }) }),
    close: async () => {
      listener.close();
      for (const socket of sockets) socket.destroy();
      await once(listener, 'close');
    },
  };
};
