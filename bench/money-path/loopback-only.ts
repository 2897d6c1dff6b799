import { Server, type AddressInfo } from 'node:net';

/** Preloaded into a program that would listen on all interfaces: it listens on loopback, and prints its address. */
const listen = Server.prototype.listen as (this: Server, port: number, host: string) => Server;
Server.prototype.listen = function listenOnLoopback(this: Server, port: unknown): Server {
  this.once('listening', () => {
    process.stdout.write(`listening at http://127.0.0.1:${(this.address() as AddressInfo).port}\n`);
  });
  return listen.call(this, Number(port), '127.0.0.1');
};
