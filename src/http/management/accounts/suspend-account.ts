import { z } from 'zod';
import { staff } from '../../auth/principals.ts';
import { accountStream } from '../../../domain/account/account.ts';
import type { SuspensionCause } from '../../../domain/account/events.ts';
import { isSameCause } from '../../../domain/account/standing.ts';
import { accountAt } from './account-at.ts';
import { carryOut } from '../router/execute-command.ts';
import { accountId, changed, reason, revision, text, time } from '../router/fields.ts';
import { defineRoute, isProblem } from '../router/route.ts';

const standing = z.strictObject({
  account_id: accountId,
  status: z.enum(['active', 'suspended']),
  reason: z.string().nullable().meta({ description: 'Reason of the status', example: 'Resale of access' }),
  changed,
  revision,
  time: time.nullable().meta({ description: 'When it was recorded; null if nothing changed' }),
});

const cause = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('staff') }),
  z.strictObject({ kind: z.literal('violation'), violation_id: text(64) }),
  z.strictObject({ kind: z.literal('dispute'), dispute_id: text(200) }),
  z.strictObject({ kind: z.literal('debt') }),
]);
const causeOf = (asked: z.output<typeof cause> = { kind: 'staff' }): SuspensionCause => {
  switch (asked.kind) {
    case 'violation':
      return { kind: 'violation', violationId: asked.violation_id };
    case 'dispute':
      return { kind: 'dispute', disputeId: asked.dispute_id };
    case 'staff':
    case 'debt':
      return asked;
  }
};

export const suspendAccount = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/suspend',
  principals: ['admin', ...staff('support', 'operator')],
  summary: 'Suspend an account',
  description:
    'New requests are refused; requests in progress complete. The balance stays. For a violation of the terms, record a violation instead. Suspending an account that staff have suspended changes nothing, not even the reason.',
  body: { schema: z.strictObject({ reason }), example: { reason: 'Resale of access' } },
  success: {
    status: 200,
    description: 'The account is suspended',
    schema: standing,
    example: {
      account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20',
      status: 'suspended',
      reason: 'Resale of access',
      changed: true,
      revision: 8,
      time: '2026-01-31T11:00:00.000Z',
    },
  },
  problems: ['account_not_found', 'account_closed'],
  handle: async ({ params: { account_id }, body: { reason }, ...identity }, deps) => {
    const done = await carryOut(
      deps,
      identity,
      account_id,
      { type: 'SuspendAccount', reason },
      (event) => event.type === 'AccountSuspended' && event.reason === reason,
    );
    if (isProblem(done)) return done;
    const { recorded, repeated, revision } = done;
    const status = 'suspended' as const;
    if (recorded) {
      return {
        answer: { account_id, status, reason, changed: true, revision, time: recorded.time.toISOString() },
        repeated,
      };
    }
    const { state } = await deps.commands.read(accountStream(account_id));
    const byStaff = state.standing.suspensions.find(({ cause }) => cause.kind === 'staff');
    return { answer: { account_id, status, reason: byStaff?.reason ?? null, changed: false, revision, time: null } };
  },
});

export const reinstateAccount = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/reinstate',
  principals: ['admin', ...staff('support', 'operator')],
  summary: 'Reinstate a suspended account',
  description:
    'Removes one cause of the suspension: the decision of staff by default, a violation, a dispute, or a debt. If other causes are left, ' +
    'the account stays suspended.',
  body: {
    schema: z.strictObject({ reason, cause: cause.optional().meta({ description: 'By default staff' }) }),
    example: { reason: 'The holder explained' },
  },
  success: {
    status: 200,
    description: 'The cause is removed',
    schema: standing,
    example: {
      account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20',
      status: 'active',
      reason: 'The holder explained',
      changed: true,
      revision: 9,
      time: '2026-01-31T12:00:00.000Z',
    },
  },
  problems: ['account_not_found', 'account_closed', 'account_not_suspended', 'debt_open'],
  handle: async ({ params: { account_id }, body, ...identity }, deps) => {
    const { reason } = body;
    const cause = causeOf(body.cause);
    const done = await carryOut(
      deps,
      identity,
      account_id,
      { type: 'ReinstateAccount', reason, cause },
      (event) => event.type === 'AccountReinstated' && event.reason === reason && isSameCause(event.cause, cause),
    );
    if (isProblem(done)) return done;
    const { recorded, repeated, revision } = done;
    // A repetition is answered as before, whatever happened since.
    const then = await accountAt(deps, account_id, { revision });
    const status = then?.account.standing.status === 'suspended' ? ('suspended' as const) : ('active' as const);
    const time = recorded?.time.toISOString() ?? null;
    return { answer: { account_id, status, reason, changed: true, revision, time }, repeated };
  },
});
