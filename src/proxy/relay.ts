import type { Delivery } from '../domain/account/events.ts';
import { formatUsd } from '../domain/money.ts';
import type { Call, Settlement } from './call.ts';
import { createStreamMeter, type StreamMeter } from './meter.ts';
import { UpstreamFailed, type UpstreamResponse } from './upstream.ts';

/** Where a stream goes to. A promise means: wait, the reader is slow. */
export type Sink = { write(passing: Uint8Array | string): Promise<void> | undefined };

/**
 * Passes a stream on as it comes, and settles it before its end: what a customer saw completed is charged for good, once.
 * A stream that breaks is charged for what was metered; one that broke before anything was delivered costs nothing.
 * Runs to its end whoever listens; where the customer has gone, the upstream is left at once.
 */
export const relayStream = async (call: Call, response: UpstreamResponse, sink: Sink): Promise<void> => {
  const meter = createStreamMeter();
  let holdEnded = false;
  try {
    await pass(call, response, meter, sink);
    const ended = howItEnded(call, meter);
    const settlement = await end(call, meter, ended);
    holdEnded = true;
    if (ended === 'completed') {
      const usage = call.request.includeUsage && settlement ? usageEvent(call, meter, settlement) : '';
      await sink.write(`${usage}data: [DONE]\n\n`);
    } else if (meter.state !== 'error') {
      await sink.write(errorEvent(call, meter, ended));
    }
  } finally {
    // Only an error of ours leads here with the hold still open.
    if (!holdEnded) await call.ledger.release('gateway_failed', 'an error of the gateway');
  }
};

/** Until the upstream ends, breaks off, or is left; after its last word only the end of the connection is awaited. */
const pass = async (call: Call, response: UpstreamResponse, meter: StreamMeter, sink: Sink): Promise<void> => {
  try {
    call.heard();
    for await (const bytes of response.body) {
      const { state, events } = meter;
      const passing = meter.feed(bytes);
      if (meter.state === 'open') {
        if (meter.events > events) call.heard();
      } else if (state === 'open') {
        call.expectEnd();
      }
      if (passing.length === 0) continue;
      const slow = sink.write(passing);
      if (slow) await waitForReader(call, meter, slow);
    }
  } catch (error) {
    if (!(error instanceof UpstreamFailed)) throw error;
    if (error.code === 'timeout') call.cancel('timeout');
  } finally {
    // What is left to do takes its time, which is not the upstream's.
    call.pause();
  }
};

/** While it is the customer who is waited for, the upstream's silence is no fault of its own. */
const waitForReader = async (call: Call, meter: StreamMeter, slow: Promise<void>): Promise<void> => {
  if (meter.state !== 'open') return slow;
  call.pause();
  await slow;
  call.heard();
};

const howItEnded = ({ cancelled }: Call, meter: StreamMeter): Delivery['ended'] => {
  if (meter.state === 'done') return 'completed';
  if (cancelled === 'client_gone') return 'client_gone';
  if (cancelled === 'drained') return 'drained';
  // Some upstreams close without saying [DONE]; a finish reason says as much.
  const complete = meter.state === 'open' && !cancelled && meter.metered().finishReason !== null;
  return complete ? 'completed' : 'upstream_broke';
};

const end = async (call: Call, meter: StreamMeter, ended: Delivery['ended']): Promise<Settlement | undefined> => {
  const metered = meter.metered();
  const nothingDelivered = !meter.delivered && (metered.usage === undefined || metered.usage === null);
  if (ended === 'completed' || !nothingDelivered) return call.settle(metered, ended);
  if (ended === 'client_gone') await call.ledger.release('client_gone', 'before the first token');
  else if (ended === 'drained')
    await call.ledger.release('gateway_failed', 'the gateway stopped before the first token');
  else await call.ledger.release('upstream_failed', call.cancelled ?? 'reset');
  return undefined;
};

const event = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;

const chunkOf = ({ request, generationId }: Call, meter: StreamMeter): Readonly<Record<string, unknown>> => ({
  id: meter.metered().upstreamId ?? generationId,
  object: request.endpoint === '/completions' ? 'text_completion' : 'chat.completion.chunk',
  created: Math.floor(Date.now() / 1000),
  model: request.model,
});

const usageEvent = (call: Call, meter: StreamMeter, { usage, charged }: Settlement): string =>
  event({
    ...(meter.usageChunk ?? { ...chunkOf(call, meter), choices: [] }),
    usage: { ...usage, cost: formatUsd(charged) },
  });

/** Both official SDKs raise on a chunk with an error; the missing [DONE] tells everybody else. */
const errorEvent = (call: Call, meter: StreamMeter, ended: Delivery['ended']): string =>
  event({
    ...chunkOf(call, meter),
    choices: [{ index: 0, delta: {}, finish_reason: 'error' }],
    error:
      ended === 'drained'
        ? {
            message: 'The gateway is restarting and had to end this stream.',
            type: 'service_unavailable_error',
            code: 'draining',
            param: null,
          }
        : {
            message: 'The provider broke the stream off.',
            type: 'upstream_error',
            code: call.cancelled === 'timeout' ? 'upstream_timeout' : 'upstream_error',
            param: null,
          },
  });
