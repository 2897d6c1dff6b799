import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCreemStandIn } from '@kissapi/creem-stand-in';
import { decodeFact, type Fact } from '../../../../src/eventstore/journal/codec.ts';
import { openLog } from '../../../support/stores/log.ts';
import { runCommand, type Ran } from '../../../support/command.ts';
import { call, type Reply } from '../../../support/customers/person.ts';
import { ADMIN_TOKEN, createPremises, type RunningGateway } from '../../../support/gateway.ts';

const SECRETS = { apiKey: 'creem_test_of_the_kills', webhookSecret: 'whsec_of_the_kills' };

/** What becomes of a request to the partner whose arrival ends the gateways. */
export type Fate = 'before it is carried out' | 'after it was carried out';
type Trap = { readonly path: string; readonly fate: Fate; readonly sprung: () => void };

/** The stand-in of the payment partner. The next request to a path can be made to end the gateways. */
const openPartner = async (seed: string) => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const standIn = createCreemStandIn({ ...SECRETS, seed, now: Date.now, publicUrl: url });
  let trap: Trap | undefined;
  server.on('request', (request: IncomingMessage, response) => {
    const sprung = request.method === 'POST' && request.url === trap?.path ? trap : undefined;
    if (sprung) {
      trap = undefined;
      sprung.sprung();
      if (sprung.fate === 'before it is carried out') return void request.destroy();
      response.end = () => response.destroy();
    }
    standIn.handler(request, response);
  });
  return {
    standIn,
    env: {
      ...{ CREEM_API_KEY: SECRETS.apiKey, CREEM_WEBHOOK_SECRET: SECRETS.webhookSecret },
      ...{ CREEM_PRODUCT_ID: standIn.productId, CREEM_API_URL: url },
    },
    /** `sprung` is called at the arrival of the next POST to the path. */
    setTrap: (path: string, fate: Fate, sprung: () => void): void => void (trap = { path, fate, sprung }),
    close: async () => {
      await standIn.close();
      server.closeAllConnections();
      server.close();
    },
  };
};

/** Two gateways on one database, which are killed and started again, and the stand-in of the payment partner. */
export const openGateways = async (seed: string) => {
  const partner = await openPartner(seed);
  const premises = await createPremises();
  const store = openLog(premises.databaseUrl);
  const nodes: (RunningGateway | undefined)[] = [undefined, undefined];
  let kills = 0;

  const start = async (n: number): Promise<void> => {
    nodes[n] = await premises.startGateway(partner.env);
  };
  /** Without effect while the gateway is down. */
  const kill = async (n: number): Promise<void> => {
    const node = nodes[n];
    if (!node) return;
    nodes[n] = undefined;
    kills++;
    await node.process.stop('SIGKILL');
  };
  await Promise.all([start(0), start(1)]);

  /** As the administrator. Undefined if the gateway is down or is killed meanwhile. */
  const ask = async (n: number, method: string, path: string, body?: unknown, key?: string) => {
    const node = nodes[n];
    if (!node) return undefined;
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
    return call(node.url, method, path, {
      token: ADMIN_TOKEN,
      headers,
      ...(body === undefined ? {} : { body }),
    }).catch(() => undefined);
  };
  /** Repeats a request on one gateway after the other, as a client does, until it has an answer. */
  const insist = async (method: string, path: string, body: unknown, key: string): Promise<Reply> => {
    for (let n = 0; ; n++) {
      const reply = await ask(n % 2, method, path, body, key);
      if (reply && reply.status < 500) return reply;
      await sleep(50);
    }
  };

  const readFacts = async (): Promise<readonly Fact[]> => {
    const facts: Fact[] = [];
    for (;;) {
      const page = await store.readAll(facts.at(-1)?.position ?? 0, 1000);
      if (page.length === 0) return facts;
      facts.push(...page.map((stored) => decodeFact(stored)));
    }
  };

  /** Ends both gateways when the partner receives a request, and starts them again. */
  const killAtPartner = async (path: string, fate: Fate): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let ended: Promise<unknown> = Promise.resolve();
    partner.setTrap(path, fate, () => {
      ended = Promise.all([kill(0), kill(1)]);
      resolve();
    });
    await promise;
    await ended;
    await Promise.all([start(0), start(1)]);
  };

  return {
    ...{ premises, store, start, kill, killAtPartner, ask, insist, readFacts, nodes },
    control: partner.standIn.control,
    kills: () => kills,
    running: (n: number): RunningGateway => {
      const node = nodes[n];
      if (!node) throw new Error(`Gateway ${n} is down.`);
      return node;
    },
    command: (name: string, ...args: readonly string[]): Promise<Ran> =>
      runCommand(name, args, { env: { ...partner.env, DATABASE_URL: premises.databaseUrl } }),
    close: async (): Promise<void> => {
      await store.close();
      await premises.close();
      await partner.close();
    },
  };
};

export type Gateways = Awaited<ReturnType<typeof openGateways>>;
