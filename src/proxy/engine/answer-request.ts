import { StoreFull } from '../../eventstore/event-store.ts';
import { isBadRequest, type Gathering, type Job } from '../formats/format.ts';
import { MAX_VALUES, measureJson } from '../json/json-shape.ts';
import { isBeyondContext } from '../metering/bounds.ts';
import type { SoldModel } from '../metering/model-facts.ts';
import type { Provider, ProviderAnswer } from '../providers/provider.ts';
import { plan, type Attempt, type Catalogue } from '../routing/plan.ts';
import { createCall, type Call } from './call.ts';
import type { Answer, Asked, CompletionsOptions, Running, RunningCall } from './completion.ts';
import { HoldsPaused, reserveAmply, reserveCredits, type Bounds, type NotReserved, type Reserved } from './hold.ts';
import { gatherAnswer } from './gather-answer.ts';
import { gatheredJob } from './hold-steps.ts';
import { createIdempotency } from './idempotency.ts';
import { createLedger, type Ledger } from './ledger.ts';
import type { CompletionProblem } from './problem.ts';
import { relayStream, type Sink } from './relay.ts';
import { releaseFailed, releaseRefused, settleWhole, type Whole } from './whole-answer.ts';

/** Memory of an empty object and its list entry. Few values need more than this and their text. */
const BYTES_OF_VALUE = 64;

/** Handles one request, from its body to its answer. */
export const answerTo = async (asked: Asked, options: CompletionsOptions, running: Running): Promise<Answer> => {
  const job = await readJob(asked, options, running);
  if ('kind' in job) return problem(job);
  const askedAt = options.now();
  const planned = plan(job, catalogueAt(askedAt, options));
  switch (planned.kind) {
    case 'unknown_model':
      return problem({ kind: 'model_not_found', model: job.model });
    case 'delisted':
      return problem({ kind: 'model_delisted', model: job.model, since: planned.since });
    case 'unsupported':
      return problem({ kind: 'bad_request', ...planned.why });
    case 'attempts': {
      const [attempt] = planned.attempts;
      const ledger = ledgerOf(asked, options, running);
      const { promptTokens: tokens } = options;
      const { reserve } = ledger;
      const price = attempt.model;
      const gathered = gatheredJob(job, price);
      const ample = gathered && (await reserveAmply({ job, price, tokens, reserve }).catch(forgo(ledger)));
      const sent = ample ? job : (gathered ?? job);
      const reservation = ample ?? (await reserveCredits({ job: sent, price, tokens, reserve }).catch(forgo(ledger)));
      if (!reservation.reserved) return problem(whyNotReserved(reservation));
      asked.held?.(ledger.requestId);
      return answerHeld({ asked, askedAt, job: sent, attempt, ledger, reservation }, options, running);
    }
  }
};

const readJob = async (
  { endpoint, body, takeMemory }: Asked,
  { formats }: CompletionsOptions,
  running: Running,
): Promise<Job | CompletionProblem> => {
  const format = formats.get(endpoint);
  if (!format) throw new Error(`No format has the endpoint ${endpoint}.`);
  const shape = await measureJson(body);
  if (shape.values > MAX_VALUES) return tooManyValues;
  if (running.draining) return { kind: 'draining' };
  if (takeMemory?.(shape.values * BYTES_OF_VALUE) === false) {
    return { kind: 'upstream_failed', code: 'server_is_overloaded' };
  }
  const job = format.read(body, shape);
  return isBadRequest(job) ? { kind: 'bad_request', ...job } : job;
};

const catalogueAt = (at: Date, { findPrice, findDelisting, factsOf, providers }: CompletionsOptions): Catalogue => ({
  priceOf: (model) => findPrice(model, at),
  delistedSince: (model) => findDelisting?.(model, at)?.effectiveFrom,
  factsOf: (price) => factsOf?.(price),
  providers,
});

const ledgerOf = (
  asked: Asked,
  { execute, recordedBy, idempotencySecret, runId, now, termsToAccept }: CompletionsOptions,
  running: Running,
) => {
  const { idempotencyKey } = asked;
  const once =
    idempotencyKey === undefined
      ? undefined
      : createIdempotency({ asked: { ...asked, idempotencyKey }, recordedBy, secret: idempotencySecret });
  const terms = termsToAccept?.();
  return createLedger({ execute, asked, runId, now, stopping: () => running.draining, once, terms });
};

type Held = {
  readonly asked: Asked;
  readonly askedAt: Date;
  readonly job: Job;
  readonly attempt: Attempt;
  readonly ledger: Ledger;
  readonly reservation: Reserved;
};

/** Sends the job to the provider. Every outcome ends the hold. */
const answerHeld = async (held: Held, options: CompletionsOptions, running: Running): Promise<Answer> => {
  const { asked, askedAt, job, attempt, ledger, reservation } = held;
  const { promptTokens, tokens, idleTimeoutMs, maxStreamMs, usageAfterLeavingMs } = options;
  const call = createCall({
    askedAt,
    gone: asked.gone,
    job,
    price: attempt.model,
    reservation,
    ledger,
    promptTokens,
    tokens,
    idleTimeoutMs,
    maxStreamMs,
    usageAfterLeavingMs,
  });
  const { generationId } = call;
  const entry: RunningCall = { call };
  const finished = (): void => {
    running.calls.delete(entry);
    entry.call = undefined;
    call.close();
  };
  running.calls.add(entry);
  if (running.draining) call.cancel('drained');
  let streaming = false;
  try {
    const answer = await askProvider(call, attempt.provider, options);
    if (answer.kind === 'whole') {
      const settled = await settleWhole(call, answer);
      return settled.kind === 'whole' ? passedOn(call, settled, () => running.over(generationId)) : problem(settled);
    }
    if (answer.kind !== 'stream') return problem(answer);
    if (job.gathered) {
      const whole = await gatherAnswer(call, answer.batches, gatheringOf(job));
      return whole.kind === 'whole' ? { ...whole, ...capOf(call.bounds) } : problem(whole);
    }
    streaming = true;
    const relay = (sink: Sink): Promise<void> =>
      relayStream(call, answer.batches, sink).finally(() => {
        finished();
        running.over(generationId);
      });
    return { kind: 'stream', generationId, relay, ...capOf(call.bounds) };
  } finally {
    if (!streaming) finished();
  }
};

/** Any failure before the answer releases the hold and costs nothing. */
const askProvider = async (
  call: Call,
  provider: Provider,
  { promptTokens, upstreamRefused }: CompletionsOptions,
): Promise<Exclude<ProviderAnswer, { readonly kind: 'refused' }> | CompletionProblem> => {
  const { job, price, bounds, ledger, signal } = call;
  try {
    // Counting a long prompt is slow, so it happens only after the customer's credits are held.
    if (await isBeyondContext(job, price, promptTokens)) {
      await ledger.release('upstream_refused', 'beyond the context that is sold');
      return beyondContext(price);
    }
    signal.throwIfAborted();
    const { outputCap } = bounds;
    const answer = await provider.ask({ job, model: price.upstreamModel, outputCap, sold: price, signal, watch: call });
    if (answer.kind !== 'refused') return answer;
    const { status, cause } = answer;
    upstreamRefused({ upstream: provider.name, status, rejectsOurAccount: cause === 'account' });
    return await releaseRefused(call, answer);
  } catch (error) {
    return releaseFailed(call, error);
  }
};

const gatheringOf = ({ format }: Job): Gathering => {
  if (!format.stream) throw new Error('A job is gathered only if its format has streams.');
  return format.stream.gather();
};

const tooManyValues: CompletionProblem = {
  kind: 'bad_request',
  code: 'invalid_request',
  message: `The body has more than ${MAX_VALUES} values.`,
  param: null,
};

const beyondContext = ({ contextTokens }: SoldModel): CompletionProblem => ({
  kind: 'bad_request',
  code: 'context_length_exceeded',
  message: `This model's maximum context length is ${contextTokens} tokens here, and the messages alone have more. Send less.`,
  param: 'messages',
});

const problem = (what: CompletionProblem): Answer => ({ kind: 'problem', problem: what });

const whyNotReserved = ({ refusal, affordableTokens }: NotReserved): CompletionProblem =>
  'generationId' in refusal
    ? { kind: 'duplicate', duplicate: refusal }
    : { kind: 'refused', refusal, ...(affordableTokens === undefined ? {} : { affordableTokens }) };

const capOf = ({ outputCap }: Bounds): { outputCap?: number } => (outputCap === undefined ? {} : { outputCap });

/**
 * Releases a hold that was not acknowledged, because it may still be in the log. The customer does not wait for the
 * release.
 */
const forgo =
  (ledger: Ledger) =>
  (error: unknown): never => {
    if (error instanceof StoreFull || error instanceof HoldsPaused) throw error; // The hold is not in the log.
    ledger.release('gateway_failed', 'the hold was not acknowledged').catch(() => undefined);
    throw error;
  };

/**
 * Passes on an answer in one piece: as it is, or as a stream if the customer asked for one. Calls `over` once a stream
 * is written.
 */
const passedOn = ({ job, generationId, bounds }: Call, answer: Whole, over: () => void): Answer => {
  const { stream } = job.format;
  if (!job.streamed || job.gathered || !stream) return { ...answer, ...capOf(bounds) };
  const events = stream.fromAnswer(answer.body, job.includeUsage);
  const relay = async (sink: Sink): Promise<void> => {
    try {
      await sink.write(events);
    } finally {
      over();
    }
  };
  return { kind: 'stream', generationId, relay, ...capOf(bounds) };
};
