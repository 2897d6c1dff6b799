import express from 'express';
import { pipeline } from 'node:stream/promises';
import type { AddressInfo } from 'node:net';
import { Agent } from 'undici';

/**
 * The least that a gateway costs on this runtime: Express reads the body, undici sends it on, and the response is piped back.
 * No keys, no ledger, no metering.
 */
const upstream = new URL(process.argv[2] ?? '');
const agent = new Agent({ connections: 16_384 });
const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.post('/v1/chat/completions', express.raw({ type: () => true, limit: '20mb' }), async (request, response) => {
  const answer = await agent.request({
    origin: upstream.origin,
    path: `${upstream.pathname}/chat/completions`,
    method: 'POST',
    headers: { authorization: 'Bearer bench', 'content-type': 'application/json' },
    body: request.body as Buffer,
  });
  response.statusCode = answer.statusCode;
  response.setHeader('content-type', String(answer.headers['content-type']));
  // At the end of a run, the load generator closes connections in the middle of responses; that is not an error.
  await pipeline(answer.body, response).catch(() => undefined);
});
const server = app.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1\n`);
});
