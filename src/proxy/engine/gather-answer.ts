import { formatUsd } from '../../domain/money.ts';
import { createMeter, meteredSoFar, type Meter } from '../metering/meter.ts';
import type { Gathering } from '../formats/format.ts';
import { ProviderFailed, type Batch } from '../providers/provider.ts';
import type { Call } from './call.ts';
import type { CompletionProblem } from './problem.ts';
import { closing, howItEnded, pass, wasCut, type Sink } from './relay.ts';
import { isAccessEnd, isShortage } from './shortage.ts';
import { releaseFailed, releaseRefused, unsettled, type Whole } from './whole-answer.ts';

/**
 * Assembles an answer in one piece from a provider's stream, so that its hold grows in steps. The customer receives nothing
 * before the end: if the stream breaks off, the hold is released and nothing is charged. If credits end it, the answer so
 * far is delivered and charged.
 */
export const gatherAnswer = async (
  call: Call,
  batches: AsyncIterable<Batch>,
  gathering: Gathering,
): Promise<Whole | CompletionProblem> => {
  const meter = createMeter();
  const sink: Sink = {
    write: (passing) => {
      gathering.feed(passing);
      return undefined;
    },
    fail: () => undefined,
  };
  try {
    await pass(call, batches, meter, sink);
  } catch (error) {
    return releaseFailed(call, error);
  }
  const ended = howItEnded(call, meter);
  const isAnswer = ended === 'completed' || (ended === 'out_of_credits' && meter.delivered);
  if (!isAnswer) return withoutAnswer(call, meter);

  const metered = { ...meteredSoFar(meter), ...(wasCut(call) ? { finishReason: 'length' } : {}) };
  const settlement = await call.settle(metered, ended).catch(unsettled(call));
  gathering.feed(closing(call, meter, settlement));
  const { generationId, job } = call;
  return {
    ...{ kind: 'whole', generationId, costUsd: formatUsd(settlement.charged) },
    body: job.format.addSettlement(gathering.answer(), settlement),
  };
};

/** Releases the hold of a stream that ended without an answer. */
const withoutAnswer = async (call: Call, meter: Meter): Promise<CompletionProblem> => {
  const { ledger, cancelled } = call;
  if (isAccessEnd(cancelled)) {
    await ledger.release('access_ended', 'before the answer');
    return { kind: 'access_ended', code: cancelled };
  }
  if (isShortage(cancelled)) {
    await ledger.release('out_of_credits', 'before the first token');
    return { kind: 'refused', refusal: { code: cancelled } };
  }
  if (meter.refusal) return releaseRefused(call, meter.refusal);
  return releaseFailed(call, new ProviderFailed(cancelled === 'timeout' ? 'timeout' : 'reset', 'the stream broke off'));
};
