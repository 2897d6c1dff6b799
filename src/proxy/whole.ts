import { formatUsd } from '../domain/money.ts';
import { BEYOND_LIMIT, isAccessEnd } from './allowance.ts';
import type { Call } from './call.ts';
import { withShortage } from './capped.ts';
import { SettlementUnknown } from './ledger.ts';
import { readAnswer, withCost, type Metered } from './meter.ts';
import type { CompletionProblem } from './problem.ts';
import { UpstreamFailed, type UpstreamResponse } from './upstream.ts';

/** An answer that came whole. */
export type Whole = {
  readonly kind: 'whole';
  readonly generationId: string;
  readonly body: string;
  readonly costUsd: string;
};

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Gives the hold back of what ended before its answer, and tells what the customer reads. */
export const releaseFailed = async ({ ledger, cancelled }: Call, error: unknown): Promise<CompletionProblem> => {
  if (cancelled === 'client_gone') {
    await ledger.release('client_gone', 'before the answer');
    return { kind: 'client_gone' };
  }
  if (cancelled === 'drained') {
    await ledger.release('gateway_failed', 'the gateway stopped before the answer');
    return { kind: 'draining' };
  }
  if (!(error instanceof UpstreamFailed)) {
    await ledger.release('gateway_failed', 'an error of the gateway');
    throw error;
  }
  await ledger.release('upstream_failed', error.code);
  const code = error.code === 'timeout' ? 'upstream_timeout' : 'upstream_error';
  return { kind: 'upstream_failed', code };
};

/** Meters and settles an answer that does not stream, before it is passed on. */
export const answerWhole = async (call: Call, response: UpstreamResponse): Promise<Whole | CompletionProblem> => {
  let body: string;
  let answer: Metered;
  try {
    body = await readText(response.body, MAX_ANSWER_BYTES);
    answer = read(body);
    call.heard();
    // What is left to do takes its time, which is not the upstream's.
    call.pause();
    const refusal = call.request.streamed ? await heldFor(call, answer.texts) : undefined;
    if (refusal) return refusal;
  } catch (error) {
    return releaseFailed(call, error);
  }
  const settlement = await call.settle(answer, 'completed').catch(unsettled(call));
  const costUsd = formatUsd(settlement.charged);
  return {
    kind: 'whole',
    generationId: call.generationId,
    body: withShortage(call, withCost(body, settlement.usage, costUsd)),
    costUsd,
  };
};

/** Of a settlement that may be in the log nothing is to be given back, and what is open is ended by others. */
const unsettled =
  ({ ledger }: Call) =>
  async (error: unknown): Promise<never> => {
    if (!(error instanceof SettlementUnknown)) await ledger.release('gateway_failed', 'an error of the gateway');
    throw error;
  };

const read = (body: string): Metered => {
  const answer = readAnswer(body);
  if (!answer) throw new UpstreamFailed('reset', 'the answer is none');
  return answer;
};

/**
 * An upstream that was asked for a stream may not make one; what was held in the hope of that may be less than it says.
 * Rejects where the call was ended before all of it was held for.
 */
const heldFor = async (
  { allowance, ledger, signal }: Call,
  texts: readonly string[],
): Promise<CompletionProblem | undefined> => {
  const spoken = texts.map((words, choice) => ({ choice, words }));
  const all = { bytes: Buffer.byteLength(texts.join('')), pieces: spoken.length };
  const code = await allowance.admit(all, spoken);
  if (code === undefined && !allowance.covers(all)) signal.throwIfAborted();
  if (code === undefined || code === 'hold_not_open' || code === BEYOND_LIMIT) return undefined;
  await ledger.release(isAccessEnd(code) ? 'access_ended' : 'out_of_credits', 'the answer did not stream');
  return { kind: 'refused', refusal: { code } };
};

/** A body to its end; rejects where it is longer. */
export const readText = async (body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> => {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > maxBytes) throw new UpstreamFailed('reset', `the answer is longer than ${maxBytes} bytes`);
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString('utf8');
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
};

/** No JSON may begin with it, and some does. */
const BYTE_ORDER_MARK = '\uFEFF';
