import { formatUsd } from '../domain/money.ts';
import type { Call } from './call.ts';
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
  try {
    body = await readText(response.body, MAX_ANSWER_BYTES);
  } catch (error) {
    return releaseFailed(call, error);
  }
  const answer = readAnswer(body);
  if (!answer) return releaseFailed(call, new UpstreamFailed('reset', 'the answer is none'));
  call.heard();
  try {
    return await settleWhole(call, body, answer);
  } catch (error) {
    // Where nobody knows whether it was charged, it is not for this call to give back.
    if (!(error instanceof SettlementUnknown)) await call.ledger.release('gateway_failed', 'an error of the gateway');
    throw error;
  }
};

const settleWhole = async (call: Call, body: string, answer: Metered): Promise<Whole | CompletionProblem> => {
  if (call.request.streamed) {
    const refusal = await heldFor(call, answer.texts.join(''));
    if (refusal) return refusal;
  }
  const settlement = await call.settle(answer, 'completed');
  const costUsd = formatUsd(settlement.charged);
  return {
    kind: 'whole',
    generationId: call.generationId,
    body: withCost(body, settlement.usage, costUsd),
    costUsd,
  };
};

/** An upstream that was asked for a stream may not make one; what was held in the hope of that may be less than it says. */
const heldFor = async ({ allowance, ledger }: Call, text: string): Promise<CompletionProblem | undefined> => {
  const code = await allowance.admit({ bytes: Buffer.byteLength(text), textEnd: text.length }, text);
  if (code === undefined || code === 'hold_not_open') return undefined;
  await ledger.release('out_of_credits', 'the answer did not stream');
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
