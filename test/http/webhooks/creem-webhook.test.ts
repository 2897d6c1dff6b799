import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { createBodyMemory } from '../../../src/http/server/body-memory.ts';
import { arrive } from '../../../src/http/server/request-id.ts';
import { createReadBody } from '../../../src/http/server/read-body.ts';
import { creemWebhook, MAX_WEBHOOK_BYTES } from '../../../src/http/webhooks/creem-webhook.ts';
import type { WebhookAnswer } from '../../../src/payments/payments.ts';

const servers: ReturnType<typeof createServer>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

const start = async (answer: WebhookAnswer, limitBytes = 10_000_000) => {
  const received: { readonly body: Uint8Array; readonly signature: unknown }[] = [];
  const memory = createBodyMemory({ limitBytes, waitMs: 10 });
  const handler = creemWebhook(
    {
      receiveWebhook: (headers, body) => {
        received.push({ body, signature: headers['creem-signature'] });
        return Promise.resolve(answer);
      },
    },
    createReadBody({ maxBytes: MAX_WEBHOOK_BYTES, memory }),
  );
  const app = express().use((_request, response, next) => {
    arrive(response, '1');
    next();
  });
  app.post('/webhooks/creem', handler);
  const server = createServer(app).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const deliver = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/creem`, {
      ...{ method: 'POST', body },
      headers: { 'content-type': 'application/json', 'creem-signature': 'abc', ...headers },
    });
  return { received, deliver };
};
const recorded: WebhookAnswer = { status: 200, message: 'recorded' };

describe('POST /webhooks/creem', () => {
  it('passes on the bytes as they arrived, with the headers, whatever they contain', async () => {
    const { received, deliver } = await start(recorded);
    const bytes = new Uint8Array([0x7b, 0x20, 0xff, 0x00, 0x22]);
    const response = await deliver(bytes, { 'content-type': 'text/plain' });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ message: 'recorded' });
    expect(received).toEqual([{ body: Buffer.from(bytes), signature: 'abc' }]);
  });

  it.each([400, 403, 500] as const)('answers %s with the message', async (status) => {
    const { deliver } = await start({ status, message: 'the signature is wrong' });
    const response = await deliver('{}');
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ message: 'the signature is wrong' });
  });

  it('413 for more than 1 MiB, which is not passed on', async () => {
    const { received, deliver } = await start(recorded);
    expect((await deliver(new Uint8Array(MAX_WEBHOOK_BYTES + 1))).status).toBe(413);
    expect((await deliver(new Uint8Array(MAX_WEBHOOK_BYTES))).status).toBe(200);
    expect(received).toHaveLength(1);
  });

  it('gives the memory of a body back', async () => {
    const { deliver } = await start(recorded, 7000);
    for (let n = 0; n < 5; n++) expect((await deliver(new Uint8Array(1000))).status).toBe(200);
  });
});
