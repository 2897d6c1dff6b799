import type { Gathering, Job } from '../formats/format.ts';
import { isBeyondContext } from '../metering/bounds.ts';
import type { SoldModel } from '../metering/model-facts.ts';
import { ProviderFailed, type Batch, type ProviderAnswer } from '../providers/provider.ts';
import type { Attempt } from '../routing/plan.ts';
import { createCall, type Call } from './call.ts';
import type { Asked, CompletionsOptions, HeldAnswer, Running, RunningCall } from './completion.ts';
import { gatherAnswer } from './gather-answer.ts';
import type { Bounds, Reserved } from './hold/hold.ts';
import type { Ledger } from './ledger.ts';
import type { CompletionProblem } from './problem.ts';
import { relayStream, type Sink } from './relay.ts';
import { releaseFailed, releaseRefused, settleWhole, type Whole } from './whole-answer.ts';

export type Held = {
  readonly asked: Asked;
  readonly askedAt: Date;
  readonly job: Job;
  readonly attempt: Attempt;
  readonly ledger: Ledger;
  readonly reservation: Reserved;
  /** How many attempts are left after this one. */
  readonly others: number;
};

/** Sends the job to the provider. Every outcome ends the hold. */
export const answerHeld = async (held: Held, options: CompletionsOptions, running: Running): Promise<HeldAnswer> => {
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
    const answer = await askProvider(call, held, options);
    if (answer.kind === 'whole') {
      const settled = await settleWhole(call, answer);
      return settled.kind === 'whole' ? passedOn(call, settled, () => running.over(generationId)) : problem(settled);
    }
    if (answer.kind !== 'stream') return problem(answer);
    if (job.gathered) {
      const whole = await gatherAnswer(call, answer.batches, gatheringOf(job));
      if (whole.kind === 'upstream_failed') recordFailure(held, options);
      return whole.kind === 'whole' ? { ...whole, ...capOf(call.bounds) } : problem(whole);
    }
    streaming = true;
    const relay = (sink: Sink): Promise<void> =>
      relayStream(call, answer.batches, sink)
        .then((ended) => {
          if (ended === 'upstream_broke') recordFailure(held, options);
        })
        .finally(() => {
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
  held: Held,
  options: CompletionsOptions,
): Promise<Exclude<ProviderAnswer, { readonly kind: 'refused' }> | CompletionProblem> => {
  const { job, price, bounds, ledger, signal } = call;
  const { promptTokens, upstreamRefused, health } = options;
  const { provider } = held.attempt;
  const sentAt = performance.now();
  try {
    // Counting a long prompt is slow, so it happens only after the customer's credits are held.
    if (await isBeyondContext(job, price, promptTokens)) {
      await ledger.release('upstream_refused', 'beyond the context that is sold');
      return beyondContext(price);
    }
    signal.throwIfAborted();
    const { outputCap } = bounds;
    const isUrgent = held.others > 0 && job.streamed;
    if (isUrgent) call.expectEnd(FIRST_BYTE_WITHIN_MS, 'timeout');
    const request = { job, model: price.upstreamModel, outputCap, sold: price, signal, watch: call };
    const asked = await provider.ask(request);
    const answer = isUrgent && asked.kind === 'stream' ? await begun(asked.batches) : asked;
    if (isUrgent) call.pause();
    if (answer.kind !== 'refused') {
      health?.record(provider.name, price.upstreamModel, {
        kind: 'answered',
        firstByteMs: performance.now() - sentAt,
      });
      return answer;
    }
    const { status, cause, retryAfterMs } = answer;
    if (cause !== 'request') recordFailure(held, options, retryAfterMs);
    upstreamRefused({ upstream: provider.name, status, rejectsOurAccount: cause === 'account' });
    return await releaseRefused(call, answer);
  } catch (error) {
    const isProviders = call.cancelled === undefined || call.cancelled === 'timeout';
    if (error instanceof ProviderFailed && isProviders) recordFailure(held, options);
    return releaseFailed(call, error);
  }
};

/** How long a stream may take to begin if another attempt is left. */
const FIRST_BYTE_WITHIN_MS = 10_000;

const recordFailure = ({ attempt }: Held, { health }: CompletionsOptions, retryAfterMs?: number): void =>
  health?.record(attempt.provider.name, attempt.model.upstreamModel, { kind: 'failed', retryAfterMs });

/**
 * Waits for the first event of a stream, and returns the whole stream. If the stream fails before, it rejects with
 * ProviderFailed or returns the refusal: nothing was passed on yet, so another provider may answer.
 */
const begun = async (batches: AsyncIterable<Batch>): Promise<ProviderAnswer> => {
  const rest = batches[Symbol.asyncIterator]();
  const read: Batch[] = [];
  for (;;) {
    const next = await rest.next();
    if (next.done === true) throw new ProviderFailed('reset', 'the stream ended before it began');
    read.push(next.value);
    // A comment is not an event, so a batch may have no events.
    const [first] = next.value.events;
    if (first?.kind === 'failed') {
      await rest.return?.();
      if (first.refusal) return { kind: 'refused', ...first.refusal };
      throw new ProviderFailed('reset', 'the stream failed before it began');
    }
    if (first) return { kind: 'stream', batches: continued(read, rest) };
  }
};

async function* continued(read: readonly Batch[], rest: AsyncIterator<Batch>): AsyncGenerator<Batch> {
  try {
    yield* read;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

const gatheringOf = ({ format }: Job): Gathering => {
  if (!format.stream) throw new Error('A job is gathered only if its format has streams.');
  return format.stream.gather();
};

const beyondContext = ({ contextTokens }: SoldModel): CompletionProblem => ({
  kind: 'bad_request',
  code: 'context_length_exceeded',
  message: `This model's maximum context length is ${contextTokens} tokens here, and the messages alone have more. Send less.`,
  param: 'messages',
});

const problem = (what: CompletionProblem): HeldAnswer => ({ kind: 'problem', problem: what });

const capOf = ({ outputCap }: Bounds): { outputCap?: number } => (outputCap === undefined ? {} : { outputCap });

/**
 * Passes on an answer in one piece: as it is, or as a stream if the customer asked for one. Calls `over` once a stream
 * is written.
 */
const passedOn = ({ job, generationId, bounds }: Call, answer: Whole, over: () => void): HeldAnswer => {
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
