import { afterAll, expect, it } from 'vitest';
import { ProviderFailed } from '../../../../src/proxy/providers/provider.ts';
import { createSimulatedTransport } from '../../../../src/proxy/providers/simulated/simulated.ts';
import { bytesOf, drain, simulate, streamed } from '../../../packages/simulator/calls.ts';

const upstream = createSimulatedTransport();
afterAll(() => upstream.close());

const send = (body: unknown) =>
  upstream.send({ endpoint: '/chat/completions', body: bytesOf(body), signal: new AbortController().signal });

it('rejects with ProviderFailed if the connection breaks before the head', async () => {
  const failure = await send(simulate({ resetBeforeHead: true })).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ProviderFailed);
  expect(failure).toMatchObject({ code: 'reset' });
});

it('rejects with ProviderFailed if the connection breaks mid-stream', async () => {
  const { broke } = await drain((await send(streamed({ breakAfter: 1 }))).body);
  expect(broke).toBeInstanceOf(ProviderFailed);
  expect(broke).toMatchObject({ code: 'reset' });
});
