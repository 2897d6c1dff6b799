import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A connection of a client, and the one to the gRPC server behind it. */
type Pair = { readonly client: Socket; readonly server: Socket; flow(): void; stop(): void };

/** The listener of the stand-in: it passes bytes to the gRPC server, unless a fault is on. */
export type Front = {
  /** The milliseconds by which each byte to a client is late. */
  delayMs: number;
  /** Listens at the port that it had before, if it had one. */
  open(port: number): Promise<number>;
  /** Refuses connections from now on, and cuts those that exist. */
  shut(): Promise<void>;
  cut(): void;
  silence(): void;
  resume(): void;
};

export const createFront = (grpcPort: number): Front => {
  const pairs = new Set<Pair>();
  let isSilent = false;

  const passBytes = (from: Socket, to: Socket, delayMs: () => number): ((chunk: Buffer) => void) => {
    let late = 0;
    const pass = (chunk: Buffer): void => {
      if (!to.write(chunk)) {
        from.pause();
        to.once('drain', () => isSilent || from.resume());
      }
    };
    return (chunk) => {
      // Once a chunk is late, those after it must not overtake it.
      if (delayMs() === 0 && late === 0) return pass(chunk);
      late += 1;
      setTimeout(() => {
        late -= 1;
        pass(chunk);
      }, delayMs());
    };
  };

  const accept = (client: Socket): void => {
    const server = connect(grpcPort, '127.0.0.1');
    const sockets = [client, server] as const;
    const pair: Pair = {
      client,
      server,
      flow: () => sockets.forEach((socket) => socket.resume()),
      stop: () => sockets.forEach((socket) => socket.pause()),
    };
    pairs.add(pair);
    client.setNoDelay(true);
    server.setNoDelay(true);
    client.on(
      'data',
      passBytes(client, server, () => 0),
    );
    server.on(
      'data',
      passBytes(server, client, () => front.delayMs),
    );
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of sockets) socket.on('error', end).on('close', end).on('end', end);
    if (isSilent) pair.stop();
    else pair.flow();
  };

  // With it, a silent server leaves the first bytes of a client in the kernel.
  const listener = createServer({ pauseOnConnect: true }, accept);
  const cut = (): void => {
    for (const { client } of [...pairs]) client.destroy();
  };

  const front: Front = {
    delayMs: 0,
    open: async (port) => {
      await listenOn(listener, port);
      return (listener.address() as AddressInfo).port;
    },
    shut: async () => {
      const closed = once(listener, 'close');
      listener.close();
      cut();
      await closed;
    },
    cut,
    silence: () => {
      isSilent = true;
      for (const pair of pairs) pair.stop();
    },
    resume: () => {
      isSilent = false;
      for (const pair of pairs) pair.flow();
    },
  };
  return front;
};

const AGAIN_MS = 50;
const TRIES = 200;

/** A port that was used before may be that of another connection of this machine for a moment. */
const listenOn = async (listener: Server, port: number): Promise<void> => {
  for (let tries = 1; ; tries++) {
    try {
      await once(listener.listen(port, '127.0.0.1'), 'listening');
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tries === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
};
