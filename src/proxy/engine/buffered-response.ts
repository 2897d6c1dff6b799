import { isUtf8 } from 'node:buffer';
import { formatUsd } from '../../domain/money.ts';
import { BEYOND_LIMIT, isAccessEnd } from './allowance.ts';
import type { Call } from './call.ts';
import { withShortage } from './output-cap.ts';
import { gatherAnswer } from './gathered-answer.ts';
import { SettlementUnknown } from './ledger.ts';
import { isFailure, readAnswer, withCost, type Metered } from '../metering/meter.ts';
import { refusedWithin, type CompletionProblem, type RequestRefused } from './problem.ts';
import { UpstreamFailed, type UpstreamResponse } from '../providers/provider.ts';

/** An answer that came whole. */
export type Whole = {
  readonly kind: 'whole';
  readonly generationId: string;
  readonly body: string;
  readonly costUsd: string;
};

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;

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

/** Gives the hold back of what the upstream refused by an error in a response of status 200. */
export const releaseRefused = async (
  { ledger }: Call,
  refused: RequestRefused,
  { body }: UpstreamResponse,
): Promise<RequestRefused> => {
  await body[Symbol.asyncIterator]().return?.();
  await ledger.release('upstream_refused', `status ${refused.status}, by an error within the response`);
  return refused;
};

/** Meters and settles an answer that does not stream, before it is passed on. */
export const answerWhole = (call: Call, response: UpstreamResponse): Promise<Whole | CompletionProblem> =>
  answerOf(call, response, () => readText(response, MAX_ANSWER_BYTES));

/** The same, of an event stream that was not asked for. */
export const answerGathered = (call: Call, response: UpstreamResponse): Promise<Whole | CompletionProblem> =>
  answerOf(call, response, async () => {
    const gathered = await gatherAnswer(call, response.body);
    if (!gathered) throw new UpstreamFailed('reset', 'the stream ended before its answer did');
    return gathered.json;
  });

const answerOf = async (
  call: Call,
  response: UpstreamResponse,
  readBody: () => Promise<string>,
): Promise<Whole | CompletionProblem> => {
  let body: string;
  let answer: Metered;
  try {
    body = await readBody();
    const read = readAnswer(body);
    const refused = !read && isFailure({ data: body }) ? refusedWithin(body) : undefined;
    if (refused) return await releaseRefused(call, refused, response);
    if (!read) throw new UpstreamFailed('reset', 'the response is not a valid completion');
    answer = read;
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

/** A body to its end; rejects if it is longer. */
const readText = async ({ body, contentType }: UpstreamResponse, maxBytes: number): Promise<string> => {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > maxBytes) throw new UpstreamFailed('reset', `the answer is longer than ${maxBytes} bytes`);
    parts.push(part);
  }
  return decodedText(Buffer.concat(parts), contentType);
};

/** As much of an error as there is: its status alone says enough to answer it. */
export const readErrorText = async (call: Call, response: UpstreamResponse): Promise<string> => {
  try {
    return await readText(response, MAX_ERROR_BYTES);
  } catch (error) {
    if (!(error instanceof UpstreamFailed) || call.signal.aborted) throw error;
    return '';
  }
};

const BYTE_ORDER_MARK = '\uFEFF';

/** JSON is UTF-8 (RFC 8259), and a few write it in the charset that they name. No JSON may begin with a byte order mark. */
const decodedText = (bytes: Buffer, contentType: string): string => {
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? 'utf-8';
  const wide = charset.startsWith('utf-16');
  const text = wide || !isUtf8(bytes) ? decodedFrom(charset, bytes) : bytes.toString('utf8');
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
};

const decodedFrom = (charset: string, bytes: Buffer): string => {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return bytes.toString('utf8'); // An unknown charset.
  }
};
