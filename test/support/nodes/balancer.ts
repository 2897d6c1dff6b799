import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export type Balancer = {
  /** Without a path: `http://127.0.0.1:1234`. */
  readonly url: string;
  /** The gateways that connections go to now, in turns. */
  readonly targets: readonly string[];
  /** Lets a gateway take its turns from now on. */
  add(url: string): void;
  /** Sends no further connections to a gateway. */
  leaveOut(url: string): void;
  close(): Promise<void>;
};

/**
 * A door in front of several gateways, as plain as one can be: each connection goes to the next of them. One that refuses
 * a connection is left out from then on, and the connection goes to the one after it. It knows nothing of HTTP: a gateway
 * that is paused still takes connections, by its system, and whoever comes to it waits.
 */
export const createBalancer = async (...gateways: readonly string[]): Promise<Balancer> => {
  let targets = [...gateways];
  let turn = 0;
  const sockets = new Set<Socket>();

  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.setNoDelay();
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };

  const join = (client: Socket): void => {
    const target = targets[turn++ % targets.length];
    // A client that has left meanwhile needs no gateway.
    if (target === undefined || client.destroyed) return void client.destroy();
    const { hostname, port } = new URL(target);
    const gateway = connect(Number(port), hostname);
    const refused = (): void => {
      targets = targets.filter((one) => one !== target);
      join(client);
    };
    keep(gateway);
    gateway.once('error', refused);
    gateway.once('connect', () => {
      gateway.off('error', refused);
      if (client.destroyed) return void gateway.destroy();
      // The one may still have the last words of the other to pass on.
      gateway.on('close', () => client.destroySoon());
      client.on('close', () => gateway.destroySoon());
      client.pipe(gateway).pipe(client);
    });
  };

  const server = createServer((client) => {
    keep(client);
    join(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get targets() {
      return targets;
    },
    add: (url) => void targets.push(url),
    leaveOut: (url) => void (targets = targets.filter((one) => one !== url)),
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
};
