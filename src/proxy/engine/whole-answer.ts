import { formatUsd } from '../../domain/money.ts';
import { storedId, storedReason } from '../metering/meter.ts';
import { ProviderFailed, type Metered, type ProviderAnswer, type Refusal } from '../providers/provider.ts';
import type { Call } from './call.ts';
import { SettlementUnknown } from './ledger.ts';
import { problemOf, type CompletionProblem } from './problem.ts';
import { frameOf } from './relay.ts';
import { BEYOND_LIMIT, isAccessEnd, isShortage, shortageError } from './shortage.ts';

/** An answer in one piece. */
export type Whole = {
  readonly kind: 'whole';
  readonly generationId: string;
  /** In the customer's format, with usage and cost. */
  readonly body: string;
  readonly costUsd: string;
};

/** Releases the hold of a call that ended before its answer, and returns the problem for the customer. */
export const releaseFailed = async ({ ledger, cancelled }: Call, error: unknown): Promise<CompletionProblem> => {
  if (cancelled === 'client_gone') {
    await ledger.release('client_gone', 'before the answer');
    return { kind: 'client_gone' };
  }
  if (cancelled === 'drained') {
    await ledger.release('gateway_failed', 'the gateway stopped before the answer');
    return { kind: 'draining' };
  }
  if (!(error instanceof ProviderFailed)) {
    await ledger.release('gateway_failed', 'an error of the gateway');
    throw error;
  }
  await ledger.release('upstream_failed', error.code);
  const code = error.code === 'timeout' ? 'upstream_timeout' : 'upstream_error';
  return { kind: 'upstream_failed', code };
};

/** Releases the hold of a call that the provider refused. */
export const releaseRefused = async ({ ledger }: Call, refusal: Refusal): Promise<CompletionProblem> => {
  const within = refusal.within === true ? ', by an error within the response' : '';
  await ledger.release('upstream_refused', `status ${refusal.status}${within}`);
  return problemOf(refusal);
};

/** Settles an answer in one piece before it is passed on. */
export const settleWhole = async (
  call: Call,
  { metered: read, content }: Extract<ProviderAnswer, { readonly kind: 'whole' }>,
): Promise<Whole | CompletionProblem> => {
  const metered = storable(read);
  try {
    call.heard();
    // The time from here on is not the provider's.
    call.pause();
    const refusal = call.job.streamed ? await holdFor(call, metered.texts) : undefined;
    if (refusal) return refusal;
  } catch (error) {
    return releaseFailed(call, error);
  }
  const { format } = call.job;
  const settlement = await call.settle(metered, 'completed').catch(unsettled(call));
  const body = typeof content === 'string' ? content : format.writeAnswer(frameOf(call, metered), content, call.job);
  const { cappedBy } = call.bounds;
  const settled = format.addSettlement(body, settlement);
  const { generationId } = call;
  return {
    ...{ kind: 'whole', generationId, costUsd: formatUsd(settlement.charged) },
    body: isShortage(cappedBy)
      ? format.addShortage(settled, { generationId, error: shortageError(cappedBy) })
      : settled,
  };
};

const storable = (metered: Metered): Metered => ({
  ...metered,
  upstreamId: metered.upstreamId === null ? null : storedId(metered.upstreamId),
  finishReason: metered.finishReason === null ? null : storedReason(metered.finishReason),
});

/** If the settlement may be in the log, the hold is not released. Another node ends it if it is still open. */
export const unsettled =
  ({ ledger }: Call) =>
  async (error: unknown): Promise<never> => {
    if (!(error instanceof SettlementUnknown)) await ledger.release('gateway_failed', 'an error of the gateway');
    throw error;
  };

/**
 * Extends the hold for an answer in one piece to a request for a stream, because the hold may cover only the first step
 * of a stream. Rejects if the call was cancelled before the hold covers the answer.
 */
const holdFor = async (
  { allowance, ledger, signal }: Call,
  texts: readonly string[],
): Promise<CompletionProblem | undefined> => {
  const output = texts.map((text, choice) => ({ choice, text }));
  const all = { bytes: Buffer.byteLength(texts.join('')), pieces: output.length };
  const code = await allowance.admit(all, output);
  if (code === undefined && !allowance.covers(all)) signal.throwIfAborted();
  if (code === undefined || code === 'hold_not_open' || code === BEYOND_LIMIT) return undefined;
  await ledger.release(isAccessEnd(code) ? 'access_ended' : 'out_of_credits', 'the answer did not stream');
  return { kind: 'refused', refusal: { code } };
};
