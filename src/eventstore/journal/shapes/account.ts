import { z } from 'zod';
import { noticeOutcomes } from '../../../domain/account/conduct/events.ts';
import { duplicateSignals, memberRoles, restsOfCredits, type AccountEvent } from '../../../domain/account/events.ts';
import { noUsage } from '../../../domain/money.ts';
import type { Shapes } from './shape.ts';
import { asPlain } from '../personal-data.ts';
import { conductEventShapes, contactNoteShapes, noticeEventShapes } from './conduct.ts';
import { correctionEventShapes, debtEventShapes, refundEventShapes } from './refunds.ts';
import { credits, drawn, id, rates, timeMs, tokens, usage } from './values.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const holder = z.enum(['person', 'entity']);
const registeredInTheClear = z.object({ name: z.string(), email: z.string(), holder });

const lotSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('grant'), reason: z.string() }),
  z.strictObject({ kind: z.literal('payment'), reference: z.string() }),
]);

const pinnedPrice = z.strictObject({ model: z.string(), version: z.int().positive(), rates });

const requestFacts = z.strictObject({
  endpoint: z.string(),
  upstream: z.string(),
  streamed: z.boolean(),
  inputTokensBound: tokens,
  outputTokensBound: tokens,
});

const delivery = z.strictObject({
  usageSource: z.enum(['reported', 'metered']),
  ended: z.enum(['completed', 'client_gone', 'upstream_broke', 'out_of_credits', 'access_ended', 'drained']),
  finishReason: z.string().nullable(),
  upstreamId: z.string().nullable(),
  firstByteMs: z.int().nonnegative().nullable(),
  totalMs: z.int().nonnegative(),
  anomalies: z.array(z.string()),
});

/** Older versions lack `access_ended`. Of their values, only `out_of_credits` means that the gateway ended the stream in order. */
const endedAsBefore = (ended: unknown): unknown => (ended === 'access_ended' ? 'out_of_credits' : ended);
const withDeliveryAsBefore = (data: unknown): unknown => {
  const charge = data as { readonly delivery: { readonly ended: unknown } };
  return { ...charge, delivery: { ...charge.delivery, ended: endedAsBefore(charge.delivery.ended) } };
};
const withReasonAsBefore = (data: unknown): unknown => {
  const release = data as { readonly reason: unknown };
  return { ...release, reason: endedAsBefore(release.reason) };
};

const most = z.int().positive();
const accountLimits = z.strictObject({
  requestsPerMinute: most.exactOptional(),
  tokensPerMinute: most.exactOptional(),
  concurrentRequests: most.exactOptional(),
  spending: z
    .strictObject({ day: credits.exactOptional(), month: credits.exactOptional(), total: credits.exactOptional() })
    .exactOptional(),
  models: z.array(z.string()).exactOptional(),
});
const keyLimits = z.strictObject({ ...accountLimits.shape, expiresAt: z.iso.datetime().exactOptional() });

const memberRole = z.enum(memberRoles);

const suspension = z.object({
  reason: z.string(),
  cause: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('staff') }),
    z.strictObject({ kind: z.literal('violation'), violationId: id }),
    z.strictObject({ kind: z.literal('dispute'), disputeId: id }),
    z.strictObject({ kind: z.literal('debt') }),
  ]),
});
/** In version 1, every suspension was a decision of staff. */
const byStaff = (data: unknown): unknown => ({ ...(data as object), cause: { kind: 'staff' } });
const withoutCause = (data: unknown): unknown => {
  const { cause, ...rest } = data as { readonly cause: { readonly kind: string } };
  return cause.kind === 'staff' ? rest : undefined;
};
/** In version 2, no violation was a cause. */
const withoutViolation = (data: unknown): unknown =>
  (data as { readonly cause: { readonly kind: string } }).cause.kind === 'violation' ? undefined : data;
const suspensionShape = {
  version: 3,
  schema: suspension,
  lift: { 1: byStaff, 2: (data: unknown) => data },
  lower: { 1: withoutCause, 2: withoutViolation },
};

/** Version 1 has no evidence of a notice. */
const withoutNotice = (data: unknown): unknown => {
  const { notice: _, ...rest } = data as { readonly notice?: unknown };
  return rest;
};

/** Version 1 cannot express that the rest is to be refunded. What was given up has events of its own. */
const withoutRest = (data: unknown): unknown => {
  const { rest, ...others } = data as { readonly rest?: unknown };
  return rest === 'refund' ? undefined : others;
};

const writtenOffOf2 = z.looseObject({ beyondLimit: tokens.exactOptional(), beyond: usage.exactOptional() });

const withBeyondByClass = (data: unknown): unknown => {
  const { beyondLimit, ...rest } = writtenOffOf2.parse(data);
  return beyondLimit === undefined || rest.beyond ? rest : { ...rest, beyond: { ...noUsage, output: beyondLimit } };
};

const withBeyondLimit = (data: unknown): unknown => {
  const written = writtenOffOf2.parse(data);
  const beyondLimit = (written.beyond?.output ?? 0) + (written.beyond?.reasoning ?? 0);
  return beyondLimit > 0 ? { ...written, beyondLimit } : written;
};

// `encode` passes the whole event. A plain object schema drops `type`.
export const accountEventShapes: Shapes<AccountEvent> = {
  AccountRegistered: {
    version: 2,
    schema: z.object({ holder, personal: id }),
    lift: {
      // Version 1 had name and e-mail address in clear text.
      1: (data) => {
        const { name, email, ...rest } = registeredInTheClear.parse(data);
        return { ...rest, personal: asPlain({ name, email }) };
      },
    },
  },
  TermsAccepted: {
    version: 2,
    schema: z.object({
      version: z.string(),
      how: z.string(),
      notice: z.enum([...noticeOutcomes, 'pending', 'not_due']).exactOptional(),
    }),
    lift: { 1: (data) => data },
    lower: { 1: withoutNotice },
  },
  AccountSuspended: suspensionShape,
  AccountReinstated: suspensionShape,
  AccountClosed: {
    version: 2,
    schema: z.object({
      reason: z.string(),
      askedBy: id.exactOptional(),
      rest: z.enum(restsOfCredits).exactOptional(),
    }),
    lift: { 1: (data) => data },
    lower: { 1: withoutRest },
  },
  PersonalDataErased: { version: 1, schema: z.object({ reason: z.string() }) },
  ContactChanged: { version: 1, schema: z.object({ personal: id }) },
  MemberAdded: { version: 1, schema: z.object({ personId: id, role: memberRole }) },
  MemberRoleChanged: { version: 1, schema: z.object({ personId: id, role: memberRole }) },
  MemberRemoved: { version: 1, schema: z.object({ personId: id, reason: z.string() }) },
  TokenCreated: { version: 1, schema: z.object({ tokenId: id, scopes: z.array(z.string()), endsAt: timeMs }) },
  TokenRevoked: { version: 1, schema: z.object({ tokenId: id, reason: z.string() }) },
  DuplicateSuspected: { version: 1, schema: z.object({ other: id, signal: z.enum(duplicateSignals) }) },
  DuplicateDismissed: { version: 1, schema: z.object({ other: id, reason: z.string() }) },
  KeyIssued: {
    version: 2,
    schema: z.object({
      keyId: id,
      name: z.string(),
      hash: id,
      pepperId: id,
      hint: z.string(),
      replaces: id.exactOptional(),
    }),
    // Version 1 had no replaced keys. A gateway that reads only version 1 would not count the usage of the replaced key.
    lift: { 1: (data) => data },
    lower: { 1: (data) => ('replaces' in (data as object) ? undefined : data) },
  },
  KeyRehashed: { version: 1, schema: z.object({ keyId: id, hash: id, pepperId: id }) },
  KeyLeakReported: { version: 1, schema: z.object({ keyId: id, since: timeMs.nullable() }) },
  KeyRevoked: { version: 1, schema: z.object({ keyId: id, reason: z.string() }) },
  KeyLimitsSet: { version: 1, schema: z.object({ keyId: id, limits: keyLimits }) },
  LowBalanceThresholdSet: { version: 1, schema: z.object({ amount: credits.nullable() }) },
  BalanceBelowThreshold: { version: 1, schema: z.object({ balance: credits, threshold: credits }) },
  AccountLimitsSet: { version: 1, schema: z.object({ limits: accountLimits }) },
  CreditsToppedUp: {
    version: 2,
    schema: z.object({ lotId: id, amount: credits, source: lotSource, endsAt: timeMs.exactOptional() }),
    // Version 1 had no end. A gateway that reads only version 1 would never end the lot.
    lift: { 1: (data) => data },
    lower: { 1: (data) => ('endsAt' in (data as object) ? undefined : data) },
  },
  CreditsReserved: {
    version: 3,
    schema: z.object({
      requestId: id,
      amount: credits,
      keyId: id,
      runId: id,
      price: pinnedPrice,
      request: requestFacts,
      requestHash: sha256.exactOptional(),
      at: timeMs.exactOptional(),
    }),
    // Version 1 had no idempotency keys; version 2 had no limits, and therefore no time.
    lift: { 1: (data) => data, 2: (data) => data },
  },
  HoldExtended: {
    version: 2,
    schema: z.object({ requestId: id, by: credits, at: timeMs.exactOptional(), tokens: tokens.exactOptional() }),
    // Version 1 had no tokens.
    lift: { 1: (data) => data },
  },
  HoldSettled: {
    version: 2,
    schema: z.object({
      requestId: id,
      keyId: id,
      price: pinnedPrice,
      usage,
      cost: credits,
      charged: credits,
      held: credits,
      released: credits,
      drawn,
      delivery,
    }),
    // Version 1 had no `access_ended`.
    lift: { 1: (data) => data },
    lower: { 1: withDeliveryAsBefore },
  },
  HoldReleased: {
    version: 3,
    schema: z.object({
      requestId: id,
      released: credits,
      reason: z.enum([
        'upstream_refused',
        'upstream_failed',
        'client_gone',
        'out_of_credits',
        'access_ended',
        'orphaned',
        'gateway_failed',
      ]),
      detail: z.string(),
    }),
    // Version 1 had no `out_of_credits`, version 2 no `access_ended`.
    lift: { 1: (data) => data, 2: (data) => data },
    lower: { 2: withReasonAsBefore },
  },
  LateUsageCharged: {
    version: 3,
    schema: z.object({
      requestId: id,
      keyId: id,
      price: pinnedPrice,
      usage,
      cost: credits,
      charged: credits,
      drawn,
      delivery,
      at: timeMs.exactOptional(),
    }),
    // Version 1 had no time, version 2 no `access_ended`.
    lift: { 1: (data) => data, 2: (data) => data },
    lower: { 2: withDeliveryAsBefore },
  },
  UsageWrittenOff: {
    version: 3,
    schema: z.object({ requestId: id, amount: credits, beyond: usage.exactOptional() }),
    // Version 1 had no tokens beyond a limit, version 2 only output tokens.
    lift: { 1: (data) => data, 2: withBeyondByClass },
    // Readers of version 2 ignore the unknown field, so nothing is lost.
    lower: { 2: withBeyondLimit },
  },
  LotExpired: {
    version: 2,
    schema: z.object({ lotId: id, amount: credits, reason: z.enum(['account_closed', 'ended']) }),
    // In version 1, lots ended only with their account.
    lift: { 1: (data) => data },
    lower: { 1: (data) => ((data as { readonly reason: string }).reason === 'account_closed' ? data : undefined) },
  },
  ...refundEventShapes,
  ...debtEventShapes,
  ...correctionEventShapes,
  ...noticeEventShapes,
  ...conductEventShapes,
  ...contactNoteShapes,
};
