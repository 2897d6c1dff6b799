import { z } from 'zod';
import type { AccountEvent, Delivery, PinnedPrice } from '../../../../domain/account/events.ts';
import { formatUsd, type Usage } from '../../../../domain/money.ts';
import type { Recorded } from '../../../../eventstore/journal/codec.ts';
import type { PersonalData } from '../../../../eventstore/journal/personal-data.ts';
import { viewRates } from '../../../price-views.ts';
import { revision, time } from '../../router/fields.ts';
import { viewAccountLimits, viewKeyLimits } from '../limits.ts';
import { conductDataOf } from './conduct-event-view.ts';
import { moneyDataOf, viewCause, viewDraw } from './money-event-view.ts';

export const eventView = z
  .strictObject({
    revision,
    position: z.int().positive().meta({ description: 'Position in the log, from 1', example: 1042 }),
    time,
    type: z.string().meta({ description: 'Type of the event', example: 'CreditsToppedUp' }),
    data: z.record(z.string(), z.json()).meta({
      description:
        'Depends on the type; amounts end in _usd. Hashes of keys are omitted; name and email are null after an erasure.',
    }),
    actor: z.string().meta({ description: 'admin, key:<id>, system:<what> or cli:<what>', example: 'admin' }),
    request_id: z.string().nullable().meta({ description: 'The HTTP request that caused it, if any' }),
  })
  .meta({ id: 'Event' });

export type EventView = z.output<typeof eventView>;

/**
 * Whether customers may see it. A suspicion names an account of another customer, and its existence would reveal that the
 * name is used at the domain.
 */
export const isForCustomers = ({ event }: Recorded): boolean =>
  event.type !== 'DuplicateSuspected' && event.type !== 'DuplicateDismissed';

/** `personal` is the data of the holder; undefined if it was erased. */
export const viewEvent = (
  { event, revision, position, time, metadata }: Recorded<AccountEvent>,
  personal: PersonalData | undefined,
): EventView => ({
  revision,
  position,
  time: time.toISOString(),
  type: event.type,
  data: dataOf(event, personal),
  actor: metadata.actor,
  request_id: metadata.correlationId ?? null,
});

/** Fields that are not listed here are not exposed, so a new field of an event stays internal until it is added. */
const dataOf = (event: AccountEvent, personal: PersonalData | undefined): EventView['data'] => {
  switch (event.type) {
    case 'AccountRegistered':
      return { name: personal?.name ?? null, email: personal?.email ?? null, holder: event.holder };
    case 'TermsAccepted':
      return { version: event.version, how: event.how, ...(event.notice ? { notice: event.notice } : {}) };
    case 'AccountSuspended':
    case 'AccountReinstated':
      return { reason: event.reason, cause: viewCause(event.cause) };
    case 'PersonalDataErased':
      return { reason: event.reason };
    case 'AccountClosed':
      return {
        reason: event.reason,
        ...(event.askedBy === undefined ? {} : { asked_by: event.askedBy }),
        ...(event.rest === undefined ? {} : { rest: event.rest }),
      };
    case 'ContactChanged':
      return { name: personal?.name ?? null, email: personal?.email ?? null };
    case 'MemberAdded':
    case 'MemberRoleChanged':
      return { person_id: event.personId, role: event.role };
    case 'MemberRemoved':
      return { person_id: event.personId, reason: event.reason };
    case 'TokenCreated': {
      const { tokenId, scopes, endsAt } = event;
      return { token_id: tokenId, scopes: [...scopes], ends_at: new Date(endsAt).toISOString() };
    }
    case 'TokenRevoked':
      return { token_id: event.tokenId, reason: event.reason };
    case 'DuplicateSuspected':
      return { other_id: event.other, signal: event.signal };
    case 'DuplicateDismissed':
      return { other_id: event.other, reason: event.reason };
    case 'KeyLeakReported':
      return { key_id: event.keyId, since: event.since === null ? null : new Date(event.since).toISOString() };
    case 'KeyIssued':
      return {
        ...{ key_id: event.keyId, name: event.name, hint: event.hint, pepper_id: event.pepperId },
        ...(event.replaces === undefined ? {} : { replaces: event.replaces }),
      };
    case 'KeyRehashed':
      return { key_id: event.keyId, pepper_id: event.pepperId };
    case 'KeyRevoked':
      return { key_id: event.keyId, reason: event.reason };
    case 'KeyLimitsSet':
      return { key_id: event.keyId, limits: viewKeyLimits(event.limits) };
    case 'AccountLimitsSet':
      return { limits: viewAccountLimits(event.limits) };
    case 'LowBalanceThresholdSet':
      return { threshold_usd: event.amount === null ? null : formatUsd(event.amount) };
    case 'BalanceBelowThreshold':
      return { balance_usd: formatUsd(event.balance), threshold_usd: formatUsd(event.threshold) };
    case 'CreditsToppedUp':
      return {
        lot_id: event.lotId,
        amount_usd: formatUsd(event.amount),
        source: { ...event.source },
        ends_at: viewTime(event.endsAt),
      };
    case 'CreditsReserved':
      return {
        generation_id: event.requestId,
        amount_usd: formatUsd(event.amount),
        key_id: event.keyId,
        run_id: event.runId,
        price: viewPrice(event.price),
        request: {
          endpoint: event.request.endpoint,
          upstream: event.request.upstream,
          streamed: event.request.streamed,
          input_tokens_bound: event.request.inputTokensBound,
          output_tokens_bound: event.request.outputTokensBound,
        },
        at: viewTime(event.at),
      };
    case 'HoldExtended':
      return {
        generation_id: event.requestId,
        by_usd: formatUsd(event.by),
        at: viewTime(event.at),
        tokens: event.tokens ?? null,
      };
    case 'HoldSettled':
      return { ...viewCharge(event), held_usd: formatUsd(event.held), released_usd: formatUsd(event.released) };
    case 'LateUsageCharged':
      return { ...viewCharge(event), at: viewTime(event.at) };
    case 'HoldReleased':
      return {
        generation_id: event.requestId,
        released_usd: formatUsd(event.released),
        reason: event.reason,
        detail: event.detail,
      };
    case 'UsageWrittenOff':
      return {
        generation_id: event.requestId,
        amount_usd: formatUsd(event.amount),
        tokens_beyond_limit: event.beyond ? event.beyond.output + event.beyond.reasoning : null,
        tokens_beyond: event.beyond ? viewUsage(event.beyond) : null,
      };
    case 'LotExpired':
      return { lot_id: event.lotId, amount_usd: formatUsd(event.amount), reason: event.reason };
    case 'CreditsHeldForRefund':
    case 'RefundHoldReleased':
    case 'CreditsRefunded':
    case 'LotFrozen':
    case 'LotUnfrozen':
    case 'CreditsChargedBack':
    case 'ChargebackReversed':
    case 'CreditsForfeited':
    case 'CreditsWaived':
    case 'DebtIncurred':
    case 'DebtRepaid':
    case 'DebtWrittenOff':
    case 'ChargeReversed':
      return moneyDataOf(event);
    case 'NoticeQueued':
    case 'NoticeAnswered':
    case 'ResaleAuthorized':
    case 'ResaleAuthorizationEnded':
    case 'ViolationRecorded':
    case 'AccountTerminated':
    case 'ContactNoted':
    case 'ContactAnswerNoted':
      return conductDataOf(event);
  }
};

const viewTime = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());

const viewCharge = (event: Extract<AccountEvent, { type: 'HoldSettled' | 'LateUsageCharged' }>) => ({
  generation_id: event.requestId,
  key_id: event.keyId,
  price: viewPrice(event.price),
  tokens: viewUsage(event.usage),
  cost_usd: formatUsd(event.cost),
  charged_usd: formatUsd(event.charged),
  drawn: event.drawn.map(viewDraw),
  delivery: viewDelivery(event.delivery),
});

const viewPrice = ({ model, version, rates }: PinnedPrice) => ({
  model,
  version,
  usd_per_million_tokens: viewRates(rates),
});

const viewUsage = ({ input, cachedInput, cacheWrite, output, reasoning }: Usage) => ({
  input,
  cached_input: cachedInput,
  cache_write: cacheWrite,
  output,
  reasoning,
});

const viewDelivery = (delivery: Delivery) => ({
  usage_source: delivery.usageSource,
  ended: delivery.ended,
  finish_reason: delivery.finishReason,
  upstream_id: delivery.upstreamId,
  first_byte_ms: delivery.firstByteMs,
  total_ms: delivery.totalMs,
  anomalies: [...delivery.anomalies],
});
