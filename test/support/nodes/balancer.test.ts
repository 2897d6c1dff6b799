import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBalancer, type Balancer } from './balancer.ts';

const servers: Server[] = [];
/** Says its name, or, where it has none, only the head of an answer. */
const serve = async (name?: string): Promise<string> => {
  const server = createServer((_, response) =>
    name === undefined ? response.write('half') : response.setHeader('connection', 'close').end(name),
  );
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
const end = async (server: Server | undefined): Promise<void> => {
  server?.close();
  server?.closeAllConnections();
  if (server?.listening === true) await once(server, 'close');
};

let balancer: Balancer;
let [a, b] = ['', ''];
const ask = async (): Promise<string> => (await fetch(balancer.url)).text();

beforeEach(async () => {
  [a, b] = [await serve('a'), await serve('b')];
  balancer = await createBalancer(a, b);
});
afterEach(async () => {
  await balancer.close();
  await Promise.all(servers.splice(0).map(end));
});

describe('a balancer', () => {
  it('lets its targets take turns', async () => {
    expect([await ask(), await ask(), await ask(), await ask()]).toEqual(['a', 'b', 'a', 'b']);
  });

  it('leaves out one that refuses, and nobody notices', async () => {
    await end(servers[0]);
    expect([await ask(), await ask()]).toEqual(['b', 'b']);
    expect(balancer.targets).toEqual([b]);
    balancer.add(await serve('c'));
    expect(new Set([await ask(), await ask()])).toEqual(new Set(['b', 'c']));
  });

  it('hangs up where there is none', async () => {
    await Promise.all(servers.map(end));
    await expect(ask()).rejects.toThrow('fetch failed');
    expect(balancer.targets).toEqual([]);
  });

  it('breaks off where its target does', async () => {
    balancer.add(await serve());
    await ask();
    await ask();
    const response = await fetch(balancer.url);
    const text = response.text();
    servers[2]?.closeAllConnections();
    await expect(text).rejects.toThrow('terminated');
  });
});
