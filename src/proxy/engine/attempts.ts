import { attemptName } from '../../domain/generation-ids.ts';
import { StoreFull } from '../../eventstore/event-store.ts';
import type { Job } from '../formats/format.ts';
import type { Attempt } from '../routing/plan.ts';
import { answerHeld } from './answer-held.ts';
import type { Answer, Asked, CompletionsOptions, FailedAttempt, HeldAnswer, Running } from './completion.ts';
import { HoldsPaused, reserveAmply, reserveCredits, type NotReserved } from './hold/hold.ts';
import { gatheredJob } from './hold/hold-steps.ts';
import { createIdempotency } from './idempotency.ts';
import { createLedger, generationIdOf, type Ledger } from './ledger.ts';
import type { CompletionProblem } from './problem.ts';

/** A request that was read, and how it is served. */
export type Planned = {
  readonly asked: Asked;
  readonly askedAt: Date;
  readonly job: Job;
  readonly attempts: readonly [Attempt, ...Attempt[]];
};

/**
 * Tries the attempts one after the other, until one of them answers or its failure is final. Each is a generation with a
 * hold and a price of its own. So the customer pays only for the answer that arrived, and the log has the reason of each
 * attempt that failed.
 */
export const tryAttempts = async (planned: Planned, options: CompletionsOptions, running: Running): Promise<Answer> => {
  const failed: FailedAttempt[] = [];
  let problem: Answer | undefined;
  for (const [n, attempt] of planned.attempts.entries()) {
    const others = planned.attempts.length - n - 1;
    const generation = attemptName(planned.asked.uuid, n + 1);
    const answer = await tryAttempt({ ...planned, attempt, uuid: generation, others }, options, running);
    if (answer.kind !== 'problem') return { ...answer, provider: attempt.provider.name, failed };
    const { model, provider } = attempt;
    const kind = failureOf(answer.problem);
    if (kind !== 'skipped' || problem === undefined) problem = answer;
    if (kind === 'final') return answer;
    failed.push({
      ...{ generationId: generationIdOf(generation), provider: provider.name, model: model.model },
      reason: reasonOf(answer.problem),
    });
  }
  if (!problem) throw new Error('A plan has at least one attempt.');
  return problem;
};

/**
 * `skipped`: the hold was refused, so nothing was sent. `failed`: the provider failed before the customer received
 * anything. In both cases another attempt may succeed.
 */
const failureOf = (problem: CompletionProblem): 'skipped' | 'failed' | 'final' => {
  switch (problem.kind) {
    case 'refused':
      return problem.refusal.funds !== undefined || problem.refusal.code === 'model_not_allowed' ? 'skipped' : 'final';
    case 'upstream_failed':
      return 'failed';
    case 'upstream_refused':
      // The provider does not have the model.
      return problem.status === 404 ? 'failed' : 'final';
    default:
      return 'final';
  }
};

const reasonOf = (problem: CompletionProblem): string => {
  if (problem.kind === 'refused') return problem.refusal.code;
  return problem.kind === 'upstream_failed' ? problem.code : problem.kind;
};

type One = Planned & {
  readonly attempt: Attempt;
  /** The UUID of the request; a later attempt adds its number. */
  readonly uuid: string;
  /** How many attempts are left after this one. */
  readonly others: number;
};

const tryAttempt = async (one: One, options: CompletionsOptions, running: Running): Promise<HeldAnswer> => {
  const { asked, askedAt, job, attempt, uuid, others } = one;
  const generationId = generationIdOf(uuid);
  running.generations.add(generationId);
  let streaming = false;
  try {
    const ledger = ledgerOf({ ...asked, uuid }, options, running);
    const reservation = await reserve(job, attempt, ledger, options);
    if (!reservation.reserved) return { kind: 'problem', problem: whyNotReserved(reservation) };
    asked.held?.(ledger.requestId);
    const held = { asked, askedAt, attempt, ledger, reservation, others, job: reservation.job };
    const answer = await answerHeld(held, options, running);
    streaming = answer.kind === 'stream';
    return answer;
  } finally {
    if (!streaming) running.over(generationId);
  }
};

const reserve = async (job: Job, { model: price }: Attempt, ledger: Ledger, { promptTokens }: CompletionsOptions) => {
  const asked = { price, tokens: promptTokens, reserve: ledger.reserve };
  const gathered = gatheredJob(job, price);
  const ample = gathered && (await reserveAmply({ ...asked, job }).catch(forgo(ledger)));
  if (ample) return { ...ample, job };
  const sent = gathered ?? job;
  return { ...(await reserveCredits({ ...asked, job: sent }).catch(forgo(ledger))), job: sent };
};

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

const whyNotReserved = ({ refusal, affordableTokens }: NotReserved): CompletionProblem =>
  'generationId' in refusal
    ? { kind: 'duplicate', duplicate: refusal }
    : { kind: 'refused', refusal, ...(affordableTokens === undefined ? {} : { affordableTokens }) };

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
