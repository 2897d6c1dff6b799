import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { checkSessions } from '../../../src/eventstore/postgres/database/database-check.ts';

const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

const message = (type: string, ...parts: readonly (Buffer | string)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as Buffer)));
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const int16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const int32 = (value: number): Buffer => Buffer.concat([int16(value >> 16), int16(value & 0xffff)]);
const ready = message('Z', 'I');
const greeting = (pid: number): Buffer =>
  Buffer.concat([message('R', int32(0)), message('K', int32(pid), int32(0)), ready]);
/** The answer to `select pg_backend_pid() as pid`. The type of the column is int4. */
const row = (pid: number): Buffer => {
  const text = String(pid);
  const column = Buffer.concat([Buffer.from('pid\0'), int32(0), int16(0), int32(23), int16(4), int32(-1), int16(0)]);
  const data = message('D', int16(1), int32(text.length), text);
  return Buffer.concat([message('T', int16(1), column), data, message('C', 'SELECT 1\0'), ready]);
};

type Pooler = {
  /** The pid of the server connection that executes the n-th statement of a client. */
  readonly pidOf: (client: number, statement: number) => number;
  /** Further clients are greeted, and their statements wait. */
  readonly serverConnections?: number;
};

/** Answers as a pooler in front of PostgreSQL: the pid in its greeting is its own. */
const startPooler = async ({ pidOf, serverConnections = Infinity }: Pooler): Promise<string> => {
  let clients = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    const client = clients++;
    let statements = 0;
    socket.once('data', () => {
      socket.write(greeting(10_000 + client));
      socket.on('data', (sent) => {
        if (sent.toString('latin1', 0, 1) !== 'Q' || client >= serverConnections) return;
        const sql = sent.toString('utf8', 5);
        const pid = pidOf(client, statements++);
        socket.write(sql.startsWith('select') ? row(pid) : Buffer.concat([message('C', 'BEGIN\0'), ready]));
      });
    });
  }).listen(0, '127.0.0.1');
  closing.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(server, 'listening');
  return `postgres://u:p@127.0.0.1:${(server.address() as AddressInfo).port}/d?sslmode=disable`;
};

describe('a connection pooler', () => {
  it('is accepted if each connection has a session of its own', async () => {
    await checkSessions(await startPooler({ pidOf: (client) => client }), 5);
  });

  it('is refused within seconds if statements of one connection go to several sessions, and the remedy is named', async () => {
    const url = await startPooler({ pidOf: (client, statement) => client + statement });
    const startedAt = performance.now();
    await expect(checkSessions(url, 5)).rejects.toThrow(/pooler in transaction mode.*pool_mode = session/);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  it('is refused within seconds if it has fewer connections than a gateway needs, and both numbers are named', async () => {
    const url = await startPooler({ pidOf: (client) => client, serverConnections: 3 });
    await expect(checkSessions(url, 5)).rejects.toThrow(
      /gives this gateway 3 connections, and a gateway needs up to \d+/,
    );
  });
});
