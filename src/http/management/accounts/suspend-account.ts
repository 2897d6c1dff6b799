import { z } from 'zod';
import { staff } from '../../auth/principals.ts';
import { accountStream } from '../../../domain/account/account.ts';
import { carryOut } from '../router/execute-command.ts';
import { accountId, changed, reason, revision, time } from '../router/fields.ts';
import { defineRoute, isProblem } from '../router/route.ts';

const standing = z.strictObject({
  account_id: accountId,
  status: z.enum(['active', 'suspended']),
  reason: z.string().nullable().meta({ description: 'Reason of the status', example: 'Resale of access' }),
  changed,
  revision,
  time: time.nullable().meta({ description: 'When it was recorded; null if nothing changed' }),
});

export const suspendAccount = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/suspend',
  principals: ['admin', ...staff('support', 'operator')],
  summary: 'Suspend an account',
  description:
    'New requests are refused; requests in progress complete. The balance stays. Suspending a suspended account changes nothing, not even the reason.',
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
    const { suspensionReason } = state.standing;
    return { answer: { account_id, status, reason: suspensionReason, changed: false, revision, time: null } };
  },
});

export const reinstateAccount = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/reinstate',
  principals: ['admin', ...staff('support', 'operator')],
  summary: 'Reinstate a suspended account',
  body: { schema: z.strictObject({ reason }), example: { reason: 'The holder explained' } },
  success: {
    status: 200,
    description: 'The account is active',
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
  problems: ['account_not_found', 'account_closed', 'account_not_suspended'],
  handle: async ({ params: { account_id }, body: { reason }, ...identity }, deps) => {
    const done = await carryOut(
      deps,
      identity,
      account_id,
      { type: 'ReinstateAccount', reason },
      (event) => event.type === 'AccountReinstated' && event.reason === reason,
    );
    if (isProblem(done)) return done;
    const { recorded, repeated, revision } = done;
    const time = recorded?.time.toISOString() ?? null;
    return { answer: { account_id, status: 'active' as const, reason, changed: true, revision, time }, repeated };
  },
});
