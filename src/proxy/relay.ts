import type { Delivery } from '../domain/account/events.ts';
import { BEYOND_LIMIT, isAccessEnd, isShortage } from './allowance.ts';
import type { Call, Settlement } from './call.ts';
import { cutEvents, errorEvent, usageEvent } from './last-events.ts';
import { createStreamMeter, type StreamMeter } from './meter.ts';
import { UpstreamFailed, type UpstreamResponse } from './upstream.ts';

/** Where a stream goes to. A promise means: wait, the reader is slow. */
export type Sink = { write(passing: Uint8Array | string): Promise<void> | undefined };

/**
 * Passes a stream on as it comes, and settles it before its end: what a customer saw completed is charged for good, once.
 * A stream that breaks is charged for what was metered; one that broke before anything was delivered costs nothing. One
 * that credits end, or that goes on beyond what the request allowed, is ended in good order.
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
    if (ended === 'completed' || ended === 'out_of_credits') {
      const finish = wasCut(call) ? cutEvents(call, meter) : '';
      const usage = call.request.includeUsage ? usageEvent(call, meter, settlement ?? nothing) : '';
      await sink.write(`${finish}${usage}data: [DONE]\n\n`);
    } else {
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
      const last = meter.passing.at(-1);
      const covered = !last || call.allowance.covers(last);
      if (!covered && !(await passInTurn(call, meter, sink))) return;
      if (meter.state === 'open') {
        if (meter.events > events) call.heard();
      } else if (state === 'open') {
        call.expectEnd();
      }
      if (last) call.allowance.lookAhead(last, meter.spoken);
      const slow = covered && passing.length > 0 ? sink.write(passing) : undefined;
      if (slow) await waitForReader(call, meter, slow);
    }
    meter.close();
    if (meter.passing.length > 0) await passInTurn(call, meter, sink);
  } catch (error) {
    if (!(error instanceof UpstreamFailed)) throw error;
    if (error.code === 'timeout') call.cancel('timeout');
  } finally {
    // What is left to do takes its time, which is not the upstream's.
    call.pause();
  }
};

/** Event by event: what is held for goes on at once, the rest when more is. False where it will not be, and all ends there. */
const passInTurn = async (call: Call, meter: StreamMeter, sink: Sink): Promise<boolean> => {
  call.pause();
  let ready = '';
  for (const event of meter.passing) {
    if (!call.allowance.covers(event)) {
      if (ready !== '') await sink.write(ready);
      ready = '';
      const refusal = await call.allowance.admit(event, meter.spoken);
      if (refusal || call.signal.aborted) {
        meter.cutBefore(event);
        // A hold that is gone was given back because this process was taken for dead: so it ends as one that stops.
        call.cancel(refusal === BEYOND_LIMIT || isShortage(refusal) || isAccessEnd(refusal) ? refusal : 'drained');
        return false;
      }
    }
    ready += event.wire();
  }
  await sink.write(ready);
  return true;
};

/** While it is the customer who is waited for, the upstream's silence is no fault of its own. */
const waitForReader = async (call: Call, meter: StreamMeter, slow: Promise<void>): Promise<void> => {
  if (meter.state !== 'open') return slow;
  call.pause();
  await slow;
  call.heard();
};

const wasCut = ({ cancelled }: Call): boolean => cancelled === BEYOND_LIMIT || isShortage(cancelled);

const howItEnded = ({ cancelled }: Call, meter: StreamMeter): Delivery['ended'] => {
  const { finishReason, usage } = meter.metered();
  // An end alone, after nothing, is no answer.
  const answered = meter.delivered || finishReason !== null || (usage !== undefined && usage !== null);
  if (meter.state === 'done' && answered) return 'completed';
  if (cancelled === 'client_gone' || cancelled === 'drained') return cancelled;
  if (isShortage(cancelled)) return 'out_of_credits';
  if (isAccessEnd(cancelled)) return 'access_ended';
  // What was delivered is all that was asked for, and more.
  if (cancelled === BEYOND_LIMIT && meter.delivered) return 'completed';
  // Some upstreams close without saying [DONE]; a finish reason says as much.
  const complete = meter.state === 'open' && !cancelled && finishReason !== null;
  return complete ? 'completed' : 'upstream_broke';
};

const nothing: Settlement = { charged: 0n, usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 } };

/** What did not complete and said nothing was not delivered, and costs nothing, whatever the upstream may bill for it. */
const end = async (call: Call, meter: StreamMeter, ended: Delivery['ended']): Promise<Settlement | undefined> => {
  const metered = { ...meter.metered(), ...(wasCut(call) ? { finishReason: 'length' } : {}) };
  if (ended === 'completed' || meter.delivered) return call.settle(metered, ended);
  if (ended === 'client_gone' || ended === 'out_of_credits' || ended === 'access_ended') {
    await call.ledger.release(ended, 'before the first token');
  } else if (ended === 'drained')
    await call.ledger.release('gateway_failed', 'the gateway stopped before the first token');
  else await call.ledger.release('upstream_failed', call.cancelled ?? 'reset');
  return undefined;
};
