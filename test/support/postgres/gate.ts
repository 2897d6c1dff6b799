import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** In front of PostgreSQL: nothing listens, a server that starts or stops answers, or the real one does. */
export type Gate = {
  readonly url: string;
  close(): void;
  /** Each connection is answered by this error. */
  refuse(code: string, message: string): Promise<void>;
  open(): Promise<void>;
};

const message = (type: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const fatal = (code: string, words: string): Buffer =>
  message('E', Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${words}\0\0`));

export const createGate = async (databaseUrl: string): Promise<Gate> => {
  const target = new URL(databaseUrl);
  let server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets = new Set<Socket>();
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  close();
  const listen = async (answer: (client: Socket) => void): Promise<void> => {
    close();
    server = createServer((client) => {
      sockets.add(client.on('error', () => undefined));
      answer(client);
    }).listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const url = new URL(databaseUrl);
  [url.hostname, url.port] = ['127.0.0.1', String(port)];
  return {
    url: url.href,
    close,
    refuse: (code, words) => listen((client) => client.once('data', () => client.end(fatal(code, words)))),
    open: () =>
      listen((client) => {
        const postgres = connect(Number(target.port), target.hostname);
        sockets.add(postgres.on('error', () => client.destroy()));
        client.on('close', () => postgres.destroy());
        postgres.on('close', () => client.destroy());
        client.pipe(postgres).pipe(client);
      }),
  };
};
