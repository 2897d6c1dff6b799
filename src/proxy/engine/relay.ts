import type { Delivery } from '../../domain/account/events.ts';
import type { Frame, Notice, Settlement, StreamWriter } from '../formats/format.ts';
import { noUsage } from '../../domain/money.ts';
import {
  createMeter,
  cutBefore,
  hasFinished,
  isReported,
  meterBatch,
  meterLeaving,
  meteredSoFar,
  type Meter,
  type Passing,
} from '../metering/meter.ts';
import { isThere } from '../json/untyped-json.ts';
import { ProviderFailed, type Batch } from '../providers/provider.ts';
import { TOO_LONG, type Call } from './call.ts';
import { mayHideOutput } from './hold/hold-steps.ts';
import { problemOf, type CompletionProblem } from './problem.ts';
import { BEYOND_LIMIT, isAccessEnd, isShortage, shortageError, streamTooLong } from './hold/shortage.ts';

/** The receiver of a stream. It returns a promise if the reader is slow; the stream waits for it. */
export type Sink = {
  write(passing: Uint8Array | string): Promise<void> | undefined;
  /**
   * Breaks the stream off. The error is the last event, in the shape that `write` gives it. No `[DONE]` follows, because
   * some clients would treat the answer as complete.
   */
  fail(why: CompletionProblem, write?: StreamWriter['writeError']): Promise<void> | undefined;
};

/**
 * Passes a stream on as it arrives, and settles it before its end: an answer that the customer saw completed is charged
 * once, and the charge is final. A broken stream is charged for what was metered; if nothing was delivered, it costs
 * nothing. A stream that reaches the end of the credits, its limit or its maximum duration ends in order. Runs to its
 * end with or without a reader. If the customer disconnects, the provider's connection is closed: at once, unless its
 * usage report is worth a short wait.
 */
export const relayStream = async (
  call: Call,
  batches: AsyncIterable<Batch>,
  sink: Sink,
): Promise<Delivery['ended']> => {
  const meter = createMeter();
  const leaving = watchLeaving(call, meter);
  let holdEnded = false;
  try {
    await pass(call, batches, meter, sink);
    const ended = leaving.leftAt === undefined ? howItEnded(call, meter) : 'client_gone';
    const settlement = await end(call, meter, ended, leaving.leftAt === 'finished');
    holdEnded = true;
    if (ended === 'completed' || ended === 'out_of_credits') {
      await sink.write(closing(call, meter, settlement ?? nothing));
    } else {
      await sink.fail(whyBroken(call, meter, ended), call.writer?.writeError);
    }
    return ended;
  } finally {
    // The hold is still open only after an error of the gateway.
    if (!holdEnded) await call.ledger.release('gateway_failed', 'an error of the gateway');
  }
};

/**
 * How long to wait: after the end, for the connection to close; after a finish reason, for the usage; after both, for
 * the end.
 */
const END_WITHIN_MS = 1000;
const USAGE_WITHIN_MS = 1000;
const DONE_WITHIN_MS = 500;

type Phase = 'streaming' | 'finished' | 'reported' | 'ended';

const phaseOf = ({ job }: Call, meter: Meter): Phase => {
  if (meter.state !== 'open') return 'ended';
  if (!hasFinished(meter, job.choices)) return 'streaming';
  return isReported(meter) ? 'reported' : 'finished';
};

const isUnfinished = (call: Call, meter: Meter): boolean => !['finished', 'reported'].includes(phaseOf(call, meter));

/** The last phases have fixed timeouts, which neither comments nor empty events extend. */
const expectNext = (call: Call, before: Phase | undefined, now: Phase, hasEvents: boolean): void => {
  if (now === 'streaming') {
    if (before !== 'streaming') call.pause();
    if (hasEvents) call.heard();
  } else if (now !== before) {
    if (now === 'ended') call.expectEnd(END_WITHIN_MS, 'timeout');
    else call.expectEnd(now === 'finished' ? USAGE_WITHIN_MS : DONE_WITHIN_MS, 'finished');
  }
};

/** The phase of the stream when the customer disconnected; undefined if the customer stayed until the end. */
type Leaving = { leftAt: 'finished' | 'streaming' | undefined };

/**
 * If the customer disconnects after the finish reason, the whole answer was delivered, but its usage, which includes
 * the reasoning, is reported after it. So the stream is read a little longer. The same applies if the customer
 * disconnects in the middle of an answer of a model that may hide its reasoning.
 */
const watchLeaving = (call: Call, meter: Meter): Readonly<Leaving> => {
  const leaving: Leaving = { leftAt: undefined };
  call.onLeave(() => {
    if (meter.state !== 'open') return 0;
    leaving.leftAt = hasFinished(meter, call.job.choices) ? 'finished' : 'streaming';
    meterLeaving(meter);
    if (isReported(meter)) return 0;
    if (meter.delivered && mayHideOutput(call.job, call.price)) return call.usageAfterLeavingMs;
    return leaving.leftAt === 'finished' ? USAGE_WITHIN_MS : 0;
  });
  return leaving;
};

/** Passes batches on until the provider ends or breaks off, or its connection is closed. */
export const pass = async (call: Call, batches: AsyncIterable<Batch>, meter: Meter, sink: Sink): Promise<void> => {
  try {
    call.heard();
    for await (const batch of batches) if (!(await passBatch(call, batch, meter, sink))) return;
  } catch (error) {
    if (!(error instanceof ProviderFailed)) throw error;
    // The connection may time out before the call does.
    if (error.code === 'timeout') call.cancel(isUnfinished(call, meter) ? 'timeout' : 'finished');
  } finally {
    // The time from here on is not the provider's.
    call.pause();
    call.onLeave(() => 0);
  }
};

/** False if the stream ends here. */
const passBatch = (call: Call, batch: Batch, meter: Meter, sink: Sink): boolean | Promise<boolean> => {
  const { events } = meter;
  const before = phaseOf(call, meter);
  meterBatch(meter, batch.events);
  // After the customer has disconnected, only the usage report is needed.
  if (call.left) return !(isReported(meter) || meter.state === 'failed');
  const last = meter.passing.at(-1);
  if (last && !call.allowance.covers(last)) return passSlowly(call, events, meter, sink);
  expectNext(call, before, phaseOf(call, meter), meter.events > events);
  if (last) call.allowance.lookAhead(last, meter.output);
  const passing = batch.bytes ?? meter.passing.map((delta) => written(call, meter, delta)).join('');
  const slow = passing.length > 0 ? sink.write(passing) : undefined;
  return slow ? waitForReader(call, meter, slow) : true;
};

const passSlowly = async (call: Call, events: number, meter: Meter, sink: Sink): Promise<boolean> => {
  if (!(await passInTurn(call, meter, sink))) return false;
  // The idle timer was stopped in the meantime.
  expectNext(call, undefined, phaseOf(call, meter), meter.events > events);
  const last = meter.passing.at(-1);
  if (last) call.allowance.lookAhead(last, meter.output);
  return true;
};

/**
 * Passes deltas one by one: those that the hold covers at once, the others once it is extended. False if an extension
 * is refused; the stream ends there.
 */
const passInTurn = async (call: Call, meter: Meter, sink: Sink): Promise<boolean> => {
  call.pause();
  let ready = '';
  for (const delta of meter.passing) {
    if (!call.allowance.covers(delta)) {
      if (ready !== '') await sink.write(ready);
      ready = '';
      const refusal = await call.allowance.admit(delta, meter.output);
      if (refusal || call.signal.aborted) {
        cutBefore(meter, delta);
        // If the hold is gone, another node considered this process dead and released it. The stream ends as if the
        // process stopped.
        call.cancel(refusal === BEYOND_LIMIT || isShortage(refusal) || isAccessEnd(refusal) ? refusal : 'drained');
        return false;
      }
    }
    ready += written(call, meter, delta);
  }
  await sink.write(ready);
  return true;
};

/** A delta in the wire shape of the customer's format. */
const written = (call: Call, meter: Meter, { event }: Passing): string =>
  call.writer?.writeDelta(frameOf(call, meter), event) ?? '';

export const frameOf = ({ generationId, job, askedAt }: Call, { upstreamId }: Pick<Meter, 'upstreamId'>): Frame => ({
  id: upstreamId ?? generationId,
  model: job.model,
  createdAt: askedAt,
});

/** While the customer's connection is slow, the provider's idle timer is stopped. */
const waitForReader = async (call: Call, meter: Meter, slow: Promise<void>): Promise<true> => {
  const phase = phaseOf(call, meter);
  if (phase !== 'ended') call.pause();
  await slow;
  if (phase !== 'ended' && !call.left) expectNext(call, undefined, phase, true);
  return true;
};

export const wasCut = ({ cancelled }: Call): boolean =>
  cancelled === BEYOND_LIMIT || cancelled === TOO_LONG || isShortage(cancelled);

export const howItEnded = (call: Call, meter: Meter): Delivery['ended'] => {
  const { cancelled } = call;
  const { finishReason, usage } = meter;
  // An end without content does not count as completed.
  const answered = meter.delivered || finishReason !== null || isThere(usage);
  if ((meter.state === 'done' && answered) || phaseOf(call, meter) === 'reported') return 'completed';
  if (cancelled === 'client_gone' || cancelled === 'drained') return cancelled;
  if (isShortage(cancelled)) return 'out_of_credits';
  if (isAccessEnd(cancelled)) return 'access_ended';
  // The output reached the limit of the request, or the stream its maximum duration.
  if ((cancelled === BEYOND_LIMIT || cancelled === TOO_LONG) && meter.delivered) return 'completed';
  // Some providers close without `[DONE]`, or do not close; a finish reason is enough.
  const complete = meter.state === 'open' && (!cancelled || cancelled === 'finished') && finishReason !== null;
  return complete ? 'completed' : 'upstream_broke';
};

/** A provider's error is passed on only if the request caused it: others may be about our account there. */
const whyBroken = ({ cancelled }: Call, meter: Meter, ended: Delivery['ended']): CompletionProblem => {
  if (isAccessEnd(cancelled)) return { kind: 'access_ended', code: cancelled };
  if (ended === 'drained') return { kind: 'stream_broken', code: 'draining' };
  if (meter.refusal) return problemOf(meter.refusal);
  // After the end of the stream, silence is not a timeout of the provider.
  const silent = cancelled === 'timeout' && meter.state === 'open';
  return { kind: 'stream_broken', code: silent ? 'upstream_timeout' : 'upstream_error' };
};

const nothing: Settlement = { charged: 0n, usage: noUsage };

/** The last events: the end of choices that were cut, the usage if the customer asked for it, and the end. */
export const closing = (call: Call, meter: Meter, settlement: Settlement): string => {
  const { job, writer } = call;
  const frame = frameOf(call, meter);
  const cut = wasCut(call) ? writer?.writeCut(frame, unfinished(call, meter), noticeOf(call)) : '';
  const end = writer?.writeEnd(frame, job.includeUsage ? settlement : undefined, meter.usageChunk);
  return `${cut ?? ''}${end ?? ''}`;
};

const unfinished = ({ job }: Call, { finishes }: Meter): readonly number[] => {
  const finished = new Set(finishes);
  return Array.from({ length: job.choices }, (_, index) => index).filter((index) => !finished.has(index));
};

/** Why credits or time cut the stream; a limit of the request needs no notice. */
const noticeOf = ({ cancelled, generationId }: Call): Notice | undefined => {
  if (isShortage(cancelled)) return { generationId, error: shortageError(cancelled) };
  return cancelled === TOO_LONG ? { generationId, error: streamTooLong } : undefined;
};

/** A stream that did not complete and delivered nothing costs nothing, whatever the provider bills for it. */
const end = async (
  call: Call,
  meter: Meter,
  ended: Delivery['ended'],
  leftFinished: boolean,
): Promise<Settlement | undefined> => {
  // An answer without text whose finish reason was delivered may consist of reasoning only.
  const wasAnswered = leftFinished && isReported(meter);
  if (ended === 'completed' || meter.delivered || wasAnswered) {
    const metered = { ...meteredSoFar(meter), ...(wasCut(call) ? { finishReason: 'length' } : {}) };
    return call.settle(metered, ended);
  }
  if (ended === 'client_gone' || ended === 'out_of_credits' || ended === 'access_ended') {
    await call.ledger.release(ended, 'before the first token');
  } else if (ended === 'drained') {
    await call.ledger.release('gateway_failed', 'the gateway stopped before the first token');
  } else await call.ledger.release('upstream_failed', call.cancelled ?? 'reset');
  return undefined;
};
