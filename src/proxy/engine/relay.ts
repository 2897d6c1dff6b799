import type { Delivery } from '../../domain/account/events.ts';
import { BEYOND_LIMIT, isAccessEnd, isShortage } from './allowance.ts';
import { TOO_LONG, type Call, type Settlement } from './call.ts';
import { cutEvents, usageEvent } from './stream-closing.ts';
import { createStreamMeter, type StreamMeter } from '../metering/meter.ts';
import { refusedWithin, type CompletionProblem } from './problem.ts';
import { mayHideOutput } from './hold-steps.ts';
import { UpstreamFailed, type UpstreamResponse } from '../providers/provider.ts';

/** Where a stream goes to. A promise means: wait, the reader is slow. */
export type Sink = {
  write(passing: Uint8Array | string): Promise<void> | undefined;
  /** The stream breaks off. The error is its last event; no `[DONE]` follows, which some clients take for the end of all. */
  fail(why: CompletionProblem): Promise<void> | undefined;
};

/**
 * Passes a stream on as it comes, and settles it before its end: what a customer saw completed is charged for good, once.
 * A stream that breaks is charged for what was metered; one that broke before anything was delivered costs nothing. One
 * that credits end, or that goes on beyond what the request allowed or for too long, is ended in good order.
 * Runs to its end with or without a reader. When the customer leaves, the upstream is left too, at once unless its report
 * of the usage is worth a short wait.
 */
export const relayStream = async (call: Call, response: UpstreamResponse, sink: Sink): Promise<void> => {
  const meter = createStreamMeter();
  const leaving = watchLeaving(call, meter);
  let holdEnded = false;
  try {
    await pass(call, response, meter, sink);
    const ended = leaving.leftAt === undefined ? howItEnded(call, meter) : 'client_gone';
    const settlement = await end(call, meter, ended, leaving.leftAt === 'finished');
    holdEnded = true;
    if (ended === 'completed' || ended === 'out_of_credits') {
      const finish = wasCut(call) ? cutEvents(call, meter) : '';
      const usage = call.request.includeUsage ? usageEvent(call, meter, settlement ?? nothing) : '';
      await sink.write(`${finish}${usage}data: [DONE]\n\n`);
    } else {
      await sink.fail(whyBroken(call, meter, ended));
    }
  } finally {
    // Only an error of ours leads here with the hold still open.
    if (!holdEnded) await call.ledger.release('gateway_failed', 'an error of the gateway');
  }
};

/** After the last word, for the end of the connection; after a finish reason, for the usage; after both, for the last word. */
const END_WITHIN_MS = 1000;
const USAGE_WITHIN_MS = 1000;
const DONE_WITHIN_MS = 500;

type Phase = 'streaming' | 'finished' | 'reported' | 'ended';

const phaseOf = ({ request }: Call, meter: StreamMeter): Phase => {
  if (meter.state !== 'open') return 'ended';
  if (!meter.hasFinished(request.choices)) return 'streaming';
  return meter.isReported ? 'reported' : 'finished';
};

const hasMoreToSay = (call: Call, meter: StreamMeter): boolean =>
  !['finished', 'reported'].includes(phaseOf(call, meter));

/** In its last phases a stream has so long, and neither comments nor empty events make it longer. */
const expectNext = (call: Call, before: Phase | undefined, now: Phase, hasEvents: boolean): void => {
  if (now === 'streaming') {
    if (before !== 'streaming') call.pause();
    if (hasEvents) call.heard();
  } else if (now !== before) {
    if (now === 'ended') call.expectEnd(END_WITHIN_MS, 'timeout');
    else call.expectEnd(now === 'finished' ? USAGE_WITHIN_MS : DONE_WITHIN_MS, 'finished');
  }
};

type Leaving = {
  /** How far the stream was when the customer left; undefined if the customer stayed until its last word. */
  readonly leftAt: 'finished' | 'streaming' | undefined;
};

/**
 * A customer who leaves at the finish reason has the whole answer, but its usage, and so the reasoning, is reported after
 * it. So does a customer who leaves in the middle an answer of a model that may hide its reasoning.
 */
const watchLeaving = (call: Call, meter: StreamMeter): Leaving => {
  const leaving: { leftAt: Leaving['leftAt'] } = { leftAt: undefined };
  call.onLeave(() => {
    if (meter.state !== 'open') return 0;
    leaving.leftAt = meter.hasFinished(call.request.choices) ? 'finished' : 'streaming';
    meter.leave();
    if (meter.isReported) return 0;
    const mayHide = meter.delivered && mayHideOutput(call.request, call.price);
    if (mayHide) return call.usageAfterLeavingMs;
    return leaving.leftAt === 'finished' ? USAGE_WITHIN_MS : 0;
  });
  return leaving;
};

/** Until the upstream ends, breaks off, or is left; after its last word only the end of the connection is awaited. */
const pass = async (call: Call, response: UpstreamResponse, meter: StreamMeter, sink: Sink): Promise<void> => {
  try {
    call.heard();
    for await (const bytes of response.body) {
      const { events } = meter;
      const before = phaseOf(call, meter);
      const passing = meter.feed(bytes);
      if (call.left) {
        // Nothing is passed on any more: only the report is still of use.
        if (meter.isReported || meter.state === 'error') return;
        continue;
      }
      const last = meter.passing.at(-1);
      const covered = !last || call.allowance.covers(last);
      if (!covered && !(await passInTurn(call, meter, sink))) return;
      // To pass events on in turn stops the watchdog.
      expectNext(call, covered ? before : undefined, phaseOf(call, meter), meter.events > events);
      if (last) call.allowance.lookAhead(last, meter.spoken);
      const slow = covered && passing.length > 0 ? sink.write(passing) : undefined;
      if (slow) await waitForReader(call, meter, slow);
    }
    meter.close();
    if (meter.passing.length > 0 && !call.left) await passInTurn(call, meter, sink);
  } catch (error) {
    if (!(error instanceof UpstreamFailed)) throw error;
    // The connection may notice the silence first.
    if (error.code === 'timeout') call.cancel(hasMoreToSay(call, meter) ? 'timeout' : 'finished');
  } finally {
    // What is left to do takes its time, which is not the upstream's.
    call.pause();
    call.onLeave(() => 0);
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
  const phase = phaseOf(call, meter);
  if (phase === 'ended') return slow;
  call.pause();
  await slow;
  if (!call.left) expectNext(call, undefined, phase, true);
};

const wasCut = ({ cancelled }: Call): boolean =>
  cancelled === BEYOND_LIMIT || cancelled === TOO_LONG || isShortage(cancelled);

const howItEnded = (call: Call, meter: StreamMeter): Delivery['ended'] => {
  const { cancelled } = call;
  const { finishReason, usage } = meter.metered();
  // An end alone, after nothing, is no answer.
  const answered = meter.delivered || finishReason !== null || (usage !== undefined && usage !== null);
  if ((meter.state === 'done' && answered) || phaseOf(call, meter) === 'reported') return 'completed';
  if (cancelled === 'client_gone' || cancelled === 'drained') return cancelled;
  if (isShortage(cancelled)) return 'out_of_credits';
  if (isAccessEnd(cancelled)) return 'access_ended';
  // What was delivered is all that was asked for, and more; or all that one stream may take.
  if ((cancelled === BEYOND_LIMIT || cancelled === TOO_LONG) && meter.delivered) return 'completed';
  // Some upstreams close without saying [DONE], or do not close; a finish reason says as much.
  const complete = meter.state === 'open' && (!cancelled || cancelled === 'finished') && finishReason !== null;
  return complete ? 'completed' : 'upstream_broke';
};

/** A provider's error is passed on only if the request has caused it: others may be about our account there. */
const whyBroken = ({ cancelled }: Call, meter: StreamMeter, ended: Delivery['ended']): CompletionProblem => {
  if (isAccessEnd(cancelled)) return { kind: 'access_ended', code: cancelled };
  if (ended === 'drained') return { kind: 'stream_broken', code: 'draining' };
  const refused = meter.failure === undefined ? undefined : refusedWithin(meter.failure);
  if (refused) return refused;
  // After its last word it is no silence of the provider that ends the wait for its connection.
  const silent = cancelled === 'timeout' && meter.state === 'open';
  return { kind: 'stream_broken', code: silent ? 'upstream_timeout' : 'upstream_error' };
};

const nothing: Settlement = { charged: 0n, usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 } };

/** What did not complete and said nothing was not delivered, and costs nothing, whatever the upstream may bill for it. */
const end = async (
  call: Call,
  meter: StreamMeter,
  ended: Delivery['ended'],
  leftFinished: boolean,
): Promise<Settlement | undefined> => {
  const metered = { ...meter.metered(), ...(wasCut(call) ? { finishReason: 'length' } : {}) };
  // An answer without words, whose finish reason was delivered, may have been all reasoning.
  const isReported = leftFinished && meter.isReported;
  if (ended === 'completed' || meter.delivered || isReported) return call.settle(metered, ended);
  if (ended === 'client_gone' || ended === 'out_of_credits' || ended === 'access_ended') {
    await call.ledger.release(ended, 'before the first token');
  } else if (ended === 'drained')
    await call.ledger.release('gateway_failed', 'the gateway stopped before the first token');
  else await call.ledger.release('upstream_failed', call.cancelled ?? 'reset');
  return undefined;
};
