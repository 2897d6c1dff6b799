import { z } from 'zod';
import { staff } from '../../auth/principals.ts';
import { invariant } from '../../../domain/decider.ts';
import { formatUsd } from '../../../domain/money.ts';
import { derivedId } from '../../../eventstore/ids.ts';
import { recordedBy } from '../../../eventstore/journal/recorded-by.ts';
import { accountStream } from '../../../domain/account/account.ts';
import type { Credits } from '../../../domain/money.ts';
import { problem } from '../../server/problems.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { approvalExample, approvalView } from '../staff/approval-view.ts';
import { actsAlone, askSecondPerson } from '../staff/second-person.ts';
import { carryOut } from '../router/execute-command.ts';
import { accountId, grantUsd, lotId, moment, reason, revision, time, usd } from '../router/fields.ts';
import { defineRoute, isProblem, type Deferred, type Identity, type Problem } from '../router/route.ts';

export const grantCredits = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/grants',
  principals: ['admin', ...staff('finance')],
  summary: 'Grant credits',
  description:
    'Credits without a payment. Above GRANT_NEEDS_SECOND_PERSON_USD (default 100) the grant waits for the approval of a ' +
    'second person and is answered with 202. Send an Idempotency-Key: without it, a retry grants twice.',
  body: {
    schema: z.strictObject({
      usd: grantUsd,
      reason,
      ends_at: moment.optional().meta({
        description: 'When unused credits end; by default never. They still pay for requests that began before',
        example: '2026-12-31T00:00:00Z',
      }),
    }),
    example: { usd: '5.00', reason: 'Welcome credits', ends_at: '2026-12-31T00:00:00Z' },
  },
  success: {
    status: 201,
    description: 'The credits are available',
    schema: z.strictObject({
      account_id: accountId,
      lot_id: lotId,
      amount_usd: usd,
      reason: z.string(),
      ends_at: time.nullable(),
      revision,
      created_at: time,
    }),
    example: {
      account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20',
      lot_id: 'lot_5a90c3d7e1f24b68a0c4d792',
      amount_usd: '5.00',
      reason: 'Welcome credits',
      ends_at: '2026-12-31T00:00:00.000Z',
      revision: 3,
      created_at: '2026-01-31T10:00:00.000Z',
    },
  },
  deferred: {
    description: 'The amount needs a second person: see GET /approvals/{approval_id}',
    schema: approvalView,
    example: approvalExample,
  },
  problems: ['account_not_found', 'account_closed', 'invalid_amount'],
  handle: async ({ params, body: { usd: amount, reason, ends_at }, ...identity }, deps) => {
    const grant: Grant = { amount, reason, ...(ends_at === undefined ? {} : { endsAt: ends_at.getTime() }) };
    if (ends_at && ends_at <= deps.now()) {
      // A repetition may come after the end.
      const earlier = await recordedBy(deps.store, params.account_id, identity.commandId);
      if (!earlier) return problem('invalid_request', { message: INVALID_END, param: 'ends_at' });
    }
    if (amount > deps.grantAlone && !actsAlone(deps, identity)) {
      return askForGrant(deps, identity, params.account_id, grant);
    }
    const lotId = derivedId('lot', identity.commandId);
    const { reason: _, ...credits } = grant;
    const done = await carryOut(
      deps,
      identity,
      params.account_id,
      { type: 'TopUp', lotId, ...credits, source: { kind: 'grant', reason } },
      (event) =>
        event.type === 'CreditsToppedUp' &&
        event.amount === amount &&
        event.source.kind === 'grant' &&
        event.source.reason === reason &&
        event.endsAt === grant.endsAt,
    );
    if (isProblem(done)) return done.code === 'invalid_amount' ? { ...done, param: 'usd' } : done;
    const { recorded, repeated, revision } = done;
    invariant(recorded !== undefined, 'an accepted grant is in the log');
    const created_at = recorded.time.toISOString();
    return {
      answer: {
        account_id: params.account_id,
        lot_id: lotId,
        amount_usd: formatUsd(amount),
        reason,
        ends_at: ends_at?.toISOString() ?? null,
        revision,
        created_at,
      },
      repeated,
    };
  },
});

type Grant = { readonly amount: Credits; readonly reason: string; readonly endsAt?: number };

const INVALID_END = 'ends_at: must be in the future.';

const askForGrant = async (
  deps: ManagementDeps,
  identity: Identity,
  accountId: string,
  { reason, ...credits }: Grant,
): Promise<Deferred | Problem> => {
  const { state } = await deps.commands.read(accountStream(accountId));
  if (state.standing.status === 'unregistered') return problem('account_not_found');
  return askSecondPerson(deps, identity, { kind: 'grant', accountId, ...credits }, reason);
};
