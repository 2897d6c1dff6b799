import { afterAll, expect, it } from 'vitest';
import { UpstreamFailed } from '../../../../src/proxy/providers/provider.ts';
import { createSimulatedUpstream } from '../../../../src/proxy/providers/simulated/simulated.ts';
import { bytesOf, drain, simulate, streamed } from '../../../packages/simulator/calls.ts';

const upstream = createSimulatedUpstream();
afterAll(() => upstream.close());

const send = (body: unknown) =>
  upstream.send({ endpoint: '/chat/completions', body: bytesOf(body), signal: new AbortController().signal });

it('rejects with UpstreamFailed if the connection breaks before the head', async () => {
  const failure = await send(simulate({ resetBeforeHead: true })).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(UpstreamFailed);
  expect(failure).toMatchObject({ code: 'reset' });
});

it('rejects with UpstreamFailed if the connection breaks mid-stream', async () => {
  const { broke } = await drain((await send(streamed({ breakAfter: 1 }))).body);
  expect(broke).toBeInstanceOf(UpstreamFailed);
  expect(broke).toMatchObject({ code: 'reset' });
});
