import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createCreemStandIn } from '@kissapi/creem-stand-in';
import type { CreemStandInOptions } from '@kissapi/creem-stand-in';

export const API_KEY = 'creem_test_key';
export const SECRET = 'whsec_test';
export const START = Date.UTC(2026, 10, 12, 10);

// Tests read answers without checking their shape first: a wrong shape fails them anyway.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Loose = Record<string, any>;

export type Received = {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The parsed body; undefined if it is not JSON. */
  readonly event: Loose | undefined;
  readonly signed: boolean;
};

const parsed = (body: string): Loose | undefined => {
  try {
    return JSON.parse(body) as Loose;
  } catch {
    return undefined;
  }
};

/** An endpoint for deliveries that answers `status`; a status of 0 gives no answer. */
export const createReceiver = async () => {
  const received: Received[] = [];
  const receiver = { status: 200, received, broken: 0, url: '', close: () => Promise.resolve() };
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    } catch {
      receiver.broken += 1;
      return;
    }
    const bytes = Buffer.concat(chunks);
    const signature = createHmac('sha256', SECRET).update(bytes).digest('hex');
    const body = bytes.toString();
    const { headers } = request;
    received.push({ headers, body, event: parsed(body), signed: headers['creem-signature'] === signature });
    if (receiver.status !== 0) response.writeHead(receiver.status).end();
  };
  const server = createServer((request, response) => void receive(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/creem`;
  receiver.close = async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return receiver;
};

export type Receiver = Awaited<ReturnType<typeof createReceiver>>;

/** A stand-in with a clock that the test moves. */
export const createTestShop = async (options: Partial<CreemStandInOptions> = {}) => {
  const clock = { now: START };
  const standIn = createCreemStandIn({
    apiKey: API_KEY,
    webhookSecret: SECRET,
    seed: 'test',
    now: () => clock.now,
    ...options,
  });
  const url = await standIn.listen();
  const call = async (method: string, path: string, body?: unknown, key: string | null = API_KEY) => {
    const response = await fetch(`${url}/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...(key !== null && { 'x-api-key': key }) },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: response.status, json: (await response.json()) as Loose };
  };
  const open = async (fields: Loose = {}): Promise<Loose> => {
    const body = {
      product_id: standIn.productId,
      request_id: 'pay_1',
      custom_price: 2_500,
      customer: { email: 'ada@example.test' },
      success_url: 'https://kissapi.example/top-ups/pay_1',
      metadata: { payment_id: 'pay_1' },
      ...fields,
    };
    const { status, json } = await call('POST', '/checkouts', body);
    if (status !== 200) throw new Error(JSON.stringify(json));
    return json;
  };
  /** Opens a checkout and pays it from France, where 20 % of tax are added. */
  const sell = async (fields: Loose = {}, payment: Parameters<typeof standIn.control.pay>[1] = {}) => {
    const checkout = await open(fields);
    const outcome = standIn.control.pay(checkout.id as string, { country: 'FR', name: 'Ada Example', ...payment });
    if (outcome.kind !== 'paid') throw new Error(outcome.code);
    return { checkout, ...outcome };
  };
  return { ...standIn, url, clock, call, open, sell };
};

export type TestShop = Awaited<ReturnType<typeof createTestShop>>;
